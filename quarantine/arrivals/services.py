"""Logging who arrives, and the case that follows from it."""

import json
import uuid
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import Area, User
from common import clock
from common.errors import RefusedError
from common.undo_window import TooLateToUndoError, refuse_after_undo
from policy.engine.decisions.decide import Decision
from policy.engine.decisions.facts import Person
from policy.engine.documents.library import Law
from policy.models import Provision
from policy.services import law_of
from quarantine.acts.household import proposed_contacts
from quarantine.acts.results import follow_known_positive
from quarantine.cases.facts import decide_on, knows_contacts, pack, unpack
from quarantine.cases.lifecycle import close, open_case
from quarantine.models import Arrival, Case, Event
from quarantine.todo import services as todo
from quarantine.todo.models import Todo
from residents.register import services as residents
from residents.register.models import Resident
from residents.relocation.models import Move


class FutureArrivalError(RefusedError):
    """An arrival in the future."""

    field = "arrived_on"


class AlreadyLoggedError(RefusedError):
    """An arrival of the same person on the same day."""

    field = "arrived_on"


@dataclass(frozen=True)
class ChangedByArrival:
    """
    What logging an arrival changed of the person, for its undo.

    `before` is the snapshot by `residents.register.services.snapshot_of`, None of a newcomer;
    `version` is the person's afterwards. `door` and `phone` are what was typed, so that the form
    can show it again.
    """

    before: dict[str, Any] | None
    version: int
    door: dict[str, str]
    phone: str


def entry_of(arrival: Arrival) -> ChangedByArrival | None:
    """Return what logging an arrival changed of the person, None for nothing."""
    return ChangedByArrival(**json.loads(arrival.entry)) if arrival.entry else None


@dataclass(frozen=True)
class Logged:
    """An arrival, the case it opened if any, and the answer of the law."""

    arrival: Arrival
    case: Case | None
    decision: Decision


def log_arrival(
    *,
    key: uuid.UUID,
    resident: Resident,
    grid: Area,
    facts: Person,
    origin: str,
    from_abroad: bool,
    law: Law,
    at: datetime,
    by: User,
    entry: ChangedByArrival | None = None,
) -> Logged:
    """
    Log an arrival and open the case that the law asks for, in one transaction.

    `facts.start` is the day of arrival. `origin` is the GB/T 2260 code, "" from abroad. `entry`
    says what was changed of the person before, for the undo. The same `key` sent again returns
    what the first call logged. Whatever else holds the person stays beside the new case. Raise
    FutureArrivalError or AlreadyLoggedError.
    """
    if logged := _logged(key):
        return logged
    if facts.start is None or facts.start > clock.day_of(at):
        raise FutureArrivalError(_("The day of arrival lies in the future."))
    decision = decide_on(law, facts)
    try:
        with transaction.atomic():
            arrival = Arrival.objects.create(
                key=key,
                resident=resident,
                grid=grid,
                arrived_on=facts.start,
                from_abroad=from_abroad,
                origin=origin,
                facts=pack(facts, start=facts.start, day_1=facts.start),
                law=law.id,
                provision=provision_of(decision),
                logged_at=at,
                logged_by=by,
                entry=json.dumps(asdict(entry), ensure_ascii=False) if entry else "",
            )
            audit.record(by=by, did=gettext_noop("logged arrival"), to=arrival)
            case = None
            if decision.plan is not None:
                case = open_case(
                    resident=resident,
                    grid=grid,
                    law=law,
                    decision=decision,
                    person=facts,
                    at=at,
                    by=by,
                    arrival=arrival,
                )
                follow_known_positive(case=case, at=at, by=by)
            follow_danger(arrival=arrival, case=case, law=law, decision=decision, at=at, by=by)
    except IntegrityError as error:
        if first := _logged(key):  # the same form, sent twice at the same time
            return first
        if "arrival_once_a_day" not in str(error):
            raise
        raise AlreadyLoggedError(
            _("An arrival of this person on this day is logged already.")
        ) from error
    return Logged(arrival, case, decision)


