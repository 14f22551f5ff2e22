"""Changing the facts of a case, and the lock on its version."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from accounts.staff.models import Area
from policy.engine.calendars.laying import Calendar
from policy.engine.decisions.facts import Stay
from quarantine.cases.calendars import calendar_of
from quarantine.cases.lifecycle import (
    NotInfectedError,
    NotOfferedError,
    ReasonTooLongError,
    StaleCaseError,
    UnchangedError,
    add_note,
    change_clinical,
    change_home_conditions,
    choose_central,
    move,
    setting_on,
)
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.cases.standing import settle
from quarantine.models import Case, Event
from tests.factories import make_case, make_place, make_result, make_user, moment

pytestmark = pytest.mark.django_db

DAY_1 = date(2022, 11, 20)


def nth(number: int) -> date:
    return DAY_1 + timedelta(days=number - 1)


def act(number: int, **given: Any) -> dict[str, Any]:
    return {"reason": "示例", "at": moment(nth(number)), "by": make_user(), **given}


def seen_on(case: Case, number: int) -> Calendar:
    case = Case.objects.select_related("plan").get(pk=case.pk)
    return calendar_of(case, today=nth(number))


def settings(case: Case, number: int) -> str:
    """Return the first letters of where the person is on each day, as seen on a day."""
    return "".join((day.setting or "-")[0] for day in seen_on(case, number).days)


@pytest.fixture
def yingkou() -> Area:
    return make_place("yingkou-2022-11", "210800")


@pytest.fixture
def case(yingkou: Area) -> Case:
    """Seven days at home after a high-risk stay (Yingkou 2)."""
    return make_case(yingkou, stays=(Stay("310101", "high", DAY_1),))


@pytest.fixture
def infected() -> Case:
    cangshan = make_place("cangshan-2022-324", "350104")
    contact = make_case(cangshan, exposure="close_contact", arrived_from=None)
    opened = make_result(contact, nth(1), outcome="positive").opened
    assert opened
    return opened


class TestHomeConditions:
    def test_that_are_not_met_lead_to_the_central_fallback(self, case: Case) -> None:
        change_home_conditions(case=case, met=False, **act(3))

        assert settings(case, 3) == "hhccccc"
        assert case.release_on == nth(7)
        assert case.next_test_on == nth(1)

    def test_that_are_met_again_lead_home(self, case: Case) -> None:
        change_home_conditions(case=case, met=False, **act(3))

        change_home_conditions(case=case, met=True, **act(5))

        assert settings(case, 5) == "hhcchhh"

    def test_change_nothing_under_a_monitoring_measure(self, yingkou: Area) -> None:
        monitored = make_case(yingkou)
        plan = monitored.plan

        change_home_conditions(case=monitored, met=False, **act(2))

        assert monitored.plan == plan
        assert settings(monitored, 2) == "mmmmm"

    def test_are_recorded_once(self, case: Case) -> None:
        with pytest.raises(UnchangedError):
            change_home_conditions(case=case, met=True, **act(2))

    def test_leave_every_case_explained(self, case: Case) -> None:
        change_home_conditions(case=case, met=False, **act(3))

        assert unexplained_cases() == []


class TestChoosingCentral:
    def test_is_respected_where_the_text_offers_it(self, case: Case) -> None:
        choose_central(case=case, **act(2))

        assert settings(case, 2) == "hcccccc"
        assert case.release_on == nth(7)

    def test_is_refused_where_the_text_does_not(self) -> None:
        bayannur = make_place("bayannur-2022-71", "150800")
        case = make_case(bayannur, stays=(Stay("310101", "high", DAY_1),))

        with pytest.raises(NotOfferedError):
            choose_central(case=case, **act(2))

        case.refresh_from_db()
        assert not case.events.filter(kind=Event.Kind.CHOSE_CENTRAL).exists()
        assert "chooses_central" not in case.facts


class TestMove:
    def test_home_ends_a_choice_of_central_isolation(self, case: Case) -> None:
        choose_central(case=case, **act(2))

        move(case=case, setting="home", **act(4))

        assert settings(case, 4) == "hcchhhh"

    def test_home_is_refused_while_the_home_is_unfit(self, case: Case) -> None:
        change_home_conditions(case=case, met=False, **act(2))

        with pytest.raises(NotOfferedError):
            move(case=case, setting="home", **act(3))

    def test_is_refused_to_where_the_person_is(self, case: Case) -> None:
        with pytest.raises(UnchangedError):
            move(case=case, setting="home", **act(2))


class TestClinicalState:
    @pytest.mark.parametrize(
        ("state", "disease", "closed_as"),
        [
            ("mild", True, ""),
            ("moderate", False, ""),
            ("moderate", True, "referred"),
            ("severe", False, "referred"),
        ],
    )
    def test_decides_who_passes_to_medical_care(
        self, infected: Case, state: str, disease: bool, closed_as: str
    ) -> None:
        change_clinical(case=infected, state=state, serious_underlying_disease=disease, **act(2))

        infected.refresh_from_db()
        assert infected.closed_as == closed_as

    def test_is_refused_for_somebody_not_infected(self, case: Case) -> None:
        with pytest.raises(NotInfectedError):
            change_clinical(case=case, state="mild", **act(2))

    def test_is_one_of_the_known_ones(self, infected: Case) -> None:
        with pytest.raises(NotInfectedError):
            change_clinical(case=infected, state="fine", **act(2))


class TestAnAct:
    def test_on_a_closed_case_is_refused(self, yingkou: Area) -> None:
        case = make_case(yingkou)
        make_result(case, nth(1), outcome="positive")

        with pytest.raises(StaleCaseError):
            change_home_conditions(case=case, met=False, **act(2))

    def test_from_a_form_that_showed_an_older_version_is_refused(self, case: Case) -> None:
        make_result(case, nth(1))
        case.version = 1

        with pytest.raises(StaleCaseError):
            change_home_conditions(case=case, met=False, **act(2))

        case.refresh_from_db()
        assert "home_conditions_met" not in case.facts
        assert not case.events.filter(kind=Event.Kind.HOME_CONDITIONS).exists()

    @pytest.mark.parametrize("length", [200, 201])
    def test_keeps_a_reason_of_200_characters(self, case: Case, length: int) -> None:
        given = act(2, reason="理" * length)
        if length == 200:
            assert change_home_conditions(case=case, met=False, **given).reason
        else:
            with pytest.raises(ReasonTooLongError):
                change_home_conditions(case=case, met=False, **given)


class TestNotes:
    def test_are_sealed_in_the_database(self, case: Case) -> None:
        event = add_note(case=case, text="示例一家", at=moment(DAY_1), by=make_user())

        assert Event.objects.get(pk=event.pk).note == "示例一家"
        with connection.cursor() as cursor:
            cursor.execute("SELECT note FROM quarantine_event WHERE id = %s", [event.pk])
            assert "示例".encode() not in bytes(cursor.fetchone()[0])


class TestSettling:
    def test_asks_once_where_all_is_right(
        self, case: Case, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(1):
            settle([case.resident_id], today=DAY_1)

    def test_puts_right_what_is_wrong(self, case: Case) -> None:
        Case.objects.filter(pk=case.pk).update(next_test_on=None, release_on=DAY_1)

        settle([case.resident_id], today=DAY_1)

        case.refresh_from_db()
        assert (case.next_test_on, case.release_on) == (nth(1), nth(7))


def test_setting_on_a_day_outside_the_calendar_is_none(case: Case) -> None:
    assert setting_on(seen_on(case, 1), nth(99)) is None
