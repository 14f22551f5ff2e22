"""Tests of a case: samples, results, missed days, and the consequences of a positive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.staff.models import User
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
    close_all,
    open_case,
    open_cases_of,
    record,
    refuse_closed,
    write_person,
)
from quarantine.cases.plans import plan_of
from quarantine.models import Case, Event
from testing import services as testing
from testing.models import NATResult, Sample


class NotMissedError(RefusedError):
    """A day that was not missed: still to come, not required, or with a sample."""

    field = "day"


class BeforeCaseError(RefusedError):
    """A sample of a day before the case began."""

    field = "taken_at"


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
    first = min(ground.day_1 for ground in open_cases_of(case.resident))
    if clock.day_of(taken_at) < first:
        raise BeforeCaseError(_("The sample lies before day 1 of this case."))
    sample = testing.take_sample(
        resident=case.resident, taken_at=taken_at, at=at, by=by, pooled=pooled
    )
    write_person(resident=case.resident, case=case, today=clock.day_of(at))
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

    A negative one moves the calendars on, and completes what only asked for tests. A positive one
    stops them: under a law with a rule for infected people that ground stands beside the others
    from then on (day 1 is the sampling day), elsewhere all close as passed to medical care.
    Clinical state is asymptomatic until `cases.change_clinical` says otherwise.
    """
    result = testing.record_result(
        sample=sample, outcome=outcome, ct=ct, reported_at=reported_at, at=at, by=by
    )
    resident, today = sample.resident, clock.day_of(at)
    cases = write_person(resident=resident, today=today)
    if not cases:
        opened = _open_infected(result, at=at, by=by) if _says_positive(result) else None
        return Recorded(result, None, opened)
    if stopped := _stopped_by(result, cases):
        return Recorded(result, cases[0], _positive(cases, stopped, result, at=at, by=by))
    calendars = calendars_of(cases, today=today)
    for case in cases:
        if is_over(calendars[case.pk], today=today):
            _complete(case, at=at, by=by, detail={"result": result.pk})
    return Recorded(result, cases[0], None)


@transaction.atomic
def mark_missed(*, case: Case, day: date, reason: str, at: datetime, by: User) -> Event:
    """
    Record that a required test of a past day was not taken; the make-up day follows.

    It is missed for every ground that asks for it. Raise NotMissedError where this one does not.
    """
    refuse_closed(case)
    today = clock.day_of(at)
    if day >= today:
        raise NotMissedError(_("This day is not over yet: the test may still be taken."))
    days = {calendar_day.day: calendar_day for calendar_day in calendar_of(case, today=today).days}
    if day not in days or not days[day].overdue:
        raise NotMissedError(_("No required test is missing on that day."))
    event = record(case=case, kind=Event.Kind.TEST_MISSED, day=day, at=at, by=by, reason=reason)
    write_person(resident=case.resident, case=case, today=today)
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


def _says_positive(result: NATResult) -> bool:
    return result.outcome == NATResult.Outcome.POSITIVE


def _stopped_by(result: NATResult, cases: Sequence[Case]) -> list[Case]:
    """Return the cases that a result stops; of an infected person it only moves the Ct on."""
    if any(plan_of(case.plan).release is not None for case in cases):
        return []
    number = None if result.ct is None else float(result.ct)
    word: Literal["positive", "negative"] = "positive" if _says_positive(result) else "negative"
    known = facts.NATResult(result.sample.day, word, number)
    return [case for case in cases if laying.is_positive(known, plan_of(case.plan))]


def _positive(
    cases: Sequence[Case],
    stopped: Sequence[Case],
    result: NATResult,
    *,
    at: datetime,
    by: User,
) -> Case | None:
    """Open the ground of an infected person beside `cases`, or close all where there is none."""
    governing = cases[0]
    for case in stopped:
        record(
            case=case,
            kind=Event.Kind.POSITIVE,
            day=result.sample.day,
            at=at,
            by=by,
            detail={"result": result.pk},
        )
    law = in_force(area=governing.grid, at=at) or law_of(
        document=governing.law, area=governing.grid
    )
    known = unpack(governing.facts, day_1=governing.day_1)
    person, decision = _as_infected(law, result.sample.day, known)
    if decision.plan is None:
        close_all(
            cases=cases,
            closed_as=Case.ClosedAs.REFERRED,
            kind=Event.Kind.REFERRED,
            at=at,
            by=by,
            detail={"result": result.pk},
        )
        return None
    return open_case(
        resident=governing.resident,
        grid=governing.grid,
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
