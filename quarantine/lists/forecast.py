"""
The forecast of many people: how many are in which stage, and who needs a test, on a day.

Cases with the same plan, day 1 and history have the same calendar. The database groups them, and
each group is laid once: the work grows with the number of different histories, not of people. Who
is under several grounds is looked at by themselves, and counted once.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Case as CaseWhen
from django.db.models import F, Q, When
from django.db.models.functions import TruncDate

from policy.engine.calendars.laying import Calendar
from policy.engine.calendars.plans import Plan as EnginePlan
from policy.engine.decisions.facts import Setting
from quarantine.cases.calendars import lay_shared
from quarantine.cases.plans import plans_of
from quarantine.models import Case, CaseQuerySet

# The stage of cases whose plan only asks for tests.
TESTS_ONLY = "none"
# The stage of people whom the law in force holds no longer, until somebody confirms it.
FREED = "freed"
STAGES: tuple[str, ...] = ("central", "home", "monitoring", TESTS_ONLY, FREED)

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
    still_open: bool

    @cached_property
    def _spans(self) -> list[Span]:
        return spans(self.plan)

    def stage_on(self, day: date) -> str | None:
        """Return the stage of these cases on a day, None when they are not open then."""
        if not self.first_day <= day <= self.last_day:
            return None
        if self.freed_on and self.freed_on <= day:
            return FREED
        number = max((day - self.calendar.start).days + 1, 1)
        for setting, first, last in self._spans:
            if first <= number and (last is None or number <= last):
                return setting
        return TESTS_ONLY

    def asks_on(self, day: date) -> bool:
        """Say whether these cases, open still, need a test on a day to come."""
        return self.still_open and day in self.needing_test_on


@dataclass(frozen=True)
class PersonWithGrounds:
    """Somebody under several grounds, the one that governs first, then the longest."""

    grounds: tuple[ForecastGroup, ...]

    def held_on(self, day: date) -> tuple[str, int] | None:
        """Return the stage on a day and the case that puts them there, None on other days."""
        for ground in self.grounds:
            if stage := ground.stage_on(day):
                return stage, ground.cases[0]
        return None


@dataclass
class Forecast:
    """Groups of cases of people under one ground each, people under several, and counts by day."""

    today: date
    groups: list[ForecastGroup]
    people: list[PersonWithGrounds]

    def by_stage(self, day: date) -> dict[str, list[int]]:
        """Return the cases open on a day, or expected to be, by stage; one for each person."""
        pks: dict[str, list[int]] = defaultdict(list)
        for group in self.groups:
            if stage := group.stage_on(day):
                pks[stage].extend(group.cases)
        for stage, case in self._people_on(day):
            pks[stage].append(case)
        return pks

    def counts(self, day: date) -> Counter[str]:
        """Return how many people are under a measure on a day, or expected to be, by stage."""
        counts: Counter[str] = Counter()
        for group in self.groups:
            if stage := group.stage_on(day):
                counts[stage] += len(group.cases)
        counts.update(stage for stage, _case in self._people_on(day))
        return counts

    def needing_test(self, day: date) -> list[int]:
        """Return the cases that need a test on a day from today on; one for each person."""
        if day < self.today:
            return []
        needing = [case for group in self.groups if group.asks_on(day) for case in group.cases]
        asked = (p.grounds[0] for p in self.people if any(g.asks_on(day) for g in p.grounds))
        return [*needing, *(ground.cases[0] for ground in asked)]

    def _people_on(self, day: date) -> Iterator[tuple[str, int]]:
        for person in self.people:
            if held := person.held_on(day):
                yield held


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
        stage: freed if stage == FREED else condition & ~freed
        for stage, condition in conditions.items()
    }


def forecast(*, cases: CaseQuerySet, today: date, since: date | None = None) -> Forecast:
    """
    Return the forecast of the people of open `cases`, and of those closed after `since`.

    One query, however many cases there are, and one more for plans met for the first time. The
    database groups cases by their `history`.
    """
    open_then = Q(closed_on=None) if since is None else Q(closed_on=None) | Q(closed_on__gt=since)
    beside = Case.objects.filter(open_then, governs=False).values("resident")
    then = cases.filter(open_then).annotate(
        opened=TruncDate("opened_at"),
        of_several=CaseWhen(When(resident__in=beside, then=F("resident"))),
    )
    rows = list(then.order_by().values("of_several", *_COLUMNS).annotate(pks=ArrayAgg("pk")))
    plans = plans_of({row["plan__digest"] for row in rows})
    groups: list[ForecastGroup] = []
    grounds: dict[int, list[ForecastGroup]] = defaultdict(list)
    for row in sorted(rows, key=_strictest_first):
        if row["of_several"] is None:
            groups.append(_forecast_group(row, row["pks"], plans, today))
        else:
            grounds[row["of_several"]] += [
                _forecast_group(row, [pk], plans, today) for pk in sorted(row["pks"])
            ]
    return Forecast(today, groups, [PersonWithGrounds(tuple(own)) for own in grounds.values()])


_COLUMNS = (
    *("plan__digest", "day_1", "release_on", "opened", "closed_on"),
    *("history", "law_from", "freed_on", "transition", "governs"),
)


def _strictest_first(row: Mapping[str, Any]) -> tuple[object, ...]:
    """Return where a group stands among those of one person: what is open, governs, is longest."""
    closed, release = row["closed_on"] or date.max, row["release_on"] or date.min
    return -closed.toordinal(), not row["governs"], -release.toordinal(), min(row["pks"])


def _forecast_group(
    row: Mapping[str, Any],
    cases: Collection[int],
    plans: Mapping[str, EnginePlan],
    today: date,
) -> ForecastGroup:
    plan = plans[row["plan__digest"]]
    laid = lay_shared(
        plan.digest,
        row["day_1"],
        row["history"],
        today=today,
        law_from=row["law_from"],
        freed_on=row["freed_on"],
        transition=row["transition"],
    )
    asked = frozenset(laid.open_tests)
    last_day = _last_day(row, asked, today)
    freed_on = row["freed_on"] if row["transition"] == Case.Transition.FREED else None
    return ForecastGroup(
        cases=tuple(cases),
        plan=plan,
        calendar=laid,
        first_day=row["opened"],
        last_day=last_day,
        needing_test_on=asked,
        freed_on=freed_on,
        still_open=row["closed_on"] is None,
    )


def _last_day(row: Mapping[str, Any], asked: Iterable[date], today: date) -> date:
    """Return the last day on which cases are open: the past's is known, the other expected."""
    if row["closed_on"]:
        closed: date = row["closed_on"]
        return closed - timedelta(days=1)
    expected = row["release_on"] or max(asked, default=today)
    return max(expected, today)
