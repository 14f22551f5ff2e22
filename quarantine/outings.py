"""Leaving home under a measure: asked for, approved, refused."""

from __future__ import annotations

from datetime import date, datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.errors import RefusedError
from accounts.models import User
from quarantine.models import Case, Event


class Purpose(models.TextChoices):
    """Why somebody must go out."""

    MEDICAL = "medical", _("Seeing a doctor")
    OTHER = "other", _("Another necessary reason")


class Vehicle(models.TextChoices):
    """How somebody travels."""

    ESCORTED = "escorted", _("Escorted vehicle, door to door")
    AMBULANCE = "ambulance", _("Ambulance")
    OWN = "own", _("Own vehicle")
    ON_FOOT = "on_foot", _("On foot")


class Mask(models.TextChoices):
    """What is worn."""

    N95 = "n95", _("KN95, N95 or better")
    SURGICAL = "surgical", _("Surgical mask")


class OutingError(RefusedError):
    """An outing that the clause does not allow as asked for; `field` names what is missing."""


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
) -> Event:
    """
    Ask for an outing, reported to the community staff by being recorded here.

    Yingkou clauses 2 and 3: an N95 mask and an escorted vehicle. Where the law forbids going
    out and names no exception, only a medical reason counts.
    """
    raise NotImplementedError


def approve_outing(*, asked: Event, at: datetime, by: User) -> Event:
    """Approve an outing; the one who asked for it cannot."""
    raise NotImplementedError


def refuse_outing(*, asked: Event, reason: str, at: datetime, by: User) -> Event:
    """Refuse an outing with a reason."""
    raise NotImplementedError
