"""Samples that were not taken, or were taken of somebody else."""

from datetime import date, timedelta

import pytest

from accounts.auditing.audit import words_of
from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, Role, User
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.corrections.permission import NotYoursError
from quarantine.corrections.samples import SamePersonError, give_sample
from quarantine.corrections.withdrawals import take_back_result, take_back_sample
from quarantine.models import Case, Event
from testing.models import NATResult, Sample
from testing.services import AlreadySampledError
from tests.factories import (
    make_case,
    make_place,
    make_proof,
    make_resident,
    make_result,
    make_user,
    moment,
)

pytestmark = pytest.mark.django_db

DAY = date(2022, 11, 20)
TEST = DAY + timedelta(days=4)  # the one test of a contact (324号 2)
LATE = moment(TEST) + timedelta(days=1)
WHY = "同名，误点他人"


@pytest.fixture
def cangshan() -> Area:
    return make_place("cangshan-2022-324", "350104")


@pytest.fixture
def supervisor(cangshan: Area) -> User:
    return make_user(Role.SUPERVISOR, cangshan)


@pytest.fixture
def namesakes(cangshan: Area) -> tuple[Case, Case]:
    """Return two contacts of one name; the first has a sample and a negative of the second."""
    first, second = (
        make_case(cangshan, exposure="close_contact", arrived_from=None) for _ in range(2)
    )
    make_result(first, TEST)
    return first, second


class TestASampleOfANamesake:
    def test_is_given_to_them_with_its_result_and_both_calendars_follow(
        self, namesakes: tuple[Case, Case], supervisor: User
    ) -> None:
        first, second = namesakes
        wrong = Sample.objects.get()

        given = give_sample(sample=wrong, to=second.resident, reason=WHY, at=LATE, by=supervisor)

        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.history, second.history) == ("", "5-")
        assert (first.next_test_on, second.next_test_on) == (TEST, None)
        assert given.sample.taken_at == wrong.taken_at
        assert {event.detail["act"] for event in Event.objects.filter(kind="corrected")} == {
            "given",
            "received",
        }
        assert unexplained_cases() == []

    def test_that_is_positive_opens_their_case_and_gives_the_other_back(
        self, cangshan: Area, supervisor: User
    ) -> None:
        first, second = (
            make_case(cangshan, exposure="close_contact", arrived_from=None) for _ in range(2)
        )
        make_result(first, DAY, outcome="positive")

        given = give_sample(
            sample=Sample.objects.get(), to=second.resident, reason=WHY, at=LATE, by=supervisor
        )

        first.refresh_from_db()
        assert first.closed_on is None
        assert given.recorded
        assert given.recorded.opened
        assert given.recorded.opened.resident == second.resident
        assert unexplained_cases() == []

    def test_is_refused_where_they_were_sampled_on_that_day(
        self, namesakes: tuple[Case, Case], supervisor: User
    ) -> None:
        first, second = namesakes
        make_result(second, TEST)
        with pytest.raises(AlreadySampledError):
            give_sample(
                sample=Sample.objects.get(resident=first.resident),
                to=second.resident,
                reason=WHY,
                at=LATE,
                by=supervisor,
            )
        assert Sample.objects.valid().count() == 2

    def test_is_refused_to_whom_it_belongs_already(
        self, namesakes: tuple[Case, Case], supervisor: User
    ) -> None:
        first, _second = namesakes
        with pytest.raises(SamePersonError):
            give_sample(
                sample=Sample.objects.get(), to=first.resident, reason=WHY, at=LATE, by=supervisor
            )


class TestASampleThatWasNotTaken:
    def test_is_withdrawn_with_its_result(
        self, namesakes: tuple[Case, Case], supervisor: User
    ) -> None:
        first, _second = namesakes

        take_back_sample(sample=Sample.objects.get(), reason=WHY, at=LATE, by=supervisor)

        first.refresh_from_db()
        assert (first.history, first.next_test_on) == ("", TEST)
        assert not NATResult.objects.valid().exists()

    def test_opens_a_case_again_that_it_had_completed(self) -> None:
        yingkou = make_place("yingkou-2022-11", "210800")
        case = make_case(yingkou, arrived_from="210100")
        make_result(case, DAY)
        assert case.closed_as == Case.ClosedAs.COMPLETED

        take_back_sample(
            sample=Sample.objects.get(),
            reason=WHY,
            at=LATE,
            by=make_user(Role.SUPERVISOR, yingkou),
        )

        case.refresh_from_db()
        assert (case.closed_on, case.next_test_on) == (None, DAY)
        assert unexplained_cases() == []

    def test_is_not_for_grid_staff_to_say_the_next_day(self, namesakes: tuple[Case, Case]) -> None:
        first, _second = namesakes
        with pytest.raises(NotYoursError):
            take_back_sample(
                sample=Sample.objects.get(),
                reason=WHY,
                at=LATE,
                by=make_user(Role.GRID_STAFF, first.grid),
            )

    def test_of_somebody_under_no_measure_keeps_its_reason_in_the_audit(
        self, cangshan: Area, supervisor: User
    ) -> None:
        resident = make_resident(grid=cangshan)
        result = make_proof(resident, moment(DAY, 8))

        take_back_result(result=result, reason=WHY, at=LATE, by=supervisor)

        assert not NATResult.objects.valid().exists()
        said = AuditEntry.objects.get(did="put a fact right")
        assert words_of(said) == WHY
