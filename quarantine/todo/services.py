"""
Opening, ending and withdrawing what is to be done about a danger.

Called by the services that record the facts, in their transaction. Each kind is done by one act
only: a referral by the handing over, symptoms and a positive by being looked at, an outing by its
answer, a pooled positive by the single result, a household by its contacts.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import Role, User
from common.encryption import sealed
from common.errors import RefusedError
from common.undo_window import TooLateToUndoError, refuse_after_undo
from quarantine.models import Arrival, Case, Event
from quarantine.todo.due import TERMS, due_at
from quarantine.todo.models import Todo, TodoQuerySet
from residents.register.models import Resident
from testing.models import NATResult

Kind = Todo.Kind
Cause = Arrival | Event | NATResult
# What people end by saying what they did; the others end with an act of their own.
LOOKED_AT = frozenset({Kind.SYMPTOMS, Kind.POSITIVE, Kind.HOUSEHOLD})


class TodoEndedError(RefusedError):
    """A to-do that was done, or whose cause was taken back, meanwhile."""


class NotYoursError(RefusedError):
    """A to-do that only a supervisor may end."""


class HandoverMomentError(RefusedError):
    """A handing over in the future, or before there was anything to hand over."""

    field = "handed_over_at"


def open_todo(
    *,
    kind: Todo.Kind,
    resident: Resident,
    cause: Cause,
    at: datetime,
    by: User | None,
    case: Case | None = None,
) -> Todo:
    """Open a to-do; the one that the same cause opened before is returned instead."""
    outing_on = cause.day if kind == Kind.OUTING and isinstance(cause, Event) else None
    todo, is_new = Todo.objects.get_or_create(
        kind=kind,
        withdrawn_at=None,
        **_column(cause),
        defaults={
            "resident": resident,
            "case": case,
            "owner": TERMS[kind].owner,
            "opened_at": at,
            "opened_by": by,
            "due_at": due_at(kind, opened_at=at, outing_on=outing_on),
        },
    )
    if is_new:
        audit.record(by=by, did=gettext_noop("opened a to-do"), to=todo, kind=kind)
    return todo


def open_referral(
    *, resident: Resident, cause: Cause, case: Case | None, at: datetime, by: User | None
) -> None:
    """Open a referral; one for a person, however many of their grounds end by it together."""
    together = Todo.objects.valid().filter(kind=Kind.REFER, resident=resident, opened_at=at)
    if not together.exclude(**_column(cause)).exists():
        open_todo(kind=Kind.REFER, resident=resident, cause=cause, case=case, at=at, by=by)


def open_pool_check(*, result: NATResult, case: Case | None, at: datetime, by: User) -> Todo:
    """Open the check of a person of a pooled positive, by the result of the tube."""
    resident = result.sample.resident
    return open_todo(kind=Kind.POOL, resident=resident, cause=result, case=case, at=at, by=by)


def open_household(
    *, index: Resident, cause: Cause, case: Case | None, at: datetime, by: User
) -> Todo | None:
    """Propose the household of an infected person; None where nobody else lives there."""
    others = Resident.objects.here().filter(household=index.household_id).exclude(pk=index.pk)
    if not others.exists():
        return None
    return open_todo(kind=Kind.HOUSEHOLD, resident=index, cause=cause, case=case, at=at, by=by)


def follow_arrival(
    *, arrival: Arrival, case: Case | None, refers: bool, household: bool, at: datetime, by: User
) -> None:
    """
    Bring what is to be done about an arrival level with the answer of the law.

    `refers` says that the law passes the person on, `household` that who lives with them is to be
    asked about. Called when it is logged and again whenever its facts were corrected.
    """
    resident = arrival.resident
    if refers:
        open_todo(kind=Kind.REFER, resident=resident, cause=arrival, case=None, at=at, by=by)
    if household:
        open_household(index=resident, cause=arrival, case=case, at=at, by=by)
    asked = {Kind.REFER: refers, Kind.HOUSEHOLD: household}
    no_more = [kind for kind, still in asked.items() if not still]
    if no_more:
        _withdraw(_caused_by(arrival).of_kinds(*no_more), at=at, by=by)


@transaction.atomic
def hand_over(
    *, todo: Todo, to: str, handed_over_at: datetime, vehicle: Todo.Vehicle, at: datetime, by: User
) -> None:
    """
    Record that somebody was handed over to medical care: to whom, when, by which vehicle.

    Other referrals of the same person end with it.

    Raise HandoverMomentError, or TodoEndedError when somebody else did so meanwhile.
    """
    if handed_over_at > at:
        raise HandoverMomentError(_("This moment lies in the future."))
    if handed_over_at < todo.opened_at - timedelta(days=1):
        raise HandoverMomentError(
            _("This lies more than a day before the referral was asked for.")
        )
    how: dict[str, Any] = {
        "done_text": to,
        "handed_over_at": handed_over_at,
        "vehicle": Todo.Vehicle(vehicle),
    }
    _end(todo, at=at, by=by, **how)
    # Each positive asks for it; one handing over does it.
    for other in Todo.objects.open().filter(kind=todo.kind, resident=todo.resident_id):
        _end(other, at=at, by=by, **how)


@transaction.atomic
def look_at(*, todo: Todo, what_was_done: str, at: datetime, by: User) -> None:
    """
    Record what was done about symptoms, a positive or a household, and end it with that.

    Other open ones of the same kind about the same person end with it. Raise NotYoursError where
    a supervisor must look, or TodoEndedError.
    """
    if todo.owner == Role.SUPERVISOR and by.role != Role.SUPERVISOR:
        raise NotYoursError(_("Only a supervisor ends this: tell yours what you have done."))
    _end(todo, at=at, by=by, done_text=what_was_done)
    for other in Todo.objects.open().filter(kind=todo.kind, resident=todo.resident_id):
        _end(other, at=at, by=by, done_text=what_was_done)


def done_by(
    act: Event | NATResult,
    *,
    kinds: Iterable[Todo.Kind],
    resident: Resident,
    at: datetime,
    by: User,
) -> None:
    """End the open to-dos of some kinds about a person by an act; without one, change nothing."""
    column = "done_event" if isinstance(act, Event) else "done_result"
    for todo in Todo.objects.open().filter(kind__in=kinds, resident=resident):
        _end(todo, at=at, by=by, **{column: act})


def answered(*, asked: Event, answer: Event, at: datetime, by: User) -> None:
    """End the to-do of an outing by its answer."""
    for todo in _caused_by(asked).of_kinds(Kind.OUTING).filter(done_at=None):
        _end(todo, at=at, by=by, done_event=answer)


@transaction.atomic
def take_back(*, todo: Todo, at: datetime, by: User) -> None:
    """
    Take back how a to-do was ended, with what ended together with it; it is open again.

    Raise TooLateToUndoError after `common.undo_window.UNDO`, or where an act of its own ended it.
    """
    if todo.done_at is None:
        raise TooLateToUndoError(_("This was taken back already."))
    refuse_after_undo(todo.done_at, at=at)
    if todo.done_event_id or todo.done_result_id:
        raise TooLateToUndoError(_("This follows from something else: take that back instead."))
    together = Todo.objects.valid().filter(
        kind=todo.kind, resident=todo.resident_id, done_at=todo.done_at, done_event=None
    )
    _reopen(together, by=by)


def cause_withdrawn(cause: Cause, *, at: datetime, by: User) -> None:
    """Withdraw what a fact caused, and reopen what it had ended."""
    _withdraw(_caused_by(cause), at=at, by=by)
    if isinstance(cause, Event):
        _reopen(Todo.objects.valid().filter(done_event=cause), by=by)
    elif isinstance(cause, NATResult):
        _reopen(Todo.objects.valid().filter(done_result=cause), by=by)


def cause_corrected(wrong: Arrival, right: Arrival) -> None:
    """Let what an arrival caused, done or not, rest on the row that puts it right."""
    _caused_by(wrong).update(arrival=right)


def cause_replaced(cause: Cause, *, by: NATResult) -> None:
    """Let what a positive caused, done or not, rest on another one that says the same."""
    own = set(_caused_by(by).values_list("kind", flat=True))
    for todo in _caused_by(cause).of_kinds(Kind.REFER, Kind.POSITIVE, Kind.HOUSEHOLD):
        if todo.kind not in own:
            own.add(todo.kind)
            Todo.objects.filter(pk=todo.pk).update(**_column(by))


def _column(cause: Cause) -> dict[str, Any]:
    columns: dict[str, Cause | None] = {"arrival": None, "event": None, "result": None}
    name = {Arrival: "arrival", Event: "event", NATResult: "result"}[type(cause)]
    return {**columns, name: cause}


def _caused_by(cause: Cause) -> TodoQuerySet:
    return Todo.objects.valid().filter(**_column(cause))


def _end(todo: Todo, *, at: datetime, by: User, **what: Any) -> None:
    values = {"done_at": at, "done_by": by, **what}
    still_open = Todo.objects.filter(pk=todo.pk, done_at=None, withdrawn_at=None)
    if not still_open.update(**sealed(todo, **values)):
        raise TodoEndedError(_("Somebody has dealt with this meanwhile."))
    for name, value in values.items():
        setattr(todo, name, value)
    audit.record(by=by, did=gettext_noop("did a to-do"), to=todo, kind=todo.kind)


def _reopen(todos: TodoQuerySet, *, by: User) -> None:
    for todo in todos:
        Todo.objects.filter(pk=todo.pk).update(
            done_at=None,
            done_by=None,
            done_event=None,
            done_result=None,
            done_text="",
            handed_over_at=None,
            vehicle="",
        )
        audit.record(by=by, did=gettext_noop("undid a to-do"), to=todo, kind=todo.kind)


def _withdraw(todos: TodoQuerySet, *, at: datetime, by: User) -> None:
    for todo in todos:
        Todo.objects.filter(pk=todo.pk).update(withdrawn_at=at, withdrawn_by=by)
        audit.record(by=by, did=gettext_noop("withdrew a to-do"), to=todo, kind=todo.kind)
