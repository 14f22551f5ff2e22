"""The check of the day."""

from datetime import date
from decimal import Decimal

import pytest

from quarantine.acts.daily_checks import Symptom, TemperatureError, daily_check
from quarantine.models import Case, Event
from tests.factories import make_case, make_user, moment

pytestmark = pytest.mark.django_db


def check(case: Case, temperature: str | None, *symptoms: Symptom, note: str = "") -> Event:
    return daily_check(
        case=case,
        temperature=None if temperature is None else Decimal(temperature),
        symptoms=symptoms,
        note=note,
        at=moment(date(2022, 11, 21)),
        by=make_user(),
    )


class TestDailyCheck:
    def test_keeps_temperature_and_symptoms(self) -> None:
        event = check(make_case(), "37.3", Symptom.COUGH, Symptom.FEVER, note="夜里咳嗽")

        event.refresh_from_db()
        assert event.detail == {"temperature": "37.3", "symptoms": ["cough", "fever"]}
        assert event.note == "夜里咳嗽"

    @pytest.mark.parametrize("temperature", ["33", "43.0", None])
    def test_accepts_what_a_living_person_has(self, temperature: str | None) -> None:
        assert check(make_case(), temperature).pk

    @pytest.mark.parametrize("temperature", ["32.9", "43.1", "NaN", "Infinity"])
    def test_refuses_what_nobody_has(self, temperature: str) -> None:
        with pytest.raises(TemperatureError):
            check(make_case(), temperature)

    def test_leaves_the_version_alone_so_that_nobody_has_to_wait(self) -> None:
        case = make_case()

        check(case, "36.5")

        case.refresh_from_db()
        assert case.version == 1
