"""Forms that put facts right: they clean, and decide nothing."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.text import TextField
from quarantine.arrivals.forms import JourneyForm
from quarantine.corrections.kinds import ExcludedBy
from quarantine.corrections.permission import LONGEST_REASON

FIND = "find"
LONGEST_SEARCH = 50


def reason_field(*, required: bool = True) -> TextField:
    """Return the field of the reason, which a supervisor has to give."""
    return TextField(
        label=_("What was wrong, and who says so"), max_length=LONGEST_REASON, required=required
    )


class CorrectionForm(forms.Form):
    """One way to put a fact right; the reason is asked for once the time to undo is over."""

    def __init__(self, *args: Any, in_time: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"] = reason_field(required=not in_time)


class WithdrawForm(CorrectionForm):
    """The fact never was."""


class GiveForm(CorrectionForm):
    """The fact belongs to somebody else, chosen among those that a typed text finds."""

    who = TextField(
        label=_("Name, number, phone or door of the right person"),
        max_length=LONGEST_SEARCH,
        required=False,
    )
    to = forms.TypedChoiceField(
        label=_("Belongs to"), widget=forms.RadioSelect, coerce=uuid.UUID, required=False
    )

    def __init__(self, *args: Any, people: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].choices = people  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Ask for the person."""
        data = super().clean() or {}
        if not data.get("to") and "to" not in self.errors:
            self.add_error("who", _("Find the right person, then choose them."))
        return data


class InErrorForm(CorrectionForm):
    """The case was entered by mistake."""

    def __init__(self, *args: Any, in_time: bool, **kwargs: Any) -> None:
        super().__init__(*args, in_time=False, **kwargs)


class ExcludeForm(InErrorForm):
    """Somebody who may say so found no ground."""

    excluded_by = forms.ChoiceField(
        label=_("Excluded by"), choices=ExcludedBy.choices, widget=forms.RadioSelect
    )


class CorrectArrivalForm(JourneyForm):
    """The journey of an arrival as it really was."""

    def __init__(self, *args: Any, now: datetime, in_time: bool, **kwargs: Any) -> None:
        super().__init__(*args, now=now, **kwargs)
        self.fields["reason"] = reason_field(required=not in_time)
