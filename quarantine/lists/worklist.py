"""What is to be done today: tests, results awaited, releases and checks, door by door."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

from django.db import models
from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from common.paging import Page, page_after
from quarantine.cases.calendars import lay_as_others
from quarantine.cases.readiness import (
    RELEASABLE,
    Readiness,
    awaited,
    conditions,
    readiness_of,
)
from quarantine.cases.standing import grounds_of
from quarantine.lists.forecast import forecast
from quarantine.models import Case, CaseQuerySet, Event, EventQuerySet
from residents.register.models import Building, Household
from testing.models import Sample

if TYPE_CHECKING:
    from policy.engine.calendars.laying import Calendar


T = TypeVar("T")
# The samples of somebody whose results are awaited, by day: their keys and codes.
Awaited = Mapping[date, tuple[uuid.UUID, str]]


class WorkKind(models.TextChoices):
    """A kind of work that may be due, the most urgent first."""

    OVERDUE = "overdue", _("Tests overdue")
    TEST = "test", _("Tests of today")
    RESULT = "result", _("Results awaited")
    RELEASE = "release", _("Releases")
    CHECK = "check", _("Daily checks")


@dataclass(frozen=True)
class DueWork:
    """
    A task that is due, the day it belongs to, and the key of its sample with the code of a pool's.

    `take_now` says that a sample taken today makes up for an overdue test, `check` that a tube of
    one's own has to decide on a positive pool.
    """

    kind: WorkKind
    day: date
    sample: uuid.UUID | None = None
    tube: str = ""
    take_now: bool = False
    check: bool = False


@dataclass(frozen=True)
class Card:
    """A case with everything that is due on it."""

    case: Case
    due: tuple[DueWork, ...]
    # The day that the card shows: its taps mean that day.
    shown_on: date
    # The key of the one-tap check: two taps are one check.
    once: uuid.UUID = field(default_factory=uuid.uuid4, compare=False)

    def has(self, kind: str) -> bool:
        """Return whether something of this kind is due."""
        return any(due.kind == kind for due in self.due)


@dataclass(frozen=True)
class WorkCounts:
    """How many cases have something of each kind due, how many in all, how many tests tomorrow."""

    of: dict[WorkKind, int]
    together: int
    tomorrow: int


@dataclass(frozen=True)
class Worklist:
    """A page of cards with how many there are in all; `next` leads to the page after it."""

    cards: list[Card]
    counts: WorkCounts
    next: int | None
    first: bool

    def by_building(self) -> list[tuple[Building, list[HouseholdCards]]]:
        """Return the cards by building and door."""
        return [
            (building, [(home, list(cards)) for home, cards in _grouped(in_building, _home)])
            for building, in_building in _grouped(self.cards, lambda card: _home(card).building)
        ]


HouseholdCards = tuple[Household, list[Card]]

# Door by door, as somebody walks: 3号楼 before 10号楼.
_HOME = "resident__household"
DOOR_BY_DOOR = (
    *(f"{_HOME}__building__name__length", f"{_HOME}__building__name", f"{_HOME}__building"),
    *(f"{_HOME}__unit", _HOME),
)


class Work:
    """What is due among the people of `cases` on a day: counts and pages, by one condition."""

    def __init__(self, *, cases: CaseQuerySet, today: date) -> None:
        self.everyone, self.cases, self.today = cases, cases.governing(), today

    def counts_of(self, cards: Sequence[Card]) -> WorkCounts:
        """Return the same as `counts` where `cards` are all that is due. One light query."""
        by_kind = Counter(kind for card in cards for kind in WorkKind if card.has(kind))
        tomorrow = self.cases.filter(next_test_on=self.today + timedelta(days=1)).count()
        return WorkCounts({kind: by_kind[kind] for kind in WorkKind}, len(cards), tomorrow)

    def counts(self) -> WorkCounts:
        """Return how much is due. One query, and another where tests are overdue."""
        cases = self.cases.annotate(
            held=ExpressionWrapper(self._held, BooleanField()),
            awaited=ExpressionWrapper(self._awaited, BooleanField()),
            over=ExpressionWrapper(self._over, BooleanField()),
            checked=Exists(self._checks),
        )
        facts = ("next_test_on", "over", "held", "awaited", "checked")
        by_kind, total, tomorrow = Counter[WorkKind](), 0, 0
        for row in cases.order_by().values_list(*facts).annotate(number=Count("pk")):
            test, over, held, awaited, checked, number = row
            due = {
                WorkKind.OVERDUE: test is not None and test < self.today,
                WorkKind.TEST: test == self.today,
                WorkKind.RESULT: awaited,
                WorkKind.RELEASE: over,
                WorkKind.CHECK: held and not checked and not over,
            }
            by_kind.update({kind: number for kind, is_due in due.items() if is_due})
            total += number * any(due.values())
            tomorrow += number * (test == self.today + timedelta(days=1))
        if by_kind[WorkKind.OVERDUE]:
            by_kind[WorkKind.TEST] += len(self._late)
        return WorkCounts({kind: by_kind[kind] for kind in WorkKind}, total, tomorrow)

    def page(self, *, kind: str = "", after: str | None = None) -> Page[Case]:
        """Return a page of the cases on which something of a kind is due, in door order."""
        # Of everyone: also whom the last card of the page before has left.
        return page_after(self.due(kind), after, order=DOOR_BY_DOOR, among=self.everyone)

    def due(self, kind: str = "") -> CaseQuerySet:
        """Return the cases on which something of a kind is due, or anything."""
        unchecked = self._held & ~Q(Exists(self._checks))
        due: dict[WorkKind, Callable[[], Q]] = {
            WorkKind.OVERDUE: lambda: Q(next_test_on__lt=self.today),
            WorkKind.TEST: lambda: Q(next_test_on=self.today) | Q(pk__in=self._late),
            WorkKind.RESULT: lambda: self._awaited,
            WorkKind.RELEASE: lambda: self._over,
            WorkKind.CHECK: lambda: unchecked & ~self._over,
        }
        anything = Q(next_test_on__lte=self.today) | self._over | self._awaited | unchecked
        return (
            self.cases.filter(due[WorkKind(kind)]() if kind else anything)
            .annotate(checked=Exists(self._checks))
            .select_related("plan", "resident__household__building")
        )

    @property
    def _held(self) -> Q:
        """Somebody is in a stage until the release, or until a change of law frees them."""
        freed = Q(transition=Case.Transition.FREED, freed_on__lte=self.today)
        return Q(plan__content__stages__0__isnull=False) & ~freed

    @cached_property
    def _over(self) -> Q:
        """Whoever may be released."""
        near = conditions(self.today)
        return near[Readiness.READY] | near[Readiness.FREED]

    @cached_property
    def _awaited(self) -> Q:
        return awaited()

    @cached_property
    def _late(self) -> list[int]:
        """Return the cases with an overdue test that need another today, by their calendars."""
        late = self.cases.filter(next_test_on__lt=self.today).values("resident")
        grounds = self.everyone.open().filter(resident__in=late)
        return forecast(cases=grounds, today=self.today).needing_test(self.today)

    @property
    def _checks(self) -> EventQuerySet:
        checks = Event.objects.valid().filter(kind=Event.Kind.CHECK, day=self.today)
        return checks.filter(case=OuterRef("pk"))


def worklist(
    *, cases: CaseQuerySet, today: date, kind: str = "", after: str | None = None
) -> Worklist:
    """Return a page of what is due today among the open ones of `cases`. At most six queries."""
    work = Work(cases=cases, today=today)
    page = work.page(kind=kind, after=after)
    cards = _cards([(case, case.checked) for case in page.rows], today)  # type: ignore[attr-defined]
    complete = page.first and not page.next and not kind
    counts = work.counts_of(cards) if complete else work.counts()
    return Worklist(cards, counts, page.next, page.first)


def cards_of(cases: Sequence[Case], *, today: date) -> list[Card]:
    """Return a card for each case, also where nothing is due. Two queries."""
    checks = Event.objects.valid().filter(case__in=cases, kind=Event.Kind.CHECK, day=today)
    checked = set(checks.values_list("case_id", flat=True))
    return _cards([(case, case.pk in checked) for case in cases], today)


def _cards(cases: Sequence[tuple[Case, bool]], today: date) -> list[Card]:
    """Return the cards of cases; of each is known whether there was a check today. Two queries."""
    people = [case.resident_id for case, _checked in cases]
    waiting = Sample.objects.filter(resident__in=people).awaited()
    samples: dict[int, dict[date, tuple[uuid.UUID, str]]] = defaultdict(dict)
    for resident, day, key, tube in waiting.values_list("resident_id", "day", "key", "tube"):
        samples[resident][day] = (key, tube)
    grounds = grounds_of([case for case, _checked in cases if case.closed_on is None])
    return [
        _card(
            case,
            grounds.get(case.resident_id, []),
            samples[case.resident_id],
            checked=checked,
            today=today,
        )
        for case, checked in cases
    ]


def _card(
    case: Case,
    grounds: Sequence[Case],
    awaited_samples: Awaited,
    *,
    checked: bool,
    today: date,
) -> Card:
    if case.closed_on:
        return Card(case, (), today)
    calendars = {one.pk: lay_as_others(one, today=today) for one in grounds}
    freed = case.transition == Case.Transition.FREED and (case.freed_on or today) <= today
    asks_check = bool(calendars[case.pk].plan.stages) and not freed and not checked
    near = readiness_of(grounds, calendars, today=today)
    due = _due(list(calendars.values()), awaited_samples, today)
    if near in RELEASABLE and case.release_on:
        return Card(case, (*due, DueWork(WorkKind.RELEASE, case.release_on)), today)
    check = [DueWork(WorkKind.CHECK, today)] if asks_check else []
    return Card(case, (*due, *check), today)


def _due(
    calendars: Sequence[Calendar], awaited_samples: Awaited, today: date
) -> Iterator[DueWork]:
    """Yield the tests that any ground asks for, and the results that are awaited."""
    checks = {day for calendar in calendars for day in calendar.checks}
    open_tests = {day for calendar in calendars for day in calendar.open_tests if day <= today}
    take_now = may_make_up(calendars, today=today)
    for day in sorted(open_tests):
        kind = WorkKind.OVERDUE if day < today else WorkKind.TEST
        yield DueWork(kind, day, take_now=day == take_now, check=day in checks)
    first = min(calendar.start for calendar in calendars)
    yield from (
        DueWork(WorkKind.RESULT, day, key, tube)
        for day, (key, tube) in sorted(awaited_samples.items())
        if first <= day <= today
    )


def may_make_up(calendars: Sequence[Calendar], *, today: date) -> date | None:
    """Return the overdue test that a sample of today makes up for, where none is due today."""
    if any(today in calendar.open_tests for calendar in calendars):
        return None
    owed = (calendar.may_make_up_on(today) for calendar in calendars)
    return min((day for day in owed if day), default=None)


def _home(card: Card) -> Household:
    return card.case.resident.household


def _grouped(cards: Sequence[Card], key: Callable[[Card], T]) -> list[tuple[T, list[Card]]]:
    return [(value, list(group)) for value, group in groupby(cards, key)]
