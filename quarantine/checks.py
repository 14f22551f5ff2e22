"""The check of the day: temperature and symptoms."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.errors import RefusedError
from accounts.models import User
from quarantine.models import Case, Event


class Symptom(models.TextChoices):
    """What somebody complains of."""

    FEVER = "fever", _("Fever")
    COUGH = "cough", _("Dry cough")
    FATIGUE = "fatigue", _("Fatigue")
    THROAT = "throat", _("Sore throat")
    TASTE = "taste", _("Loss of smell or taste")
    DIARRHOEA = "diarrhoea", _("Diarrhoea")
    BREATH = "breath", _("Shortness of breath")


class TemperatureError(RefusedError):
    """A temperature that no living person has."""

    field = "temperature"


def daily_check(
    *,
    case: Case,
    temperature: Decimal | None,
    symptoms: Collection[Symptom],
    note: str,
    at: datetime,
    by: User,
) -> Event:
    """Record how somebody is today; `note` is kept encrypted."""
    raise NotImplementedError
