"""Calendars: plans laid on dates, with what has happened since."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.engine.calendars.laying import Calendar, Doubt, doubt, lay
from policy.engine.calendars.plans import CtCriterion, Force, Plan, PlannedStage
from policy.engine.decisions.facts import NATResult, Served
from tests.policy.engine.making import START, calendar, day, noon, result, stay


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw a plan of one to three stages."""
    stages = []
    for _ in range(draw(st.integers(1, 3))):
        days = draw(st.integers(1, 9))
        tests = draw(st.sets(st.integers(1, days)))
        force: Force = draw(st.sampled_from(["must", "advise"]))
        stages.append(PlannedStage("home", days, tuple(sorted(tests)), force))
    loose = tuple(sorted(draw(st.sets(st.integers(1, 5), max_size=2))))
    return Plan("pingan", "1", "arrivals", tuple(stages), loose)


DAYS = st.integers(1, 40).map(day)
RESULTS = st.builds(
    NATResult, DAYS, st.sampled_from(["negative", "positive"]), st.none() | st.floats(1, 45)
)
HELD = Plan("pingan", "1", "arrivals", (PlannedStage("home", 5, (3, 5)),))
TRAVELLER: dict[str, Any] = {
    "arrived_from": "610800",
    "stays": (stay(0, "low", "610800"),),
}
CRITERION = Plan(
    "pingan",
    "1",
    "infected",
    (PlannedStage("home", 7, (6, 7)),),
    release=CtCriterion(35.0, 6, 2),
)


class TestACalendarAlways:
    @given(plans(), st.sets(DAYS), DAYS)
    def test_is_never_shortened_by_one_more_missed_test(
        self, plan: Plan, missed: set[date], more: date
    ) -> None:
        before = lay(plan, START, today=START, missed=missed).earliest_release
        after = lay(plan, START, today=START, missed=missed | {more}).earliest_release

        assert (before is None) == (after is None)
        assert before is None or (after is not None and after >= before)

    @given(plans(), st.sets(DAYS))
    def test_keeps_the_number_of_required_tests_when_some_are_missed(
        self, plan: Plan, missed: set[date]
    ) -> None:
        planned = lay(plan, START, today=START).required_tests
        made_up = lay(plan, START, today=START, missed=missed).required_tests

        assert len(made_up) == len(planned)
        assert len(set(made_up)) == len(made_up)
        assert not set(made_up) & missed

    @given(plans(), st.sets(DAYS), st.lists(RESULTS, max_size=6), DAYS)
    def test_draws_each_day_once_and_in_order(
        self, plan: Plan, missed: set[date], tests: list[NATResult], today: date
    ) -> None:
        laid = lay(plan, START, today=today, missed=missed, tests=tests)

        assert [one.day for one in laid.days] == [
            START + timedelta(days=number) for number in range(len(laid.days))
        ]
        assert {one.day for one in laid.days} >= set(laid.required_tests) | set(laid.advised_tests)

    @given(plans(), st.lists(RESULTS, max_size=6), DAYS)
    def test_lets_nobody_go_before_the_day_of_release_or_without_results(
        self, plan: Plan, tests: list[NATResult], today: date
    ) -> None:
        laid = lay(plan, START, today=today, tests=tests)

        if laid.may_be_released:
            assert laid.earliest_release is not None
            assert laid.earliest_release <= today
            assert set(laid.required_tests) <= {test.day for test in tests}
            assert laid.next_test_on is None

    @given(st.sets(DAYS), st.lists(RESULTS, max_size=8))
    def test_releases_an_infected_person_after_two_days_that_pass(
        self, missed: set[date], tests: list[NATResult]
    ) -> None:
        laid = lay(CRITERION, START, today=START, missed=missed, tests=tests)

        assert laid.earliest_release is not None
        assert laid.earliest_release >= day(7)
        last = laid.required_tests[-1]
        assert laid.required_tests[-2] == last - timedelta(days=1)


