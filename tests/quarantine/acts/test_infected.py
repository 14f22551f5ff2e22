"""What a person's own infection means for their grounds, whenever its days became known."""

from datetime import date, timedelta

import pytest

from accounts.staff.models import Area, Role, User
from quarantine.acts.contacts import open_contacts
from quarantine.acts.household import proposed_contacts
from quarantine.acts.results import record_result
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.corrections.results import correct_result
from quarantine.corrections.withdrawals import take_back_result
from quarantine.models import Case
from quarantine.todo import services as todo
from quarantine.todo.models import Todo
from residents.register.models import Household, Resident
from testing import services as testing
from testing.models import NATResult
from tests.factories import (
    make_arrival,
    make_case,
    make_household,
    make_place,
    make_resident,
    make_user,
    moment,
)

pytestmark = pytest.mark.django_db

DAY_1 = date(2022, 11, 20)
WHY = "示例更正"


def nth(number: int) -> date:
    return DAY_1 + timedelta(days=number - 1)


@pytest.fixture
def cangshan() -> Area:
    return make_place("cangshan-2022-324", "350104")


@pytest.fixture
def home(cangshan: Area) -> Household:
    return make_household(grid=cangshan)


@pytest.fixture
def supervisor(cangshan: Area) -> User:
    return make_user(Role.SUPERVISOR, cangshan)


def found(resident: Resident, day: int, *, on: int | None = None) -> NATResult:
    """Enter a positive of a sample of a day, known on that day or later."""
    by = make_user(Role.GRID_STAFF, resident.grid)
    taken, at = moment(nth(day), 8), moment(nth(on or day), 9)
    sample = testing.take_sample(resident=resident, taken_at=taken, at=at, by=by)
    return record_result(
        sample=sample,
        outcome=NATResult.Outcome.POSITIVE,
        ct=None,
        reported_at=at,
        at=at,
        by=by,
    ).result


def infected(resident: Resident) -> Case:
    return Case.objects.open().get(resident=resident, plan__provision__subject="infected")


def enter_contacts(resident: Resident, on: int) -> list[Case]:
    case, at = infected(resident), moment(nth(on), 10)
    people = [one.resident for one in proposed_contacts(case=case, at=at)]
    return open_contacts(case=case, residents=people, at=at, by=make_user())


class TestSomebodyInfectedBefore:
    @pytest.fixture
    def pair(self, home: Household) -> tuple[Resident, Resident]:
        """Return two who live together, the second of them a contact of the first since day 3."""
        first, second = make_resident(household=home), make_resident(household=home)
        found(first, 3)
        (contact,) = enter_contacts(first, 3)
        assert (contact.resident, contact.day_1) == (second, nth(3))
        return first, second

    @pytest.mark.parametrize("day", [2, 3])
    def test_is_no_contact_of_who_was_found_before(
        self, pair: tuple[Resident, Resident], day: int
    ) -> None:
        first, second = pair

        found(second, day, on=4)

        contact = Case.objects.get(index_case=infected(first))
        assert contact.closed_as == Case.ClosedAs.WITHDRAWN
        assert infected(second).day_1 == nth(day)
        assert not proposed_contacts(case=infected(first), at=moment(nth(4)))
        assert unexplained_cases() == []

    def test_makes_a_contact_of_who_was_infected_later(
        self, pair: tuple[Resident, Resident]
    ) -> None:
        first, second = pair
        found(second, 2, on=4)

        (proposed,) = proposed_contacts(case=infected(second), at=moment(nth(4)))

        assert (proposed.resident, proposed.day_1) == (first, nth(2))
        assert not proposed.lengthens

    def test_is_a_contact_again_once_that_is_taken_back(
        self, pair: tuple[Resident, Resident], supervisor: User
    ) -> None:
        first, second = pair
        result = found(second, 2, on=4)

        take_back_result(result=result, reason=WHY, at=moment(nth(5)), by=supervisor)

        (contact,) = Case.objects.open().filter(resident=second)
        assert contact.index_case == infected(first)
        assert (contact.day_1, contact.governs) == (nth(3), True)
        assert unexplained_cases() == []


