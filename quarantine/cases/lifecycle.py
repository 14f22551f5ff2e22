"""Opening and closing cases, and changing their facts; every act goes through here."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Literal

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.auditing import audit
from accounts.staff.models import Area, User
from common import clock
from common.errors import RefusedError
from common.undo_window import TooLateToUndoError
from policy.engine.calendars.laying import Calendar
from policy.engine.decisions.decide import Decision
from policy.engine.decisions.facts import CLINICALS, Person
from policy.engine.documents.library import Law
from policy.services import activation_in_force
from quarantine.cases import standing
from quarantine.cases.audit_phrases import DID, TOOK_BACK
from quarantine.cases.calendars import History, calendar_of, histories_of, lay
from quarantine.cases.facts import pack, unpack
from quarantine.cases.governing_law import Followed, followed_by, lay_followed
from quarantine.cases.plans import store_plan
from quarantine.models import UNTOLD, Arrival, Case, Event
from quarantine.todo import services as todo
from quarantine.todo.models import Todo
from residents.register.models import Resident
from testing.models import NATResult

LONGEST_REASON = 200


class StaleCaseError(RefusedError):
    """
    A case that somebody else changed or closed in the meantime.

    Each act changes the case only at the `version` it was read with. A form that shows a case
    keeps the version in a hidden input and the view sets `case.version` from it before the act.
    After any refusal read the case anew.
    """


class NoMeasureError(RefusedError):
    """Facts for which the law sets no measure: a human must decide."""


class NotOfferedError(RefusedError):
    """A setting that the law does not offer this person today."""

    field = "setting"


class UnchangedError(RefusedError):
    """A change that changes nothing."""


class NotInfectedError(RefusedError):
    """A clinical state of somebody who is not under the rule for infected people."""


class ReasonTooLongError(RefusedError):
    """A reason that is longer than can be kept."""

    field = "reason"


def open_case(
    *,
    resident: Resident,
    grid: Area,
    law: Law,
    decision: Decision,
    person: Person,
    at: datetime,
    by: User,
    arrival: Arrival | None = None,
    positive: NATResult | None = None,
    index_case: Case | None = None,
    tells: bool = True,
) -> Case:
    """
    Open the case that a decision asks for, with the evidence it rests on.

    It stands beside the other grounds that are open; `tells` as for `write`. Raise NoMeasureError
    without a plan.
    """
    if decision.plan is None:
        raise NoMeasureError(_("The documents in force ask for no measure here."))
    plan = store_plan(decision.plan)
    # A law that is no longer in force, or not yet known here, is left to the next sweep.
    governing = activation_in_force(area=grid, at=at)
    followed = governing is not None and governing.document == law.id
    standing.hold(resident.pk)
    told = tells and not Case.objects.governing().filter(UNTOLD, resident=resident).exists()
    case = Case.objects.create(
        resident=resident,
        grid=grid,
        arrival=arrival,
        positive=positive,
        index_case=index_case,
        opened_at=at,
        opened_by=by,
        day_1=decision.start,
        facts=pack(person, start=person.start or decision.start, day_1=decision.start),
        opened_under=law.id,
        activation=governing if followed else None,
        law=law.id,
        plan=plan,
        told_plan=plan,
        governs=False,
    )
    record(case=case, kind=Event.Kind.OPENED, at=at, by=by)
    if history := histories_of([case])[case.pk].encoded_from(case.day_1):
        case.history = history
        Case.objects.filter(pk=case.pk).update(history=history)
    standing.settle([resident.pk], today=clock.day_of(at), tell=told, known=[case])
    return case


def close(
    *,
    case: Case,
    closed_as: Case.ClosedAs,
    kind: Event.Kind,
    at: datetime,
    by: User | None,
    about: Event | None = None,
    detail: Mapping[str, Any] | None = None,
    tells: bool = True,
) -> Event:
    """
    Close a case; the person stays under the other grounds that are open.

    Who passes to medical care is still at home: handing them over becomes something to do. `tells`
    as for `write`. Raise StaleCaseError when somebody else changed the case meanwhile.
    """
    end(case=case, closed_as=closed_as, at=at, tells=tells)
    event = record(
        case=case,
        kind=kind,
        at=at,
        by=by,
        about=about,
        detail={"closed_as": closed_as, **(detail or {})},
    )
    if closed_as == Case.ClosedAs.REFERRED:
        todo.open_referral(resident=case.resident, cause=event, case=case, at=at, by=by)
    return event


def end(*, case: Case, closed_as: Case.ClosedAs, at: datetime, tells: bool = True) -> None:
    """Write the end of a case on it, without an event: for whoever has recorded one."""
    refuse_closed(case)
    standing.hold(case.resident_id)
    told = tells and standing.was_told(case)
    others = Case.objects.open().filter(resident=case.resident_id).exclude(pk=case.pk).exists()
    governed, goes_on = case.governs, {"governs": False} if others else {}
    _update(case, closed_on=clock.day_of(at), closed_as=closed_as, **goes_on)
    if others:
        today, ended = clock.day_of(at), case if governed else None
        standing.settle([case.resident_id], today=today, tell=told, ended=ended)


def close_all(
    *,
    cases: Collection[Case],
    closed_as: Case.ClosedAs,
    kind: Event.Kind,
    at: datetime,
    by: User | None,
    detail: Mapping[str, Any],
    tells: bool = True,
) -> None:
    """Close the open cases of a person for one reason, the one that governs last."""
    for case in sorted(cases, key=lambda case: (case.governs, case.pk)):
        close(case=case, closed_as=closed_as, kind=kind, at=at, by=by, detail=detail, tells=tells)


def record(
    *,
    case: Case,
    kind: Event.Kind,
    at: datetime,
    by: User | None,
    day: date | None = None,
    reason: str = "",
    clause: str = "",
    note: str = "",
    about: Event | None = None,
    detail: Mapping[str, Any] | None = None,
    key: uuid.UUID | None = None,
) -> Event:
    """
    Record an event of a case, with the clause it rests on, and audit it.

    What was written under the same `key` before, and not taken back, is returned instead.
    """
    if len(reason) > LONGEST_REASON:
        raise ReasonTooLongError(_("Give the reason in at most 200 characters."))
    if key and (before := _written(case, key)):
        return before
    event = Event.objects.create(
        case=case,
        key=key,
        kind=kind,
        day=day or clock.day_of(at),
        at=at,
        by=by,
        reason=reason,
        clause=clause or clause_of(case),
        detail=detail or {},
        note=note,
        about=about,
    )
    audit.record(by=by, did=DID[kind], to=case, event=event.pk)
    return event


def withdraw_event(event: Event, *, at: datetime, by: User) -> None:
    """Withdraw an event. Raise TooLateToUndoError when it was withdrawn already."""
    if not Event.objects.valid().filter(pk=event.pk).update(withdrawn_at=at, withdrawn_by=by):
        raise TooLateToUndoError(_("This was taken back already."))
    audit.record(by=by, did=TOOK_BACK[event.kind], to=event.case, event=event.pk)
    todo.cause_withdrawn(event, at=at, by=by)


def _written(case: Case, key: uuid.UUID) -> Event | None:
    # The second of two requests at once waits here until the first is committed.
    Case.objects.select_for_update(no_key=True).get(pk=case.pk)
    return Event.objects.valid().filter(case=case, key=key).first()


def clause_of(case: Case) -> str:
    """Return the document and the clause that the case's plan rests on."""
    return f"{case.plan.content['document']} {case.plan.content['clause']}"


