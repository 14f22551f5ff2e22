"""Cases entered in error, and cases that somebody who may say so excluded."""

from datetime import date, timedelta

import pytest

from accounts.staff.models import Area, Role, User
from quarantine.acts.contacts import open_contacts
from quarantine.acts.household import proposed_contacts
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.corrections.cases import VoidError, entered_in_error, exclude
from quarantine.corrections.kinds import ExcludedBy
from quarantine.corrections.permission import NotYoursError, ReasonError
from quarantine.corrections.withdrawals import take_back_event
from quarantine.models import Arrival, Case, Event
from testing.models import NATResult
from tests.factories import make_case, make_place, make_resident, make_result, make_user, moment

pytestmark = pytest.mark.django_db

DAY = date(2022, 11, 20)
LATE = moment(DAY) + timedelta(days=1)
WHY = "流调更正：非同单元居民"


@pytest.fixture
def cangshan() -> Area:
    return make_place("cangshan-2022-324", "350104")


@pytest.fixture
def contact(cangshan: Area) -> Case:
    return make_case(cangshan, exposure="close_contact", arrived_from=None)


@pytest.fixture
def supervisor(cangshan: Area) -> User:
    return make_user(Role.SUPERVISOR, cangshan)


class TestACloseContactByMistake:
    def test_is_free_at_once_when_entered_in_error(self, contact: Case, supervisor: User) -> None:
        make_result(contact, DAY)

        entered_in_error(case=contact, reason=WHY, at=LATE, by=supervisor)

        contact.refresh_from_db()
        assert contact.closed_as == Case.ClosedAs.IN_ERROR
        assert contact.closed_on == LATE.date()
        assert not Arrival.objects.valid().exists()
        event = Event.objects.valid().get(kind=Event.Kind.CORRECTED)
        assert event.reason == WHY

    def test_is_free_at_once_when_the_authority_excludes_them(
        self, contact: Case, supervisor: User
    ) -> None:
        exclude(case=contact, excluded_by=ExcludedBy.CDC, reason=WHY, at=LATE, by=supervisor)

        contact.refresh_from_db()
        assert contact.closed_as == Case.ClosedAs.EXCLUDED
        assert Arrival.objects.valid().count() == 1
        event = Event.objects.valid().get(kind=Event.Kind.CORRECTED)
        assert (event.detail["excluded_by"], event.reason) == ("cdc", WHY)

    def test_is_under_the_measure_again_when_the_exclusion_is_taken_back(
        self, contact: Case, supervisor: User
    ) -> None:
        before = (contact.day_1, contact.plan_id, contact.release_on)
        exclude(case=contact, excluded_by=ExcludedBy.CDC, reason=WHY, at=LATE, by=supervisor)
        closed = Event.objects.valid().get(kind=Event.Kind.CLOSED)

        take_back_event(
            event=closed, reason="疾控再次更正", at=LATE + timedelta(days=1), by=supervisor
        )

        contact.refresh_from_db()
        assert contact.closed_on is None
        assert (contact.day_1, contact.plan_id, contact.release_on) == before
        assert unexplained_cases() == []


class TestSomebodyInfectedByMistake:
    def test_frees_contacts_and_gives_back_what_was_continued(
        self, contact: Case, supervisor: User
    ) -> None:
        flatmate = make_resident(household=contact.resident.household)
        infected = make_result(contact, DAY, outcome="positive").opened
        assert infected
        (theirs,) = open_contacts(
            case=infected, residents=[flatmate], at=moment(DAY, 20), by=supervisor
        )

        exclude(case=infected, excluded_by=ExcludedBy.CDC, reason=WHY, at=LATE, by=supervisor)

        for case in (contact, infected, theirs):
            case.refresh_from_db()
        assert infected.closed_as == theirs.closed_as == Case.ClosedAs.EXCLUDED
        assert contact.closed_on is None
        assert not NATResult.objects.valid().exists()
        assert list(Case.objects.open()) == [contact]
        assert not proposed_contacts(case=contact, at=LATE)
        assert unexplained_cases() == []


class TestEndingACase:
    def test_is_a_supervisors_and_asks_for_a_reason(self, contact: Case, supervisor: User) -> None:
        with pytest.raises(ReasonError):
            entered_in_error(case=contact, reason=" ", at=LATE, by=supervisor)
        with pytest.raises(NotYoursError):
            entered_in_error(
                case=contact, reason=WHY, at=LATE, by=make_user(Role.GRID_STAFF, contact.grid)
            )
        assert Case.objects.open().exists()

    def test_is_done_once(self, contact: Case, supervisor: User) -> None:
        entered_in_error(case=contact, reason=WHY, at=LATE, by=supervisor)
        with pytest.raises(VoidError):
            entered_in_error(
                case=Case.objects.get(pk=contact.pk), reason=WHY, at=LATE, by=supervisor
            )