def follow_danger(
    *, arrival: Arrival, case: Case | None, law: Law, decision: Decision, at: datetime, by: User
) -> None:
    """
    Bring what is to be done about an arrival level with the answer of the law.

    Called when it is logged, and again whenever its facts were corrected.
    """
    known = unpack(arrival.facts, day_1=arrival.arrived_on)
    asked = known.exposure == "infected" and knows_contacts(law)
    if case is not None:
        asked = asked and bool(proposed_contacts(case=case, at=at))
    todo.follow_arrival(
        arrival=arrival,
        case=case,
        refers=bool(decision.refer),
        household=asked,
        at=at,
        by=by,
    )


def _logged(key: uuid.UUID) -> Logged | None:
    """Return the arrival logged under this key before."""
    arrival = Arrival.objects.select_related("grid", "resident").filter(key=key).first()
    if arrival is None:
        return None
    law = law_of(document=arrival.law, area=arrival.grid)
    decision = decide_on(law, unpack(arrival.facts, day_1=arrival.arrived_on))
    return Logged(arrival, case_of(arrival), decision)


def case_of(arrival: Arrival) -> Case | None:
    """Return the case that rests on an arrival."""
    return Case.objects.select_related("plan", "grid", "resident").filter(arrival=arrival).first()


def provision_of(decision: Decision) -> Provision | None:
    """Return the provision that decided, None where nothing in law asks anything."""
    measure = decision.measure
    if measure is None:
        return None
    return Provision.objects.get(
        document=measure.document, clause=measure.clause, subject=decision.subject
    )


@transaction.atomic
def take_back_arrival(*, arrival: Arrival, at: datetime, by: User) -> None:
    """
    Take an arrival back, with all that was done in its transaction, for a short while.

    Its case, the registration of a newcomer, the move and the changes of somebody known. Raise
    TooLateToUndoError after common.undo_window.UNDO, or once something happened to the case or
    the person.
    """
    refuse_after_undo(arrival.logged_at, at=at)
    if arrival.resident.merges.filter(undone_at=None, at__gte=arrival.logged_at).exists():
        raise TooLateToUndoError(
            _("The person was merged with another entry since: undo that first.")
        )
    if case := case_of(arrival):
        withdraw_case(case=case, at=at, by=by)
    if not Arrival.objects.valid().filter(pk=arrival.pk).update(withdrawn_at=at, withdrawn_by=by):
        raise TooLateToUndoError(_("This was taken back already."))
    audit.record(by=by, did=gettext_noop("undid an arrival"), to=arrival)
    todo.cause_withdrawn(arrival, at=at, by=by)
    if entry := entry_of(arrival):
        _put_person_back(arrival, case, entry, at=at, by=by)


def _put_person_back(
    arrival: Arrival, case: Case | None, entry: ChangedByArrival, *, at: datetime, by: User
) -> None:
    resident = arrival.resident
    if entry.before is None:
        withdrawn = Todo.objects.filter(arrival=arrival)
        own_facts = [arrival, *withdrawn, *([case] if case else [])]
        residents.take_registration_back(
            resident=resident, on=clock.day_of(at), by=by, besides=own_facts
        )
        return
    moved = Move.objects.valid().filter(resident=resident, at=arrival.logged_at)
    moved.update(withdrawn_at=at, withdrawn_by=by)
    try:
        residents.restore_snapshot(
            resident=resident, before=entry.before, version=entry.version, by=by
        )
    except residents.ChangedMeanwhileError as error:
        raise TooLateToUndoError(
            _("Somebody changed this person since: the arrival can no longer be taken back.")
        ) from error


def withdraw_case(*, case: Case, at: datetime, by: User, whatever_happened: bool = False) -> None:
    """
    Close a case as taken back.

    Raise TooLateToUndoError once something happened to it, unless that is of no account.
    """
    happened = case.events.valid().exclude(kind=Event.Kind.OPENED).exists()
    followed = case.version > 1 or happened or case.contacts.exists()
    if followed and not whatever_happened:
        raise TooLateToUndoError(
            _("Something has happened to the case since: it can no longer be taken back.")
        )
    close(
        case=case,
        closed_as=Case.ClosedAs.WITHDRAWN,
        kind=Event.Kind.CLOSED,
        at=at,
        by=by,
    )
    for opened in case.events.filter(kind=Event.Kind.OPENED):
        todo.cause_withdrawn(opened, at=at, by=by)
