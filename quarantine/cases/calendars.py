"""The calendar of a case: its plan laid on dates, with the tests and events that happened."""

import functools
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter

from django.db.models import F, FilteredRelation, Q, prefetch_related_objects

from policy.engine.calendars import laying
from policy.engine.calendars.laying import Calendar
from policy.engine.calendars.plans import Plan as EnginePlan
from policy.engine.decisions.facts import NATResult, Served
from policy.engine.moments import day_number, local_day, nth_day, start_of
from quarantine.cases.plans import cached_plan, plan_of
from quarantine.cases.pools import CHECK_OWED, CHECK_TAKEN, Found, SampleTaken, as_checked
from quarantine.models import Case, Event
from testing.models import NATResult as NATResultRow
from testing.models import Sample

# The kinds of events that a calendar is drawn from.
_DRAWN = (
    Event.Kind.TEST_MISSED,
    Event.Kind.HOME_CONDITIONS,
    Event.Kind.CHOSE_CENTRAL,
    Event.Kind.MOVED,
)


@dataclass
class History:
    """
    The history of one case, as the engine takes it.

    `awaited` are the days of samples without a result yet. `missed` are the days of tests that
    were not taken, or that gave no result, each with the day on which that was recorded. `unclear`
    are the days of samples whose pool was positive, each with the day on which that was reported;
    None once the single tube that decides was taken.
    """

    results: list[NATResult] = field(default_factory=list)
    awaited: list[date] = field(default_factory=list)
    missed: list[tuple[date, date]] = field(default_factory=list)
    unclear: list[tuple[date, date | None]] = field(default_factory=list)
    moves: list[Event] = field(default_factory=list)

    @property
    def sampled(self) -> list[date]:
        """Return the days with a sample that counts, or may count yet."""
        unclear = (day for day, _reported in self.unclear)
        return [*(result.day for result in self.results), *self.awaited, *unclear]

    def add(self, event: Event) -> None:
        """Add an event of one of the kinds that a calendar is drawn from."""
        if event.kind == Event.Kind.TEST_MISSED:
            self.missed.append((event.day, local_day(event.at)))
        else:
            self.moves.append(event)

    def take(self, sample: SampleTaken) -> None:
        """Add a sample, with what was found."""
        found = sample.found
        if found is None:
            self.awaited.append(sample.day)
        elif found.outcome in NATResultRow.NO_RESULT:
            self.missed.append((sample.day, local_day(found.recorded_at)))
        elif found.outcome in (CHECK_OWED, CHECK_TAKEN):
            owed = found.outcome == CHECK_OWED
            self.unclear.append((sample.day, local_day(found.reported_at) if owed else None))
        else:
            self.results.append(
                NATResult(
                    day=sample.day,
                    result="negative" if found.outcome == "negative" else "positive",
                    ct=None if found.ct is None else float(found.ct),
                    reported_at=found.reported_at,
                )
            )

    def encoded_from(self, day_1: date) -> str:
        """
        Return the history that dates depend on as short text, counted from day 1.

        `1- 3 5+27.4@6 7! 9!@12` reads: negative on day 1, on day 3 a sample without a result, on
        day 5 positive with its Ct, reported on day 6, the test of day 7 was missed, and so was
        that of day 9, which was recorded on day 12. `3?@4` is a sample whose pool was found
        positive on day 4 and whose check is owed, `3~` one whose check was taken. `nightly_check`
        says the same in SQL.
        """
        entries = [(result.day, _outcome(result, day_1)) for result in self.results]
        entries += [(day, "") for day in self.awaited]
        entries += [(day, _missed(day, known, day_1)) for day, known in self.missed]
        entries += [(day, _unclear(day, reported, day_1)) for day, reported in self.unclear]
        numbered = [(day_number(day, day_1), what) for day, what in entries]
        return " ".join(f"{number}{what}" for number, what in sorted(set(numbered)))


