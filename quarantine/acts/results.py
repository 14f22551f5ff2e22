"""Tests of a case: samples, results, missed days, and the consequences of a positive."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from django.db import transaction
from django.db.models import Q
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
from policy.words import document_title
from quarantine.acts.household import proposed_contacts
from quarantine.acts.infected import follow_contacts, is_followed, rest_on_first_positive
from quarantine.cases import standing
from quarantine.cases.calendars import calendar_of, calendars_of, lay_as_others
from quarantine.cases.facts import decide_on, knows_contacts, unpack
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
from quarantine.todo import services as todo
from quarantine.todo.models import Todo
from residents.register.models import Resident
from testing import services as testing
from testing.models import NATResult, Sample

# How long before a case a positive still speaks of the person, as stays do (101号 3).
LOOK_BACK = timedelta(days=7)


class NotMissedError(RefusedError):
    """A day that was not missed: still to come, not required, or with a sample."""

    field = "day"


class BeforeCaseError(RefusedError):
    """A sample of a day before the case began."""

    field = "taken_at"


class ContradictionError(RefusedError):
    """A word and a Ct value that contradict each other, and that nobody has confirmed."""

    field = "ct"


@dataclass(frozen=True)
class Recorded:
    """A result, the case it concerned, and the case it opened."""

    result: NATResult
    case: Case | None
    opened: Case | None


@transaction.atomic
def take_sample(
    *,
    case: Case,
    taken_at: datetime,
    at: datetime,
    by: User,
    pooled: bool = False,
    tube: str = "",
) -> Sample:
    """
    Record a sample of the person; of a day that asks for none it makes up for what is owed.

    Raise BeforeCaseError, and what `testing.services.take_sample` raises.
    """
    refuse_closed(case)
    standing.hold(case.resident_id)
    cases = open_cases_of(case.resident)
    if clock.day_of(taken_at) < min((ground.day_1 for ground in cases), default=case.day_1):
        raise BeforeCaseError(_("The sample lies before day 1 of this case."))
    sample = testing.take_sample(
        resident=case.resident, taken_at=taken_at, at=at, by=by, pooled=pooled, tube=tube
    )
    write_person(resident=case.resident, case=case, cases=cases, today=clock.day_of(at))
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
    confirmed: bool = False,
    tells: bool = True,
) -> Recorded:
    """
    Record a result and let its consequences follow.

    A negative one moves the calendars on, and completes what only asked for tests. A positive one
    stops them: under a law with a rule for infected people that ground stands beside the others
    from then on (day 1 is the sampling day), elsewhere all close as passed to medical care.
    Where the sample gave no result its day counts as missed. Clinical state is asymptomatic until
    `cases.change_clinical` says otherwise.

    A result is taken whenever it comes. A positive of somebody whose case is closed opens an
    infected case, too; where the law has none, or the person is gone, the positive stands on the
    closed case, from which the household is proposed.

    The result of a pool is that of all samples in its tube. A positive one says nothing of one
    person yet: each is to be checked, and a tube of their own, the same day, decides.

    `tells` as for `cases.lifecycle.write`. Raise ContradictionError, unless it is `confirmed` that
    the laboratory says so, and what `testing.services.record_result` raises.
    """
    if not confirmed:
        _refuse_contradiction(sample, outcome, ct)
    found = [
        testing.record_result(
            sample=each, outcome=outcome, ct=ct, reported_at=reported_at, at=at, by=by
        )
        for each in (sample, *_awaited_with(sample))
    ]
    recorded, *_others = [follow_result(result, at=at, by=by, tells=tells) for result in found]
    return recorded


def _awaited_with(sample: Sample) -> Iterable[Sample]:
    """Return the other samples in the tube of a pooled one whose result is awaited."""
    if not sample.pooled:
        return ()
    others = Sample.objects.of_tube(sample).awaited().exclude(pk=sample.pk)
    return others.select_related("resident__grid").order_by("pk")


def follow_result(result: NATResult, *, at: datetime, by: User, tells: bool = True) -> Recorded:
    """Let follow what follows from a result that was recorded."""
    resident, today = result.sample.resident, clock.day_of(at)
    if result.outcome == NATResult.Outcome.POSITIVE and not result.sample.pooled:
        _follow_contacts(resident, at=at, by=by, tells=tells)
    cases = write_person(resident=resident, today=today, tells=tells)
    _follow_pool(result, next(iter(cases), None), at=at, by=by)
    if not cases:
        return _after_closing(result, at=at, by=by, tells=tells)
    if stopped := _stopped_by(result, cases):
        opened = _positive(cases, stopped, result, at=at, by=by, tells=tells)
        return Recorded(result, cases[0], opened)
    if result.outcome == NATResult.Outcome.POSITIVE:
        for case in cases:
            rest_on_first_positive(case, at=at, tells=tells)
    for case in cases:
        # Written just now, and who is only tested was moved nowhere.
        if is_over(lay_as_others(case, today=today), today=today):
            _complete(case, at=at, by=by, detail={"result": result.pk}, tells=tells)
    return Recorded(result, cases[0], None)


def _follow_contacts(resident: Resident, *, at: datetime, by: User, tells: bool) -> None:
    for case in follow_contacts(resident=resident, at=at, by=by, tells=tells):
        follow_known_positive(case=case, at=at, by=by, tells=tells)


@transaction.atomic
def take_check(*, sample: Sample, at: datetime, by: User) -> Sample:
    """Record the tube of one person that decides on the positive pool of `sample`."""
    for case in open_cases_of(sample.resident)[:1]:
        return take_sample(case=case, taken_at=at, at=at, by=by)
    return testing.take_sample(resident=sample.resident, taken_at=at, at=at, by=by)


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

    Its required tests are negative, its advised days have passed or were taken, and no result is
    awaited.
    """
    if laid.plan.mandatory_days or laid.earliest_release or laid.positive_on is not None:
        return False
    waiting = [day for day in laid.days if day.day in laid.required_tests and not day.result]
    advised = [day for day in laid.days if day.day >= today and not day.result]
    return not waiting and not advised and not laid.awaited


