"""Forms about whitelist workers; `services` stores the input."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.text import TextField
from policy import words

TEXT = {"autocomplete": "off", "class": "form-control"}
SELECT = {"class": "form-select"}
# No document limits the validity of an entry; a year makes sure that it is reviewed.
USUAL = timedelta(days=30)
LONGEST = timedelta(days=366)


def _day(label: Any) -> forms.DateField:
    widget = forms.DateInput({"type": "date", "class": "form-control"}, format="%Y-%m-%d")
    return forms.DateField(label=label, widget=widget)


class UntilForm(forms.Form):
    """The last day of an entry."""

    valid_until = _day(_("Valid until"))

    def __init__(self, data: Any = None, *, today: date) -> None:
        super().__init__(data, initial={"valid_until": today + USUAL, "valid_from": today})
        self.today = today
        self.fields["valid_until"].widget.attrs["min"] = today.isoformat()

    def clean_valid_until(self) -> date:
        """Return the last day; refuse one more than a year ahead."""
        until: date = self.cleaned_data["valid_until"]
        if until > self.today + LONGEST:
            raise forms.ValidationError(_("An entry holds for a year at most; renew it then."))
        return until


class WorkerForm(UntilForm):
    """Post, employer and validity."""

    post = forms.ChoiceField(
        label=_("Post"), choices=list(words.WHITELIST_POSTS.items()), widget=forms.RadioSelect
    )
    employer = TextField(
        tidied=True, label=_("Employer"), max_length=100, widget=forms.TextInput(TEXT)
    )
    screening_post = forms.ChoiceField(
        label=_("Post by which tests are asked for"),
        choices=[("", pgettext_lazy("no post", "None")), *words.POSTS.items()],
        required=False,
        widget=forms.Select(SELECT),
    )
    valid_from = _day(_("Valid from"))
    field_order = ("post", "employer", "screening_post", "valid_from", "valid_until")


class DutyForm(forms.Form):
    """A duty done today."""

    duty = forms.ChoiceField(
        choices=[(d, words.WHITELIST_DUTIES[d]) for d in words.WHITELIST_DUTIES if d != "proof"]
    )
    state = forms.ChoiceField(choices=[("well", "well"), ("symptoms", "symptoms")])


class EndForm(forms.Form):
    """The reason for ending an entry."""

    reason = TextField(label=_("Why"), min_length=2, max_length=200, widget=forms.TextInput(TEXT))
