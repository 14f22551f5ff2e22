"""The form in which a person's own data are asked for."""

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.text import TextField


class IdentifiedBy(models.TextChoices):
    """How it was made sure that somebody is the person, or may act for them."""

    PAPER = "paper", _("Their document was looked at")
    GUARDIAN = "guardian", _("A guardian with both documents")
    PROXY = "proxy", _("A proxy with a signed authority and both documents")


class OwnDataForm(forms.Form):
    """Who stands there, and what they asked."""

    identified = forms.ChoiceField(
        label=_("How you know who asks"),
        choices=IdentifiedBy.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Say how you made sure who asks.")},
    )
    note = TextField(
        label=_("What they asked"),
        required=False,
        max_length=150,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text=_("Name nobody here: those who check exports read it."),
    )

    def reason(self) -> str:
        """Return both as the reason of the request."""
        said = [IdentifiedBy(self.cleaned_data["identified"]).label, self.cleaned_data["note"]]
        return " · ".join(str(each) for each in said if each)