class TestAMissedTest:
    def test_is_made_up_on_the_next_day(self) -> None:
        laid = calendar("cn-2022-101", exposure="close_contact", missed=(day(3),))

        assert laid.required_tests == tuple(map(day, (1, 2, 4, 5, 6, 8)))
        assert laid.earliest_release == day(8)

    def test_is_made_up_on_the_next_day_without_one(self) -> None:
        laid = calendar("cn-2022-101", exposure="close_contact", missed=(day(1),))

        assert laid.required_tests == tuple(map(day, (2, 3, 4, 5, 6, 8)))

    def test_on_the_last_day_moves_the_release(self) -> None:
        laid = calendar("cn-2022-113", exposure="close_contact", missed=(day(5),))

        assert laid.required_tests == (day(6),)
        assert laid.earliest_release == day(6)
        assert laid.days[-1].setting == "home"
        assert [one.test for one in laid.days[-2:]] == ["missed", "make_up"]

    def test_can_be_missed_again(self) -> None:
        laid = calendar("cn-2022-113", exposure="close_contact", missed=(day(5), day(6)))

        assert laid.earliest_release == day(7)


class TestAPositive:
    def test_stops_the_calendar(self) -> None:
        tests = (result(1), result(2, result="positive"))
        laid = calendar("cn-2022-101", exposure="close_contact", tests=tests)

        assert laid.earliest_release is None
        assert laid.required_tests == (day(1), day(2))
        assert laid.cancelled_tests == tuple(map(day, (3, 5, 6, 8)))
        assert laid.refer == "medical"
        assert laid.next_test_on is None

    def test_opens_a_case_instead_of_a_referral_where_there_is_a_rule(self) -> None:
        laid = calendar(
            "cn-2022-113", exposure="close_contact", tests=(result(2, result="positive"),)
        )

        assert laid.positive_on == day(2)
        assert laid.refer is None


class TestTheRelease:
    def test_waits_for_a_result_that_comes_later(self) -> None:
        laid = calendar(
            "cn-2022-113", exposure="close_contact", tests=(result(5, reported_at=noon(7)),)
        )

        assert laid.earliest_release == day(7)

    @pytest.mark.parametrize(
        ("cts", "release"),
        [
            ({6: 35.0, 7: 35.0}, 7),
            ({6: 36.0, 7: 34.9}, 9),
            ({6: 34.9, 7: 36.0}, 8),
            ({5: 36.0, 6: 34.0, 7: 36.0, 8: 36.0}, 8),
            ({6: None, 7: None}, 7),
        ],
    )
    def test_of_an_infected_person_follows_the_ct(
        self, cts: dict[int, float | None], release: int
    ) -> None:
        tests = tuple(result(number, ct) for number, ct in cts.items())
        laid = calendar("cn-2022-113", exposure="infected", clinical="mild", tests=tests)

        assert laid.earliest_release == day(release)
        assert laid.stages[-1].last_day == day(release)

    def test_needs_two_days_in_a_row_after_a_missed_one(self) -> None:
        laid = calendar("cn-2022-113", exposure="infected", clinical="mild", missed=(day(7),))

        assert laid.required_tests == (day(6), day(8), day(9))
        assert laid.earliest_release == day(9)

    def test_is_blocked_by_each_missing_result(self) -> None:
        plan = calendar("cn-2022-113", exposure="close_contact").plan

        early = lay(plan, START, today=day(4))
        late = lay(plan, START, today=day(6))
        done = lay(plan, START, today=day(5), tests=(result(5),))

        assert [text.en for text in early.release_blockers] == [
            f"The earliest day of release is {day(5)}, day 5."
        ]
        assert [text.en for text in late.release_blockers] == [
            f"The test of day 5 ({day(5)}) has no result."
        ]
        assert late.next_test_on == day(5)
        assert done.may_be_released


class TestADay:
    def test_shows_where_it_was_really_served(self) -> None:
        plan = calendar("cn-2022-113", exposure="close_contact").plan
        served = (Served("central", day(1), day(2)),)
        laid = lay(plan, START, today=day(3), served=served)

        assert [one.setting for one in laid.days] == ["central", "central", "home", "home", "home"]

    def test_counts_within_its_stage(self) -> None:
        laid = calendar("cn-2022-101", exposure="close_contact")

        assert [one.number_in_stage for one in laid.days] == [1, 2, 3, 4, 5, 1, 2, 3]


