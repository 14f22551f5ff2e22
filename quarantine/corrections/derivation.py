"""What follows from facts that were put right, by the functions that derived it first."""

from copy import copy
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import User
from common import clock
from policy.engine.decisions.facts import Person
from quarantine.acts.household import infected_on
from quarantine.acts.infected import follow_contacts, is_followed, rest_on_first_positive
from quarantine.acts.results import follow_known_positive, follow_result, is_over
from quarantine.cases.calendars import calendar_of
from quarantine.cases.facts import pack, unpack
from quarantine.cases.governing_law import followed_by
from quarantine.cases.infections import LONG_AGO, positives_of
from quarantine.cases.lifecycle import (
    close,
    record,
    replan,
    withdraw_event,
    write,
    write_person,
)
from quarantine.models import Case, Event
from quarantine.todo import services as todo
from residents.register.models import Resident
from testing.models import NATResult

# The events that say something else of the person than the opening did.
CHANGED_FACTS = (
    Event.Kind.HOME_CONDITIONS,
    Event.Kind.CHOSE_CENTRAL,
    Event.Kind.MOVED,
    Event.Kind.CLINICAL,
)
_FACTS = ("home_conditions_met", "chooses_central", "clinical", "serious_underlying_disease")


def full_case(pk: int) -> Case:
    """Return a case with what acts need."""
    return Case.objects.select_related("plan", "grid", "resident", "arrival").get(pk=pk)


def case_at(resident: Resident, day: date) -> Case | None:
    """Return the case in whose history a fact of that day belongs: the last one of that day."""
    cases = Case.objects.filter(resident=resident).exclude(closed_as__in=Case.VOID)
    now = cases.filter(day_1__lte=day).exclude(closed_on__lt=day)
    return now.order_by("-pk").first() or cases.order_by("-pk").first()


def note(
    *,
    case: Case | None,
    about: Any,
    fact: str,
    act: str,
    at: datetime,
    by: User,
    reason: str,
    day: date | None = None,
    **detail: Any,
) -> None:
    """
    Keep that a fact was put right, with the reason: on the case that shows it, else in the audit.

    `about` is the row concerned.
    """
    if case is None:
        audit.record(by=by, did=gettext_noop("put a fact right"), to=about, reason=reason, act=act)
        return
    record(
        case=case,
        kind=Event.Kind.CORRECTED,
        day=day,
        at=at,
        by=by,
        reason=reason,
        detail={"fact": fact, "act": act, **detail},
    )


def facts_of(case: Case) -> dict[str, Any]:
    """Return the facts of a case: those of its opening, and what was found out since."""
    person = _person(case)
    return pack(person, start=person.start or case.day_1, day_1=case.day_1)


def _person(case: Case, *, until: datetime | None = None) -> Person:
    person = _opening_facts(case)
    for found in _found(case, until).values_list("detail", flat=True):
        person = replace(person, **{name: found[name] for name in _FACTS if name in found})
    return person


def _found(case: Case, until: datetime | None) -> QuerySet[Event]:
    """
    Return what was found out about the person of a case, in order.

    What was entered on a case that should never have been is as true of the one beside it.
    """
    void = Q(case__closed_as__in=Case.VOID, day__gte=case.day_1)
    theirs = Event.objects.valid().filter(
        Q(case=case) | void, case__resident=case.resident_id, kind__in=CHANGED_FACTS
    )
    return (theirs.filter(at__lt=until) if until else theirs).order_by("at", "pk")


def _opening_facts(case: Case) -> Person:
    if case.arrival is not None:
        return unpack(case.arrival.facts, day_1=case.arrival.arrived_on)
    first = case.events.filter(kind__in=CHANGED_FACTS).order_by("pk").first()
    opened_with = unpack(first.detail["before"] if first else case.facts, day_1=case.day_1)
    before = _case_before(case)
    known = _person(before, until=_recorded_at(case)) if before else Person()
    opened_with = replace(opened_with, home_conditions_met=known.home_conditions_met)
    if opened_with.exposure != "infected":
        return opened_with
    return replace(opened_with, serious_underlying_disease=known.serious_underlying_disease)


