"""Who may be released today, who may not yet and why; and the release, which a human confirms."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from accounts.models import User
from quarantine.models import Case, CaseQuerySet

if TYPE_CHECKING:
    from policy.engine.calendar import Calendar


@dataclass(frozen=True)
class Proposal:
    """A case whose day has come, its calendar, and the sentences of what is still missing."""

    case: Case
    calendar: Calendar
    blockers: tuple[str, ...]


@dataclass(frozen=True)
class Proposals:
    """Who may be released today, and whose day has come but something is missing."""

    ready: list[Proposal]
    blocked: list[Proposal]


@dataclass(frozen=True)
class Released:
    """Who was released, and who was refused with the sentence why."""

    released: list[Case]
    refused: list[tuple[Case, str]]


def release_proposals(*, cases: CaseQuerySet, today: date) -> Proposals:
    """Return the proposals among `cases` (give `Case.objects.visible_to(user)`). Four queries."""
    raise NotImplementedError


def release(*, cases: Collection[Case], at: datetime, by: User) -> Released:
    """
    Release those of `cases` who meet the criterion; the others are named with what is missing.

    A case that somebody else changed meanwhile is among the refused.
    """
    raise NotImplementedError
