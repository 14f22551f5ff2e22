"""Correcting a result that can no longer be taken back."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.staff.models import Role, User
from common.undo_window import UNDO
from quarantine.acts.contacts import open_contacts
from quarantine.acts.daily_checks import daily_check
from quarantine.acts.results import Recorded
from quarantine.cases.lifecycle import StaleCaseError
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.corrections.permission import NotYoursError
from quarantine.corrections.results import UnchangedResultError, correct_result
from quarantine.models import Case, Event
from testing.models import NATResult
from tests.factories import (
    make_case,
    make_place,
    make_resident,
    make_result,
    make_user,
    moment,
)

pytestmark = pytest.mark.django_db

DAY_1 = date(2022, 11, 20)
NEXT_DAY = moment(DAY_1, 12) + timedelta(days=1)
NEGATIVE, POSITIVE = NATResult.Outcome.NEGATIVE, NATResult.Outcome.POSITIVE


@pytest.fixture
def contact() -> Case:
    """Return a contact under the Cangshan plan, which has a rule for the infected (324号)."""
    cangshan = make_place("cangshan-2022-324", "350104")
    return make_case(cangshan, on=DAY_1, exposure="close_contact", arrived_from=None)


@pytest.fixture
def supervisor(contact: Case) -> User:
    return make_user(Role.SUPERVISOR, contact.grid)


def corrected(
    case: Case, *, to: NATResult.Outcome, by: User, at: datetime = NEXT_DAY, **given: Any
) -> Recorded:
    return correct_result(
        case=Case.objects.get(pk=case.pk),
        result=NATResult.objects.valid().get(sample__resident=case.resident),
        outcome=to,
        ct=given.get("ct"),
        reason="sample mixed up",
        at=at,
        by=by,
    )


class TestAResultSaidToBePositive:
    def test_gives_the_case_back_that_it_ended(self, contact: Case, supervisor: User) -> None:
        before = (contact.plan_id, contact.facts, contact.release_on)
        infected = make_result(contact, DAY_1, outcome="positive").opened
        assert infected
        daily_check(
            case=infected, temperature=None, symptoms=[], note="", at=NEXT_DAY, by=supervisor
        )

        corrected(contact, to=NEGATIVE, by=supervisor)

        infected.refresh_from_db()
        contact.refresh_from_db()
        assert infected.closed_as == Case.ClosedAs.WITHDRAWN
        assert contact.closed_on is None
        assert (contact.plan_id, contact.facts, contact.release_on) == before
        assert not unexplained_cases()

    def test_lets_those_go_who_were_contacts_because_of_it(
        self, contact: Case, supervisor: User
    ) -> None:
        flatmate = make_resident(household=contact.resident.household)
        held = make_case(
            contact.grid, resident=flatmate, on=DAY_1, exposure="close_contact", arrived_from=None
        )
        Case.objects.filter(pk=held.pk).update(closed_on=DAY_1, closed_as="released")
        infected = make_result(contact, DAY_1, outcome="positive").opened
        assert infected
        (opened,) = open_contacts(
            case=infected, residents=[flatmate], at=moment(DAY_1, 13), by=supervisor
        )

        corrected(contact, to=NEGATIVE, by=supervisor)

        opened.refresh_from_db()
        assert opened.closed_as == Case.ClosedAs.WITHDRAWN
        assert list(Case.objects.open()) == [contact]

    def test_is_kept_beside_the_right_one_with_the_reason(
        self, contact: Case, supervisor: User
    ) -> None:
        make_result(contact, DAY_1, outcome="positive", ct="30.5")

        corrected(contact, to=NEGATIVE, by=supervisor)

        wrong, right = NATResult.objects.order_by("pk")
        assert (wrong.outcome, wrong.withdrawn_by) == (POSITIVE, supervisor)
        assert (right.outcome, right.recorded_by, right.withdrawn_at) == (
            NEGATIVE,
            supervisor,
            None,
        )
        said = Event.objects.valid().get(kind=Event.Kind.CORRECTED)
        assert (said.reason, said.detail["was"]) == ("sample mixed up", "positive")
        assert said.detail["was_ct"] == "30.50"


class TestAResultSaidToBeNegative:
    def test_opens_the_case_of_somebody_infected(self, contact: Case, supervisor: User) -> None:
        make_result(contact, DAY_1)
        recorded = corrected(contact, to=POSITIVE, by=supervisor)
        contact.refresh_from_db()
        assert contact.closed_on is None
        assert recorded.opened
        assert recorded.opened.day_1 == DAY_1

    def test_lets_the_case_of_a_later_positive_begin_on_its_day(
        self, contact: Case, supervisor: User
    ) -> None:
        first = make_result(contact, DAY_1).result
        infected = make_result(contact, DAY_1 + timedelta(days=1), outcome="positive").opened
        assert infected

        correct_result(
            case=Case.objects.get(pk=contact.pk),
            result=first,
            outcome=POSITIVE,
            ct=None,
            reason="read wrongly",
            at=NEXT_DAY + timedelta(days=1),
            by=supervisor,
        )

        infected.refresh_from_db()
        assert infected.day_1 == DAY_1
        assert not unexplained_cases()

    def test_opens_a_case_that_it_had_completed(self) -> None:
        case = make_case(make_place("yingkou-2022-11", "210800"), on=DAY_1)
        by = make_user(Role.SUPERVISOR, case.grid)
        for back in (2, 0):  # two tests, free to go
            make_result(case, DAY_1 + timedelta(days=2 - back))
        last = NATResult.objects.latest("pk")
        case.refresh_from_db()
        correct_result(
            case=case,
            result=last,
            outcome=POSITIVE,
            ct=None,
            reason="read wrongly",
            at=moment(DAY_1, 20) + timedelta(days=2),
            by=by,
        )
        case.refresh_from_db()
        assert case.closed_as == Case.ClosedAs.REFERRED


class TestACorrection:
    def test_is_a_supervisors_once_the_time_to_undo_is_over(self, contact: Case) -> None:
        make_result(contact, DAY_1)
        recorded_at = NATResult.objects.get().recorded_at
        staff = make_user(Role.GRID_STAFF, contact.grid)
        late = recorded_at + UNDO + timedelta(seconds=1)
        with pytest.raises(NotYoursError):
            corrected(contact, to=POSITIVE, by=staff, at=late)
        assert NATResult.objects.valid().get().outcome == NEGATIVE
        assert corrected(contact, to=POSITIVE, by=staff, at=recorded_at + UNDO).opened

    def test_is_refused_when_it_changes_nothing(self, contact: Case, supervisor: User) -> None:
        make_result(contact, DAY_1)
        with pytest.raises(UnchangedResultError):
            corrected(contact, to=NEGATIVE, by=supervisor)

    def test_is_refused_of_a_case_that_changed_meanwhile(
        self, contact: Case, supervisor: User
    ) -> None:
        recorded = make_result(contact, DAY_1)
        contact.version = 1
        with pytest.raises(StaleCaseError):
            correct_result(
                case=contact,
                result=recorded.result,
                outcome=POSITIVE,
                ct=None,
                reason="read wrongly",
                at=NEXT_DAY,
                by=supervisor,
            )

    def test_is_made_on_the_page_of_the_case_and_leads_to_the_one_that_goes_on(
        self, contact: Case, supervisor: User, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("common.clock.now", lambda: NEXT_DAY)
        recorded = make_result(contact, DAY_1, outcome="positive")
        infected = recorded.opened
        assert infected
        client.force_login(supervisor)
        page = client.get(reverse("case_detail", args=[infected.key])).content.decode()
        assert "act-correct" in page
        answer: Any = client.post(
            reverse("case_act", args=[infected.key, "correct"]),
            {
                "correct-result": recorded.result.pk,
                "correct-outcome": "negative",
                "correct-reason": "sample mixed up",
                "correct-version": infected.version,
            },
        )
        assert answer.url == reverse("case_detail", args=[contact.key])

    def test_is_not_offered_to_grid_staff_once_it_is_a_supervisors(
        self, contact: Case, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_result(contact, DAY_1)
        client.force_login(make_user(Role.GRID_STAFF, contact.grid))
        monkeypatch.setattr("common.clock.now", lambda: NEXT_DAY)
        page = client.get(reverse("case_detail", args=[contact.key])).content.decode()
        assert "act-correct" not in page
