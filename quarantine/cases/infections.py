"""
Since when people are infected, and until when: from facts alone, in whatever order they came.

The facts are positive results of a tube of one's own, arrivals of people who came infected, and
what a document in force called positive. An infection lasts until its release; where the law
passed the person on, until they came back.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db.models import F, Q, Value

from policy.engine.calendars.laying import USUAL_CT
from quarantine.cases.standing import INFECTED
from quarantine.models import Arrival, Case, Event
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
    found: dict[int, dict[str, list[date]]] = defaultdict(lambda: defaultdict(list))
    first, *others = (
        rows.order_by().values_list(F(resident), F(day), Value(name))
        for name, rows, resident, day in _facts(residents)
    )
    for resident, day, name in first.union(*others):
        found[resident][name].append(day)
    return defaultdict(list, {pk: _infections(days) for pk, days in found.items()})


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


def _facts(residents: Collection[int]) -> list[tuple[str, Any, str, str]]:
    """Return the rows that begin or end infections, with their columns for person and day."""
    # What contradicts its Ct counts where a case was stopped by it.
    by_word = positives_of(residents).filter(Q(ct=None) | Q(ct__lt=USUAL_CT))
    stopped = Event.objects.valid().filter(case__resident__in=residents, kind=Event.Kind.POSITIVE)
    arrivals = Arrival.objects.valid().filter(resident__in=residents)
    infected = Q(facts__exposure=INFECTED)
    cases = Case.objects.filter(resident__in=residents, plan__provision__subject=INFECTED)
    return [
        ("since", by_word, "sample__resident", "sample__day"),
        ("since", stopped.exclude(case__closed_as__in=Case.VOID), "case__resident", "day"),
        (
            "since",
            arrivals.filter(infected).exclude(case__closed_as__in=Case.VOID),
            "resident",
            "arrived_on",
        ),
        ("came", arrivals, "resident", "arrived_on"),
        ("held", cases.filter(closed_on=None), "resident", "day_1"),
        (
            "released",
            cases.filter(closed_as=Case.ClosedAs.RELEASED),
            "resident",
            "closed_on",
        ),
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
