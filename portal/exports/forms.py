"""Forms of exports."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.exports.models import ExportPurpose, FileFormat, Sensitive
from accounts.exports.requests import LONGEST_REASON
from common.text import TextField


class FormatForm(forms.Form):
    """The format of a file."""

    format = forms.ChoiceField(
        label=_("Format"),
        choices=[each for each in FileFormat.choices if each[0] != FileFormat.ZIP],
        initial=FileFormat.XLSX,
        widget=forms.RadioSelect,
    )


class AskForm(FormatForm):
    """A request for unmasked fields, with its reason."""

    field_order = ["fields_", "purpose", "reason", "format"]

    fields_ = forms.MultipleChoiceField(
        label=_("Unmasked"),
        choices=Sensitive.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose what has to be unmasked.")},
        help_text=_("Only what is needed: everything else stays masked."),
    )
    purpose = forms.ChoiceField(
        label=_("What for"),
        choices=[each for each in ExportPurpose.choices if each[0] != ExportPurpose.OWN_DATA],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what it is needed for.")},
    )
    reason = TextField(
        label=pgettext_lazy("of a request", "Reason"),
        max_length=LONGEST_REASON,
        help_text=_("For whom and why now. Name nobody here: those who check exports read it."),
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": _("Say why: it is kept with the request.")},
    )

    def request_fields(self) -> dict[str, Any]:
        """Return the request as arguments of the service."""
        cleaned = self.cleaned_data
        return {
            "fields": cleaned["fields_"],
            "purpose": cleaned["purpose"],
            "reason": cleaned["reason"],
            "kind": cleaned["format"],
        }


class RefusalForm(forms.Form):
    """Why a request is refused."""

    reason = TextField(
        label=_("Why it is refused"),
        max_length=LONGEST_REASON,
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": _("Say why: it is kept with the request.")},
    )