class TestTwoTestsInThreeDays:
    def test_may_be_taken_on_the_first_two(self) -> None:
        laid = calendar(
            "bayannur-2022-71",
            arrived_from="610800",
            stays=(stay(0, "low", "610800"),),
            tests=(result(1), result(2)),
        )

        assert laid.required_tests == (day(1), day(2))
        assert laid.next_test_on is None

    def test_ask_for_the_last_on_its_day_where_it_was_taken_then_too(self) -> None:
        laid = calendar("bayannur-2022-71", tests=(result(1), result(2), result(3)), **TRAVELLER)

        assert laid.required_tests == (day(1), day(3))

    def test_are_asked_alike_where_they_are_three(self) -> None:
        three = Plan("pingan", "1", "arrivals", required_tests=(1, 2, 5), last_test_from=4)
        early = lay(three, START, today=START, tests=(result(2), result(4)))
        both = lay(three, START, today=START, tests=(result(4), result(5)))

        assert early.required_tests == (day(1), day(2), day(4))
        assert both.required_tests == (day(1), day(2), day(5))

    def test_do_not_let_the_first_stand_for_both(self) -> None:
        laid = calendar("bayannur-2022-71", tests=(result(1),), **TRAVELLER)

        assert laid.required_tests == (day(1), day(3))
        assert laid.next_test_on == day(3)


class TestASample:
    def test_is_no_longer_to_be_taken_but_its_result_is_waited_for(self) -> None:
        laid = lay(HELD, START, today=day(5), sampled=(day(5),))

        assert laid.open_tests == [day(3)]
        assert laid.next_test_on == day(3)
        assert [one.test for one in laid.days] == [None, None, "due", None, "taken"]
        assert len(laid.release_blockers) == 2
        assert lay(HELD, START, today=day(5), sampled=(day(3), day(5))).open_tests == []

    @pytest.mark.parametrize(("today", "overdue"), [(3, False), (4, True)])
    def test_is_overdue_from_the_day_after(self, today: int, overdue: bool) -> None:
        laid = lay(HELD, START, today=day(today))

        assert laid.days[2].overdue is overdue

    @pytest.mark.parametrize(("today", "overdue"), [(4, False), (5, True)])
    def test_that_makes_up_is_overdue_from_the_day_after(self, today: int, overdue: bool) -> None:
        laid = lay(HELD, START, today=day(today), missed=(day(3),))

        assert laid.days[3].test == "make_up"
        assert laid.days[3].overdue is overdue


def of_case(plan: Plan = HELD, *, today: int = 9, **happened: Any) -> Calendar:
    """Lay the plan of a case, of which is known when a missed test was recorded."""
    recorded = {day(missed): day(known) for missed, known in happened.pop("recorded", ())}
    return lay(plan, START, today=day(today), recorded=recorded, **happened)


class TestAMakeUp:
    def test_is_never_in_the_past_of_what_made_it_known(self) -> None:
        plan = Plan("pingan", "1", "arrivals", (PlannedStage("home", 5, (1, 3, 5)),))
        laid = of_case(plan, recorded=((1, 7), (3, 7), (5, 7)), today=7)

        assert laid.required_tests == (day(7), day(8), day(9))
        assert (laid.next_test_on, laid.earliest_release) == (day(7), day(9))
        assert not any(one.overdue for one in laid.days)

    def test_is_on_the_next_day_where_it_was_known_in_time(self) -> None:
        assert of_case(recorded=((3, 4),)).required_tests == (day(4), day(5))

    def test_is_a_sample_that_was_taken_before_anybody_knew(self) -> None:
        laid = of_case(recorded=((3, 7),), tests=(result(4), result(5)))

        assert laid.required_tests == (day(4), day(5))
        assert laid.may_be_released

    def test_is_a_sample_of_a_day_that_asked_for_none(self) -> None:
        laid = of_case(sampled=(day(7),), tests=(result(5),))

        assert laid.required_tests == (day(5), day(7))
        assert [one.test for one in laid.days[2:]] == ["missed", None, "taken", None, "taken"]
        assert (laid.next_test_on, laid.earliest_release) == (None, day(7))

    def test_takes_the_earliest_test_that_is_owed(self) -> None:
        laid = of_case(sampled=(day(8),))

        assert laid.required_tests == (day(5), day(8))
        assert laid.open_tests == [day(5)]

    def test_is_no_sample_from_before(self) -> None:
        assert of_case(sampled=(day(2),)).open_tests == [day(3), day(5)]

    @pytest.mark.parametrize(("today", "owed"), [(4, day(3)), (5, None), (6, day(3))])
    def test_may_be_taken_today_unless_today_has_a_test(
        self, today: int, owed: date | None
    ) -> None:
        assert of_case(today=today).may_make_up_on(day(today)) == owed

    def test_of_an_infected_person_begins_the_row_anew(self) -> None:
        passed = [result(number, 36.0) for number in (8, 9)]
        laid = of_case(CRITERION, tests=passed)

        assert laid.required_tests == (day(8), day(9))
        assert laid.may_be_released

    def test_of_an_infected_person_is_not_in_the_past(self) -> None:
        laid = of_case(CRITERION, recorded=((6, 9),), tests=(result(7, 36.0),))

        assert laid.required_tests == (day(7), day(9), day(10))

    @given(plans(), st.sets(DAYS), st.dictionaries(DAYS, st.integers(0, 20)), st.sets(DAYS))
    def test_leaves_the_number_of_required_tests_as_it_was(
        self, plan: Plan, taken: set[date], missed: dict[date, int], tested: set[date]
    ) -> None:
        recorded = {each: each + timedelta(days=days) for each, days in missed.items()}
        laid = lay(
            *(plan, START),
            today=day(40),
            recorded=recorded,
            sampled=taken,
            tests=[NATResult(each, "negative") for each in tested],
        )

        assert len(laid.required_tests) == len(plan.days_asked("must"))
        late = [each for each in laid.open_tests if each in recorded]
        assert late == []


