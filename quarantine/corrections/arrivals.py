"""
Arrivals corrected, withdrawn and given to the right person.

The wrong row is withdrawn and a new one written, under the law of the first logging; the case
rests on the new row, with its events, and everything is derived again.
"""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import User
from common import clock
from common.errors import RefusedError
from common.undo_window import TooLateToUndoError
from policy.engine.decisions.decide import Decision
from policy.engine.decisions.facts import Person
from policy.engine.documents.library import Law
from policy.services import in_force, law_of
from quarantine.arrivals.services import (
    AlreadyLoggedError,
    FutureArrivalError,
    Logged,
    case_of,
    follow_danger,
    provision_of,
    take_back_arrival,
)
from quarantine.arrivals.unclear import refuse_unclear
from quarantine.cases.facts import decide_on, pack, unpack
from quarantine.cases.lifecycle import open_case
from quarantine.corrections.derivation import derive_again, follow, note, void
from quarantine.corrections.permission import may_correct
from quarantine.models import Arrival, Case
from quarantine.todo import services as todo
from residents.register.models import Resident
from residents.relocation.moves import refuse_gone

# What belongs to one row, and is not copied into the one that puts it right.
_OWN = ("id", "key", "withdrawn_at", "withdrawn_by_id", "entry", "corrects_id")


class UnchangedArrivalError(RefusedError):
    """A correction that changes nothing."""


class NoLawError(RefusedError):
    """No document was in force where the right person lives when the arrival was logged."""


@transaction.atomic
def correct_arrival(
    *,
    arrival: Arrival,
    facts: Person,
    origin: str,
    from_abroad: bool,
    at: datetime,
    by: User,
    reason: str = "",
) -> Logged:
    """
    Correct day and facts of an arrival; its case follows.

    Where the corrected facts ask for no measure, the case is taken back; where they do and there
    was none, it is opened. Raise UnclearPlaceError, UnchangedArrivalError, FutureArrivalError,
    AlreadyLoggedError, TooLateToUndoError for an arrival that was withdrawn, and what
    `may_correct` raises.
    """
    thorough = may_correct(
        recorded_at=arrival.logged_at, area=arrival.grid, at=at, by=by, reason=reason
    )
    if facts.start is None or facts.start > clock.day_of(at):
        raise FutureArrivalError(_("The day of arrival lies in the future."))
    packed = pack(facts, start=facts.start, day_1=facts.start)
    new = {
        "arrived_on": facts.start,
        "from_abroad": from_abroad,
        "origin": origin,
        "facts": packed,
    }
    if all(getattr(arrival, name) == value for name, value in new.items()):
        raise UnchangedArrivalError(_("This is what stands there already."))
    law = law_of(document=arrival.law, area=arrival.grid)
    refuse_unclear(law, facts)
    decision = decide_on(law, facts)
    case = case_of(arrival)
    right = _write(arrival, at=at, by=by, provision=provision_of(decision), **new)
    did = gettext_noop("corrected an arrival")
    audit.record(by=by, did=did, to=right, reason=reason, was=str(arrival.key))
    if case and case.closed_as == Case.ClosedAs.EXCLUDED:
        _note(case, arrival, right, "corrected", at=at, by=by, reason=reason)
        return Logged(right, None, decision)
    if case is None or case.closed_as in Case.VOID:
        opened = _open(right, facts, law, decision, at=at, by=by, tells=not thorough)
        _note(opened, arrival, right, "corrected", at=at, by=by, reason=reason)
        return Logged(right, opened, decision)
    _note(case, arrival, right, "corrected", at=at, by=by, reason=reason)
    if decision.plan is None:
        void(case, closed_as=Case.ClosedAs.WITHDRAWN, at=at, by=by, tells=not thorough)
        follow_danger(arrival=right, case=None, law=law, decision=decision, at=at, by=by)
        return Logged(right, None, decision)
    derive_again(case, at=at, tells=not thorough, arrival=right, day_1=decision.start)
    follow(right.resident, at=at, by=by, tells=not thorough)
    follow_danger(arrival=right, case=case, law=law, decision=decision, at=at, by=by)
    return Logged(right, case, decision)


@transaction.atomic
def withdraw_arrival(*, arrival: Arrival, at: datetime, by: User, reason: str = "") -> None:
    """
    Withdraw an arrival that never was, with its case.

    In the time to undo, without a reason, the person is as before, too
    (`quarantine.arrivals.services.take_back_arrival`); later the person stays registered.
    """
    thorough = may_correct(
        recorded_at=arrival.logged_at, area=arrival.grid, at=at, by=by, reason=reason
    )
    if not thorough:
        take_back_arrival(arrival=arrival, at=at, by=by)
        return
    case = case_of(arrival)
    withdraw_row(arrival, at=at, by=by, reason=reason)
    if case and case.closed_as not in Case.VOID:
        _note(case, arrival, None, "withdrawn", at=at, by=by, reason=reason)
        void(case, closed_as=Case.ClosedAs.WITHDRAWN, at=at, by=by, tells=False)