def complete_what_is_over(*, at: datetime) -> int:
    """Close the cases that hold nobody once their days have passed, and return how many."""
    today = clock.day_of(at)
    # The test that a governing case shows may be another ground's: the calendar of each decides.
    of_several = Case.objects.beside().values("resident")
    nothing_asked = Q(next_test_on=None) | Q(resident__in=of_several)
    waiting = Case.objects.open().filter(nothing_asked, release_on=None)
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
    case: Case,
    *,
    at: datetime,
    by: User | None,
    detail: Mapping[str, int] | None = None,
    tells: bool = True,
) -> None:
    close(
        case=case,
        closed_as=Case.ClosedAs.COMPLETED,
        kind=Event.Kind.CLOSED,
        at=at,
        by=by,
        detail=detail,
        tells=tells,
    )


def _stopped_by(result: NATResult, cases: Sequence[Case]) -> list[Case]:
    """Return the cases that a result stops; of an infected person it only moves the Ct on."""
    found = _found(result.sample, result.outcome, result.ct)
    if found is None or any(plan_of(case.plan).release is not None for case in cases):
        return []
    return [
        case
        for case in cases
        if case.day_1 - LOOK_BACK <= found.day and laying.is_positive(found, plan_of(case.plan))
    ]


def _found(sample: Sample, outcome: str, ct: Decimal | None) -> facts.NATResult | None:
    """Return what is found out of one person; None where nothing is, as by a positive pool."""
    if outcome in NATResult.NO_RESULT or (sample.pooled and outcome == "positive"):
        return None
    word: Literal["positive", "negative"] = "negative" if outcome == "negative" else "positive"
    return facts.NATResult(sample.day, word, None if ct is None else float(ct))


def _refuse_contradiction(sample: Sample, outcome: str, ct: Decimal | None) -> None:
    """Raise ContradictionError where the word on a result and its Ct say different things."""
    found = _found(sample, outcome, ct)
    if found is None or found.ct is None:
        return
    case = _judge_of(sample)
    contradicted = laying.doubt(found, plan_of(case.plan) if case else None)
    if not contradicted:
        return
    sentence = _(
        "“%(word)s” and Ct %(ct)s contradict each other: the documents in force name no Ct here,"
        " and below %(limit)s is usually positive. Correct it, or save once more to confirm it."
    )
    if contradicted.by_law:
        sentence = _(
            "“%(word)s” and Ct %(ct)s contradict each other: by %(document)s a Ct below %(limit)s"
            " is positive. Correct it, or save once more to confirm it."
        )
    raise ContradictionError(
        sentence
        % {
            "word": NATResult.Outcome(outcome).label,
            "ct": ct,
            "limit": f"{contradicted.ct:g}",
            "document": document_title(case.plan.document, short=True) if case else "",
        }
    )


def _judge_of(sample: Sample) -> Case | None:
    """Return the case by whose law a result is judged: first one whose law names a Ct."""
    cases = open_cases_of(sample.resident)
    plans = {case.pk: plan_of(case.plan) for case in cases}
    infected = [case for case in cases if plans[case.pk].release is not None]
    named = [case for case in cases if plans[case.pk].positive_below_ct is not None]
    return next(iter((*infected, *named, *cases)), None) or last_case_at(sample)


def last_case_at(sample: Sample) -> Case | None:
    """Return the last closed case of the person that began before a sample was taken."""
    closed = Case.objects.exclude(closed_on=None).exclude(closed_as=Case.ClosedAs.WITHDRAWN)
    before = closed.filter(resident=sample.resident_id, day_1__lte=sample.day)
    return before.select_related("plan", "grid", "resident").order_by("-closed_on", "-pk").first()


def _after_closing(result: NATResult, *, at: datetime, by: User, tells: bool) -> Recorded:
    """Let a positive of somebody without an open case raise the alarm."""
    sample = result.sample
    case = last_case_at(sample)
    if not _raises_alarm(result, case):
        return Recorded(result, case, None)
    gone = sample.resident.gone_as
    opened = None if gone else _open_infected(result, at=at, by=by, tells=tells)
    if case and opened is None:
        record(
            case=case,
            kind=Event.Kind.POSITIVE,
            day=sample.day,
            at=at,
            by=by,
            detail={"result": result.pk},
        )
    _alarm_after_closing(result, opened, case, at=at, by=by)
    return Recorded(result, case, opened)


