"""Tests of a case: samples, results, missed days, and the consequences of a positive."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.staff.models import Area, User
from common import clock
from common.errors import RefusedError
from policy.engine.calendars import laying
from policy.engine.calendars.laying import Calendar
from policy.engine.decisions import facts
from policy.engine.decisions.decide import Decision
from policy.engine.decisions.facts import Person
from policy.engine.documents.library import Law
from policy.services import in_force, law_of
from quarantine.cases.calendars import calendar_of, calendars_of
from quarantine.cases.facts import decide_on, unpack
from quarantine.cases.lifecycle import (
    StaleCaseError,
    close,
    open_case,
    record,
    refuse_closed,
    write,
)
from quarantine.cases.plans import plan_of
from quarantine.models import Case, Event
from residents.register.models import Resident
from testing import services as testing
from testing.models import NATResult, Sample

# The rules that go before "close contact": who is under one is no new contact (readings, "Who
# matches").
NO_NEW_CONTACT = ("infected", "close_contacts")


class NotMissedError(RefusedError):
    """A day that was not missed: still to come, not required, or with a sample."""

    field = "day"


class BeforeCaseError(RefusedError):
    """A sample of a day before the case began."""

    field = "taken_at"


class NoContactError(RefusedError):
    """Not a household member of the infected person, or a contact already."""

    field = "residents"


@dataclass(frozen=True)
class Recorded:
    """A result, the case it concerned, and the case it opened."""

    result: NATResult
    case: Case | None
    opened: Case | None


@transaction.atomic
def take_sample(
    *, case: Case, taken_at: datetime, at: datetime, by: User, pooled: bool = False
) -> Sample:
    """
    Record a sample of the person.

    Raise BeforeCaseError, and what `testing.services.take_sample` raises.
    """
    refuse_closed(case)
    if clock.day_of(taken_at) < case.day_1:
        raise BeforeCaseError(_("The sample lies before day 1 of this case."))
    sample = testing.take_sample(
        resident=case.resident, taken_at=taken_at, at=at, by=by, pooled=pooled
    )
    write(case=case, today=clock.day_of(at))
    return sample


@transaction.atomic
def record_result(
    *,
    sample: Sample,
    outcome: NATResult.Outcome,
    ct: Decimal | None,
    reported_at: datetime,
    at: datetime,
    by: User,
) -> Recorded:
    """
    Record a result and let its consequences follow.

    A negative one moves the calendar on, and completes a case that only asked for tests. A
    positive one stops it: under a law with a rule for infected people an infected case continues
    this one (day 1 is the sampling day), elsewhere the case closes as passed to medical care.
    Clinical state is asymptomatic until `cases.change_clinical` says otherwise.
    """
    result = testing.record_result(
        sample=sample, outcome=outcome, ct=ct, reported_at=reported_at, at=at, by=by
    )
    case = open_case_of(sample.resident)
    if case is None:
        opened = _open_infected(result, at=at, by=by) if _says_positive(result) else None
        return Recorded(result, None, opened)
    laid = write(case=case, today=clock.day_of(at))
    if _is_positive(result, case):
        return Recorded(result, case, _positive(case, result, at=at, by=by))
    if is_over(laid, today=clock.day_of(at)):
        _complete(case, at=at, by=by, detail={"result": result.pk})
    return Recorded(result, case, None)


@transaction.atomic
def mark_missed(*, case: Case, day: date, reason: str, at: datetime, by: User) -> Event:
    """Record that a required test of a past day was not taken; the make-up day follows."""
    refuse_closed(case)
    today = clock.day_of(at)
    if day >= today:
        raise NotMissedError(_("This day is not over yet: the test may still be taken."))
    days = {calendar_day.day: calendar_day for calendar_day in calendar_of(case, today=today).days}
    if day not in days or not days[day].overdue:
        raise NotMissedError(_("No required test is missing on that day."))
    event = record(case=case, kind=Event.Kind.TEST_MISSED, day=day, at=at, by=by, reason=reason)
    write(case=case, today=today)
    return event


def is_over(laid: Calendar, *, today: date) -> bool:
    """
    Return whether a case without mandatory days is complete.

    Its required tests are negative, and its advised days have passed or were taken.
    """
    if laid.plan.mandatory_days or laid.earliest_release or laid.positive_on is not None:
        return False
    waiting = [day for day in laid.days if day.day in laid.required_tests and not day.result]
    advised = [day for day in laid.days if day.day >= today and not day.result]
    return not waiting and not advised


def complete_what_is_over(*, at: datetime) -> int:
    """Close the cases that hold nobody once their days have passed, and return how many."""
    today = clock.day_of(at)
    waiting = Case.objects.open().filter(release_on=None, next_test_on=None)
    cases = list(waiting.select_related("plan"))
    calendars = calendars_of(cases, today=today)
    complete = [case for case in cases if is_over(calendars[case.pk], today=today)]
    return sum(_completed(case, at=at) for case in complete)


def _completed(case: Case, *, at: datetime) -> bool:
    """Complete a case unless somebody is changing it: the next night looks again."""
    try:
        with transaction.atomic():
            _complete(case, at=at, by=None)
    except StaleCaseError:
        return False
    return True


def _complete(
    case: Case, *, at: datetime, by: User | None, detail: Mapping[str, int] | None = None
) -> None:
    close(
        case=case,
        closed_as=Case.ClosedAs.COMPLETED,
        kind=Event.Kind.CLOSED,
        at=at,
        by=by,
        detail=detail,
    )


def open_case_of(resident: Resident) -> Case | None:
    """Return the open case of a resident, with what acts need."""
    return (
        Case.objects.open().select_related("plan", "grid", "resident").filter(resident=resident)
    ).first()


def _says_positive(result: NATResult) -> bool:
    return result.outcome == NATResult.Outcome.POSITIVE


def _is_positive(result: NATResult, case: Case) -> bool:
    """Return whether a result stops the case; of an infected person it only moves the Ct on."""
    plan = plan_of(case.plan)
    if plan.release is not None:
        return False
    number = None if result.ct is None else float(result.ct)
    word: Literal["positive", "negative"] = "positive" if _says_positive(result) else "negative"
    return laying.is_positive(facts.NATResult(result.sample.day, word, number), plan)


def _positive(case: Case, result: NATResult, *, at: datetime, by: User) -> Case | None:
    record(
        case=case,
        kind=Event.Kind.POSITIVE,
        day=result.sample.day,
        at=at,
        by=by,
        detail={"result": result.pk},
    )
    law = in_force(area=case.grid, at=at) or law_of(document=case.law, area=case.grid)
    known = unpack(case.facts, day_1=case.day_1)
    person, decision = _as_infected(law, result.sample.day, known)
    if decision.plan is None:
        close(
            case=case,
            closed_as=Case.ClosedAs.REFERRED,
            kind=Event.Kind.REFERRED,
            at=at,
            by=by,
            detail={"result": result.pk},
        )
        return None
    _supersede(case, at=at, by=by, detail={"result": result.pk})
    return open_case(
        resident=case.resident,
        grid=case.grid,
        law=law,
        decision=decision,
        person=person,
        at=at,
        by=by,
        positive=result,
    )


def _open_infected(result: NATResult, *, at: datetime, by: User) -> Case | None:
    """Open the infected case of somebody who was under no measure, where the law has one."""
    resident = result.sample.resident
    law = in_force(area=resident.grid, at=at)
    if law is None:
        return None
    person, decision = _as_infected(law, result.sample.day, Person())
    if decision.plan is None:
        return None
    return open_case(
        resident=resident,
        grid=resident.grid,
        law=law,
        decision=decision,
        person=person,
        at=at,
        by=by,
        positive=result,
    )


def _as_infected(law: Law, day: date, known: Person) -> tuple[Person, Decision]:
    person = Person(
        start=day,
        exposure="infected",
        clinical="asymptomatic",
        serious_underlying_disease=known.serious_underlying_disease,
        home_conditions_met=known.home_conditions_met,
    )
    return person, decide_on(law, person)


def _supersede(case: Case, *, at: datetime, by: User, detail: Mapping[str, int]) -> None:
    close(
        case=case,
        closed_as=Case.ClosedAs.SUPERSEDED,
        kind=Event.Kind.CLOSED,
        at=at,
        by=by,
        detail=detail,
    )


def positive_day_of(case: Case, *, events: Iterable[Event] | None = None) -> date | None:
    """
    Return the sampling day of the positive that opened or stopped a case.

    `events` are the valid ones of the case, where they have been read.
    """
    if case.positive_id is not None:
        return Sample.objects.get(results=case.positive_id).day
    happened = case.events.valid() if events is None else events
    return max((e.day for e in happened if e.kind == Event.Kind.POSITIVE), default=None)


def proposed_contacts(*, case: Case, events: Iterable[Event] | None = None) -> QuerySet[Resident]:
    """Return the household members of the infected person of `case` without a contact's case."""
    if positive_day_of(case, events=events) is None:
        return Resident.objects.none()
    under_that_rule = Q(cases__closed_on=None) & Q(
        cases__plan__provision__subject__in=NO_NEW_CONTACT
    )
    known = Case.objects.filter(index_case=case).exclude(closed_as=Case.ClosedAs.WITHDRAWN)
    return (
        Resident.objects.here()
        .filter(household=case.resident.household_id)
        .exclude(pk=case.resident_id)
        .exclude(pk__in=Resident.objects.filter(under_that_rule).values("pk"))
        .exclude(pk__in=known.values("resident"))
    )


