"""The form for a check at a door; it asks for no identity."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.timezone import localtime, make_aware
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from policy import words
from policy.engine.decisions.doors import Visitor
from policy.engine.decisions.facts import Proof

YES_NO = [("yes", gettext_lazy("Yes")), ("no", gettext_lazy("No"))]
DAYS = [
    ("", gettext_lazy("No proof")),
    ("0", gettext_lazy("Today")),
    ("1", gettext_lazy("Yesterday")),
    ("2", gettext_lazy("The day before")),
    ("3", gettext_lazy("Three days ago")),
]
# The field for each check.
FIELDS = {
    "temperature": "temperature",
    "scan": "scanned",
    "travel_code": "travel_code",
    "health_code": "health_code",
    "proof": "sampled_on",
}


def _radio_field(label: Any, choices: Any, initial: str) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=choices, initial=initial, required=False, widget=forms.RadioSelect
    )


class DoorForm(forms.Form):
    """The role of a visitor and what they show, limited to the checks of the law."""

    role = _radio_field(gettext_lazy("Who comes"), list(words.ROLES.items()), "visitor")
    sampled_on = _radio_field(gettext_lazy("Negative proof, sampled"), DAYS, "")
    sampled_at = forms.TimeField(
        label=gettext_lazy("at"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time", "class": "form-control"}, format="%H:%M"),
        error_messages={"invalid": gettext_lazy("Give the time of the proof, for example 09:30.")},
    )
    health_code = _radio_field(
        gettext_lazy("Health code"),
        [*words.CODES.items(), ("none", pgettext_lazy("no code", "None"))],
        "green",
    )
    scanned = _radio_field(gettext_lazy("Place code scanned"), YES_NO, "yes")
    temperature = _radio_field(gettext_lazy("Temperature normal"), YES_NO, "yes")
    travel_code = _radio_field(gettext_lazy("Travel code normal"), YES_NO, "yes")

    def __init__(self, *args: Any, checks: Collection[str], at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at = at
        for check, name in FIELDS.items():
            if check not in checks:
                del self.fields[name]
        if "proof" not in checks:
            del self.fields["sampled_at"]
        if self.is_bound:  # fields not sent keep their initial values
            shown = {name: field.initial or "" for name, field in self.fields.items()}
            self.data = {**shown, **{name: self.data[name] for name in self.data}}

    def clean(self) -> dict[str, Any]:
        """Require the time of a sample, in the past, and add the proof."""
        cleaned = super().clean() or {}
        if cleaned.get("sampled_on") and "sampled_at" not in self.errors:
            if not cleaned.get("sampled_at"):
                self.add_error("sampled_at", _("Give the time that stands on the proof."))
            elif (sampled := self._sampled(cleaned)) > self.at:
                self.add_error("sampled_at", _("This time has not come yet: check day and time."))
            else:
                cleaned["proof"] = Proof(sampled_at=sampled)
        return cleaned

    def _sampled(self, cleaned: dict[str, Any]) -> datetime:
        day = localtime(self.at).date() - timedelta(days=int(cleaned["sampled_on"]))
        return make_aware(datetime.combine(day, cleaned["sampled_at"]))

    def visitor(self) -> Visitor:
        """Return the visitor for the engine; checks that were not asked count as passed."""
        shown = self.cleaned_data
        code: Any = shown.get("health_code") or "green"
        return Visitor(
            proof=shown.get("proof"),
            health_code=None if code == "none" else code,
            travel_code_ok=shown.get("travel_code") != "no",
            scanned=shown.get("scanned") != "no",
            temperature_ok=shown.get("temperature") != "no",
            role=shown.get("role") or "visitor",
        )
