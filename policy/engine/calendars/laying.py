"""
The calendar of a case: its plan laid on day 1, with the tests taken since.

Counting follows the notices (113号 3, Yingkou 3): day N is N - 1 days after day 1, a stage of N
days ends on day N, and the person is released on the last day of the last mandatory stage, as soon
as that day's test and all earlier required ones are negative. A missed test is made up on the next
day without a test, never two on one day (101号 6); later tests keep their days.

Of a case it is known when a missed test was recorded: its make-up lies on that day or later,
unless a sample was taken before. A sample of a day that asks for none makes up for the earliest
test that is owed from before it.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Literal, NamedTuple

from policy.engine.calendars.plans import CtCriterion, Force, Movement, Plan, PlannedStage
from policy.engine.decisions.facts import NATResult, Served, Setting
from policy.engine.moments import day_number, local_day, nth_day
from policy.engine.text import Text, in_chinese

Refer = Literal["medical"]
NATState = Literal["due", "taken", "to_check", "missed", "make_up", "advised", "cancelled"]

# A criterion that is failed every day ends here instead of never.
LONGEST_CALENDAR = 366


@dataclass(frozen=True, slots=True)
class DatedStage:
    """A stage on its days; `tests` are the days of its tests, required or advised by its force."""

    setting: Setting
    first_day: date
    last_day: date
    tests: tuple[date, ...]
    force: Force
    movement: Movement
    coded: bool
    door_sensor: bool


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """
    One day of the calendar.

    `number` counts from day 1 of the case, `number_in_stage` as the clause numbers the stage's
    days; both stages' fields are None on a day outside any stage. A test is `taken` once it is
    sampled; its `result` may still be awaited. It is `to_check` where its pool was positive.
    `overdue` is true for a required test of an earlier day without a sample that was not recorded
    as missed.
    """

    day: date
    number: int
    setting: Setting | None
    number_in_stage: int | None
    test: NATState | None
    result: NATResult | None
    overdue: bool


@dataclass(frozen=True)
class Calendar:
    """
    A dated plan. `earliest_release` is None without mandatory days or after a positive.

    `checks` are the days on which a tube of one's own is owed because a pool was positive.
    """

    plan: Plan
    start: date
    stages: tuple[DatedStage, ...]
    required_tests: tuple[date, ...]
    advised_tests: tuple[date, ...]
    cancelled_tests: tuple[date, ...]
    checks: tuple[date, ...]
    earliest_release: date | None
    positive_on: date | None
    refer: Refer | None
    next_test_on: date | None
    release_blockers: tuple[Text, ...]
    may_be_released: bool
    laid: "_LaidPlan" = field(repr=False)
    served: tuple[Served, ...]
    today: date

    @property
    def open_tests(self) -> list[date]:
        """The required tests still to be taken, and checks of pools."""
        taken = self.laid.history.sampled
        asked = {day for day in self.required_tests if day_number(day, self.start) not in taken}
        return sorted(asked.union(self.checks))

    def may_make_up_on(self, today: date) -> date | None:
        """Return the overdue test that a sample of today would make up for, None for none."""
        owed = list(self.checks) or self.open_tests
        if day_number(today, self.start) in self.laid.history.sampled and not self.checks:
            return None
        return owed[0] if owed and owed[0] < today and today not in owed else None

    @property
    def awaited(self) -> list[date]:
        """The days with a sample whose result is awaited, whether a test was asked or not."""
        history = self.laid.history
        return [nth_day(self.start, day) for day in sorted(history.sampled - set(history.results))]

    @functools.cached_property
    def days(self) -> tuple[CalendarDay, ...]:
        """Every day from day 1 to the last, built on demand."""
        return _days(self.laid, self.served, self.today)


def passes(result: NATResult, criterion: CtCriterion) -> bool:
    """Say whether a result counts towards release: the Ct decides, the word only without one."""
    if result.ct is not None:
        return result.ct >= criterion.ct_at_least
    return result.result == "negative"


def is_positive(result: NATResult, plan: Plan) -> bool:
    """Say whether a result is positive; where the law names a Ct, it decides (101号 9)."""
    if plan.positive_below_ct is not None and result.ct is not None:
        return result.ct < plan.positive_below_ct
    return result.result == "positive"


# Where the law names no Ct for somebody, word and Ct are compared by the one that it names for
# people from abroad (101号 9) and for release (113号 3).
USUAL_CT = 35.0


class Doubt(NamedTuple):
    """The Ct that the word on a result contradicts, and whether the law names it."""

    ct: float
    by_law: bool


def doubt(result: NATResult, plan: Plan | None) -> Doubt | None:
    """
    Return the Ct that the word on a result contradicts, None where they agree.

    A positive of an infected person contradicts none: the criterion of release counts on it.
    """
    if result.ct is None:
        return None
    infected = plan is not None and plan.release is not None
    named = None
    if plan is not None:
        named = plan.release.ct_at_least if plan.release else plan.positive_below_ct
    limit = Doubt(USUAL_CT if named is None else named, by_law=named is not None)
    if result.result == "negative":
        return limit if result.ct < limit.ct else None
    return limit if result.ct >= limit.ct and not infected else None


class _Tests(NamedTuple):
    """Test days as day numbers; `missed` are those that others took the place of."""

    required: list[int]
    made_up: set[int]
    release_test: int
    missed: set[int]


class _History(NamedTuple):
    """
    What happened, by day number.

    `missed` gives for each day the first on which its make-up can lie, and `floor` the first for
    any make-up; days with a sample count before, too. Where a sample `settles`, one of a day
    that asks for none makes up for what is owed.
    """

    results: dict[int, list[NATResult]]
    sampled: set[int]
    missed: dict[int, int]
    floor: int
    settles: bool
    unclear: set[int]


def _history(
    start: date,
    tests: Iterable[NATResult],
    sampled: Iterable[date],
    missed: Mapping[date, date],
    not_before: date | None,
    *,
    settles: bool,
    unclear: Iterable[date],
) -> _History:
    results: dict[int, list[NATResult]] = {}
    for test in tests:
        results.setdefault(day_number(test.day, start), []).append(test)
    to_check = {day_number(day, start) for day in unclear}
    taken = {day_number(day, start) for day in sampled} | set(results) | to_check
    made_up_from = {
        number: day_number(known, start)
        for day, known in missed.items()
        if (number := day_number(day, start)) not in taken
    }
    floor = 1 if not_before is None else day_number(not_before, start)
    return _History(results, taken, made_up_from, floor, settles, to_check)


def _with_last_test_moved(plan: Plan, planned: list[int], history: _History) -> list[int]:
    """Move the last test to the earlier day on which it was taken, where that counts as well."""
    if plan.last_test_from is None or not planned or planned[-1] in history.results:
        return planned
    earlier = range(plan.last_test_from, planned[-1])
    taken = next((day for day in earlier if day in history.results), planned[-1])
    return [*planned[:-1], taken]


def _with_make_ups(planned: Sequence[int], history: _History) -> _Tests:
    tests = _made_up(planned, history)
    while history.settles and (settled := _settled(tests, history)):
        owed, sampled = settled
        history = history._replace(missed={**history.missed, owed: sampled})
        tests = _made_up(planned, history)
    return tests


def _settled(tests: _Tests, history: _History) -> tuple[int, int] | None:
    """Return the first test still owed with the first sample after it that nothing asked for."""
    owed = next((day for day in tests.required if day not in history.sampled), None)
    if owed is None:
        return None
    unplanned = history.sampled.difference(tests.required)
    sampled = min((day for day in unplanned if day > owed), default=None)
    return None if sampled is None else (owed, sampled)


def _made_up(planned: Sequence[int], history: _History) -> _Tests:
    required, made_up = set(planned), set[int]()
    for day in sorted(history.missed):
        if day not in required:
            continue
        required.discard(day)
        made_up.discard(day)
        first, make_up = max(history.floor, history.missed[day]), day + 1
        # A make-up day that is missed, too, comes later in this loop, and is made up in its turn.
        while make_up in required or (make_up < first and make_up not in history.sampled):
            make_up += 1
        required.add(make_up)
        made_up.add(make_up)
    return _Tests(sorted(required), made_up, max(required, default=0), set(history.missed))


def _until_criterion(planned: Sequence[int], criterion: CtCriterion, history: _History) -> _Tests:
    required, streak, day, missed = [], 0, criterion.first_day, set(history.missed)
    # Days before these without a sample are over, and nothing can be sampled on them any more.
    asked_from = max(history.sampled, default=0) if history.settles else 0
    while streak < criterion.passes and day <= LONGEST_CALENDAR:
        asked_from = max(asked_from, history.missed.get(day, 0))
        if day in missed or (day < asked_from and day not in history.sampled):
            missed.add(day)
            streak = 0
        else:
            required.append(day)
            failed = any(not passes(r, criterion) for r in history.results.get(day, ()))
            streak = 0 if failed else streak + 1
        day += 1
    return _Tests(required, set(required) - set(planned), day - 1, missed)


def _first_positive(plan: Plan, history: _History) -> int | None:
    """Return the day of the first known positive; one from before day 1 stops a calendar, too."""
    if plan.release is not None:
        return None
    return min(
        (
            day
            for day, results in history.results.items()
            if any(is_positive(result, plan) for result in results)
        ),
        default=None,
    )


def _released_on(
    plan: Plan, tests: _Tests, history: _History, start: date, not_before: date | None
) -> date:
    release = nth_day(start, max(plan.mandatory_days, tests.release_test))
    reported = (
        local_day(result.reported_at)
        for day in tests.required
        for result in history.results.get(day, ())
        if result.reported_at is not None
    )
    return max(release, not_before or release, *reported)


def _dated_stages(
    plan: Plan, start: date, tests: Sequence[int], advised: Sequence[int], end: int
) -> tuple[DatedStage, ...]:
    dated, before = [], 0
    for place, stage in enumerate(plan.stages):
        last = before + stage.days
        if plan.release is not None and place == len(plan.stages) - 1:
            last = max(last, end)
        days = tests if stage.force == "must" else advised
        dated.append(
            DatedStage(
                setting=stage.setting,
                first_day=nth_day(start, before + 1),
                last_day=nth_day(start, last),
                tests=tuple(nth_day(start, day) for day in days if before < day <= last),
                force=stage.force,
                movement=stage.movement,
                coded=stage.coded,
                door_sensor=stage.door_sensor,
            )
        )
        before = last
    return tuple(dated)


def _cut_off(freed_on: date | None, stages: Iterable[DatedStage]) -> Iterator[DatedStage]:
    """Cut the stages off on the day from which the person is free."""
    for stage in stages:
        if freed_on is None or stage.last_day < freed_on:
            yield stage
        elif stage.first_day < freed_on:
            yield replace(stage, last_day=freed_on - timedelta(days=1))


class _StageDay(NamedTuple):
    stage: PlannedStage
    number: int


def _stage_day(plan: Plan, day: int, held_until: int) -> _StageDay | None:
    """Return the stage of a day; after its last day a person still held stays where they were."""
    before, held = 0, None
    for stage in plan.stages:
        if stage.force == "must" and day > before:
            held = _StageDay(stage, day - before + stage.served)
        if before < day <= before + stage.days and (stage.force == "must" or day > held_until):
            return _StageDay(stage, day - before + stage.served)
        before += stage.days
    return held if day <= held_until else None


class _LaidPlan(NamedTuple):
    """A plan laid on its start, before it is drawn day by day."""

    plan: Plan
    start: date
    history: _History
    tests: _Tests
    planned: list[int]
    advised: list[int]
    cancelled: list[int]
    release: date | None
    free_from: int | None


def _test_state(day: int, laid: _LaidPlan) -> NATState | None:
    if day in laid.history.unclear:
        return "to_check"
    if day in laid.history.sampled:
        return "taken"
    if day in laid.cancelled:
        return "cancelled"
    if day in laid.tests.missed and (day in laid.planned or day in laid.advised):
        return "missed"
    if day in laid.tests.required:
        return "make_up" if day in laid.tests.made_up else "due"
    return "advised" if day in laid.advised else None


def _blockers(
    release: date | None,
    required: Sequence[date],
    taken: set[date],
    unclear: set[date],
    *,
    start: date,
    today: date,
) -> tuple[Text, ...]:
    if release is None:
        return ()
    blockers = [
        Text(
            f"第{day_number(day, start)}天（{in_chinese(day)}）的混采为阳性，待单管复核。",
            f"The pool of day {day_number(day, start)} ({day:%Y-%m-%d}) was positive: a tube of"
            " this person alone has to decide.",
        )
        for day in sorted(unclear)
    ]
    blockers += [
        Text(
            f"第{day_number(day, start)}天（{in_chinese(day)}）的核酸尚无结果。",
            f"The test of day {day_number(day, start)} ({day:%Y-%m-%d}) has no result.",
        )
        for day in required
        if day <= today and day not in taken and day not in unclear
    ]
    if today < release:
        blockers.append(
            Text(
                f"最早解除日为{in_chinese(release)}（第{day_number(release, start)}天）。",
                f"The earliest day of release is {release:%Y-%m-%d}, "
                f"day {day_number(release, start)}.",
            )
        )
    return tuple(blockers)


_POSITIVE = Text("核酸结果为阳性，日历停止。", "A test was positive; the calendar has stopped.")


def lay(
    plan: Plan,
    start: date,
    *,
    today: date,
    tests: Iterable[NATResult] = (),
    sampled: Iterable[date] = (),
    missed: Iterable[date] = (),
    recorded: Mapping[date, date] | None = None,
    unclear: Iterable[date] = (),
    checks: Iterable[date] = (),
    served: Iterable[Served] = (),
    not_before: date | None = None,
    freed_on: date | None = None,
    asks_nothing: bool = False,
) -> Calendar:
    """
    Lay a plan on its day 1 and return the calendar as it stands on `today`.

    `sampled` are days with a sample, also one whose result is still awaited: such a day is no
    longer due, but its result is still asked for before release. `served` shows days in the
    setting in which they were really served. `not_before` is the day from which the plan's law
    applies to a case opened under another: neither a make-up test nor the release lies before it.
    `freed_on` is the day from which the law no longer holds the person; where it `asks_nothing`
    more either, every test that was not taken is cancelled.
    Past required days without a result are not taken as missed: only `missed` says so; but nobody
    may be released while one has no result.
    """
    made_up_from = dict.fromkeys(missed, date.min) if recorded is None else recorded
    settles = recorded is not None
    history = _history(
        *(start, tests, sampled, made_up_from, not_before), settles=settles, unclear=unclear
    )
    planned, advised = (
        _with_last_test_moved(plan, plan.days_asked(force), history)
        for force in ("must", "advise")
    )
    if plan.release is None:
        asked = _with_make_ups(planned, history)
    else:
        asked = _until_criterion(planned, plan.release, history)
    positive = _first_positive(plan, history)
    kept = [
        day
        for day in asked.required
        if (positive is None or day <= positive) and (not asks_nothing or day in history.sampled)
    ]
    cancelled = [day for day in asked.required if day not in kept]
    advised = [
        day
        for day in advised
        if day not in kept and not asks_nothing and (positive is None or day <= positive)
    ]
    release = None
    if positive is None and asks_nothing:
        release = freed_on
    elif positive is None and (plan.mandatory_days or freed_on):
        release = _released_on(plan, asked, history, start, not_before)
    required = tuple(nth_day(start, day) for day in kept)
    taken = {nth_day(start, day) for day in history.results}
    awaited = () if asks_nothing else required
    to_check = {nth_day(start, day) for day in history.unclear}
    blockers = (
        (_POSITIVE,)
        if positive is not None
        else _blockers(release, awaited, taken, to_check, start=start, today=today)
    )
    owed = [] if positive is not None else sorted(set(checks))
    asked = asked._replace(required=kept)
    return Calendar(
        plan=plan,
        start=start,
        stages=tuple(
            _cut_off(freed_on, _dated_stages(plan, start, kept, advised, asked.release_test))
            if asks_nothing
            else _dated_stages(plan, start, kept, advised, asked.release_test)
        ),
        required_tests=required,
        advised_tests=tuple(nth_day(start, day) for day in advised),
        cancelled_tests=tuple(nth_day(start, day) for day in cancelled),
        earliest_release=release,
        positive_on=None if positive is None else nth_day(start, positive),
        refer="medical" if positive is not None and plan.positive_refers else None,
        checks=tuple(owed),
        next_test_on=None
        if positive is not None
        else min(
            (
                *owed,
                *(day for day in required if day_number(day, start) not in history.sampled),
            ),
            default=None,
        ),
        release_blockers=blockers,
        may_be_released=release is not None and not blockers,
        laid=_LaidPlan(
            *(plan, start, history, asked, planned, advised, cancelled, release),
            free_from=day_number(freed_on, start) if freed_on and asks_nothing else None,
        ),
        served=tuple(served),
        today=today,
    )


def _days(laid: _LaidPlan, served: Iterable[Served], today: date) -> tuple[CalendarDay, ...]:
    start, tests = laid.start, laid.tests
    held_until = 0 if laid.release is None else day_number(laid.release, start)
    length = sum(stage.days for stage in laid.plan.stages)
    asked = (*tests.required, *laid.advised, *laid.cancelled)
    unplanned = (day for day in laid.history.sampled if day <= LONGEST_CALENDAR)
    last = max(length, held_until, *asked, *unplanned, 0)
    settings = {
        day: stage.setting
        for stage in served
        for day in range(day_number(stage.first_day, start), day_number(stage.last_day, start) + 1)
    }
    now = day_number(today, start)
    days = []
    for day in range(1, last + 1):
        held = laid.free_from is None or day < laid.free_from
        place = _stage_day(laid.plan, day, held_until) if held else None
        results = laid.history.results.get(day)
        state = _test_state(day, laid)
        days.append(
            CalendarDay(
                day=nth_day(start, day),
                number=day,
                setting=settings.get(day, place.stage.setting) if place else None,
                number_in_stage=place.number if place else None,
                test=state,
                result=results[-1] if results else None,
                overdue=state in ("due", "make_up") and day < now,
            )
        )
    return tuple(days)