def _recorded_at(case: Case) -> datetime:
    """Return when the evidence of a case was recorded; one put right keeps that moment."""
    return case.arrival.logged_at if case.arrival else case.opened_at


def _case_before(case: Case) -> Case | None:
    """Return the case from which this one took over what was known of the person."""
    recorded_at = _recorded_at(case)
    before = [
        other
        for other in _others(case)
        if _recorded_at(other) < recorded_at
        and (other.closed_on is None or other.closed_on >= clock.day_of(recorded_at))
    ]
    return max(before, key=_recorded_at, default=None)


def _others(case: Case) -> QuerySet[Case]:
    others = Case.objects.filter(resident=case.resident_id).exclude(closed_as__in=Case.VOID)
    return others.exclude(pk=case.pk).select_related("plan", "grid", "resident", "arrival")


def derive_again(case: Case, *, at: datetime, tells: bool, **values: Any) -> None:
    """
    Write `values` and let the case follow from its facts as they stand now.

    Where the law passes the person on, a case that was closed with that keeps its plan. Raise
    NoMeasureError where the law of the opening asks nothing of an open one.
    """
    for name, value in values.items():
        setattr(case, name, value)
    packed = facts_of(case)
    followed = followed_by(case=case, packed=packed, at=at)
    if followed.plan is None and case.closed_on is not None:
        write(case=case, today=clock.day_of(at), tells=tells, facts=packed, **values)
    else:
        replan(case=case, at=at, packed=packed, tells=tells, **values)


def reopen(closing: Event, *, at: datetime, by: User, tells: bool) -> None:
    """
    Take a closing back: the case is open as it was, and so is what a release closed with it.

    The law in force now gives the dates.
    """
    for event in [closing, *closing.answers.valid()]:
        case = full_case(event.case_id)
        withdraw_event(event, at=at, by=by)
        if (
            case.closed_as == event.detail["closed_as"]
        ):  # else it was ended for another reason since
            derive_again(case, at=at, tells=tells, closed_on=None, closed_as="", governs=False)


def void(case: Case, *, closed_as: Case.ClosedAs, at: datetime, by: User, tells: bool) -> None:
    """
    End a case that should never have been, whatever happened to it.

    The cases of the contacts that came from it end likewise, unless another case says as well
    that the person is infected; whatever else holds the people stays, and what opened after it
    knows of the person what is left.
    """
    if case.closed_on is None:
        kind = Event.Kind.CLOSED
        close(case=case, closed_as=closed_as, kind=kind, at=at, by=by, tells=tells)
    else:
        write(case=case, today=clock.day_of(at), closed_as=closed_as)
    for opened in case.events.filter(kind=Event.Kind.OPENED):
        todo.cause_withdrawn(opened, at=at, by=by)
    follow(case.resident, at=at, by=by, tells=tells)
    other = _other_infected(case)
    for contact in case.contacts.exclude(closed_as__in=Case.VOID):
        if other and not other.contacts.filter(resident=contact.resident_id).exists():
            write(case=full_case(contact.pk), today=clock.day_of(at), index_case=other)
        else:
            void(full_case(contact.pk), closed_as=closed_as, at=at, by=by, tells=tells)
    if other:
        follow(case.resident, at=at, by=by, tells=tells)


def _other_infected(case: Case) -> Case | None:
    """Return another case that says that the person of `case` is infected."""
    theirs = _theirs(case.resident).exclude(pk=case.pk).order_by("-pk")
    return next((other for other in theirs if infected_on(other)), None)