@transaction.atomic
def open_contacts(
    *, case: Case, residents: Sequence[Resident], at: datetime, by: User
) -> list[Case]:
    """
    Open the cases of household members as close contacts; day 1 is the day of the positive.

    An open case of another kind is continued by the new one.
    """
    day = positive_day_of(case)
    proposed = set(proposed_contacts(case=case).values_list("pk", flat=True))
    if day is None or not {resident.pk for resident in residents} <= proposed:
        raise NoContactError(
            _("Choose people who live with the infected person and are not followed yet.")
        )
    law = in_force(area=case.grid, at=at) or law_of(document=case.law, area=case.grid)
    return [_open_contact(case, resident, law, day, at=at, by=by) for resident in residents]


def _open_contact(
    index: Case, resident: Resident, law: Law, day: date, *, at: datetime, by: User
) -> Case:
    known = Person()
    if existing := open_case_of(resident):
        known = unpack(existing.facts, day_1=existing.day_1)
        _supersede(existing, at=at, by=by, detail={"index_case": index.pk})
    person = Person(
        start=day, exposure="close_contact", home_conditions_met=known.home_conditions_met
    )
    grid: Area = resident.grid
    return open_case(
        resident=resident,
        grid=grid,
        law=law,
        decision=decide_on(law, person),
        person=person,
        at=at,
        by=by,
        index_case=index,
    )
