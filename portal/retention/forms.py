"""Forms for the end of an outbreak, and for how long its data stay."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.staff.models import Area
from common.text import TextField
from portal.retention.closing import LONGEST_REASON
from portal.retention.models import LONGEST, SHORTEST


class AreaChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic when run
    """Areas, each with its level."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the name with the level, which tells a street from its community."""
        return f"{obj} · {obj.get_level_display()}"


class _ForAnArea(forms.Form):
    area = AreaChoice(
        label=_("Area"),
        queryset=Area.objects.none(),
        to_field_name="code",
        empty_label=None,
        widget=forms.Select({"class": "form-select"}),
    )
    reason = TextField(
        label=pgettext_lazy("of a closing", "Reason"),
        max_length=LONGEST_REASON,
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": _("Say why: it is kept.")},
    )

    def __init__(self, *args: Any, areas: "QuerySet[Area]", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["area"]
        assert isinstance(field, AreaChoice)  # noqa: S101 - tells the type checker
        field.queryset = areas


class ClosingForm(_ForAnArea):
    """Which area's outbreak is over, and why one thinks so."""


class ReasonForm(forms.Form):
    """Why a closing is taken back."""

    reason = TextField(
        label=_("Why it is taken back"),
        max_length=LONGEST_REASON,
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": _("Say why: it is kept.")},
    )


class TermForm(_ForAnArea):
    """How many days the data of a closed outbreak stay in an area."""

    field_order = ["area", "days", "reason"]

    days = forms.IntegerField(
        label=_("Days"),
        min_value=SHORTEST,
        max_value=LONGEST,
        widget=forms.NumberInput({"inputmode": "numeric", "class": "form-control"}),
    )
