"""Ready, freed, blocked or waiting: the function and the condition say the same."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.staff.models import Area, Role
from policy.engine.decisions.facts import Stay
from quarantine.acts.release import release_proposals
from quarantine.acts.results import record_result, take_check
from quarantine.cases.lifecycle import write_person
from quarantine.cases.readiness import Readiness, conditions, readiness_of_each
from quarantine.models import Case, Event
from quarantine.switching.sweep import sweep
from testing import services as testing
from testing.models import NATResult
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
from tests.quarantine.switching.test_transition_properties import BOUNDED
from tests.tries import tried

pytestmark = pytest.mark.django_db

DAY_1 = date(2022, 11, 20)
COUNTY = "350104"


def nth(number: int) -> date:
    return DAY_1 + timedelta(days=number - 1)


def readiness(case: Case, day: date) -> Readiness:
    """Return what both say, which is the same."""
    (said,) = readiness_of_each(list(Case.objects.filter(pk=case.pk)), today=day).values()
    (found,) = [
        each for each, q in conditions(day).items() if Case.objects.filter(q, pk=case.pk).exists()
    ]
    assert said == found
    return said


class TestSomebodyAtHomeForFiveDays:
    @pytest.fixture
    def case(self) -> Case:
        return make_case(make_place("yingkou-2022-11", "210800"), on=DAY_1)

    def test_waits_until_the_last_day(self, case: Case) -> None:
        assert readiness(case, nth(4)) == Readiness.WAITING

    def test_is_blocked_when_nothing_was_tested(self, case: Case) -> None:
        assert readiness(case, nth(5)) == Readiness.BLOCKED
        assert readiness(case, nth(9)) == Readiness.BLOCKED

    def test_is_ready_once_all_tests_are_negative(self, case: Case) -> None:
        for number in (1, 3, 5):
            make_result(case, nth(number))
        assert readiness(case, nth(5)) == Readiness.READY

    def test_is_blocked_while_a_result_is_awaited_that_no_plan_asked_for(self, case: Case) -> None:
        for number in (1, 3, 5):
            make_result(case, nth(number))
        testing.take_sample(
            resident=case.resident, taken_at=moment(nth(4)), at=moment(nth(4)), by=make_user()
        )
        write_person(resident=case.resident, today=nth(5))

        assert readiness(case, nth(5)) == Readiness.BLOCKED


class TestSomebodyFreedByAnotherDocument:
    def test_is_freed_and_stands_apart_with_the_clause_that_frees(self) -> None:
        grid = make_place("bayannur-2022-71", "150802")
        stays = (Stay("620100", None, DAY_1),)
        case = make_case(grid, on=DAY_1, arrived_from="620100", stays=stays)
        put_in_force(
            "cn-2022-113", Area.objects.get(code="150802"), effective_from=moment(nth(3), 0)
        )
        sweep(at=moment(nth(3)))

        assert readiness(case, nth(3)) == Readiness.FREED
        proposals = release_proposals(cases=Case.objects.all(), today=nth(3))
        assert (proposals.ready, proposals.blocked) == ([], [])
        (freed,) = proposals.freed
        assert freed.freed_by is None or freed.freed_by.document != "bayannur-2022-71"

    def test_is_blocked_while_their_pool_is_to_be_checked(self) -> None:
        grid = make_place("bayannur-2022-71", "150802")
        stays = (Stay("620100", None, DAY_1),)
        case = make_case(grid, on=DAY_1, arrived_from="620100", stays=stays)
        pool = testing.take_sample(
            resident=case.resident,
            taken_at=moment(DAY_1),
            at=moment(DAY_1),
            by=make_user(),
            pooled=True,
            tube="A1",
        )
        record_result(
            sample=pool,
            outcome=NATResult.Outcome.POSITIVE,
            ct=None,
            reported_at=moment(nth(2)),
            at=moment(nth(2)),
            by=make_user(),
        )
        put_in_force(
            "cn-2022-113", Area.objects.get(code="150802"), effective_from=moment(nth(3), 0)
        )
        sweep(at=moment(nth(3)))

        assert readiness(case, nth(3)) == Readiness.BLOCKED
        single = take_check(sample=pool, at=moment(nth(3)), by=make_user())
        assert readiness(case, nth(3)) == Readiness.BLOCKED
        record_result(
            sample=single,
            outcome=NATResult.Outcome.NEGATIVE,
            ct=None,
            reported_at=moment(nth(3)),
            at=moment(nth(3)),
            by=make_user(),
        )
        assert readiness(case, nth(3)) == Readiness.FREED


FACTS = {
    "contact": {"exposure": "close_contact"},
    "infected": {"exposure": "infected", "clinical": "mild"},
    "risk": {"stays": (Stay("310000", "high", DAY_1),)},
    "city": {"arrived_from": "310000"},
}


HAPPENED = ["negative", "", "missed", "lost", "pool"]


class TestTheFunctionAndTheCondition:
    @BOUNDED
    @given(
        grounds=st.dictionaries(st.integers(1, 6), st.sampled_from(list(FACTS)), max_size=3),
        tests=st.dictionaries(st.integers(1, 9), st.sampled_from(HAPPENED)),
        switch=st.none() | st.integers(2, 8),
        document=st.sampled_from(["cn-2022-113", "cangshan-2022-324"]),
    )
    def test_agree_for_whatever_happened(
        self,
        grounds: dict[int, str],
        tests: dict[int, str],
        switch: int | None,
        document: str,
    ) -> None:
        with tried():
            grid = make_place("cn-2022-101", COUNTY)
            resident = make_resident(grid=grid)
            for number, kind in grounds.items():
                on = nth(number)
                make_arrival(grid, on=on, at=moment(on), resident=resident, **FACTS[kind])  # type: ignore[arg-type]
            self._live(list(Case.objects.open().filter(resident=resident)), sorted(tests.items()))
            if switch:
                county = Area.objects.get(code=COUNTY)
                put_in_force(document, county, effective_from=moment(nth(switch), 0))
                sweep(at=moment(nth(switch)))
            cases = list(Case.objects.governing().select_related("plan"))
            for number in range(1, 20):
                day = nth(number)
                said = readiness_of_each(cases, today=day)
                for each, condition in conditions(day).items():
                    found = set(Case.objects.filter(condition).values_list("pk", flat=True))
                    assert found == {pk for pk, near in said.items() if near == each}, (day, each)

    def _live(self, cases: Sequence[Case], tests: Sequence[tuple[int, str]]) -> None:
        if not cases:
            return
        by, resident = make_user(Role.GRID_STAFF), cases[0].resident
        for number, what in tests:
            at = moment(nth(number))
            if what == "missed":
                Event.objects.create(
                    case=cases[0], kind=Event.Kind.TEST_MISSED, day=nth(number), at=at, by=by
                )
                continue
            pooled = what == "pool" and not resident.samples.to_check().exists()
            tube = "A1" if pooled else ""
            sample = testing.take_sample(
                resident=resident, taken_at=at, at=at, by=by, pooled=pooled, tube=tube
            )
            if what:
                testing.record_result(
                    sample=sample,
                    outcome=NATResult.Outcome("positive" if what == "pool" else what),
                    ct=None,
                    reported_at=at,
                    at=at,
                    by=by,
                )
        write_person(resident=resident, today=nth(9))
