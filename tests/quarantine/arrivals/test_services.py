"""Logging who arrives."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area
from common.undo_window import UNDO, TooLateToUndoError
from policy.engine.calendars.plans import Plan
from policy.engine.decisions.facts import Served, Stay
from quarantine.acts.daily_checks import daily_check
from quarantine.arrivals.services import (
    AlreadyLoggedError,
    FutureArrivalError,
    take_back_arrival,
)
from quarantine.models import Arrival, Case, Event
from tests.factories import (
    make_arrival,
    make_case,
    make_place,
    make_resident,
    make_result,
    make_user,
    moment,
)

pytestmark = pytest.mark.django_db

DAY = date(2022, 11, 20)
NOON = moment(DAY)
ONE_DAY = timedelta(days=1)
SHANGHAI: dict[str, Any] = {"arrived_from": "310000"}


@pytest.fixture
def yingkou() -> Area:
    return make_place("yingkou-2022-11", "210800")


class TestLogArrival:
    def test_opens_the_case_that_the_law_asks_for(self, yingkou: Area) -> None:
        logged = make_arrival(yingkou, **SHANGHAI)

        case = Case.objects.get()
        assert case == logged.case
        assert case.arrival == logged.arrival
        assert (case.day_1, case.law) == (DAY, "yingkou-2022-11")
        assert str(case.plan.provision) == "yingkou-2022-11 3 arrivals"
        assert (case.next_test_on, case.release_on) == (DAY, DAY + 4 * ONE_DAY)

    def test_keeps_the_arrival_alone_where_the_law_asks_for_nothing(self) -> None:
        cangshan = make_place("cangshan-2022-324", "350104")

        logged = make_arrival(cangshan, on=date(2022, 12, 20), **SHANGHAI)

        assert logged.case is None
        assert Arrival.objects.get() == logged.arrival
        assert not Case.objects.exists()

    @pytest.mark.parametrize(("days_ago", "clause"), [(7, "2"), (8, "3")])
    def test_looks_seven_days_back_for_high_risk_stays(
        self, yingkou: Area, days_ago: int, clause: str
    ) -> None:
        stay = Stay("310101", "high", DAY - days_ago * ONE_DAY)

        case = make_case(yingkou, stays=(stay,))

        assert case.plan.provision.clause == clause

    def test_answers_the_same_key_with_what_it_logged_first(self, yingkou: Area) -> None:
        resident, key = make_resident(grid=yingkou), uuid4()
        first = make_arrival(yingkou, resident=resident, key=key, **SHANGHAI)

        second = make_arrival(yingkou, resident=resident, key=key, **SHANGHAI)

        assert second == first
        assert Arrival.objects.count() == Case.objects.count() == 1

    def test_refuses_a_day_to_come(self, yingkou: Area) -> None:
        with pytest.raises(FutureArrivalError):
            make_arrival(yingkou, on=DAY + ONE_DAY, at=moment(DAY, 23, 59), **SHANGHAI)

    def test_accepts_today_from_its_first_minute(self, yingkou: Area) -> None:
        assert make_arrival(yingkou, at=moment(DAY, 0, 0), **SHANGHAI).case

    def test_stands_beside_what_holds_the_person_already(self, yingkou: Area) -> None:
        case = make_case(yingkou)

        again = make_arrival(yingkou, on=DAY + ONE_DAY, resident=case.resident, **SHANGHAI).case

        assert again
        assert set(Case.objects.open()) == {case, again}
        assert list(Case.objects.governing()) == [again]

    def test_refuses_the_same_day_twice(self) -> None:
        cangshan = make_place("cangshan-2022-324", "350104")
        first = make_arrival(cangshan, on=date(2022, 12, 20))

        with pytest.raises(AlreadyLoggedError):
            make_arrival(cangshan, on=date(2022, 12, 20), resident=first.arrival.resident)

    def test_leaves_nothing_behind_when_it_refuses(self, yingkou: Area) -> None:
        case = make_case(yingkou)
        entries = AuditEntry.objects.count()

        with pytest.raises(AlreadyLoggedError):
            make_arrival(yingkou, on=DAY, resident=case.resident, by=case.opened_by)

        assert Arrival.objects.count() == 1
        assert AuditEntry.objects.count() == entries

    def test_shares_the_plan_between_equal_answers(self, yingkou: Area) -> None:
        one = make_case(yingkou)
        other = make_case(yingkou, on=DAY + ONE_DAY)

        assert one.plan == other.plan

    def test_counts_days_that_were_served_elsewhere(self) -> None:
        bayannur = make_place("cn-2022-101", "150800")
        served = (Served("central", DAY - 2 * ONE_DAY, DAY - ONE_DAY),)

        case = make_case(bayannur, exposure="close_contact", served=served, arrived_from=None)

        assert case.day_1 == DAY - 2 * ONE_DAY
        assert case.release_on == case.day_1 + 7 * ONE_DAY

    def test_writes_down_who_did_it(self, yingkou: Area) -> None:
        by = make_user("grid_staff", yingkou)
        logged = make_arrival(yingkou, by=by, **SHANGHAI)

        did = AuditEntry.objects.filter(actor=by.key).order_by("pk")
        assert logged.case
        assert [(entry.did, entry.subject) for entry in did] == [
            ("logged arrival", f"arrival:{logged.arrival.key}"),
            ("opened a case", f"case:{logged.case.key}"),
        ]


class TestTakeBackArrival:
    def test_takes_the_case_with_it(self, yingkou: Area) -> None:
        logged = make_arrival(yingkou, **SHANGHAI)

        take_back_arrival(arrival=logged.arrival, at=NOON + UNDO, by=logged.arrival.logged_by)

        assert not Arrival.objects.valid().exists()
        assert Case.objects.get().closed_as == Case.ClosedAs.WITHDRAWN

    def test_lets_the_person_be_logged_again(self, yingkou: Area) -> None:
        first = make_arrival(yingkou, **SHANGHAI)
        take_back_arrival(arrival=first.arrival, at=NOON, by=first.arrival.logged_by)

        assert make_arrival(yingkou, resident=first.arrival.resident, **SHANGHAI).case

    def test_is_refused_when_its_time_is_over(self, yingkou: Area) -> None:
        logged = make_arrival(yingkou, **SHANGHAI)
        late = NOON + UNDO + timedelta(seconds=1)

        with pytest.raises(TooLateToUndoError):
            take_back_arrival(arrival=logged.arrival, at=late, by=logged.arrival.logged_by)

        assert Case.objects.open().exists()

    def test_is_refused_once_a_sample_was_taken(self, yingkou: Area) -> None:
        case = make_case(yingkou, at=moment(DAY, 14))
        make_result(case, DAY)
        assert case.arrival

        with pytest.raises(TooLateToUndoError):
            take_back_arrival(arrival=case.arrival, at=moment(DAY, 14), by=make_user())

    def test_is_refused_once_somebody_was_checked(self, yingkou: Area) -> None:
        case = make_case(yingkou)
        daily_check(case=case, temperature=None, symptoms=[], note="", at=NOON, by=make_user())
        assert case.arrival

        with pytest.raises(TooLateToUndoError):
            take_back_arrival(arrival=case.arrival, at=NOON, by=make_user())

        assert Event.objects.valid().filter(kind=Event.Kind.CHECK).exists()


class TestAPlan:
    def test_reads_from_the_database_as_it_was_written(self, yingkou: Area) -> None:
        row = make_case(yingkou).plan
        row.refresh_from_db()

        assert Plan.from_json(row.content).digest == row.digest
