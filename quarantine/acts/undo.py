"""Undo of what was just recorded, within `common.undo_window.UNDO`."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.auditing import audit
from accounts.staff.models import Area, User
from common import clock
from common.undo_window import TooLateToUndoError, refuse_after_undo
from quarantine.arrivals.services import withdraw_case
from quarantine.cases.audit_phrases import TOOK_BACK
from quarantine.cases.lifecycle import reopen, replan, write_person
from quarantine.models import Case, Event
from residents.relocation import moves
from residents.relocation.models import Move
from testing import services as testing
from testing.models import NATResult, Sample

_CHANGED_FACTS = (
    Event.Kind.HOME_CONDITIONS,
    Event.Kind.CHOSE_CENTRAL,
    Event.Kind.MOVED,
    Event.Kind.CLINICAL,
)
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


@transaction.atomic
def take_back_sample(*, sample: Sample, at: datetime, by: User) -> None:
    """Take a sample back. Raise TooLateToUndoError after UNDO or once it has a result."""
    testing.withdraw_sample(sample=sample, at=at, by=by)
    write_person(resident=sample.resident, today=clock.day_of(at))


@transaction.atomic
def take_back_result(*, result: NATResult, at: datetime, by: User, late: bool = False) -> None:
    """
    Take a result back, with the case that it opened or closed.

    Raise TooLateToUndoError after UNDO, or once something else followed from it. `late`, when a
    result is corrected, takes it back whenever that is, and whatever followed with it: the case
    that it opened, and the open cases of the contacts of somebody who is not infected. The result
    of a pool goes for all samples in its tube for which it was entered.
    """
    for each in _entered_together(result):
        _take_back_result(each, at=at, by=by, late=late)


def _entered_together(result: NATResult) -> list[NATResult]:
    sample = result.sample
    if not sample.pooled:
        return [result]
    valid = NATResult.objects.valid().filter(recorded_at=result.recorded_at)
    tube = valid.filter(sample__in=Sample.objects.of_tube(sample)).exclude(pk=result.pk)
    return [result, *tube.select_related("sample__resident__grid")]


def _take_back_result(result: NATResult, *, at: datetime, by: User, late: bool) -> None:
    testing.withdraw_result(result=result, at=at, by=by, late=late)
    opened = [case.pk for case in result.cases.exclude(closed_as=Case.ClosedAs.WITHDRAWN)]
    followed = list(
        Event.objects.valid().filter(
            case__resident=result.sample.resident_id, detail__result=result.pk
        )
    )
    closed = {event.case_id for event in followed if "closed_as" in event.detail}
    marked = [event.case_id for event in followed]
    contacts = Case.objects.filter(index_case__in=[*opened, *marked])
    if not late and contacts.exclude(closed_as=Case.ClosedAs.WITHDRAWN).exists():
        raise TooLateToUndoError(_SOMETHING_HAPPENED)
    for contact in contacts.open():
        withdraw_case(case=_full_case(contact.pk), at=at, by=by, whatever_happened=True)
    for pk in opened:
        withdraw_case(case=_full_case(pk), at=at, by=by, whatever_happened=late)
    for event in followed:
        _withdraw(event, at=at, by=by)
    for pk in closed:
        reopen(case=_full_case(pk), today=clock.day_of(at))
    write_person(resident=result.sample.resident, today=clock.day_of(at))


@transaction.atomic
def take_back_contacts(*, index: Case, at: datetime, by: User) -> int:
    """
    Take back the contacts that were opened last from a case, and return how many.

    Whatever else holds them stays. Raise TooLateToUndoError after UNDO, or once something
    happened to one of them.
    """
    contacts = index.contacts.exclude(closed_as=Case.ClosedAs.WITHDRAWN).order_by("-opened_at")
    last = contacts.first()
    if last is None:
        raise TooLateToUndoError(_("This was taken back already."))
    refuse_after_undo(last.opened_at, at=at)
    opened_together = list(contacts.filter(opened_at=last.opened_at))
    for contact in opened_together:
        withdraw_case(case=_full_case(contact.pk), at=at, by=by)
    return len(opened_together)


@transaction.atomic
def take_back_move(*, move: Move, at: datetime, by: User) -> None:
    """
    Take back that somebody moved, left, died or came back; the case stands where it stood.

    Raise TooLateToUndoError after UNDO, or `residents.relocation.moves.FollowedError`.
    """
    refuse_after_undo(move.at, at=at)
    moves.take_back(move=move, at=at, by=by)
    followed = Event.objects.valid().filter(
        case__resident=move.resident_id, detail__move=str(move.key)
    )
    for event in followed:
        _withdraw(event, at=at, by=by)
        case = _full_case(event.case_id)
        if event.kind == Event.Kind.CLOSED:
            reopen(case=case, today=clock.day_of(at))
        else:
            grid = Area.objects.get(pk=event.detail["grid"])
            replan(case=case, at=at, grid=grid)


@transaction.atomic
def take_back_event(*, event: Event, at: datetime, by: User) -> None:
    """
    Take back a missed test, a change of facts, an outing, a check, a note or a release.

    A release taken back opens the case again. Raise TooLateToUndoError after UNDO, once
    something else followed from it, or for what follows from a result (take that back).
    """
    refuse_after_undo(event.at, at=at)
    case, today = _full_case(event.case_id), clock.day_of(at)
    if event.kind == Event.Kind.RELEASED:
        for ended in [event, *event.answers.valid()]:
            _withdraw(ended, at=at, by=by)
            reopen(case=_full_case(ended.case_id), today=today)
    elif event.kind in _CHANGED_FACTS:
        _refuse_followed(event)
        _withdraw(event, at=at, by=by)
        _restore(case, event, at=at, today=today, by=by)
    elif event.kind in _OF_THEMSELVES:
        if event.answers.filter(withdrawn_at=None).exists():
            raise TooLateToUndoError(_("This has an answer: take the answer back first."))
        _withdraw(event, at=at, by=by)
        write_person(resident=case.resident, today=today)
    else:
        raise TooLateToUndoError(_("This follows from something else: take that back instead."))


def _restore(case: Case, event: Event, *, at: datetime, today: date, by: User) -> None:
    for answer in event.answers.valid():
        _withdraw(answer, at=at, by=by)
    if case.closed_as == Case.ClosedAs.REFERRED:
        reopen(case=case, today=today)
    replan(case=case, packed=event.detail["before"], at=at)


def _refuse_followed(event: Event) -> None:
    later = Event.objects.valid().filter(
        case=event.case_id, kind__in=_CHANGED_FACTS, pk__gt=event.pk
    )
    if later.exists():
        raise TooLateToUndoError(_SOMETHING_HAPPENED)


def _withdraw(event: Event, *, at: datetime, by: User) -> None:
    if not Event.objects.valid().filter(pk=event.pk).update(withdrawn_at=at, withdrawn_by=by):
        raise TooLateToUndoError(_("This was taken back already."))
    audit.record(by=by, did=TOOK_BACK[event.kind], to=event.case, event=event.pk)


def _full_case(pk: int) -> Case:
    return Case.objects.select_related("plan", "grid", "resident").get(pk=pk)