def _outcome(result: NATResult, day_1: date) -> str:
    text = "-" if result.result == "negative" else "+"
    if result.ct is not None:
        text += f"{result.ct:g}"
    reported = local_day(result.reported_at) if result.reported_at else result.day
    return text if reported == result.day else f"{text}@{day_number(reported, day_1)}"


def _missed(day: date, known: date, day_1: date) -> str:
    """Say when a missed test was recorded, where a make-up could have come before."""
    return f"!@{day_number(known, day_1)}" if known > day + timedelta(days=1) else "!"


def _unclear(day: date, reported: date | None, day_1: date) -> str:
    if reported is None:
        return "~"
    return "?" if reported == day else f"?@{day_number(reported, day_1)}"


_ENTRY = re.compile(r"(-?\d+)([-+!?~]?)([\d.]*)(?:@(-?\d+))?")


@functools.lru_cache(maxsize=50_000)
def decode_history(text: str, day_1: date) -> History:
    """Return the history that `encoded_from` wrote, without moves, which change no date."""
    history = History()
    for number, what, ct, number_then in _ENTRY.findall(text):
        day = nth_day(day_1, int(number))
        then = nth_day(day_1, int(number_then)) if number_then else day
        if what == "!":
            history.missed.append((day, then))
        elif what in ("?", "~"):
            history.unclear.append((day, then if what == "?" else None))
        elif not what:
            history.awaited.append(day)
        else:
            history.results.append(
                NATResult(
                    day=day,
                    result="negative" if what == "-" else "positive",
                    ct=float(ct) if ct else None,
                    reported_at=start_of(then),
                )
            )
    return history


def calendar_of(case: Case, *, today: date) -> Calendar:
    """Return the calendar of one case. Two queries when `case.plan` is at hand, else three."""
    return calendars_of([case], today=today)[case.pk]


def calendar_from(
    case: Case, *, today: date, events: Iterable[Event], samples: Iterable[Sample]
) -> Calendar:
    """
    Return the calendar of a case whose rows have been read. No query of its own.

    `events` are all valid ones of the case, with the missed tests of the person's other grounds;
    `samples` all valid ones since day 1, with their `valid_results`.
    """
    history = History()
    for event in sorted(events, key=lambda event: (event.day, event.pk)):
        if event.kind in _DRAWN and happened_to(event, case):
            history.add(event)
    for taken in as_checked([_taken(sample) for sample in samples]):
        history.take(taken)
    return lay(case, history, today)


def _taken(sample: Sample) -> SampleTaken:
    for result in sample.valid_results:  # type: ignore[attr-defined]
        found = Found(*(getattr(result, name) for name in Found._fields))
        return SampleTaken(sample.day, sample.pooled, found)
    return SampleTaken(sample.day, sample.pooled, None)


def calendars_of(cases: Collection[Case], *, today: date) -> dict[int, Calendar]:
    """Return the calendars of many cases by primary key, in as many queries as for one."""
    if not cases:
        return {}
    prefetch_related_objects(list(cases), "plan")
    histories = histories_of(cases)
    return {case.pk: lay(case, histories[case.pk], today) for case in cases}


def lay_as_others(case: Case, *, today: date) -> Calendar:
    """Return the calendar of a case by its columns alone. No query with `plan` at hand."""
    return lay_shared(
        plan_of(case.plan).digest,
        case.day_1,
        case.history,
        today=today,
        law_from=case.law_from,
        freed_on=case.freed_on,
        transition=case.transition,
    )


@functools.lru_cache(maxsize=5_000)
def lay_shared(
    digest: str,
    day_1: date,
    text: str,
    *,
    today: date,
    law_from: date | None,
    freed_on: date | None,
    transition: str,
) -> Calendar:
    """
    Return the calendar of all cases with one plan, day 1 and history, none of whom was moved.

    The calendars are cached. `digest` is that of a plan that `plans` has in its cache.
    """
    return lay_plan(
        cached_plan(digest),
        day_1,
        decode_history(text, day_1),
        today=today,
        law_from=law_from,
        freed_on=freed_on,
        transition=transition,
    )


