"""The daily check: temperature and symptoms."""

import uuid
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.staff.models import User
from common.errors import RefusedError
from quarantine.cases.lifecycle import record, refuse_closed
from quarantine.models import Case, Event

LOWEST, HIGHEST = Decimal(33), Decimal(43)


class Symptom(models.TextChoices):
    """A symptom that the person reports."""

    FEVER = "fever", gettext_lazy("Fever")
    COUGH = "cough", gettext_lazy("Dry cough")
    FATIGUE = "fatigue", gettext_lazy("Fatigue")
    THROAT = "throat", gettext_lazy("Sore throat")
    TASTE = "taste", gettext_lazy("Loss of smell or taste")
    DIARRHOEA = "diarrhoea", gettext_lazy("Diarrhoea")
    BREATH = "breath", gettext_lazy("Shortness of breath")


class TemperatureError(RefusedError):
    """A temperature outside the range of living people."""

    field = "temperature"


@transaction.atomic
def daily_check(
    *,
    case: Case,
    temperature: Decimal | None,
    symptoms: Collection[Symptom],
    note: str,
    at: datetime,
    by: User,
    key: uuid.UUID | None = None,
) -> Event:
    """Record the daily check of a person, once for each `key`; `note` is stored encrypted."""
    refuse_closed(case)
    if temperature is not None and not (
        temperature.is_finite() and LOWEST <= temperature <= HIGHEST
    ):
        raise TemperatureError(_("A body temperature lies between 33 and 43 °C."))
    return record(
        case=case,
        kind=Event.Kind.CHECK,
        at=at,
        by=by,
        note=note,
        key=key,
        detail={
            "temperature": None if temperature is None else str(temperature),
            "symptoms": sorted(Symptom(symptom).value for symptom in symptoms),
        },
    )