class TestASampleNobodyAskedFor:
    def test_stands_in_the_calendar_on_its_day(self) -> None:
        laid = of_case(sampled=(day(3), day(5), day(8)))

        assert laid.days[-1].day == day(8)
        assert laid.days[-1].test == "taken"
        assert laid.awaited == [day(3), day(5), day(8)]


class TestAPositivePool:
    def laid(self, **more: Any) -> Calendar:
        return of_case(tests=(result(3),), unclear=(day(5),), today=5, **more)

    def test_holds_everybody_until_a_tube_of_their_own_decides(self) -> None:
        laid = self.laid(checks=(day(5),))

        assert laid.positive_on is None
        assert laid.earliest_release == day(5)
        assert not laid.may_be_released
        assert laid.days[4].test == "to_check"

    def test_asks_for_that_tube_on_the_same_day(self) -> None:
        assert self.laid(checks=(day(5),)).next_test_on == day(5)
        assert self.laid().next_test_on is None
        assert not self.laid().may_be_released


class TestAWordAndACt:
    ASKED = Plan("pingan", "1", "inbound", positive_below_ct=36.0)

    @pytest.mark.parametrize(
        ("word", "ct", "plan", "doubted"),
        [
            ("negative", 34.99, HELD, Doubt(35.0, by_law=False)),
            ("negative", 35.0, HELD, None),
            ("positive", 34.99, HELD, None),
            ("positive", 35.0, HELD, Doubt(35.0, by_law=False)),
            ("negative", 35.5, ASKED, Doubt(36.0, by_law=True)),
            ("positive", 36.0, ASKED, Doubt(36.0, by_law=True)),
            ("negative", 20.0, CRITERION, Doubt(35.0, by_law=True)),
            ("positive", 36.0, CRITERION, None),
            ("negative", 20.0, None, Doubt(35.0, by_law=False)),
            ("negative", None, HELD, None),
        ],
    )
    def test_are_compared_by_the_ct_of_the_law_else_by_the_usual_one(
        self, word: Any, ct: float | None, plan: Plan | None, doubted: Doubt | None
    ) -> None:
        assert doubt(result(1, ct, result=word), plan) == doubted


class TestALawThatAppliesFromALaterDay:
    @pytest.mark.parametrize(("from_day", "made_up"), [(6, 6), (7, 7), (8, 8)])
    def test_asks_for_no_make_up_before(self, from_day: int, made_up: int) -> None:
        laid = lay(HELD, START, today=START, missed=(day(5),), not_before=day(from_day))

        assert laid.required_tests == (day(3), day(made_up))
        assert laid.earliest_release == day(made_up)

    def test_counts_a_test_that_was_taken_before(self) -> None:
        laid = lay(
            HELD, START, today=START, missed=(day(5),), tests=(result(6),), not_before=day(8)
        )

        assert laid.required_tests == (day(3), day(6))
        assert laid.earliest_release == day(8)

    @pytest.mark.parametrize(("from_day", "release"), [(4, 5), (5, 5), (6, 6)])
    def test_lets_nobody_go_before(self, from_day: int, release: int) -> None:
        laid = lay(HELD, START, today=START, not_before=day(from_day))

        assert laid.earliest_release == day(release)


