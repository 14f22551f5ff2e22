"""Release: who is due today, what is missing for the others, and the confirmed release."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.staff.models import User
from common import clock
from policy.engine.calendars.laying import Calendar
from policy.engine.documents.law import Citation
from quarantine.cases.calendars import calendars_of
from quarantine.cases.governing_law import freeing_clause_of
from quarantine.cases.lifecycle import StaleCaseError, close, end, record, refuse_closed
from quarantine.cases.readiness import RELEASABLE, Readiness, awaits_result, readiness_of
from quarantine.cases.standing import grounds_of
from quarantine.models import Case, CaseQuerySet, Event


@dataclass(frozen=True)
class Proposal:
    """
    A person due for release: the case that governs, its calendar, and what is still missing.

    `others` are the grounds that a release ends as well. `freed_by` is the clause by which the law
    in force asks nothing more of somebody freed.
    """

    case: Case
    others: tuple[Case, ...]
    calendar: Calendar
    readiness: Readiness
    blockers: tuple[str, ...]
    freed_by: Citation | None = None


@dataclass(frozen=True)
class Proposals:
    """Who may be released today, whom the law holds no longer, and for whom something misses."""

    ready: list[Proposal]
    freed: list[Proposal]
    blocked: list[Proposal]

    @property
    def releasable(self) -> int:
        """How many people may be released."""
        return len(self.ready) + len(self.freed)


@dataclass(frozen=True)
class Released:
    """The cases released, and those refused with the reason as a sentence."""

    released: list[Case]
    refused: list[tuple[Case, str]]


def release_proposals(*, cases: CaseQuerySet, today: date) -> Proposals:
    """
    Return the proposals among `cases` (give `Case.objects.visible_to(user)`).

    Five queries at most and what the caller's `select_related` adds.
    """
    due = cases.release_due(today).select_related("plan", "resident", "grid", "activation")
    found = _proposals(list(due.order_by("release_on", "pk")), today=today)
    return Proposals(*([one for one in found if one.readiness == what] for what in _LISTED))


_LISTED = (Readiness.READY, Readiness.FREED, Readiness.BLOCKED)


def _proposals(cases: Collection[Case], *, today: date) -> list[Proposal]:
    grounds = grounds_of(cases)
    calendars = calendars_of([case for own in grounds.values() for case in own], today=today)
    proposals = []
    for given in cases:
        case, *others = own = grounds[given.resident_id]
        readiness = readiness_of(own, calendars, today=today)
        proposals.append(
            Proposal(
                case=case,
                others=tuple(one for one in others if _ends_too(one, calendars[one.pk])),
                calendar=calendars[case.pk],
                readiness=readiness,
                blockers=_blockers(own, calendars, readiness),
                freed_by=freeing_clause_of(case) if readiness == Readiness.FREED else None,
            )
        )
    return proposals


def _ends_too(case: Case, laid: Calendar) -> bool:
    """Say whether a ground ends with the release; one that only asks for tests goes on."""
    return bool(laid.plan.mandatory_days) or case.freed or laid.positive_on is not None


def _blockers(
    cases: Collection[Case], calendars: Mapping[int, Calendar], readiness: Readiness
) -> tuple[str, ...]:
    """Return what keeps a person under any of their grounds, in the language of the page."""
    if readiness in RELEASABLE:
        return ()
    sentences = [text for case in cases for text in blockers_of(calendars[case.pk])]
    if not sentences and any(map(awaits_result, cases)):
        sentences = [_("A result is still awaited.")]
    return tuple(dict.fromkeys(sentences))


def blockers_of(laid: Calendar) -> tuple[str, ...]:
    """Return what keeps a person from being released, in the language of the page."""
    english = (get_language() or "").startswith("en")
    return tuple(text.en if english else text.zh for text in laid.release_blockers)


@transaction.atomic
def release(*, cases: Collection[Case], at: datetime, by: User) -> Released:
    """
    Release the people of those of `cases` who meet the criterion; say what misses of the others.

    All their grounds end with it, but one that only asks for tests goes on until they are done.
    A case that somebody else changed meanwhile is among the refused.
    """
    outcome = Released([], [])
    today = clock.day_of(at)
    still_open = [case for case in cases if case.closed_on is None]
    found = {one.case.resident_id: one for one in _proposals(still_open, today=today)}
    for case in cases:
        if refusal := _release(case, found.get(case.resident_id), at=at, by=by):
            outcome.refused.append((case, refusal))
        else:
            outcome.released.append(case)
    return outcome


def _release(case: Case, proposal: Proposal | None, *, at: datetime, by: User) -> str:
    """Release one person, and return why not when they cannot be."""
    if proposal and proposal.readiness not in RELEASABLE:
        return " ".join(proposal.blockers) or _("Nothing to release: no measure applies.")
    try:
        with transaction.atomic():
            refuse_closed(case)
            if proposal:
                _end(proposal, at=at, by=by)
    except StaleCaseError as error:
        return error.sentence
    return ""


def _end(proposal: Proposal, *, at: datetime, by: User) -> None:
    released = record(
        case=proposal.case,
        kind=Event.Kind.RELEASED,
        at=at,
        by=by,
        detail={"closed_as": Case.ClosedAs.RELEASED},
    )
    for other in proposal.others:
        close(
            case=other,
            closed_as=Case.ClosedAs.SUPERSEDED,
            kind=Event.Kind.CLOSED,
            at=at,
            by=by,
            about=released,
        )
    end(case=proposal.case, closed_as=Case.ClosedAs.RELEASED, at=at)
