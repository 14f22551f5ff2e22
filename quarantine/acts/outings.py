"""Outings under a measure: requested, approved, refused."""

import uuid
from datetime import date, datetime

from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.staff.models import User
from accounts.voices.independence import refuse_one_voice
from common import clock
from common.errors import RefusedError
from policy import words
from policy.engine.calendars.laying import Calendar
from policy.engine.calendars.plans import Movement
from policy.engine.decisions.outings import Terms, terms
from policy.engine.documents.law import Citation
from policy.services import library
from quarantine.cases.calendars import calendar_of
from quarantine.cases.lifecycle import record, refuse_closed
from quarantine.cases.plans import plan_of
from quarantine.models import Case, Event
from quarantine.todo import services as todo
from quarantine.todo.models import Todo


class OutingPurpose(models.TextChoices):
    """The purpose of an outing."""

    MEDICAL = "medical", words.OUTINGS["medical"]
    OTHER = "other", words.OUTINGS["other"]


class Vehicle(models.TextChoices):
    """The means of travel."""

    ESCORTED = "escorted", words.OUTINGS["escorted"]
    AMBULANCE = "ambulance", words.OUTINGS["ambulance"]
    OWN = "own", words.OUTINGS["own"]
    ON_FOOT = "on_foot", words.OUTINGS["on_foot"]


class Mask(models.TextChoices):
    """The mask to wear."""

    N95 = "n95", words.OUTINGS["n95"]
    SURGICAL = "surgical", words.OUTINGS["surgical"]


class OutingError(RefusedError):
    """An outing that the clause does not allow as asked for; `field` names what is missing."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class AnsweredError(RefusedError):
    """An outing that was answered or taken back before."""


class OwnRequestError(RefusedError):
    """The approver is the one who asked."""


def terms_of(case: Case, *, laid: Calendar, day: date) -> Terms | None:
    """Return the terms for an outing on a day, None when none needs to be asked for."""
    plan = plan_of(case.plan)
    law = library().law(case.law)
    return terms(law, Citation(plan.document, plan.clause), plan.subject, _movement(laid, day))


def _movement(laid: Calendar, day: date) -> Movement:
    for stage in laid.stages:
        if stage.first_day <= day <= stage.last_day:
            return stage.movement
    held = laid.earliest_release is not None and day <= laid.earliest_release
    return laid.stages[-1].movement if held and laid.stages else "free"


@transaction.atomic
def ask_outing(
    *,
    case: Case,
    day: date,
    purpose: OutingPurpose,
    vehicle: Vehicle,
    mask: Mask,
    reason: str,
    at: datetime,
    by: User,
    key: uuid.UUID | None = None,
) -> Event:
    """
    Ask for an outing, once for each `key`, reported to the community staff by being recorded here.

    The terms stand in the documents, at the clause that holds the person or under 101号 17.
    """
    refuse_closed(case)
    today = clock.day_of(at)
    if day < today:
        raise OutingError(_("Leave to go out is asked for beforehand."), field="day")
    asked = terms_of(case, laid=calendar_of(case, today=today), day=day)
    if asked is None:
        raise OutingError(_("On that day no leave to go out is needed."), field="day")
    _refuse_outside(asked, purpose, vehicle, mask)
    event = record(
        case=case,
        kind=Event.Kind.OUTING_ASKED,
        key=key,
        day=day,
        at=at,
        by=by,
        reason=reason,
        detail={"purpose": purpose, "vehicle": vehicle, "mask": mask},
    )
    todo.open_todo(
        kind=Todo.Kind.OUTING, resident=case.resident, cause=event, case=case, at=at, by=by
    )
    return event


def _refuse_outside(terms: Terms, purpose: OutingPurpose, vehicle: Vehicle, mask: Mask) -> None:
    """Refuse values that the terms do not allow, naming the allowed ones."""
    for field, chosen, allowed, sentence in (
        (
            "purpose",
            purpose,
            terms.purposes,
            _("Leave to go out is given for: %(allowed)s (%(clause)s)."),
        ),
        ("vehicle", vehicle, terms.vehicles, _("Only by: %(allowed)s (%(clause)s).")),
        ("mask", mask, terms.masks, _("A mask must be worn: %(allowed)s (%(clause)s).")),
    ):
        if chosen not in allowed:
            labels = [str(type(chosen)(value).label) for value in allowed]
            named = pgettext("joins names", ", ").join(labels)
            parts = {"allowed": named, "clause": _where(terms.cited)}
            raise OutingError(sentence % parts, field=field)


def _where(cited: Citation | None) -> str:
    if cited is None:
        return _("a default of this portal")
    return words.clause_of(cited.document, cited.clause, short=True)


@transaction.atomic
def approve_outing(*, asked: Event, at: datetime, by: User) -> Event:
    """Approve an outing; the one who asked, and who is not independent of them, cannot."""
    if asked.by_id == by.pk:
        raise OwnRequestError(_("Somebody else than the one who asked for it must approve."))
    if asked.by:
        refuse_one_voice(first=asked.by, second=by)
    return _answer(asked, Event.Kind.OUTING_APPROVED, reason="", at=at, by=by)


@transaction.atomic
def refuse_outing(*, asked: Event, reason: str, at: datetime, by: User) -> Event:
    """Refuse an outing with a reason."""
    return _answer(asked, Event.Kind.OUTING_REFUSED, reason=reason, at=at, by=by)


def _answer(asked: Event, kind: Event.Kind, *, reason: str, at: datetime, by: User) -> Event:
    # The lock lets one of two people who answer at once be the second.
    waiting = Event.objects.valid().select_for_update().filter(pk=asked.pk)
    if not waiting.exists() or asked.answers.filter(withdrawn_at=None).exists():
        raise AnsweredError(_("This was answered or taken back by somebody else meanwhile."))
    refuse_closed(asked.case)
    answer = record(
        case=asked.case, kind=kind, day=asked.day, at=at, by=by, reason=reason, about=asked
    )
    todo.answered(asked=asked, answer=answer, at=at, by=by)
    return answer