def follow(resident: Resident, *, at: datetime, by: User, tells: bool) -> None:
    """Let what follows from the facts of a person follow from them as they stand now."""
    write_person(resident=resident, today=clock.day_of(at), tells=tells)
    for case in _theirs(resident).exclude(positive=None):
        rest_on_first_positive(case, at=at, tells=tells)
    again = follow_contacts(resident=resident, at=at, by=by, tells=tells)
    for result in _unheard(resident):
        follow_result(result, at=at, by=by, tells=tells)
    for case in [*again, *_theirs(resident).filter(closed_on=None)]:
        follow_known_positive(case=case, at=at, by=by, tells=tells)
    for case in _theirs(resident).filter(arrival=None).order_by("opened_at", "pk"):
        if facts_of(case) != case.facts:
            derive_again(case, at=at, tells=tells)
    completed = Case.objects.filter(resident=resident, closed_as=Case.ClosedAs.COMPLETED)
    for pk in completed.values_list("pk", flat=True):
        _reopen_incomplete(full_case(pk), at=at, by=by, tells=tells)


def _theirs(resident: Resident) -> QuerySet[Case]:
    """Return the cases of a person."""
    cases = Case.objects.exclude(closed_as__in=Case.VOID).filter(resident=resident)
    return cases.select_related("plan", "grid", "resident", "arrival")


def _unheard(resident: Resident) -> list[NATResult]:
    """Return the positives of a person from which nothing has followed, though it should."""
    positives = (
        positives_of([resident.pk])
        .exclude(cases__in=_theirs(resident))
        .select_related("sample__resident__grid")
        .order_by("sample__day", "pk")
    )
    if not positives:
        return []
    followed = Event.objects.valid().filter(case__resident=resident, detail__has_key="result")
    known = set(
        followed.exclude(case__closed_as__in=Case.VOID).values_list("detail__result", flat=True)
    )
    return [one for one in positives if one.pk not in known and not is_followed(one)]


def rest_on_another(result: NATResult, *, at: datetime, by: User, tells: bool) -> bool:
    """
    Let what rests on a positive that is withdrawn rest on the first other one of the infection.

    Its cases, the closings that followed from it, and what is to be done about it, done or not.
    False where there is no other.
    """
    sample = result.sample
    if sample.pooled or result.outcome != NATResult.Outcome.POSITIVE:
        return False
    others = positives_of([sample.resident_id]).exclude(pk=result.pk).select_related("sample")
    near = others.filter(
        sample__day__gte=sample.day - LONG_AGO, sample__day__lte=sample.day + LONG_AGO
    )
    other = near.order_by("sample__taken_at", "pk").first()
    if other is None:
        return False
    for case in _theirs(sample.resident).filter(positive=result):
        derive_again(case, at=at, tells=tells, positive=other, day_1=other.sample.day)
    todo.cause_replaced(result, by=other)
    followed = Event.objects.valid().filter(case__resident=sample.resident_id)
    says_other = set(followed.filter(detail__result=other.pk).values_list("case", "kind"))
    for event in followed.filter(detail__result=result.pk).select_related("case__plan"):
        todo.cause_replaced(event, by=other)
        if event.case.day_1 > other.sample.day or event.case.closed_as in Case.VOID:
            continue
        closes = "closed_as" in event.detail
        if closes or (event.case_id, event.kind) not in says_other:
            record(
                case=event.case,
                kind=Event.Kind(event.kind),
                day=None if closes else other.sample.day,
                at=at,
                by=by,
                detail={**event.detail, "result": other.pk},
            )
        if closes:  # else it would be open again
            withdraw_event(event, at=at, by=by)
    return True


def _reopen_incomplete(case: Case, *, at: datetime, by: User, tells: bool) -> None:
    """Open a completed case again whose tests turn out not to be complete."""
    today, still_open = clock.day_of(at), copy(case)
    still_open.closed_on = None
    if is_over(calendar_of(still_open, today=today), today=today):
        return
    closing = case.events.valid().filter(detail__has_key="closed_as").order_by("pk").last()
    if closing:
        reopen(closing, at=at, by=by, tells=tells)