@transaction.atomic
def give_arrival(
    *, arrival: Arrival, to: Resident, at: datetime, by: User, reason: str = ""
) -> Logged:
    """
    Give an arrival to the right person: the cases of both follow.

    The law is the one in force where that person lives when the arrival was logged. Raise
    NoLawError, `residents.relocation.moves.GoneError`, and what `correct_arrival` raises.
    """
    thorough = may_correct(
        recorded_at=arrival.logged_at, area=arrival.grid, at=at, by=by, reason=reason
    )
    if to.pk == arrival.resident_id:
        raise UnchangedArrivalError(_("This is what stands there already."))
    refuse_gone(to)
    law = in_force(area=to.grid, at=arrival.logged_at)
    if law is None:
        raise NoLawError(_("No document is in force in this grid: ask your supervisor."))
    facts = unpack(arrival.facts, day_1=arrival.arrived_on)
    decision = decide_on(law, facts)
    case = case_of(arrival)
    right = _write(
        arrival,
        at=at,
        by=by,
        resident=to,
        grid=to.grid,
        law=law.id,
        provision=provision_of(decision),
    )
    did = gettext_noop("gave an arrival to another person")
    audit.record(by=by, did=did, to=right, reason=reason, was=str(arrival.key))
    if case and case.closed_as not in Case.VOID:
        _note(case, arrival, None, "given", at=at, by=by, reason=reason)
        void(case, closed_as=Case.ClosedAs.WITHDRAWN, at=at, by=by, tells=not thorough)
    opened = _open(right, facts, law, decision, at=at, by=by, tells=not thorough)
    _note(opened, None, right, "received", at=at, by=by, reason=reason)
    return Logged(right, opened, decision)


def shown(arrival: Arrival) -> dict[str, Any]:
    """Return what an arrival says, as an event keeps it."""
    return {
        "arrived_on": arrival.arrived_on.isoformat(),
        "origin": arrival.origin,
        "from_abroad": arrival.from_abroad,
        "facts": arrival.facts,
    }


def _open(
    arrival: Arrival,
    facts: Person,
    law: Law,
    decision: Decision,
    *,
    at: datetime,
    by: User,
    tells: bool,
) -> Case | None:
    """Open the case that the arrival would have opened, where the law asks for one."""
    if decision.plan is None:
        follow_danger(arrival=arrival, case=None, law=law, decision=decision, at=at, by=by)
        return None
    case = open_case(
        resident=arrival.resident,
        grid=arrival.grid,
        law=law,
        decision=decision,
        person=facts,
        at=at,
        by=by,
        arrival=arrival,
        tells=tells,
    )
    derive_again(case, at=at, tells=tells)
    follow(arrival.resident, at=at, by=by, tells=tells)
    follow_danger(arrival=arrival, case=case, law=law, decision=decision, at=at, by=by)
    return case


def _write(arrival: Arrival, *, at: datetime, by: User, **new: Any) -> Arrival:
    """Withdraw a row and return the one that puts it right."""
    _withdraw(arrival, at=at, by=by)
    columns = {
        field.attname: getattr(arrival, field.attname)
        for field in Arrival._meta.concrete_fields
        if field.attname not in _OWN
    }
    for name, value in new.items():
        columns.pop(f"{name}_id", None)  # of a row it points to
        columns[name] = value
    entry = "" if "resident" in new else arrival.entry
    try:
        with transaction.atomic():
            right = Arrival.objects.create(**columns, entry=entry, corrects=arrival)
    except IntegrityError as error:
        if "arrival_once_a_day" not in str(error):
            raise
        raise AlreadyLoggedError(
            _("An arrival of this person on this day is logged already.")
        ) from error
    if right.resident_id == arrival.resident_id:
        todo.cause_corrected(arrival, right)
    else:
        todo.cause_withdrawn(arrival, at=at, by=by)
    return right


def withdraw_row(arrival: Arrival, *, at: datetime, by: User, reason: str) -> None:
    """Withdraw an arrival alone. Raise TooLateToUndoError where it was withdrawn already."""
    _withdraw(arrival, at=at, by=by)
    todo.cause_withdrawn(arrival, at=at, by=by)
    did = gettext_noop("withdrew an arrival")
    audit.record(by=by, did=did, to=arrival, reason=reason)


def _withdraw(arrival: Arrival, *, at: datetime, by: User) -> None:
    if not Arrival.objects.valid().filter(pk=arrival.pk).update(withdrawn_at=at, withdrawn_by=by):
        raise TooLateToUndoError(_("This was taken back already."))


def _note(
    case: Case | None,
    wrong: Arrival | None,
    right: Arrival | None,
    act: str,
    *,
    at: datetime,
    by: User,
    reason: str,
) -> None:
    if case is None:
        return
    detail: dict[str, Any] = {
        name: shown(row) for name, row in (("wrong", wrong), ("right", right)) if row is not None
    }
    note(
        case=case,
        about=case,
        fact="arrival",
        act=act,
        at=at,
        by=by,
        reason=reason,
        **detail,
    )
