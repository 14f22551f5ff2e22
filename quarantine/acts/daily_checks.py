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
from quarantine.todo.models import Todo
from quarantine.todo.services import open_todo

LOWEST, HIGHEST = Decimal(33), Decimal(43)
# From here on somebody looks at it. Stands in no document that the portal knows: it is the
# temperature at which venues and staff in the field stop people, under the arm in °C.
FEVER = Decimal("37.3")


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
    """
    Record the daily check of a person, once for each `key`; `note` is stored encrypted.

    Any symptom, or FEVER and more, becomes something to do for the supervisor.
    """
    refuse_closed(case)
    if temperature is not None and not (
        temperature.is_finite() and LOWEST <= temperature <= HIGHEST
    ):
        raise TemperatureError(_("A body temperature lies between 33 and 43 °C."))
    event = record(
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
    if symptoms or (temperature is not None and temperature >= FEVER):
        open_todo(
            kind=Todo.Kind.SYMPTOMS, resident=case.resident, cause=event, case=case, at=at, by=by
        )
    return event