class TestTheInfection:
    @pytest.fixture
    def someone(self, home: Household) -> Resident:
        """Return somebody found positive on day 4, with a contact since then."""
        someone, _other = make_resident(household=home), make_resident(household=home)
        found(someone, 4)
        enter_contacts(someone, 4)
        return someone

    def test_begins_with_the_first_positive_however_late_it_came(self, someone: Resident) -> None:
        first = found(someone, 2, on=5)

        case = infected(someone)
        assert (case.positive, case.day_1) == (first, nth(2))
        assert case.contacts.get().day_1 == nth(2)

    def test_rests_on_the_other_positive_once_the_first_is_withdrawn(
        self, someone: Resident, supervisor: User
    ) -> None:
        second = infected(someone).positive
        first = found(someone, 2, on=5)

        take_back_result(result=first, reason=WHY, at=moment(nth(6)), by=supervisor)

        case = infected(someone)
        assert (case.positive, case.day_1) == (second, nth(4))
        assert case.contacts.get().day_1 == nth(4)
        assert set(Todo.objects.open().values_list("kind", flat=True)) == {"positive"}

    def test_keeps_what_is_to_be_done_when_the_later_positive_is_withdrawn(
        self, someone: Resident, supervisor: User
    ) -> None:
        second = infected(someone).positive
        assert second
        found(someone, 2, on=5)

        take_back_result(result=second, reason=WHY, at=moment(nth(6)), by=supervisor)

        assert infected(someone).day_1 == nth(2)
        assert set(Todo.objects.open().values_list("kind", flat=True)) == {"positive"}


class TestWhereTheLawRefersPeople:
    @pytest.fixture
    def case(self) -> Case:
        return make_case(make_place("yingkou-2022-11", "210800"), on=DAY_1)

    def test_the_second_positive_refers_once_the_first_is_withdrawn(self, case: Case) -> None:
        by = make_user(Role.SUPERVISOR, case.grid)
        first = found(case.resident, 1)
        found(case.resident, 3)

        take_back_result(result=first, reason=WHY, at=moment(nth(4)), by=by)

        case.refresh_from_db()
        assert case.closed_as == Case.ClosedAs.REFERRED
        assert {todo.kind for todo in Todo.objects.open()} == {"refer"}

    def test_the_first_positive_refers_once_the_second_is_none(self, case: Case) -> None:
        by = make_user(Role.SUPERVISOR, case.grid)
        second = found(case.resident, 3)
        found(case.resident, 1, on=4)

        correct_result(
            case=None,
            result=second,
            outcome=NATResult.Outcome.NEGATIVE,
            ct=None,
            reason=WHY,
            at=moment(nth(5)),
            by=by,
        )

        case.refresh_from_db()
        assert case.closed_as == Case.ClosedAs.REFERRED

    def test_one_handing_over_ends_what_each_positive_asks(self, case: Case) -> None:
        found(case.resident, 1)
        found(case.resident, 3)
        first, _second = Todo.objects.open()

        todo.hand_over(
            todo=first,
            to="示例医院",
            handed_over_at=moment(nth(3), 11),
            vehicle=Todo.Vehicle.AMBULANCE,
            at=moment(nth(3), 12),
            by=make_user(),
        )

        assert not Todo.objects.open().exists()

    def test_an_arrival_logged_late_is_stopped_by_the_positive_of_its_days(
        self, case: Case
    ) -> None:
        found(case.resident, 2)
        by = make_user()
        sample = testing.take_sample(
            resident=case.resident, taken_at=moment(nth(3), 8), at=moment(nth(3)), by=by
        )
        record_result(
            sample=sample,
            outcome=NATResult.Outcome.NEGATIVE,
            ct=None,
            reported_at=moment(nth(3)),
            at=moment(nth(3)),
            by=by,
        )

        late = make_arrival(
            case.grid,
            resident=case.resident,
            on=nth(2),
            at=moment(nth(4)),
            arrived_from="310000",
        ).case

        assert late
        late.refresh_from_db()
        assert late.closed_as == Case.ClosedAs.REFERRED
