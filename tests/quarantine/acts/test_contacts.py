"""Who lives with an infected person: proposed, decided on, and since when they were there."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

import pytest

from accounts.staff.models import Area, Role
from policy.engine.decisions.facts import Stay
from quarantine.acts.contacts import NoContactError, decline_contacts, open_contacts
from quarantine.acts.household import ProposedContact, proposals_waiting, proposed_contacts
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.corrections.cases import entered_in_error, exclude
from quarantine.corrections.derivation import full_case
from quarantine.corrections.kinds import ExcludedBy
from quarantine.corrections.withdrawals import take_back_event, take_back_result
from quarantine.models import Case
from quarantine.relocation.moves import move_resident
from residents.register.models import Resident
from tests.factories import (
    make_arrival,
    make_case,
    make_household,
    make_place,
    make_resident,
    make_result,
    make_user,
    moment,
)

pytestmark = pytest.mark.django_db

DAY_1 = date(2022, 11, 20)


def nth(number: int) -> date:
    return DAY_1 + timedelta(days=number - 1)


@pytest.fixture
def cangshan() -> Area:
    return make_place("cangshan-2022-324", "350104")


@pytest.fixture
def infected(cangshan: Area) -> Case:
    """Make somebody infected on day 2, with two others behind the same door."""
    household = make_household(grid=cangshan)
    index = make_arrival(
        cangshan, resident=make_resident(household=household), exposure="close_contact"
    ).case
    assert index
    for _ in range(2):
        make_resident(household=household)
    make_resident(grid=cangshan)
    opened = make_result(index, nth(2), outcome="positive").opened
    assert opened
    return opened


DAY_3 = nth(3)
excluded = partial(exclude, excluded_by=ExcludedBy.CDC)


def proposed(case: Case, day: date = DAY_3) -> list[ProposedContact]:
    return proposed_contacts(case=case, at=moment(day))


def people(case: Case, day: date = DAY_3) -> list[Resident]:
    return [one.resident for one in proposed(case, day)]


def enter(case: Case, *residents: Resident, on: date = DAY_3) -> list[Case]:
    return open_contacts(case=case, residents=residents, at=moment(on), by=make_user())


class TestTheHousehold:
    def test_is_proposed(self, infected: Case) -> None:
        household = infected.resident.household.residents.exclude(pk=infected.resident_id)

        assert set(people(infected)) == set(household)
        assert len(household) == 2

    def test_is_not_proposed_without_a_positive(self) -> None:
        case = make_case()
        make_resident(household=case.resident.household)

        assert not proposed(case)

    def test_is_proposed_of_somebody_who_came_infected(self, cangshan: Area) -> None:
        came = make_arrival(cangshan, exposure="infected", clinical="mild").case
        assert came
        flatmate = make_resident(household=came.resident.household)

        (one,) = proposed(came)

        assert (one.resident, one.day_1) == (flatmate, DAY_1)
        (opened,) = enter(came, flatmate)
        assert opened.index_case == came
        assert not proposed(came)

    @pytest.mark.parametrize("end", [entered_in_error, excluded])
    def test_is_proposed_again_after_an_infection_that_never_was(
        self, cangshan: Area, end: Callable[..., None]
    ) -> None:
        wrong = make_arrival(cangshan, exposure="infected", clinical="mild").case
        assert wrong
        flatmate = make_resident(household=wrong.resident.household)
        enter(wrong, flatmate)
        end(
            case=full_case(wrong.pk),
            at=moment(DAY_3),
            by=make_user(Role.SUPERVISOR, cangshan),
            reason="示例",
        )

        right = make_arrival(
            cangshan, on=nth(4), resident=wrong.resident, exposure="infected", clinical="mild"
        ).case

        assert right
        assert people(right, nth(4)) == [flatmate]

    def test_is_a_contact_from_the_day_of_the_positive_on(self, infected: Case) -> None:
        opened = enter(infected, *people(infected))

        assert [each.index_case for each in opened] == [infected, infected]
        assert {(each.day_1, each.release_on) for each in opened} == {(nth(2), nth(6))}
        assert not proposed(infected)

    def test_is_not_proposed_again_once_the_case_is_over(self, infected: Case) -> None:
        first, second = people(infected)
        enter(infected, first, second)
        theirs = Case.objects.filter(resident=first)

        theirs.update(closed_on=nth(6), closed_as=Case.ClosedAs.RELEASED)
        assert not proposed(infected)
        with pytest.raises(NoContactError):
            enter(infected, first, on=nth(7))

        theirs.update(closed_as=Case.ClosedAs.WITHDRAWN)
        assert people(infected) == [first]

    def test_keeps_what_else_holds_it(self) -> None:
        case = make_case(on=DAY_1)
        relative = make_resident(household=case.resident.household)
        other = make_case(case.grid, resident=relative, on=DAY_1)
        make_result(case, nth(1), outcome="positive")

        (opened,) = enter(case, relative, on=nth(1))

        assert set(Case.objects.open().filter(resident=relative)) == {other, opened}
        assert opened.plan.provision.subject == "close_contacts"

    def test_is_refused_from_elsewhere(self, infected: Case) -> None:
        with pytest.raises(NoContactError):
            enter(infected, make_resident())

    def test_is_no_contact_once_somebody_decided_so_and_until_that_is_taken_back(
        self, infected: Case
    ) -> None:
        first, second = people(infected)
        by = make_user()
        event = decline_contacts(
            case=infected, residents=[first], reason="出差", at=moment(nth(3)), by=by
        )
        assert people(infected) == [second]

        take_back_event(event=event, at=moment(nth(3)), by=by)
        assert people(infected) == [first, second]


class TestASecondPositiveBehindTheSameDoor:
    @pytest.fixture
    def second(self, infected: Case) -> Case:
        """Let both others be contacts from day 2 on, and one of them infected on day 5."""
        contact, _other = enter(infected, *people(infected))
        opened = make_result(contact, nth(5), outcome="positive").opened
        assert opened
        return opened

    def test_proposes_who_is_a_contact_already_with_both_days(
        self, infected: Case, second: Case
    ) -> None:
        (one,) = proposed(second, nth(5))

        assert (one.until, one.would_be) == (nth(6), nth(9))
        waiting = proposals_waiting(residents=[one.resident], at=moment(nth(6)))
        assert [each.index for each in waiting[one.resident.pk]] == [second]

    def test_holds_the_contact_to_the_later_day_once_entered(self, second: Case) -> None:
        (one,) = people(second, nth(5))

        enter(second, one, on=nth(5))

        assert Case.objects.open().filter(resident=one).count() == 2
        assert Case.objects.governing().get(resident=one).release_on == nth(9)
        assert not proposals_waiting(residents=[one], at=moment(nth(6)))

    def test_found_to_be_earlier_shortens_nothing(self, infected: Case) -> None:
        contact, other = enter(infected, *people(infected))
        opened = make_result(contact, nth(2), outcome="positive").opened
        assert opened
        enter(opened, other.resident)
        make_result(opened, nth(2) + timedelta(days=1), outcome="positive")

        held = Case.objects.governing().get(resident=other.resident)
        assert held.release_on
        assert held.release_on >= nth(6)

    def test_taken_back_leaves_the_contacts_as_they_were(
        self, infected: Case, second: Case
    ) -> None:
        (one,) = people(second, nth(5))
        result = second.positive
        assert result

        take_back_result(result=result, at=result.recorded_at, by=make_user())

        held = Case.objects.governing().get(resident=one)
        again = Case.objects.governing().get(resident=second.resident)
        assert (held.release_on, again.release_on) == (nth(6), nth(6))
        assert unexplained_cases() == []


class TestAContact:
    def test_begins_no_earlier_than_they_moved_in(self, infected: Case, cangshan: Area) -> None:
        late = make_resident(grid=cangshan)
        move_resident(
            resident=late,
            household=infected.resident.household,
            version=late.version,
            at=moment(nth(5)),
            by=make_user(),
        )

        (opened,) = enter(infected, late, on=nth(5))

        assert (opened.day_1, opened.release_on) == (nth(5), nth(9))

    def test_begins_no_earlier_than_they_came(self, infected: Case, cangshan: Area) -> None:
        one = people(infected)[0]
        make_arrival(cangshan, resident=one, on=nth(4), arrived_from="310000")

        (opened,) = enter(infected, one, on=nth(4))

        assert opened.day_1 == nth(4)

    def test_begins_no_earlier_than_they_were_born(self, infected: Case) -> None:
        child = make_resident(household=infected.resident.household)
        Resident.objects.filter(pk=child.pk).update(birth_date=nth(3))

        (opened,) = enter(infected, child, on=nth(4))

        assert opened.day_1 == nth(3)

    def test_of_an_arrival_with_a_shorter_measure_is_held_by_the_longer(self) -> None:
        grid = make_place("bayannur-2022-71", "150802")
        index = make_arrival(grid, exposure="close_contact").case
        assert index
        relative = make_resident(household=index.resident.household)
        make_result(index, DAY_1, outcome="positive")
        (held,) = enter(index, relative, on=nth(2))
        stay = Stay("150200", None, nth(2))

        made = make_arrival(
            grid, resident=relative, on=nth(3), arrived_from="150200", stays=(stay,)
        )

        governing = Case.objects.governing().get(resident=relative)
        assert governing == held
        assert governing.release_on == held.release_on
        assert made.case is None or made.case.governs is False
