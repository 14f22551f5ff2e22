"""Release: who is due today, what is missing for the others, and the confirmed release."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.staff.models import User
from common import clock
from policy.engine.calendars.laying import Calendar
from quarantine.cases.calendars import calendars_of
from quarantine.cases.lifecycle import StaleCaseError, close
from quarantine.models import Case, CaseQuerySet, Event


@dataclass(frozen=True)
class Proposal:
    """A case due for release, its calendar, and sentences on what is still missing."""

    case: Case
    calendar: Calendar
    blockers: tuple[str, ...]


@dataclass(frozen=True)
class Proposals:
    """The cases that may be released today, and those due for which something is missing."""

    ready: list[Proposal]
    blocked: list[Proposal]


@dataclass(frozen=True)
class Released:
    """The cases released, and those refused with the reason as a sentence."""

    released: list[Case]
    refused: list[tuple[Case, str]]


def release_proposals(*, cases: CaseQuerySet, today: date) -> Proposals:
    """
    Return the proposals among `cases` (give `Case.objects.visible_to(user)`).

    Three queries and what the caller's `select_related` adds.
    """
    due = list(cases.release_due(today).select_related("plan", "resident").order_by("release_on"))
    calendars = calendars_of(due, today=today)
    proposals = [
        Proposal(case, calendars[case.pk], blockers_of(calendars[case.pk])) for case in due
    ]
    return Proposals(
        ready=[proposal for proposal in proposals if proposal.calendar.may_be_released],
        blocked=[proposal for proposal in proposals if not proposal.calendar.may_be_released],
    )


def blockers_of(laid: Calendar) -> tuple[str, ...]:
    """Return what keeps a person from being released, in the language of the page."""
    english = (get_language() or "").startswith("en")
    return tuple(text.en if english else text.zh for text in laid.release_blockers)


@transaction.atomic
def release(*, cases: Collection[Case], at: datetime, by: User) -> Released:
    """
    Release those of `cases` who meet the criterion; the others are named with what is missing.

    A case that somebody else changed meanwhile is among the refused.
    """
    outcome = Released([], [])
    calendars = calendars_of(cases, today=clock.day_of(at))
    for case in cases:
        if refusal := _release(case, calendars[case.pk], at=at, by=by):
            outcome.refused.append((case, refusal))
        else:
            outcome.released.append(case)
    return outcome


def _release(case: Case, laid: Calendar, *, at: datetime, by: User) -> str:
    """Release one case, and return why not when it cannot be."""
    if case.closed_on is None and not laid.may_be_released:
        return " ".join(blockers_of(laid)) or _("Nothing to release: no measure applies.")
    try:
        with transaction.atomic():
            close(
                case=case,
                closed_as=Case.ClosedAs.RELEASED,
                kind=Event.Kind.RELEASED,
                at=at,
                by=by,
            )
    except StaleCaseError as error:
        return error.sentence
    return ""