def follow_known_positive(*, case: Case, at: datetime, by: User, tells: bool = True) -> None:
    """
    Let a positive stop a case that was opened after it was known.

    The first one of the days of the case; else the newest result of the person, of at most
    LOOK_BACK before day 1, where no case was opened or closed for it: where the law has no rule
    for infected people none could be, as long as nobody was under a measure.
    """
    known = NATResult.objects.valid().exclude(outcome__in=NATResult.NO_RESULT)
    recent = known.filter(
        sample__resident=case.resident, sample__day__gte=case.day_1 - LOOK_BACK
    ).select_related("sample__resident__grid")
    results = list(recent.order_by("sample__taken_at", "pk"))
    within = [one for one in results if one.sample.day >= case.day_1 and _stopped_by(one, [case])]
    for result in within[:1] or results[-1:]:
        if not _stopped_by(result, [case]) or is_followed(result):
            continue
        if not within and (_closed_by(result) or result.cases.exists()):
            continue
        cases = [case, *(one for one in open_cases_of(case.resident) if one.pk != case.pk)]
        if stopped := _stopped_by(result, cases):
            _positive(cases, stopped, result, at=at, by=by, tells=tells)


def _closed_by(result: NATResult) -> bool:
    closings = Event.objects.valid().filter(detail__result=result.pk, detail__has_key="closed_as")
    return closings.filter(case__resident=result.sample.resident_id).exists()


def _raises_alarm(result: NATResult, case: Case | None) -> bool:
    """Return whether a result is positive by the law of the case it was for, else by its word."""
    found = _found(result.sample, result.outcome, result.ct)
    if found is None:
        return False
    if case is None or (case.closed_on and case.closed_on < found.day):
        return found.result == "positive"
    plan = plan_of(case.plan)
    if plan.release is not None:
        return not laying.passes(found, plan.release)
    return laying.is_positive(found, plan)


def _positive(
    cases: Sequence[Case],
    stopped: Sequence[Case],
    result: NATResult,
    *,
    at: datetime,
    by: User,
    tells: bool,
) -> Case | None:
    """Open the ground of an infected person beside `cases`, or close all where there is none."""
    governing = cases[0]
    cause, *_others = [
        record(
            case=case,
            kind=Event.Kind.POSITIVE,
            day=result.sample.day,
            at=at,
            by=by,
            detail={"result": result.pk},
        )
        for case in stopped
    ]
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
            tells=tells,
        )
        _propose_household(cause, stopped[0], law, at=at, by=by)
        return None
    opened = open_case(
        resident=governing.resident,
        grid=governing.grid,
        law=law,
        decision=decision,
        person=person,
        at=at,
        by=by,
        positive=result,
        tells=tells,
    )
    todo.open_todo(
        kind=Todo.Kind.POSITIVE, resident=opened.resident, cause=cause, case=opened, at=at, by=by
    )
    _propose_household(cause, opened, law, at=at, by=by)
    return opened


def _propose_household(
    cause: Event | NATResult, case: Case, law: Law, *, at: datetime, by: User
) -> None:
    if knows_contacts(law) and proposed_contacts(case=case, at=at):
        todo.open_household(index=case.resident, cause=cause, case=case, at=at, by=by)


def _alarm_after_closing(
    result: NATResult, opened: Case | None, closed: Case | None, *, at: datetime, by: User
) -> None:
    """Make the positive of somebody who is under no measure, or is gone, something to do."""
    resident = result.sample.resident
    law = in_force(area=resident.grid, at=at)
    about: dict[str, Any] = {"cause": result, "at": at, "by": by}
    if opened is None and law is not None and not resident.gone_as:
        todo.open_referral(resident=resident, case=closed, **about)
    else:
        todo.open_todo(kind=Todo.Kind.POSITIVE, resident=resident, case=opened or closed, **about)
    if law is None or not knows_contacts(law):
        return
    if index := opened or closed:
        _propose_household(result, index, law, at=at, by=by)
    else:
        todo.open_household(index=resident, case=None, **about)


def _follow_pool(result: NATResult, case: Case | None, *, at: datetime, by: User) -> None:
    """Make a positive pool something to check, until a tube of the person's own has a result."""
    sample = result.sample
    if result.outcome in NATResult.NO_RESULT:
        return
    if not sample.pooled:
        todo.done_by(result, kinds=[Todo.Kind.POOL], resident=sample.resident, at=at, by=by)
        return
    own = NATResult.objects.valid().exclude(outcome__in=NATResult.NO_RESULT)
    checked = own.filter(
        sample__resident=sample.resident_id, sample__pooled=False, sample__day__gte=sample.day
    )
    if result.outcome == NATResult.Outcome.POSITIVE and not checked.exists():
        todo.open_pool_check(result=result, case=case, at=at, by=by)


def _open_infected(result: NATResult, *, at: datetime, by: User, tells: bool) -> Case | None:
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
        tells=tells,
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
