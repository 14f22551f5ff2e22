"""
The forecast of many cases: how many are in which stage, and who needs a test, on a day.

Cases with the same plan, day 1 and history have the same calendar. The database groups them, and
each group is laid once: the work grows with the number of different histories, not of people.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q
from django.db.models.functions import TruncDate

from policy.engine.calendars.laying import Calendar
from policy.engine.calendars.plans import Plan as EnginePlan
from policy.engine.decisions.facts import Setting
from quarantine.cases.calendars import decode_history, lay_shared
from quarantine.cases.plans import plans_of
from quarantine.models import Case, CaseQuerySet

# The stage of cases whose plan only asks for tests.
TESTS_ONLY = "none"
STAGES: tuple[str, ...] = ("central", "home", "monitoring", TESTS_ONLY)

# A setting with its first and last day number.
Span = tuple[Setting, int, int | None]


@dataclass(frozen=True)
class ForecastGroup:
    """Cases that share one calendar, and the days between which they were or will be open."""

    cases: tuple[int, ...]
    plan: EnginePlan
    calendar: Calendar
    first_day: date
    last_day: date
    needing_test_on: frozenset[date]
    freed_on: date | None  # from when nothing is asked of them any more

    @cached_property
    def _spans(self) -> list[Span]:
        return spans(self.plan)

    def stage_on(self, day: date) -> str | None:
        """Return the stage of these cases on a day, None when they are not open then."""
        if not self.first_day <= day <= self.last_day:
            return None
        if self.freed_on and self.freed_on <= day:
            return TESTS_ONLY
        number = max((day - self.calendar.start).days + 1, 1)
        for setting, first, last in self._spans:
            if first <= number and (last is None or number <= last):
                return setting
        return TESTS_ONLY


@dataclass
class Forecast:
    """Groups of cases, and counts by day."""

    today: date
    groups: list[ForecastGroup]

    def by_stage(self, day: date) -> dict[str, list[int]]:
        """Return the cases open on a day, or expected to be, by stage."""
        pks: dict[str, list[int]] = defaultdict(list)
        for group in self.groups:
            if stage := group.stage_on(day):
                pks[stage].extend(group.cases)
        return pks

    def counts(self, day: date) -> Counter[str]:
        """Return how many cases are open on a day, or expected to be, by stage."""
        counts: Counter[str] = Counter()
        for group in self.groups:
            if stage := group.stage_on(day):
                counts[stage] += len(group.cases)
        return counts

    def needing_test(self, day: date) -> list[int]:
        """Return the cases that need a test on a day from today on."""
        return [
            case
            for group in self.groups
            if group.last_day >= self.today <= day and day in group.needing_test_on
            for case in group.cases
        ]


def spans(plan: EnginePlan) -> list[Span]:
    """
    Return the settings of a plan with their first and last day numbers.

    The last one has no end: who is still held after it stays where they were.
    """
    before, spans = 0, list[Span]()
    for place, stage in enumerate(plan.stages):
        last = None if place == len(plan.stages) - 1 else before + stage.days
        spans.append((stage.setting, before + 1, last))
        before += stage.days
    return spans


def stage_conditions(plans: Mapping[int, EnginePlan], *, today: date) -> dict[str, Q]:
    """Return, for each stage, the condition that an open case is in it today."""
    plans_by_spans: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for pk, plan in plans.items():
        plans_by_spans[tuple(spans(plan))].append(pk)
    conditions = {stage: Q(pk__in=[]) for stage in STAGES}
    for plan_spans, plan_pks in plans_by_spans.items():
        if not plan_spans:
            conditions[TESTS_ONLY] |= Q(plan__in=plan_pks)
        for setting, first, last in plan_spans:
            span = Q(plan__in=plan_pks)
            if first > 1:
                span &= Q(day_1__lte=today - timedelta(days=first - 1))
            if last is not None:
                span &= Q(day_1__gt=today - timedelta(days=last))
            conditions[setting] |= span
    freed = Q(transition=Case.Transition.FREED, freed_on__lte=today)
    return {
        stage: condition | freed if stage == TESTS_ONLY else condition & ~freed
        for stage, condition in conditions.items()
    }


def forecast(*, cases: CaseQuerySet, today: date, since: date | None = None) -> Forecast:
    """
    Return the forecast of the open ones of `cases`, and of those closed after `since`.

    One query, however many cases there are, and one more for plans met for the first time. The
    database groups cases by their `history`.
    """
    open_then = Q(closed_on=None) if since is None else Q(closed_on=None) | Q(closed_on__gt=since)
    rows = list(
        cases.filter(open_then)
        .annotate(opened=TruncDate("opened_at"))
        .order_by()
        .values(
            *("plan__digest", "day_1", "release_on", "opened", "closed_on"),
            *("history", "law_from", "freed_on", "transition"),
        )
        .annotate(pks=ArrayAgg("pk"))
    )
    plans = plans_of({row["plan__digest"] for row in rows})
    return Forecast(
        today, [_forecast_group(row, plans[row["plan__digest"]], today) for row in rows]
    )


def _forecast_group(row: Mapping[str, Any], plan: EnginePlan, today: date) -> ForecastGroup:
    laid = lay_shared(
        plan.digest,
        row["day_1"],
        row["history"],
        today=today,
        law_from=row["law_from"],
        freed_on=row["freed_on"],
        transition=row["transition"],
    )
    sampled = decode_history(row["history"], row["day_1"]).sampled
    asked = frozenset(laid.required_tests).difference(sampled)
    last_day = _last_day(row, asked, today)
    freed_on = row["freed_on"] if row["transition"] == Case.Transition.FREED else None
    return ForecastGroup(tuple(row["pks"]), plan, laid, row["opened"], last_day, asked, freed_on)


def _last_day(row: Mapping[str, Any], asked: Iterable[date], today: date) -> date:
    """Return the last day on which cases are open: the past's is known, the other expected."""
    if row["closed_on"]:
        closed: date = row["closed_on"]
        return closed - timedelta(days=1)
    expected = row["release_on"] or max(asked, default=today)
    return max(expected, today)