def write(*, case: Case, today: date, tells: bool = True, **values: Any) -> Calendar:
    """
    Write `values` and what is derived from them, and return the calendar.

    Call it last in the transaction of an act. Raise StaleCaseError when somebody else changed
    the case since it was read: then the act is not done. Who acts tells the people concerned,
    unless `tells` is False: then the grid's staff are told as after a switch. What a switch
    changed before and nobody has told yet stays to be told.
    """
    standing.hold(case.resident_id)
    told = tells and standing.was_told(case)
    for name, value in values.items():
        setattr(case, name, value)
    history = histories_of([case])[case.pk]
    _update(case, **values, history=history.encoded_from(case.day_1))
    standing.settle([case.resident_id], today=today, tell=told, known=[case])
    return lay(case, history, today)


def write_person(
    *,
    resident: Resident,
    today: date,
    case: Case | None = None,
    cases: list[Case] | None = None,
    tells: bool = True,
) -> list[Case]:
    """
    Write what follows from a fact of the person on every open ground, and return them.

    The one that governs comes first. Of `case`, whose page was acted on, the version counts as in
    `write`; the others change only where something of theirs does. `cases` are the open ones,
    where they have been read while the person was held (`standing.hold`).
    """
    if cases is None:
        standing.hold(resident.pk)
        cases = open_cases_of(resident)
    if case is not None:
        cases = [case if case.pk == other.pk else other for other in cases]
    told = tells and all(standing.was_told(other) for other in cases if other.governs)
    histories = histories_of(cases)
    for other in cases:
        history = histories[other.pk].encoded_from(other.day_1)
        if other is case or history != other.history:
            _update(other, history=history)
    standing.settle([resident.pk], today=today, tell=told, known=cases)
    return cases


