"""Correcting, withdrawing and giving away an arrival; its case follows."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, Role, User
from common.undo_window import UNDO, TooLateToUndoError
from policy.engine.decisions.facts import Person, Stay
from quarantine.acts.contacts import open_contacts
from quarantine.acts.release import release
from quarantine.arrivals.services import AlreadyLoggedError, FutureArrivalError, Logged
from quarantine.arrivals.unclear import UnclearPlaceError
from quarantine.cases.facts import unpack
from quarantine.cases.lifecycle import change_home_conditions
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.corrections.arrivals import (
    UnchangedArrivalError,
    correct_arrival,
    give_arrival,
    withdraw_arrival,
)
from quarantine.corrections.permission import NotYoursError, ReasonError
from quarantine.models import Arrival, Case, Event
from tests.factories import (
    make_arrival,
    make_case,
    make_place,
    make_resident,
    make_result,
    make_user,
    moment,
    put_in_force,
)

pytestmark = pytest.mark.django_db

DAY = date(2022, 11, 20)
ONE_DAY = timedelta(days=1)
LATE = moment(DAY, 12) + ONE_DAY
LANZHOU = "620100"
BAOTOU = "150200"
BY_LANZHOU: dict[str, Any] = {"arrived_from": LANZHOU, "stays": (Stay(LANZHOU, None, DAY),)}


@pytest.fixture
def bayannur() -> Area:
    return make_place("bayannur-2022-71", "150800")


@pytest.fixture
def supervisor(bayannur: Area) -> User:
    return make_user(Role.SUPERVISOR, bayannur)


def facts_of(arrival: Arrival) -> Person:
    return unpack(arrival.facts, day_1=arrival.arrived_on)


def correct(arrival: Arrival, *, at: datetime = LATE, by: User, **right: Any) -> Logged:
    """Correct facts of an arrival (words of `Person`), with the origin beside them."""
    facts = replace(facts_of(arrival), **right)
    return correct_arrival(
        arrival=arrival,
        facts=facts,
        origin=facts.arrived_from or "",
        from_abroad=arrival.from_abroad,
        reason="日期填错，火车票为证",
        at=at,
        by=by,
    )


class TestAWrongDay:
    def test_is_corrected_by_a_supervisor_and_the_dates_follow(
        self, bayannur: Area, supervisor: User
    ) -> None:
        logged = make_arrival(bayannur, **BY_LANZHOU)
        assert logged.case
        before = logged.case.release_on
        assert before

        correct(logged.arrival, start=DAY - 2 * ONE_DAY, by=supervisor)

        case = Case.objects.get()
        assert case.pk == logged.case.pk
        assert case.day_1 == DAY - 2 * ONE_DAY
        assert case.release_on == before - 2 * ONE_DAY
        assert unexplained_cases() == []

    def test_leaves_what_stood_there_with_who_when_and_why(
        self, bayannur: Area, supervisor: User
    ) -> None:
        wrong = make_arrival(bayannur, **BY_LANZHOU).arrival

        right = correct(wrong, start=DAY - ONE_DAY, by=supervisor).arrival

        wrong.refresh_from_db()
        assert (wrong.arrived_on, wrong.withdrawn_by, wrong.withdrawn_at) == (
            DAY,
            supervisor,
            LATE,
        )
        assert right.corrects == wrong
        assert (right.logged_at, right.logged_by) == (wrong.logged_at, wrong.logged_by)
        event = Event.objects.valid().get(kind=Event.Kind.CORRECTED)
        assert event.reason == "日期填错，火车票为证"
        assert event.detail["wrong"]["arrived_on"] == "2022-11-20"
        assert event.detail["right"]["arrived_on"] == "2022-11-19"
        assert AuditEntry.objects.filter(did="corrected an arrival", actor=supervisor.key).exists()

    def test_keeps_the_law_of_the_first_logging(self, bayannur: Area, supervisor: User) -> None:
        wrong = make_arrival(bayannur, **BY_LANZHOU).arrival
        put_in_force("cn-2022-113", bayannur, effective_from=moment(DAY, 20))

        right = correct(wrong, start=DAY - ONE_DAY, by=supervisor).arrival

        assert right.law == "bayannur-2022-71"
        assert Case.objects.get().opened_under == "bayannur-2022-71"
        assert unexplained_cases() == []

    def test_counts_the_tests_that_were_taken(self, bayannur: Area, supervisor: User) -> None:
        case = make_case(bayannur, **BY_LANZHOU)
        make_result(case, DAY)
        assert case.arrival

        correct(case.arrival, start=DAY - 2 * ONE_DAY, by=supervisor)

        case.refresh_from_db()
        assert case.history == "3-"

    def test_is_left_to_be_told_to_the_staff_of_the_grid(
        self, bayannur: Area, supervisor: User
    ) -> None:
        wrong = make_arrival(bayannur, **BY_LANZHOU).arrival

        correct(wrong, start=DAY - ONE_DAY, by=supervisor)

        assert list(Case.objects.untold()) == [Case.objects.get()]

    def test_keeps_the_facts_found_since(self, bayannur: Area, supervisor: User) -> None:
        case = make_case(bayannur, **BY_LANZHOU)
        change_home_conditions(
            case=case, met=False, reason="示例", at=moment(DAY, 13), by=supervisor
        )
        assert case.arrival

        correct(case.arrival, start=DAY - ONE_DAY, by=supervisor)

        case.refresh_from_db()
        assert case.facts["home_conditions_met"] is False
        assert unexplained_cases() == []


class TestWrongFacts:
    def test_that_asked_for_a_measure_close_the_case_as_taken_back(
        self, bayannur: Area, supervisor: User
    ) -> None:
        logged = make_arrival(bayannur, exposure="close_contact", arrived_from=BAOTOU)
        assert logged.case

        corrected = correct(logged.arrival, exposure=None, arrived_from="150802", by=supervisor)

        logged.case.refresh_from_db()
        if corrected.decision.plan is None:
            assert logged.case.closed_as == Case.ClosedAs.WITHDRAWN
        else:
            assert logged.case.plan.digest == corrected.decision.plan.digest

    def test_that_asked_for_none_open_the_case_now(self) -> None:
        cangshan = make_place("cangshan-2022-324", "350104")
        by = make_user(Role.SUPERVISOR, cangshan)
        logged = make_arrival(cangshan, arrived_from="310000")
        assert logged.case is None

        corrected = correct(logged.arrival, exposure="close_contact", by=by)

        case = Case.objects.open().get()
        assert corrected.case == case
        assert (case.arrival, case.day_1) == (corrected.arrival, DAY)
        assert unexplained_cases() == []

    def test_that_end_a_measure_take_the_case_back(self) -> None:
        cangshan = make_place("cangshan-2022-324", "350104")
        by = make_user(Role.SUPERVISOR, cangshan)
        case = make_case(cangshan, exposure="close_contact", arrived_from="310000")
        make_result(case, DAY)
        assert case.arrival

        corrected = correct(case.arrival, exposure=None, by=by)

        case.refresh_from_db()
        assert (corrected.case, case.closed_as) == (None, Case.ClosedAs.WITHDRAWN)
        again = correct(corrected.arrival, exposure="close_contact", by=by)
        assert Case.objects.open().get() == again.case

    def test_open_a_case_again_whose_tests_were_complete(self) -> None:
        yingkou = make_place("yingkou-2022-11", "210800")
        case = make_case(yingkou, arrived_from="210100")
        make_result(case, DAY)
        assert case.closed_as == Case.ClosedAs.COMPLETED
        assert case.arrival

        correct(case.arrival, arrived_from="310000", by=make_user(Role.SUPERVISOR, yingkou))

        case.refresh_from_db()
        assert (case.closed_on, case.release_on) == (None, DAY + 4 * ONE_DAY)
        assert unexplained_cases() == []

    def test_follow_into_the_case_that_continues(self) -> None:
        cangshan = make_place("cangshan-2022-324", "350104")
        by = make_user(Role.SUPERVISOR, cangshan)
        case = make_case(cangshan, exposure="close_contact", arrived_from=None)
        infected = make_result(case, DAY, outcome="positive").opened
        assert infected
        assert case.arrival

        correct(case.arrival, home_conditions_met=False, by=by)

        infected.refresh_from_db()
        assert infected.facts["home_conditions_met"] is False
        assert unexplained_cases() == []


class TestACorrection:
    def test_is_the_authors_for_ten_minutes_and_then_a_supervisors(
        self, bayannur: Area, supervisor: User
    ) -> None:
        logged = make_arrival(bayannur, **BY_LANZHOU)
        staff = make_user(Role.GRID_STAFF, bayannur)
        start = DAY - ONE_DAY
        with pytest.raises(NotYoursError) as refused:
            correct(logged.arrival, start=start, by=staff)
        assert supervisor.name in refused.value.sentence
        assert correct(logged.arrival, start=start, by=staff, at=moment(DAY) + UNDO).case

    def test_is_no_affair_of_a_supervisor_elsewhere(self, bayannur: Area) -> None:
        logged = make_arrival(bayannur, **BY_LANZHOU)
        other = make_user(Role.SUPERVISOR, make_place("cangshan-2022-324", "350104"))
        with pytest.raises(NotYoursError):
            correct(logged.arrival, start=DAY - ONE_DAY, by=other)

    def test_is_made_with_a_reason(self, bayannur: Area, supervisor: User) -> None:
        arrival = make_arrival(bayannur, **BY_LANZHOU).arrival
        for reason in ("", " ", "长" * 201):
            with pytest.raises(ReasonError):
                withdraw_arrival(arrival=arrival, reason=reason, at=LATE, by=supervisor)
        assert Arrival.objects.valid().count() == 1

    def test_is_refused_where_it_changes_nothing_or_lies_ahead(
        self, bayannur: Area, supervisor: User
    ) -> None:
        arrival = make_arrival(bayannur, **BY_LANZHOU).arrival
        with pytest.raises(UnchangedArrivalError):
            correct(arrival, by=supervisor)
        with pytest.raises(FutureArrivalError):
            correct(arrival, start=DAY + 2 * ONE_DAY, by=supervisor)

    def test_is_refused_onto_a_day_with_another_arrival(self) -> None:
        cangshan = make_place("cangshan-2022-324", "350104")
        first = make_arrival(cangshan, arrived_from="310000").arrival
        make_arrival(cangshan, on=DAY + ONE_DAY, resident=first.resident, arrived_from="310000")
        with pytest.raises(AlreadyLoggedError):
            correct(first, start=DAY + ONE_DAY, by=make_user(Role.SUPERVISOR, cangshan))
        assert Arrival.objects.valid().count() == 2

    def test_is_asked_for_the_city_where_the_law_tells_places_apart(
        self, bayannur: Area, supervisor: User
    ) -> None:
        arrival = make_arrival(bayannur, arrived_from=BAOTOU).arrival
        province: dict[str, Any] = {
            "arrived_from": "620000",
            "stays": (Stay("620000", None, DAY),),
        }

        with pytest.raises(UnclearPlaceError):
            correct(arrival, by=supervisor, **province)

        assert correct(arrival, by=supervisor, **BY_LANZHOU).case

    def test_is_made_once_of_one_row(self, bayannur: Area, supervisor: User) -> None:
        arrival = make_arrival(bayannur, **BY_LANZHOU).arrival
        correct(arrival, start=DAY - ONE_DAY, by=supervisor)
        with pytest.raises(TooLateToUndoError):
            correct(arrival, start=DAY - 2 * ONE_DAY, by=supervisor)


class TestAnArrivalThatNeverWas:
    def test_is_withdrawn_with_its_case_whatever_happened(
        self, bayannur: Area, supervisor: User
    ) -> None:
        case = make_case(bayannur, **BY_LANZHOU)
        make_result(case, DAY)
        assert case.arrival

        withdraw_arrival(arrival=case.arrival, reason="未到本地", at=LATE, by=supervisor)

        case.refresh_from_db()
        assert case.closed_as == Case.ClosedAs.WITHDRAWN
        assert not Arrival.objects.valid().exists()
        assert make_arrival(bayannur, resident=case.resident, at=LATE, **BY_LANZHOU).case

    def test_of_a_released_person_counts_as_taken_back(self) -> None:
        yingkou = make_place("yingkou-2022-11", "210800")
        by = make_user(Role.SUPERVISOR, yingkou)
        case = make_case(yingkou)
        for days in (0, 2, 4):
            make_result(case, DAY + days * ONE_DAY)
        end = moment(DAY, 16) + 4 * ONE_DAY
        assert release(cases=[case], at=end, by=by).released
        assert case.arrival

        withdraw_arrival(arrival=case.arrival, reason="同名他人", at=end + ONE_DAY, by=by)

        case.refresh_from_db()
        assert case.closed_as == Case.ClosedAs.WITHDRAWN


class TestAnArrivalOfSomebodyElse:
    def test_is_given_to_them_and_both_cases_follow(
        self, bayannur: Area, supervisor: User
    ) -> None:
        case = make_case(bayannur, **BY_LANZHOU)
        right = make_resident(grid=bayannur)
        assert case.arrival

        given = give_arrival(
            arrival=case.arrival, to=right, reason="同名同姓", at=LATE, by=supervisor
        )

        case.refresh_from_db()
        assert case.closed_as == Case.ClosedAs.WITHDRAWN
        theirs = Case.objects.open().get()
        assert given.case == theirs
        assert (theirs.resident, theirs.day_1, theirs.plan) == (right, case.day_1, case.plan)
        assert given.arrival.corrects == case.arrival
        assert unexplained_cases() == []

    def test_leaves_a_positive_that_was_measured_with_its_contacts(self) -> None:
        cangshan = make_place("cangshan-2022-324", "350104")
        by = make_user(Role.SUPERVISOR, cangshan)
        case = make_case(cangshan, exposure="close_contact", arrived_from=None)
        flatmate = make_resident(household=case.resident.household)
        infected = make_result(case, DAY, outcome="positive").opened
        assert infected
        open_contacts(case=infected, residents=[flatmate], at=moment(DAY, 20), by=by)
        assert case.arrival

        withdraw_arrival(arrival=case.arrival, reason="示例", at=LATE, by=by)

        assert set(Case.objects.open().values_list("resident", flat=True)) == {
            case.resident_id,
            flatmate.pk,
        }
