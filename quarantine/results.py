"""Tests of a case: samples, results, days missed, and what a positive sets off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import QuerySet

from accounts.errors import RefusedError
from accounts.models import User
from quarantine.models import Case, Event
from residents.models import Resident
from testing.models import NATResult, Sample


class NotMissedError(RefusedError):
    """A day that was not missed: to come, not asked for, or with a sample."""

    field = "day"


class NoContactError(RefusedError):
    """Somebody who is not a household member of the infected person, or is known already."""

    field = "residents"


@dataclass(frozen=True)
class Recorded:
    """A result, the case it concerned, and the case it opened."""

    result: NATResult
    case: Case | None
    opened: Case | None


def take_sample(
    *, case: Case, taken_at: datetime, at: datetime, by: User, pooled: bool = False
) -> Sample:
    """Record a sample of the person; raises what `testing.services.take_sample` raises."""
    raise NotImplementedError


def record_result(
    *,
    sample: Sample,
    outcome: NATResult.Outcome,
    ct: Decimal | None,
    reported_at: datetime,
    at: datetime,
    by: User,
) -> Recorded:
    """
    Record a result and let its consequences follow.

    A negative one moves the calendar on, and completes a case that only asked for tests. A
    positive one stops it: under a law with a rule for infected people an infected case continues
    this one (day 1 is the sampling day), elsewhere the case closes as passed to medical care.
    Clinical state is asymptomatic until `cases.change_clinical` says otherwise.
    """
    raise NotImplementedError


def mark_missed(*, case: Case, day: date, reason: str, at: datetime, by: User) -> Event:
    """Record that a required test of a past day was not taken; the make-up day follows."""
    raise NotImplementedError


def proposed_contacts(*, case: Case) -> QuerySet[Resident]:
    """Return who lives with the infected person of `case` and is not yet under that rule."""
    raise NotImplementedError


def open_contacts(
    *, case: Case, residents: Sequence[Resident], at: datetime, by: User
) -> list[Case]:
    """
    Open the cases of household members as close contacts; day 1 is the day of the positive.

    An open case of another kind is continued by the new one.
    """
    raise NotImplementedError
