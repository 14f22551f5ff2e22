"""Days that somebody may ask for."""

from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.dateparse import parse_date

FIRST, LAST = date(1900, 1, 1), date(2199, 12, 31)  # beyond, the calendar has no day after


class DayField(forms.DateField):
    """A day of this or the neighbouring centuries, for which the days around it exist, too."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.validators += [MinValueValidator(FIRST), MaxValueValidator(LAST)]


def is_day(text: str) -> bool:
    """Return whether a text is a day that somebody may ask for."""
    try:
        day = parse_date(text)
    except ValueError:
        return False
    return day is not None and FIRST <= day <= LAST
