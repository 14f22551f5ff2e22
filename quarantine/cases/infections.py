"""
Since when people are infected, and until when: from facts alone, in whatever order they came.

The facts are positive results of a tube of one's own, arrivals of people who came infected, and
what a document in force called positive. An infection lasts until its release; where the law
passed the person on, until they came back.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, DateTimeField, F, Q, Value

from policy.engine.calendars.laying import USUAL_CT
from quarantine.cases.standing import INFECTED
from quarantine.models import Arrival, Case, Event
from residents.register.models import Resident
from residents.relocation.models import Move
from testing.models import NATResult

# An infection longer ago holds no contact any more under any document.
LONG_AGO = timedelta(days=60)


class Infection(NamedTuple):
    """An infection of a person: its first day, and the last where it is known to be over."""

    since: date
    until: date | None

    def covers(self, day: date) -> bool:
        """Say whether the person was infected on a day."""
        return self.since <= day and (self.until is None or day <= self.until)


Infections = Mapping[int, Sequence[Infection]]


def infections_of(residents: Collection[int]) -> Infections:
    """Return the infections of people by primary key, the first one first. One query."""
    return Past(residents).infections


class Past:
    """What happened to people as far as infections and contacts depend on it."""

    def __init__(self, residents: Collection[int]) -> None:
        """Read it. One query, none without people."""
        self._days: dict[int, dict[str, list[date]]] = defaultdict(lambda: defaultdict(list))
        self._entered: dict[int, list[tuple[int | None, date, datetime]]] = defaultdict(list)
        columns = ("of", "on", "what", "household", "known_at")
        first, *others = (
            rows.order_by()
            .annotate(
                of=F(resident), on=F(day), what=Value(name), household=household, known_at=known_at
            )
            .values_list(*columns)
            for name, rows, resident, day, household, known_at in _facts(residents)
        )
        for resident, day, name, household, at in first.union(*others) if residents else ():
            self._days[resident][name].append(day)
            if name in ("came", "moved"):
                self._entered[resident].append((household, day, at))

    @property
    def infections(self) -> Infections:
        """The infections of each person by primary key, the first one first."""
        return defaultdict(list, {pk: _infections(days) for pk, days in self._days.items()})

    def there_since(self, resident: Resident, *, until: datetime | None = None) -> date:
        """
        Return since when somebody is behind their door for certain: came, moved in or was born.

        With `until` by what was recorded until then.
        """
        days = [
            day
            for household, day, at in self._entered[resident.pk]
            if household in (None, resident.household_id) and (until is None or at <= until)
        ]
        return max([resident.birth_date or date.min, *days])


def first_day(infections: Sequence[Infection], day: date) -> date:
    """Return the first day of the infection that covers a day; the day itself without one."""
    return next((one.since for one in infections if one.covers(day)), day)


def infected_then(infections: Sequence[Infection], day: date) -> bool:
    """Say whether a person was infected on a day."""
    return any(one.covers(day) for one in infections)


def positives_of(residents: Collection[int]) -> Any:
    """Return the valid results that say of one person that they are infected."""
    return NATResult.objects.valid().filter(
        sample__resident__in=residents,
        sample__pooled=False,
        outcome=NATResult.Outcome.POSITIVE,
    )


# Name of the fact, rows, the columns for person and day, household entered, when it was known.
_Fact = tuple[str, Any, str, str, Any, Any]


def _facts(residents: Collection[int]) -> list[_Fact]:
    """Return the rows that begin or end infections, or bring somebody behind a door."""
    # What contradicts its Ct counts where a case was stopped by it.
    by_word = positives_of(residents).filter(Q(ct=None) | Q(ct__lt=USUAL_CT))
    stopped = Event.objects.valid().filter(case__resident__in=residents, kind=Event.Kind.POSITIVE)
    arrivals = Arrival.objects.valid().filter(resident__in=residents)
    infected = arrivals.filter(facts__exposure=INFECTED).exclude(case__closed_as__in=Case.VOID)
    cases = Case.objects.filter(resident__in=residents, plan__provision__subject=INFECTED)
    released = cases.filter(closed_as=Case.ClosedAs.RELEASED)
    moves = Move.objects.valid().filter(resident__in=residents, entered__isnull=False)
    nowhere, never = Value(None, BigIntegerField()), Value(None, DateTimeField())
    stopped = stopped.exclude(case__closed_as__in=Case.VOID)
    return [
        ("moved", moves, "resident", "day", F("entered"), F("at")),
        ("came", arrivals, "resident", "arrived_on", nowhere, F("logged_at")),
        ("since", infected, "resident", "arrived_on", nowhere, never),
        ("since", by_word, "sample__resident", "sample__day", nowhere, never),
        ("since", stopped, "case__resident", "day", nowhere, never),
        ("held", cases.filter(closed_on=None), "resident", "day_1", nowhere, never),
        ("released", released, "resident", "closed_on", nowhere, never),
    ]


def _infections(days: Mapping[str, Sequence[date]]) -> list[Infection]:
    infections: list[Infection] = []
    for since in sorted(days["since"]):
        if not infections or not infections[-1].covers(since):
            infections.append(Infection(since, _end(since, days)))
    return infections


def _end(since: date, days: Mapping[str, Sequence[date]]) -> date | None:
    """Return the last day of an infection: of whom nobody releases, until they are back."""
    ends = [day for day in days["released"] if since <= day]
    if any(day >= since for day in days["held"]):
        return min(ends, default=None)
    return min([*ends, *(day for day in days["came"] if since < day)], default=since + LONG_AGO)
