"""Leaving home under a measure: asked for, approved, refused."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import clock
from accounts.errors import RefusedError
from accounts.models import User
from policy.engine.calendar import Calendar
from policy.engine.plans import Movement
from quarantine.calendars import calendar_of
from quarantine.cases import clause_of, record, refuse_closed
from quarantine.models import Case, Event
from quarantine.plans import plan_of


class Purpose(models.TextChoices):
    """Why somebody must go out."""

    MEDICAL = "medical", gettext_lazy("Seeing a doctor")
    OTHER = "other", gettext_lazy("Another necessary reason")


class Vehicle(models.TextChoices):
    """How somebody travels."""

    ESCORTED = "escorted", gettext_lazy("Escorted vehicle, door to door")
    AMBULANCE = "ambulance", gettext_lazy("Ambulance")
    OWN = "own", gettext_lazy("Own vehicle")
    ON_FOOT = "on_foot", gettext_lazy("On foot")


class Mask(models.TextChoices):
    """What is worn."""

    N95 = "n95", gettext_lazy("KN95, N95 or better")
    SURGICAL = "surgical", gettext_lazy("Surgical mask")


class OutingError(RefusedError):
    """An outing that the clause does not allow as asked for; `field` names what is missing."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class AnsweredError(RefusedError):
    """An outing that was answered or taken back before."""


class OwnRequestError(RefusedError):
    """Somebody approves what they asked for themselves."""


@dataclass(frozen=True)
class Terms:
    """Under which terms a clause lets somebody out."""

    purposes: frozenset[Purpose]
    vehicles: frozenset[Vehicle]
    masks: frozenset[Mask]


ANY_PURPOSE, ANY_MASK = frozenset(Purpose), frozenset(Mask)
ESCORTED = frozenset({Vehicle.ESCORTED, Vehicle.AMBULANCE})

# Where a clause says 不得外出 or 足不出户 and names no exception: an illness is one everywhere
# (101号 17: nobody is kept from a doctor), and what spreads least is asked.
_NO_EXCEPTION = Terms(frozenset({Purpose.MEDICAL}), ESCORTED, frozenset({Mask.N95}))
# 101号 5, Bayannur 6: no public transport, no crowded places; the portal lists no bus.
_IF_NECESSARY = Terms(ANY_PURPOSE, frozenset(Vehicle), ANY_MASK)
# Yingkou 2 (an illness and the like) and 3 (when it must be): N95, escorted, door to door.
_NAMED = {
    ("yingkou-2022-11", "2"): Terms(ANY_PURPOSE, ESCORTED, frozenset({Mask.N95})),
    ("yingkou-2022-11", "3"): Terms(ANY_PURPOSE, ESCORTED, frozenset({Mask.N95})),
}


def terms_of(case: Case, *, laid: Calendar, day: date) -> Terms | None:
    """Return the terms for an outing on a day, None when none needs to be asked for."""
    movement = _movement(laid, day)
    if movement in ("free", "low_contact"):
        return None
    plan = plan_of(case.plan)
    general = _IF_NECESSARY if movement == "non_essential_no" else _NO_EXCEPTION
    return _NAMED.get((plan.document, plan.clause), general)


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
    purpose: Purpose,
    vehicle: Vehicle,
    mask: Mask,
    reason: str,
    at: datetime,
    by: User,
    key: uuid.UUID | None = None,
) -> Event:
    """
    Ask for an outing, once for each `key`, reported to the community staff by being recorded here.

    Yingkou clauses 2 and 3: an N95 mask and an escorted vehicle. Where the law forbids going
    out and names no exception, only a medical reason counts.
    """
    refuse_closed(case)
    today = clock.day_of(at)
    if day < today:
        raise OutingError(_("An outing is asked for before it happens."), field="day")
    terms = terms_of(case, laid=calendar_of(case, today=today), day=day)
    if terms is None:
        raise OutingError(_("On that day no outing needs to be asked for."), field="day")
    _refuse_outside(terms, purpose, vehicle, mask, clause_of(case))
    return record(
        case=case,
        kind=Event.Kind.OUTING_ASKED,
        key=key,
        day=day,
        at=at,
        by=by,
        reason=reason,
        detail={"purpose": purpose, "vehicle": vehicle, "mask": mask},
    )


def _refuse_outside(
    terms: Terms, purpose: Purpose, vehicle: Vehicle, mask: Mask, clause: str
) -> None:
    if purpose not in terms.purposes:
        raise OutingError(
            _("The clause in force (%(clause)s) allows going out for a medical reason only.")
            % {"clause": clause},
            field="purpose",
        )
    if vehicle not in terms.vehicles:
        raise OutingError(
            _("The clause in force (%(clause)s) asks for an escorted vehicle, door to door.")
            % {"clause": clause},
            field="vehicle",
        )
    if mask not in terms.masks:
        raise OutingError(
            _("The clause in force (%(clause)s) asks for a KN95 or N95 mask all the way.")
            % {"clause": clause},
            field="mask",
        )


@transaction.atomic
def approve_outing(*, asked: Event, at: datetime, by: User) -> Event:
    """Approve an outing; the one who asked for it cannot."""
    if asked.by_id == by.pk:
        raise OwnRequestError(_("Somebody else than the one who asked for it must approve."))
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
    return record(
        case=asked.case, kind=kind, day=asked.day, at=at, by=by, reason=reason, about=asked
    )
