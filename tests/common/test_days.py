"""Days beyond the calendar are no days that somebody may ask for."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError

from common.days import FIRST, LAST, DayField, is_day


@pytest.mark.parametrize("day", [FIRST, date(2022, 12, 7), LAST])
def test_a_day_has_days_around_it(day: date) -> None:
    assert DayField().clean(day.isoformat()) == day
    assert is_day(day.isoformat())
    assert day - timedelta(days=366) < day < day + timedelta(days=366)


@pytest.mark.parametrize("text", ["9999-12-31", "0001-01-01", "2022-02-30", "x", "2022-12-7x"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        DayField().clean(text)
    assert not is_day(text)
