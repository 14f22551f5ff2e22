"""
Who owns a to-do of each kind at first, and until when it should be done.

No document that the portal knows names a number of hours, so all of these are defaults of this
portal, meant to be short enough to be felt in the same shift. What is overdue goes to the
supervisor; nothing else depends on them.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from accounts.staff.models import Role
from common import clock
from quarantine.todo.models import Todo

Kind = Todo.Kind


@dataclass(frozen=True)
class Term:
    """Who owns a kind at first, and within which time it should be done."""

    owner: Role
    within: timedelta


TERMS: dict[str, Term] = {
    # Somebody infected waits at a door until a vehicle comes.
    Kind.REFER: Term(Role.GRID_STAFF, timedelta(hours=2)),
    # Until somebody has asked a clinician, a severe case may be at home.
    Kind.POSITIVE: Term(Role.SUPERVISOR, timedelta(hours=2)),
    # Ten people are held for one tube: the single samples are taken the same day.
    Kind.POOL: Term(Role.GRID_STAFF, timedelta(hours=4)),
    Kind.SYMPTOMS: Term(Role.SUPERVISOR, timedelta(hours=2)),
    # Each hour somebody exposed is free to go; asking at one door takes no half day.
    Kind.HOUSEHOLD: Term(Role.GRID_STAFF, timedelta(hours=4)),
    # Dialysis is asked for the day before; a request for today is answered within the hour.
    Kind.OUTING: Term(Role.SUPERVISOR, timedelta(hours=4)),
}
TODAY = timedelta(hours=1)


def due_at(kind: str, *, opened_at: datetime, outing_on: date | None = None) -> datetime:
    """Return until when a to-do should be done; an outing before its day, a pool on the same."""
    day = clock.day_of(opened_at)
    if outing_on is not None and outing_on <= day:
        return opened_at + TODAY
    latest = opened_at + TERMS[kind].within
    if kind == Kind.POOL:
        return min(latest, _end_of(day))
    if outing_on is not None:
        return min(latest, _end_of(outing_on - timedelta(days=1)))
    return latest


def _end_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time()))
