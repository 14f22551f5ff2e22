"""
Facts withdrawn: just after recording with one tap, later by a supervisor with a reason.

Each raises what `quarantine.corrections.permission.may_correct` raises. The plain undo is refused
once something else followed; with a reason, what followed goes along.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.staff.models import Area, User
from common.undo_window import TooLateToUndoError
from quarantine.acts.household import infected_on
from quarantine.arrivals.services import withdraw_case
from quarantine.cases.lifecycle import withdraw_event
from quarantine.corrections.derivation import (
    CHANGED_FACTS,
    case_at,
    derive_again,
    follow,
    full_case,
    note,
    reopen,
    rest_on_another,
    void,
)
from quarantine.corrections.permission import may_correct
from quarantine.models import Case, Event
from quarantine.todo import services as todo
from residents.relocation import handovers, moves
from residents.relocation.models import Move
from testing import services as testing
from testing.models import NATResult, Sample

_SOMETHING_HAPPENED = gettext_lazy(
    "Something has happened to the case since: it can no longer be taken back."
)
_OF_THEMSELVES = (
    Event.Kind.TEST_MISSED,
    Event.Kind.OUTING_ASKED,
    Event.Kind.OUTING_APPROVED,
    Event.Kind.OUTING_REFUSED,
    Event.Kind.CHECK,
    Event.Kind.NO_CONTACT,
    Event.Kind.NOTE,
)
# Closings that are facts of their own; the others follow from one.
_BY_HAND = (Case.ClosedAs.COMPLETED, Case.ClosedAs.EXCLUDED)


@transaction.atomic
def take_back_sample(*, sample: Sample, at: datetime, by: User, reason: str = "") -> None:
    """Say that a sample was not taken. Without a reason refused once it has a result."""
    thorough = may_correct(
        recorded_at=sample.recorded_at, area=sample.resident.grid, at=at, by=by, reason=reason
    )
    if thorough:
        for result in sample.results.valid():
            withdraw_result(result, at=at, by=by, thorough=True)
    testing.withdraw_sample(sample=sample, at=at, by=by, late=thorough)
    if thorough:
        note(
            case=case_at(sample.resident, sample.day),
            about=sample,
            fact="sample",
            act="withdrawn",
            day=sample.day,
            at=at,
            by=by,
            reason=reason,
        )
    follow(sample.resident, at=at, by=by, tells=not thorough)


@transaction.atomic
def take_back_result(*, result: NATResult, at: datetime, by: User, reason: str = "") -> None:
    """
    Take a result back, with the case that it opened or closed.

    The result of a pool goes for all samples in its tube for which it was entered.
    """
    resident = result.sample.resident
    thorough = may_correct(
        recorded_at=result.recorded_at, area=resident.grid, at=at, by=by, reason=reason
    )
    for each in _entered_together(result):
        withdraw_result(each, at=at, by=by, thorough=thorough)
    if thorough:
        note(
            case=case_at(resident, result.sample.day),
            about=result.sample,
            fact="result",
            act="withdrawn",
            day=result.sample.day,
            at=at,
            by=by,
            reason=reason,
            was=result.outcome,
            was_ct=str(result.ct) if result.ct is not None else "",
        )


def _entered_together(result: NATResult) -> list[NATResult]:
    sample = result.sample
    if not sample.pooled:
        return [result]
    valid = NATResult.objects.valid().filter(recorded_at=result.recorded_at)
    tube = valid.filter(sample__in=Sample.objects.of_tube(sample)).exclude(pk=result.pk)
    return [result, *tube.select_related("sample__resident__grid")]


def withdraw_result(
    result: NATResult,
    *,
    at: datetime,
    by: User,
    thorough: bool,
    closed_as: Case.ClosedAs = Case.ClosedAs.WITHDRAWN,
) -> None:
    """
    Withdraw a result and what followed from it.

    Where another positive says the same, all of it rests on that one. `thorough`, whatever
    followed: the case that it opened, closed as said, and the cases of the contacts of somebody
    who is not infected. Else raise TooLateToUndoError once there is such.
    """
    resident = result.sample.resident
    testing.withdraw_result(result=result, at=at, by=by, late=thorough)
    # A case that is ended as such rests on nothing else.
    rests = closed_as == Case.ClosedAs.WITHDRAWN and rest_on_another(
        result, at=at, by=by, tells=not thorough
    )
    todo.cause_withdrawn(result, at=at, by=by)
    opened = result.cases.exclude(closed_as__in=Case.VOID)
    opened_by_it = list(opened.values_list("pk", flat=True))
    followed = list(
        Event.objects.valid().filter(case__resident=resident, detail__result=result.pk)
    )
    said_infected = [*opened_by_it, *(event.case_id for event in followed)]
    contacts = Case.objects.filter(index_case__in=said_infected).exclude(closed_as__in=Case.VOID)
    if not thorough and not rests and contacts.exists():
        raise TooLateToUndoError(_SOMETHING_HAPPENED)
    for event in followed:
        if "closed_as" not in event.detail:
            withdraw_event(event, at=at, by=by)
    for pk in opened_by_it:
        _end(full_case(pk), at=at, by=by, thorough=thorough, closed_as=closed_as)
    for event in followed:
        if "closed_as" in event.detail:
            reopen(event, at=at, by=by, tells=not thorough)
    for contact in _of_nobody_infected(contacts):
        _end(full_case(contact.pk), at=at, by=by, thorough=True, closed_as=closed_as)
    follow(resident, at=at, by=by, tells=not thorough)


def _of_nobody_infected(contacts: QuerySet[Case]) -> list[Case]:
    return [
        contact
        for contact in contacts.select_related("index_case")
        if contact.index_case and infected_on(contact.index_case) is None
    ]


def _end(
    case: Case,
    *,
    at: datetime,
    by: User,
    thorough: bool,
    closed_as: Case.ClosedAs = Case.ClosedAs.WITHDRAWN,
) -> None:
    """End a case that was opened in error; refused once something happened unless `thorough`."""
    if thorough:
        void(case, closed_as=closed_as, at=at, by=by, tells=False)
    else:
        withdraw_case(case=case, at=at, by=by)


@transaction.atomic
def take_back_contacts(*, index: Case, at: datetime, by: User, reason: str = "") -> int:
    """
    Take back the contacts that were opened last from a case, and return how many.

    Whatever else holds them stays.
    """
    contacts = index.contacts.exclude(closed_as__in=Case.VOID).order_by("-opened_at")
    last = contacts.first()
    if last is None:
        raise TooLateToUndoError(_("This was taken back already."))
    thorough = may_correct(
        recorded_at=last.opened_at, area=index.grid, at=at, by=by, reason=reason
    )
    opened_together = list(contacts.filter(opened_at=last.opened_at))
    for contact in opened_together:
        if thorough:
            note(
                case=contact,
                about=contact,
                fact="case",
                act="withdrawn",
                at=at,
                by=by,
                reason=reason,
            )
        _end(full_case(contact.pk), at=at, by=by, thorough=thorough)
    return len(opened_together)


@transaction.atomic
def take_back_move(*, move: Move, at: datetime, by: User, reason: str = "") -> None:
    """
    Take back that somebody moved, left, died or came back; the case stands where it stood.

    A handover that was accepted with it waits for its answer again.

    Raise `residents.relocation.moves.FollowedError` once they moved again, and without a reason
    once anything else of the person was changed.
    """
    resident = move.resident
    thorough = may_correct(recorded_at=move.at, area=resident.grid, at=at, by=by, reason=reason)
    moves.take_back(move=move, at=at, by=by, late=thorough)
    handovers.reopen(move=move, by=by)
    followed = Event.objects.valid().filter(case__resident=resident, detail__move=str(move.key))
    concerned = None
    for event in followed:
        concerned = case = full_case(event.case_id)
        if event.kind == Event.Kind.CLOSED:
            reopen(event, at=at, by=by, tells=not thorough)
        else:
            withdraw_event(event, at=at, by=by)
            grid = Area.objects.get(pk=event.detail["grid"])
            derive_again(case, at=at, tells=not thorough, grid=grid)
    follow(resident, at=at, by=by, tells=not thorough)
    if thorough:
        note(
            case=concerned,
            about=move.resident,
            fact=move.kind,
            act="withdrawn",
            day=move.day,
            at=at,
            by=by,
            reason=reason,
        )


@transaction.atomic
def take_back_event(*, event: Event, at: datetime, by: User, reason: str = "") -> None:
    """
    Take back a missed test, a change of facts, an outing, a check, a note or a closing.

    A closing taken back opens the case again as it was. Raise TooLateToUndoError for what follows
    from something else: that is to be taken back.
    """
    case = full_case(event.case_id)
    thorough = may_correct(recorded_at=event.at, area=case.grid, at=at, by=by, reason=reason)
    tells = not thorough
    if event.kind == Event.Kind.RELEASED or _closes_of_itself(event):
        reopen(event, at=at, by=by, tells=tells)
    elif event.kind in CHANGED_FACTS:
        if not thorough:
            _refuse_followed(event)
        _take_back_change(event, case, at=at, by=by, tells=tells)
    elif event.kind in _OF_THEMSELVES:
        if event.answers.filter(withdrawn_at=None).exists():
            raise TooLateToUndoError(_("This has an answer: take the answer back first."))
        withdraw_event(event, at=at, by=by)
        follow(case.resident, at=at, by=by, tells=tells)
    else:
        raise TooLateToUndoError(_("This follows from something else: take that back instead."))
    if thorough:
        note(
            case=case,
            about=case,
            fact=event.kind,
            act="withdrawn",
            day=event.day,
            at=at,
            by=by,
            reason=reason,
        )


def _closes_of_itself(event: Event) -> bool:
    by_itself = "result" not in event.detail and "move" not in event.detail
    return (
        event.kind == Event.Kind.CLOSED and event.detail.get("closed_as") in _BY_HAND and by_itself
    )


def _take_back_change(event: Event, case: Case, *, at: datetime, by: User, tells: bool) -> None:
    referral = event.answers.valid().filter(kind=Event.Kind.REFERRED).first()
    withdraw_event(event, at=at, by=by)
    if referral and case.closed_as == Case.ClosedAs.REFERRED:
        reopen(referral, at=at, by=by, tells=tells)
    else:
        derive_again(case, at=at, tells=tells)
    follow(case.resident, at=at, by=by, tells=tells)


def _refuse_followed(event: Event) -> None:
    later = Event.objects.valid().filter(
        case=event.case_id, kind__in=CHANGED_FACTS, pk__gt=event.pk
    )
    if later.exists():
        raise TooLateToUndoError(_SOMETHING_HAPPENED)