def lay(case: Case, history: History, today: date) -> Calendar:
    """Return the calendar of a case with what happened to it. No query with `plan` at hand."""
    return lay_plan(
        plan_of(case.plan),
        case.day_1,
        history,
        today=today,
        served=_served(case, history.moves),
        law_from=case.law_from,
        freed_on=case.freed_on,
        transition=case.transition,
    )


def lay_plan(
    plan: EnginePlan,
    day_1: date,
    history: History,
    *,
    today: date,
    served: Iterable[Served] = (),
    law_from: date | None,
    freed_on: date | None,
    transition: str,
) -> Calendar:
    """Return the calendar that a plan, day 1, a history and the law that governs make."""
    return laying.lay(
        plan,
        day_1,
        today=today,
        tests=history.results,
        sampled=history.sampled,
        recorded=dict(sorted(history.missed, reverse=True)),  # the first record of a day counts
        unclear=[day for day, _reported in history.unclear],
        checks=[reported for _day, reported in history.unclear if reported],
        served=served,
        not_before=law_from,
        freed_on=freed_on,
        asks_nothing=transition == Case.Transition.FREED,
    )


def _served(case: Case, moves: Iterable[Event]) -> list[Served]:
    """Return the days before each change of setting, in the setting left on that day."""
    served = []
    first = case.day_1
    for event in moves:
        if setting := event.detail.get("from"):
            if event.day > first:
                served.append(Served(setting, first, event.day - timedelta(days=1)))
            first = event.day
    return served


def happened_to(event: Event, case: Case) -> bool:
    """
    Say whether an event of the person belongs to the history of a case.

    A missed test is the person's, as a sample is: it counts for every ground of those days.
    """
    if event.kind != Event.Kind.TEST_MISSED:
        return event.case_id == case.pk
    return _within(event.day, case)


def _within(day: date, case: Case) -> bool:
    return case.day_1 <= day and (case.closed_on is None or day <= case.closed_on)


def histories_of(cases: Collection[Case]) -> Mapping[int, History]:
    """Return what happened to each of the cases, by primary key. Two queries."""
    histories: dict[int, History] = defaultdict(History)
    of_resident: dict[int, list[Case]] = defaultdict(list)
    for case in cases:
        of_resident[case.resident_id].append(case)
    for resident, taken in _samples_as_checked(cases):
        for case in of_resident[resident]:
            if _within(taken.day, case):
                histories[case.pk].take(taken)
    events = Event.objects.valid().filter(case__resident__in=list(of_resident), kind__in=_DRAWN)
    for event in events.order_by("day", "pk").annotate(resident=F("case__resident")):
        for case in of_resident[event.resident]:  # type: ignore[attr-defined]
            if happened_to(event, case):
                histories[case.pk].add(event)
    return histories


def _samples_as_checked(cases: Collection[Case]) -> Iterator[tuple[int, SampleTaken]]:
    for resident, samples in groupby(_samples(cases), key=itemgetter(0)):
        for taken in as_checked([taken for _resident, taken in samples]):
            yield resident, taken


def _samples(cases: Collection[Case]) -> Iterator[tuple[int, SampleTaken]]:
    """Yield the samples of the people of some cases, person by person."""
    first = min((case.day_1 for case in cases), default=date.max)
    rows = (
        Sample.objects.valid()
        .filter(resident__in={case.resident_id for case in cases}, day__gte=first)
        .annotate(found=FilteredRelation("results", condition=Q(results__withdrawn_at=None)))
        .order_by("resident", "day", "pk")
    )
    found = (f"found__{name}" for name in Found._fields)
    for resident, day, pooled, *values in rows.values_list("resident_id", "day", "pooled", *found):
        yield resident, SampleTaken(day, pooled, Found(*values) if values[0] else None)