def open_cases_of(resident: Resident) -> list[Case]:
    """Return the open cases of a resident with what acts need, the one that governs first."""
    cases = Case.objects.open().filter(resident=resident).order_by(*standing.STRICTEST_FIRST)
    return list(cases.select_related("plan", "grid", "resident"))


def open_case_of(resident: Resident) -> Case | None:
    """Return the open case that governs for a resident."""
    return next(iter(open_cases_of(resident)), None)


def _update(case: Case, **values: Any) -> None:
    if not Case.objects.filter(pk=case.pk, version=case.version).update(
        **values, version=F("version") + 1
    ):
        raise StaleCaseError(
            _("Somebody else changed this case meanwhile. Look at it again before you go on.")
        )
    for name, value in values.items():
        setattr(case, name, value)
    case.version += 1


def refuse_closed(case: Case) -> None:
    """Raise StaleCaseError when the case is closed."""
    if case.closed_on is not None:
        raise StaleCaseError(_("This case is closed."))


@transaction.atomic
def change_home_conditions(*, case: Case, met: bool, reason: str, at: datetime, by: User) -> Event:
    """Record whether the home is fit for isolation; where it is not, the fallback follows."""
    if _person(case).home_conditions_met == met:
        raise UnchangedError(_("The home conditions are recorded like this already."))
    return _change_facts(
        case=case,
        kind=Event.Kind.HOME_CONDITIONS,
        facts_now={"home_conditions_met": met},
        reason=reason,
        at=at,
        by=by,
    )


@transaction.atomic
def choose_central(*, case: Case, reason: str, at: datetime, by: User) -> Event:
    """Record that the person asks for central isolation, where the text offers it."""
    return _move(
        case=case, kind=Event.Kind.CHOSE_CENTRAL, setting="central", reason=reason, at=at, by=by
    )


@transaction.atomic
def move(*, case: Case, setting: str, reason: str, at: datetime, by: User) -> Event:
    """
    Record that the person moved to `central` or `home` today; days served count.

    Raise NotOfferedError when the law names another setting for this person, UnchangedError
    when the person is there already.
    """
    return _move(case=case, kind=Event.Kind.MOVED, setting=setting, reason=reason, at=at, by=by)


def _move(
    *, case: Case, kind: Event.Kind, setting: str, reason: str, at: datetime, by: User
) -> Event:
    if setting_on(calendar_of(case, today=clock.day_of(at)), clock.day_of(at)) == setting:
        raise UnchangedError(_("The person is there already."))
    event = _change_facts(
        case=case,
        kind=kind,
        facts_now={"chooses_central": setting == "central"},
        reason=reason,
        at=at,
        by=by,
    )
    if event.detail.get("to") != setting:
        raise NotOfferedError(
            _("The clause in force (%(clause)s) does not offer this setting today.")
            % {"clause": clause_of(case)}
        )
    return event


