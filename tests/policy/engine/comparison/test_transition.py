"""What becomes of a case when another law takes effect, on both sides of each bound."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from policy.engine.calendars.laying import Refer
from policy.engine.calendars.plans import CtCriterion, Plan, PlannedStage
from policy.engine.comparison.transition import Result, Transition, transition
from policy.engine.decisions.decide import Decision, UndatedDecision, situation
from policy.engine.decisions.facts import Person
from tests.policy.engine.making import START, day

CRITERION = CtCriterion(ct_at_least=35, first_day=6, passes=2)


def stage(days: int = 5, **more: Any) -> PlannedStage:
    return PlannedStage(**{"setting": "home", "days": days, **more})


def plan(*stages: PlannedStage, **more: Any) -> Plan:
    return Plan("pingan", "1", "arrivals", stages, **more)


def decision(asked: Plan | None, *, start: date = START, refer: Refer | None = None) -> Decision:
    facts = situation(Person(start=start), start, start)
    return Decision(start, UndatedDecision(plan=asked, refer=refer), facts)


def switched(old: Plan | None, new: Plan | None, on: date = START, **more: Any) -> Transition:
    return transition(decision(old), decision(new), day=on, **{"reaches_open": False, **more})


HELD = plan(stage())
STRICTER = {
    "a day longer": plan(stage(6)),
    "the last day in a centre": plan(stage(4), stage(1, setting="central")),
    "a day at home and not under monitoring": HELD,
    "a test more": plan(stage(tests=(5,))),
    "a test more outside the stages": plan(stage(), required_tests=(5,)),
    "no way out of the door": plan(stage(movement="stay_indoors")),
    "a code": plan(stage(coded=True)),
    "a code for a day longer": plan(stage(4, coded=True), stage(1, coded=True)),
    "a door sensor": plan(stage(door_sensor=True)),
    "a criterion": plan(stage(), release=CRITERION),
    "a higher Ct": plan(stage(), release=replace(CRITERION, ct_at_least=36)),
    "a pass more": plan(stage(), release=replace(CRITERION, passes=3)),
    "a later first day": plan(stage(), release=replace(CRITERION, first_day=7)),
}
LOOSER = {
    "a day at home and not under monitoring": plan(stage(4), stage(1, setting="monitoring")),
    "a code for a day longer": plan(stage(4, coded=True), stage(1)),
    "a higher Ct": plan(stage(), release=CRITERION),
    "a pass more": plan(stage(), release=CRITERION),
    "a later first day": plan(stage(), release=CRITERION),
}
PAIRS = [pytest.param(LOOSER.get(name, HELD), more, id=name) for name, more in STRICTER.items()]


class TestALawThatDiffersInOneThing:
    @pytest.mark.parametrize(("less", "more"), PAIRS)
    def test_that_is_stricter_is_for_new_cases(self, less: Plan, more: Plan) -> None:
        assert switched(less, more) == Transition("stays", "stricter", less)

    @pytest.mark.parametrize(("less", "more"), PAIRS)
    def test_that_is_stricter_reaches_open_cases_where_it_was_decided(
        self, less: Plan, more: Plan
    ) -> None:
        assert switched(less, more, reaches_open=True) == Transition("follows", "chosen", more)

    @pytest.mark.parametrize(("less", "more"), PAIRS)
    def test_that_is_more_lenient_applies_at_once(self, less: Plan, more: Plan) -> None:
        assert switched(more, less) == Transition("follows", "lenient", less)

    @pytest.mark.parametrize(("less", "more"), PAIRS)
    def test_that_asks_the_same_applies_at_once(self, less: Plan, more: Plan) -> None:
        same = replace(more, document="pingan-2")

        assert switched(more, same) == Transition("follows", "lenient", same)


class TestWhatIsWeighed:
    def test_is_first_how_long_somebody_is_held(self) -> None:
        longer, harder = plan(stage(6)), plan(stage(5, setting="central", tests=(1, 5)))

        assert switched(harder, longer).why == "stricter"
        assert switched(longer, harder).why == "lenient"

    def test_is_then_where_before_tests(self) -> None:
        central, tested = plan(stage(setting="central")), plan(stage(tests=(1, 2, 3)))

        assert switched(tested, central).why == "stricter"
        assert switched(central, tested).why == "lenient"

    def test_is_the_same_in_one_stage_or_in_two(self) -> None:
        in_two = plan(stage(2), stage(3))

        assert switched(HELD, in_two).why == switched(in_two, HELD).why == "lenient"

    def test_is_the_stage_that_lets_out_least(self) -> None:
        loosened = plan(stage(2, movement="stay_indoors"), stage(3))

        assert switched(HELD, loosened).why == "stricter"
        assert switched(loosened, HELD).why == "lenient"

    def test_is_never_advice(self) -> None:
        advised = plan(stage(), stage(9, force="advise", tests=(1,)), advised_tests=(1, 2))

        assert switched(HELD, advised).why == "lenient"

    @pytest.mark.parametrize(("on", "why"), [(1, "stricter"), (2, "lenient")])
    def test_is_a_test_only_until_its_day_has_passed(self, on: int, why: str) -> None:
        assert switched(HELD, plan(stage(tests=(1,))), day(on)).why == why

    @pytest.mark.parametrize(("on", "why"), [(2, "stricter"), (3, "lenient")])
    def test_is_a_stage_only_until_its_last_day_has_passed(self, on: int, why: str) -> None:
        began_in_a_centre = plan(stage(2, setting="central"), stage(3))

        assert switched(HELD, began_in_a_centre, day(on)).why == why

    def test_is_the_whole_plan_before_day_1(self) -> None:
        tested = plan(stage(tests=(1,)))

        assert switched(HELD, tested, day(0)).why == "stricter"
        assert switched(tested, tested, day(-3)).why == "lenient"

    @pytest.mark.parametrize(("on", "why"), [(6, "stricter"), (7, "lenient")])
    def test_is_no_day_before_the_switch_where_make_ups_prolonged_the_old_law(
        self, on: int, why: str
    ) -> None:
        assert switched(HELD, plan(stage(6)), day(on), release_day=day(8)).why == why


class TestALawThatTakesEffectWhenTheOldOneLetsGo:
    @pytest.mark.parametrize(("on", "why"), [(5, "stricter"), (6, "over")])
    def test_still_prolongs_nobody_from_the_day_after(self, on: int, why: str) -> None:
        assert switched(HELD, plan(stage(7)), day(on)).why == why
        chosen = switched(HELD, plan(stage(7)), day(on), reaches_open=True)
        assert chosen.why == ("chosen" if why == "stricter" else "over")

    @pytest.mark.parametrize(("on", "why"), [(8, "stricter"), (9, "over")])
    def test_goes_by_the_day_of_release_where_it_is_known(self, on: int, why: str) -> None:
        assert switched(HELD, plan(stage(9)), day(on), release_day=day(8)).why == why

    def test_that_holds_as_long_and_asks_nothing_else_applies(self) -> None:
        old = plan(stage(tests=(3, 5)))

        for new in (old, plan(stage(tests=(5,))), plan(stage(4))):
            assert switched(old, new, day(6)).why == "lenient"

    @pytest.mark.parametrize(
        "new", [plan(stage(tests=(1,))), plan(stage(4, tests=(2,))), plan(stage(6))]
    )
    def test_that_asks_something_else_comes_too_late(self, new: Plan) -> None:
        assert switched(HELD, new, day(6)) == Transition("stays", "over", HELD)

    @pytest.mark.parametrize(("days", "why"), [(5, "lenient"), (6, "over")])
    def test_that_reaches_open_cases_applies_unless_it_holds_longer(
        self, days: int, why: str
    ) -> None:
        new = plan(stage(days, tests=(1,)))

        assert switched(HELD, new, day(6), reaches_open=True).why == why

    @pytest.mark.parametrize(
        ("release", "why"),
        [(None, "lenient"), (CRITERION, "lenient"), (replace(CRITERION, passes=3), "over")],
    )
    def test_that_asks_for_another_criterion_comes_too_late(
        self, release: CtCriterion | None, why: str
    ) -> None:
        old, new = plan(stage(), release=CRITERION), plan(stage(), release=release)

        assert switched(old, new, day(6)).why == why

    def test_is_weighed_as_any_other_where_the_old_one_held_nobody(self) -> None:
        asked = plan(required_tests=(1, 3))

        assert switched(asked, plan(required_tests=(3,)), day(9)).why == "lenient"
        assert switched(asked, plan(required_tests=(1, 2, 12)), day(9)).why == "stricter"


class TestWhomTheNewLawAsksNothing:
    @pytest.mark.parametrize(("on", "freed_on"), [(-2, 1), (1, 1), (3, 3)])
    def test_is_free_from_the_day_of_the_switch_or_from_day_1(
        self, on: int, freed_on: int
    ) -> None:
        found = switched(HELD, None, day(on))

        assert found == Transition("freed", "nothing_asked", HELD, freed_on=day(freed_on))
        assert found.switched

    @pytest.mark.parametrize(("on", "freed_on"), [(-2, 1), (1, 1), (3, 3)])
    def test_but_tests_is_held_no_longer(self, on: int, freed_on: int) -> None:
        tests = plan(required_tests=(5,))

        assert switched(plan(stage(tests=(5,))), tests, day(on)) == Transition(
            "follows", "lenient", tests, freed_on=day(freed_on)
        )

    def test_is_freed_from_nothing_where_the_old_law_held_nobody(self) -> None:
        tests = plan(required_tests=(5,))

        assert switched(tests, tests, day(3)).freed_on is None
        assert switched(HELD, HELD, day(3)).freed_on is None

    def test_but_refers_waits_for_a_human(self) -> None:
        found = transition(
            decision(HELD), decision(None, refer="medical"), day=START, reaches_open=True
        )

        assert found == Transition("referred", "no_rule", HELD)
        assert not found.switched


class TestACase:
    def test_without_a_plan_stays(self) -> None:
        assert switched(None, HELD) == Transition("stays", "no_rule", None)

    @pytest.mark.parametrize("by", [-1, 1])
    def test_whose_day_1_would_be_another_waits_for_a_human(self, by: int) -> None:
        moved = decision(HELD, start=START + timedelta(days=by))
        found = transition(decision(HELD), moved, day=START, reaches_open=True)

        assert found == Transition("undecided", "other_day_1", HELD)

    @pytest.mark.parametrize("result", ["stays", "referred", "undecided"])
    def test_that_stays_is_not_switched(self, result: Result) -> None:
        assert not Transition(result, "stricter", HELD).switched
