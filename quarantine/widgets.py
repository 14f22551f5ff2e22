"""Fields and widgets that several forms share."""

from __future__ import annotations

from typing import Any

from django import forms

from common.places import LONGEST_PLACE, Place, UnknownPlaceError, read_place
from common.text import TextField


class DateInput(forms.DateInput):
    """The browser's own picker of days."""

    input_type = "date"

    def __init__(self, **attrs: Any) -> None:
        super().__init__(attrs=attrs, format="%Y-%m-%d")


class MomentInput(forms.DateTimeInput):
    """The browser's own picker of a day and time."""

    input_type = "datetime-local"

    def __init__(self, **attrs: Any) -> None:
        super().__init__(attrs=attrs, format="%Y-%m-%dT%H:%M")


class PlaceField(TextField):
    """A text that names one area; cleans to a `Place`, None for nothing."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", LONGEST_PLACE)
        super().__init__(
            widget=forms.TextInput(attrs={"autocomplete": "off", "data-places": ""}), **kwargs
        )
        self.places: list[Place] = []

    def clean(self, value: Any) -> Any:
        """Return the place that was typed; keep those it may mean for the page to offer."""
        text = super().clean(value)
        self.places = []
        if not text:
            return None
        try:
            return read_place(text)
        except UnknownPlaceError as error:
            self.places = error.places
            raise
