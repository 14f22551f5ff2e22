"""What is to be done today: tests, results awaited, releases and checks, door by door."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

from django.db import models
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from quarantine.calendars import calendars_of
from quarantine.models import Case, CaseQuerySet, Event
from residents.models import Building, Household
from testing.models import NATResult, Sample

if TYPE_CHECKING:
    from policy.engine.calendar import Calendar


T = TypeVar("T")


class Kind(models.TextChoices):
    """What may be due, the most pressing first."""

    OVERDUE = "overdue", _("Tests overdue")
    TEST = "test", _("Tests of today")
    RESULT = "result", _("Results awaited")
    RELEASE = "release", _("Releases")
    CHECK = "check", _("Checks")


@dataclass(frozen=True)
class Due:
    """One thing that is due, the day it belongs to, and the sample whose result is awaited."""

    kind: Kind
    day: date
    sample: Sample | None = None


@dataclass(frozen=True)
class Card:
    """A case with everything that is due on it."""

    case: Case
    calendar: Calendar
    due: tuple[Due, ...]
    # The key of the one-tap check: two taps are one check.
    once: uuid.UUID = field(default_factory=uuid.uuid4, compare=False)

    def has(self, kind: str) -> bool:
        """Return whether something of this kind is due."""
        return any(due.kind == kind for due in self.due)


@dataclass(frozen=True)
class Worklist:
    """All cards, how many of each kind, and how many tests tomorrow brings."""

    cards: list[Card]
    counts: dict[Kind, int]
    tomorrow: int

    def by_building(self, kind: str = "") -> list[tuple[Building, list[HouseholdCards]]]:
        """Return the cards of one kind, or all, by building and door."""
        chosen = [card for card in self.cards if not kind or card.has(kind)]
        return [
            (building, [(home, list(cards)) for home, cards in _grouped(in_building, _home)])
            for building, in_building in _grouped(chosen, lambda card: _home(card).building)
        ]


HouseholdCards = tuple[Household, list[Card]]


def worklist(*, cases: CaseQuerySet, today: date) -> Worklist:
    """Return what is due today among the open ones of `cases`. Six queries."""
    chosen = list(
        cases.open().select_related(
            "plan__provision", "resident__household__building", "resident__grid"
        )
    )
    cards = [card for card in cards_of(chosen, today=today) if card.due]
    counts = Counter(kind for card in cards for kind in {due.kind for due in card.due})
    tomorrow = cases.open().filter(next_test_on=today + timedelta(days=1)).count()
    return Worklist(sorted(cards, key=_order), {kind: counts[kind] for kind in Kind}, tomorrow)


def cards_of(cases: Sequence[Case], *, today: date) -> list[Card]:
    """Return a card for each case, also where nothing is due. Four queries."""
    calendars = calendars_of(cases, today=today)
    samples = _waiting(cases)
    checked = set(
        Event.objects.valid()
        .filter(case__in=cases, kind=Event.Kind.CHECK, day=today)
        .values_list("case_id", flat=True)
    )
    return [
        Card(
            case,
            calendars[case.pk],
            tuple(
                _due(
                    calendars[case.pk],
                    samples.get(case.resident_id, {}),
                    checked=case.pk in checked,
                    today=today,
                )
            )
            if case.closed_on is None
            else (),
        )
        for case in cases
    ]


def _waiting(cases: Iterable[Case]) -> dict[int, dict[date, Sample]]:
    """Return the samples without a result, by resident and day."""
    waiting: dict[int, dict[date, Sample]] = {}
    results = NATResult.objects.valid().filter(sample=OuterRef("pk"))
    samples = Sample.objects.valid().filter(
        ~Exists(results), resident__in=[case.resident_id for case in cases]
    )
    for sample in samples:
        waiting.setdefault(sample.resident_id, {})[sample.day] = sample
    return waiting


def _due(
    calendar: Calendar, samples: dict[date, Sample], *, checked: bool, today: date
) -> Iterable[Due]:
    for day in calendar.days:
        if day.day > today:
            break
        if day.test == "taken" and not day.result and day.day in samples:
            yield Due(Kind.RESULT, day.day, samples[day.day])
        elif day.test in ("due", "make_up"):
            yield Due(Kind.OVERDUE if day.overdue else Kind.TEST, day.day)
    if calendar.may_be_released and calendar.earliest_release:
        yield Due(Kind.RELEASE, calendar.earliest_release)
    elif not checked and any(day.day == today and day.setting for day in calendar.days):
        yield Due(Kind.CHECK, today)


def _home(card: Card) -> Household:
    return card.case.resident.household


def _order(card: Card) -> tuple[int, str, int, str, int]:
    home = _home(card)
    return (len(home.building.name), home.building.name, home.building_id, home.unit, home.pk)


def _grouped(cards: Sequence[Card], key: Callable[[Card], T]) -> list[tuple[T, list[Card]]]:
    return [(value, list(group)) for value, group in groupby(cards, key)]
