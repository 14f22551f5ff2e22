"""
Whether whitelist workers may work now, and why.

The law decides on posts and proofs (`policy.engine.decisions.people.whitelist`). Besides it, an
open case goes before the white list: a worker who is a contact or infected follows the ordinary
measure (readings.md, Who matches). What no clause decides is left to a person: "see the desk".
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import cast

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common import clock
from policy.activations.laws import laws_over
from policy.engine.calendars.laying import Calendar, passes
from policy.engine.decisions.facts import NATResult
from policy.engine.decisions.people import WhitelistDecision, whitelist
from policy.engine.decisions.screening import Screening, screen
from policy.engine.documents.law import Law
from policy.engine.documents.schema import Post, WhitelistPost
from policy.words import say
from quarantine.cases.calendars import calendars_of
from quarantine.cases.plans import plan_of
from quarantine.cases.readiness import RELEASABLE, readiness_of
from quarantine.cases.standing import INFECTED, STRICTEST_FIRST
from quarantine.cases.words import measure_of
from quarantine.models import Case
from residents.whitelist.models import DutyEntry, Worker
from testing.proofs import LatestResult, latest_results, sampled_days


class Answer(TextChoices):
    """The answer given at a gate."""

    WORK = "work", gettext_lazy("May work")
    NO_WORK = "no_work", gettext_lazy("May not work")
    DESK = "desk", gettext_lazy("See the desk")


@dataclass(frozen=True)
class WorkStatus:
    """Whether a worker may work at a moment, with the reasons."""

    answer: Answer
    reasons: list[str]
    listing: WhitelistDecision | None
    screening: Screening | None
    latest: LatestResult | None
    proof_until: datetime | None
    entries: dict[str, DutyEntry] = field(default_factory=dict)


@dataclass
class _WorkerData:
    """The data of some workers, read at once."""

    laws: dict[int, Law]
    latest: dict[int, LatestResult]
    sampled: dict[int, list[date]]
    cases: dict[int, list[Case]]  # of each resident, the one that governs first
    calendars: dict[int, Calendar]
    entries: dict[int, dict[str, DutyEntry]]
    released: dict[int, Case]


def work_statuses_of(workers: Collection[Worker], *, at: datetime) -> dict[int, WorkStatus]:
    """Return the work status of some workers, by key, in as many queries as for one."""
    known = _read(workers, at)
    return {worker.pk: _work_status(worker, known, at) for worker in workers}


def _read(workers: Collection[Worker], at: datetime) -> _WorkerData:
    today = clock.day_of(at)
    people = [worker.resident_id for worker in workers]
    cases = list(
        Case.objects.open()
        .filter(resident__in=people)
        .select_related("plan__provision")
        .order_by(*STRICTEST_FIRST)
    )
    of_resident: dict[int, list[Case]] = {}
    for case in cases:
        of_resident.setdefault(case.resident_id, []).append(case)
    entries: dict[int, dict[str, DutyEntry]] = {}
    rows = DutyEntry.objects.filter(worker__in=workers).order_by("worker", "duty", "-day", "-pk")
    for entry in rows.distinct("worker", "duty"):
        entries.setdefault(entry.worker_id, {})[entry.duty] = entry
    screened = any(worker.screening_post for worker in workers)
    latest = latest_results(people, at=at)
    return _WorkerData(
        laws=laws_over({worker.resident.grid for worker in workers}, at=at),
        latest=latest,
        sampled=sampled_days(people, since=_monday(today)) if screened else {},
        cases=of_resident,
        calendars=calendars_of(cases, today=today),
        entries=entries,
        released=_released([person for person, found in latest.items() if not found.negative]),
    )


def _released(positive: list[int]) -> dict[int, Case]:
    """Return the last case of each from which an infected person was released."""
    released = Case.objects.filter(resident__in=positive, closed_as=Case.ClosedAs.RELEASED)
    rows = released.filter(plan__provision__subject=INFECTED)
    last = rows.order_by("resident", "-closed_on", "-pk").distinct("resident")
    return {case.resident_id: case for case in last.select_related("plan")} if positive else {}


def _let_pass(latest: LatestResult | None, case: Case | None) -> bool:
    """Return whether a result is one with which the law released an infected person."""
    release = plan_of(case.plan).release if case else None
    if not case or not case.closed_on or not release or not latest or latest.pooled:
        return False
    day = clock.day_of(latest.sampled_at)
    found = NATResult(day, "positive", None if latest.ct is None else float(latest.ct))
    return case.day_1 <= day <= case.closed_on and passes(found, release)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _work_status(worker: Worker, known: _WorkerData, at: datetime) -> WorkStatus:
    today, law = clock.day_of(at), known.laws.get(worker.resident.grid_id)
    latest = known.latest.get(worker.resident_id)
    proof = latest.proof if latest else None
    listing = screening = None
    if law:
        listing = whitelist(law, cast(WhitelistPost, worker.post), at, proof)
        if worker.screening_post:
            done = known.sampled.get(worker.resident_id, ())
            post = cast(Post, worker.screening_post)
            screening = screen(law, post, _monday(today), today, done=done)
    until = None
    if proof and proof.counts_from and listing and listing.proof_hours:
        until = proof.counts_from + timedelta(hours=listing.proof_hours)
    entries = known.entries.get(worker.pk, {})
    findings = [
        *_entry_verdicts(worker, today),
        *_case_verdicts(known, worker, today),
        *_result_verdicts(
            latest, listing, let_pass=_let_pass(latest, known.released.get(worker.resident_id))
        ),
        *_desk_verdicts(entries, screening, today),
    ]
    answer = min((verdict for verdict, _why in findings), key=_ORDER.index, default=Answer.WORK)
    return WorkStatus(
        answer=answer,
        reasons=[why for _verdict, why in findings],
        listing=listing,
        screening=screening,
        latest=latest,
        proof_until=until,
        entries=entries,
    )


HELD = {"forbidden", "stay_indoors"}
# The first that is said goes before the others.
_ORDER = [Answer.NO_WORK, Answer.DESK, Answer.WORK]
Verdicts = Iterable[tuple[Answer, str]]


def _entry_verdicts(worker: Worker, today: date) -> Verdicts:
    if worker.ended_at or worker.resident.gone_as:
        yield Answer.DESK, _("No longer on the white list.")
    elif today > worker.valid_until:
        yield Answer.DESK, _("The entry ended on %s.") % worker.valid_until
    elif today < worker.valid_from:
        yield Answer.DESK, _("The entry begins on %s.") % worker.valid_from


def _case_verdicts(known: _WorkerData, worker: Worker, today: date) -> Verdicts:
    cases = known.cases.get(worker.resident_id, [])
    if not cases:
        return
    if readiness_of(cases, known.calendars, today=today) in RELEASABLE:
        named = measure_of(cases[0].plan)
        yield Answer.DESK, _("The release from the measure has to be confirmed: %s.") % named
        return
    for case in cases:
        yield from _ground_verdicts(case, known.calendars[case.pk], today)


def _ground_verdicts(case: Case, calendar: Calendar, today: date) -> Verdicts:
    named = measure_of(case.plan)
    now = next((s for s in calendar.stages if s.first_day <= today <= s.last_day), None)
    held = any(
        stage.force == "must" and stage.movement in HELD and stage.first_day <= today
        for stage in calendar.stages
    )
    if calendar.may_be_released:
        yield Answer.DESK, _("The release from the measure has to be confirmed: %s.") % named
    elif calendar.refer or held:
        yield Answer.NO_WORK, _("Under a measure that goes before the white list: %s.") % named
    elif now and now.movement != "free":
        yield Answer.DESK, _("Under a measure: %s.") % named


def _result_verdicts(
    latest: LatestResult | None, listing: WhitelistDecision | None, *, let_pass: bool
) -> Verdicts:
    if latest and latest.pooled and not latest.negative:
        yield Answer.NO_WORK, _("The newest result is a positive pool, still to be checked.")
    elif latest and not latest.negative and not let_pass:
        yield Answer.NO_WORK, _("The newest result is positive.")
    elif listing and not listing.may_work:
        yield Answer.NO_WORK, say(listing.because[-1])


def _desk_verdicts(
    entries: dict[str, DutyEntry], screening: Screening | None, today: date
) -> Verdicts:
    monitored = entries.get("health_monitoring")
    if monitored and monitored.day == today and not monitored.well:
        yield Answer.DESK, _("Symptoms were noted today.")
    if screening and screening.overdue:
        yield Answer.DESK, _("A test of the post is overdue this week.")