@transaction.atomic
def change_clinical(
    *,
    case: Case,
    state: str,
    reason: str,
    at: datetime,
    by: User,
    serious_underlying_disease: bool | None = None,
) -> Event:
    """
    Record the clinical state of an infected person as a clinician found it.

    Where the law passes that state to medical care (113号 3, Fujian 8, Shanxi 6), the case closes
    as referred. `serious_underlying_disease` None leaves it as it was.
    """
    person = _person(case)
    if person.exposure != "infected":
        raise NotInfectedError(_("A clinical class is recorded of infected people only."))
    if state not in CLINICALS:
        raise NotInfectedError(_("Unknown clinical class."))
    facts_now: dict[str, Any] = {"clinical": state}
    if serious_underlying_disease is not None:
        facts_now["serious_underlying_disease"] = serious_underlying_disease
    event = _change_facts(
        case=case, kind=Event.Kind.CLINICAL, facts_now=facts_now, reason=reason, at=at, by=by
    )
    todo.done_by(event, kinds=[Todo.Kind.POSITIVE], resident=case.resident, at=at, by=by)
    return event


@transaction.atomic
def add_note(
    *, case: Case, text: str, at: datetime, by: User, key: uuid.UUID | None = None
) -> Event:
    """Keep a note (encrypted) with a case; once for each `key`."""
    return record(case=case, kind=Event.Kind.NOTE, at=at, by=by, note=text, key=key)


def setting_on(laid: Calendar, day: date) -> Literal["central", "home", "monitoring"] | None:
    """Return the setting in which a calendar has the person on a day."""
    return next(
        (calendar_day.setting for calendar_day in laid.days if calendar_day.day == day), None
    )


def replan(
    *,
    case: Case,
    at: datetime,
    packed: Mapping[str, Any] | None = None,
    tells: bool = True,
    **values: Any,
) -> None:
    """
    Let the case follow from other facts, another grid or exception, and write all of it.

    The law is the one that `follow` says for the activation in force now; `tells` as for `write`.
    Raise NoMeasureError where the law of the opening then asks for nothing.
    """
    packed = case.facts if packed is None else packed
    for name, value in values.items():
        setattr(case, name, value)
    followed = followed_by(case=case, packed=packed, at=at)
    _write_followed(case, packed, followed, today=clock.day_of(at), tells=tells, **values)


def _write_followed(
    case: Case,
    packed: Mapping[str, Any],
    followed: Followed,
    *,
    today: date,
    tells: bool = True,
    **values: Any,
) -> None:
    if followed.plan is None:
        raise NoMeasureError(_("The documents in force ask for no measure here."))
    plan = store_plan(followed.plan)
    columns = {"facts": packed, "plan": plan, **followed.columns, **values}
    write(case=case, today=today, tells=tells, **columns)


def _change_facts(
    *,
    case: Case,
    kind: Event.Kind,
    facts_now: dict[str, Any],
    reason: str,
    at: datetime,
    by: User,
) -> Event:
    refuse_closed(case)
    today, before = clock.day_of(at), case.facts
    person = _person(case)
    packed = pack(replace(person, **facts_now), start=person.start or case.day_1, day_1=case.day_1)
    followed = followed_by(case=case, packed=packed, at=at)
    event = record(
        case=case,
        kind=kind,
        at=at,
        by=by,
        reason=reason,
        detail={"before": before, **facts_now, **_moved(case, followed, today)},
    )
    if _passes_to_medical_care(case, followed):
        write(case=case, today=today, facts=packed)
        close(
            case=case,
            closed_as=Case.ClosedAs.REFERRED,
            kind=Event.Kind.REFERRED,
            at=at,
            by=by,
            about=event,
        )
    else:
        _write_followed(case, packed, followed, today=today)
    return event


def _passes_to_medical_care(case: Case, followed: Followed) -> bool:
    """Say whether the law now passes the person on, whom it did not before."""
    if followed.plan is None:
        return followed.refer == "medical"
    referred = Case.Transition.REFERRED
    return followed.transition == referred and case.transition != referred


def _moved(case: Case, followed: Followed, today: date) -> dict[str, str]:
    """Return the setting that is left today and the one entered, where they differ."""
    if followed.plan is None:
        return {}
    setting_left = setting_on(calendar_of(case, today=today), today)
    laid = lay_followed(followed, case.day_1, History(), today=today)
    entered = setting_on(laid, today)
    return (
        {"from": setting_left, "to": entered}
        if setting_left and entered and setting_left != entered
        else {}
    )


def _person(case: Case) -> Person:
    return unpack(case.facts, day_1=case.day_1)