class TestWhoIsFreed:
    def freed(self, number: int, *, today: int = 9, **more: Any) -> Calendar:
        return lay(
            HELD,
            START,
            today=day(today),
            freed_on=day(number),
            **{"asks_nothing": True, "tests": (result(3),), **more},
        )

    @pytest.mark.parametrize(("number", "last"), [(2, 1), (5, 4), (6, 5), (7, 5)])
    def test_is_held_until_the_day_before(self, number: int, last: int) -> None:
        laid = self.freed(number)

        assert [stage.last_day for stage in laid.stages] == [day(last)]
        assert laid.earliest_release == day(number)
        held = [one.number for one in laid.days if one.setting]
        assert held == list(range(1, last + 1 if number < 6 else number))

    def test_on_day_1_was_held_on_no_day(self) -> None:
        laid = self.freed(1)

        assert laid.stages == ()
        assert not any(one.setting for one in laid.days)

    def test_has_no_test_left_but_those_taken(self) -> None:
        laid = self.freed(4)

        assert laid.required_tests == (day(3),)
        assert laid.cancelled_tests == (day(5),)
        assert laid.next_test_on is None
        assert laid.may_be_released
        assert self.freed(4, tests=(), sampled=(day(3),)).may_be_released

    @pytest.mark.parametrize(("today", "may"), [(3, False), (4, True)])
    def test_may_be_released_from_that_day(self, today: int, may: bool) -> None:
        assert self.freed(4, today=today).may_be_released is may

    def test_stays_where_a_test_was_positive(self) -> None:
        laid = self.freed(4, tests=(result(3, result="positive"),))

        assert laid.earliest_release is None
        assert laid.positive_on == day(3)

    def test_but_tested_still_waits_for_the_tests(self) -> None:
        tests = Plan("pingan", "1", "arrivals", required_tests=(1, 3))

        assert lay(tests, START, today=START).earliest_release is None
        freed = lay(tests, START, today=day(3), freed_on=day(2))
        assert freed.earliest_release == day(3)
        assert not freed.may_be_released


class TestWhatIsPositive:
    @pytest.mark.parametrize("number", [-3, 0, 1, 2])
    def test_stops_a_calendar_whatever_its_day(self, number: int) -> None:
        laid = lay(HELD, START, today=START, tests=(result(number, result="positive"),))

        assert laid.positive_on == day(number)
        assert laid.earliest_release is None
        assert laid.next_test_on is None
        assert laid.release_blockers
        assert not laid.may_be_released

    def test_is_the_first_of_several(self) -> None:
        tests = (result(4, result="positive"), result(2, result="positive"))

        assert lay(HELD, START, today=START, tests=tests).positive_on == day(2)

    @pytest.mark.parametrize(
        ("ct", "word", "positive"),
        [
            (34.9, "negative", True),
            (35.0, "positive", False),
            (None, "positive", True),
            (None, "negative", False),
        ],
    )
    def test_goes_by_the_ct_where_the_law_names_one(
        self, ct: float | None, word: str, positive: bool
    ) -> None:
        plan = replace(HELD, positive_below_ct=35.0)
        laid = lay(plan, START, today=START, tests=(result(1, ct, result=word),))

        assert (laid.positive_on is not None) is positive

    @pytest.mark.parametrize("refers", [True, False])
    def test_passes_to_medical_care_where_no_rule_is_there(self, refers: bool) -> None:
        plan = replace(HELD, positive_refers=refers)
        laid = lay(plan, START, today=START, tests=(result(1, result="positive"),))

        assert laid.refer == ("medical" if refers else None)
        assert lay(plan, START, today=START).refer is None

    def test_ends_what_was_advised_from_the_day_after(self) -> None:
        plan = replace(HELD, advised_tests=(1, 2, 3, 4))
        laid = lay(plan, START, today=START, tests=(result(2, result="positive"),))

        assert laid.advised_tests == (day(1), day(2))
        assert lay(plan, START, today=START).advised_tests == (day(1), day(2), day(4))
