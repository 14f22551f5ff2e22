"""The form to open a record of another area."""

from django import forms
from django.utils.translation import gettext_lazy as _

from common.text import TextField


class OpeningForm(forms.Form):
    """An exact number, phone or pseudonym, and a reason; posted, never in an address."""

    text = TextField(
        label=_("Whole document number, whole phone or pseudonym"),
        max_length=60,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": _("Enter whose record you need.")},
    )
    reason = TextField(
        label=_("What do you need it for?"),
        min_length=4,
        max_length=200,
        widget=forms.Textarea({"rows": 3}),
        error_messages={
            "required": _("Say what you need it for."),
            "min_length": _("Say in a few words what you need it for."),
        },
    )
