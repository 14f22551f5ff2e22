"""Forms of the acts on a case: they clean, and decide nothing."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any, ClassVar, cast

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from common.text import TextField
from policy.engine.decisions.facts import MOST_CT
from policy.words import CLINICAL
from quarantine.acts.available import Act
from quarantine.acts.daily_checks import Symptom
from quarantine.acts.outings import Mask, OutingPurpose, Vehicle
from quarantine.models import Case
from quarantine.widgets import DateInput, MomentInput
from testing.models import LONGEST_TUBE, NATResult


class ActForm(forms.Form):
    """
    A form on a case's page; keeps the version of the case and the day that the page showed.

    What counts for the day on which it is done is asked about once more when a page that was left
    open is sent on another day: it may be of either.
    """

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    shown_on = forms.DateField(widget=forms.HiddenInput, required=False)
    counts_for_its_day: ClassVar[bool] = False
    # The field that says when it was done; left empty, that is now.
    moment: ClassVar[str] = ""

    def __init__(self, *args: Any, today: date, choices: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        for name, offered in choices.items():
            if (field := self.fields.get(name)) and hasattr(field, "choices"):
                field.choices = offered
        # The summary above the page names what is missing; "this field" would say nothing there.
        for field in self.fields.values():
            field.error_messages["required"] = gettext("Still missing: %(field)s.") % {
                "field": field.label
            }

    def clean(self) -> dict[str, Any]:
        """Refuse what would count for another day than the page showed, until it is sent again."""
        data = super().clean() or {}
        shown_on = data.get("shown_on")
        if not self.counts_for_its_day or not shown_on or data.get(self.moment):
            return data
        if shown_on != self.today:
            sentence = gettext(
                "This page was shown on %(day)s, and a new day has begun: nothing is saved yet."
                " Look at it again. What was done before midnight is entered with its time."
            )
            day = date_format(shown_on, "MONTH_DAY_FORMAT")
            self.add_error(self.moment or None, sentence % {"day": day})
            self.data = shown = cast("Any", self.data).copy()
            shown[self.add_prefix("shown_on")] = self.today.isoformat()
        return data


class OnceForm(ActForm):
    """A form that is saved once, however often it is sent: nothing else would refuse it."""

    key = forms.UUIDField(widget=forms.HiddenInput, required=False, initial=uuid.uuid4)

    def clean(self) -> dict[str, Any]:
        """
        Derive the key from the typed values, too.

        Somebody who goes back and corrects what they sent has written something else.
        """
        data = super().clean() or {}
        if key := data.get("key"):
            typed = sorted(
                (name, str(data[name]))
                for name in data
                if name not in {"key", "version", "shown_on"}
            )
            data["key"] = uuid.uuid5(key, repr(typed))
        return data


def _reason(label: Any = None) -> TextField:
    return TextField(label=label or pgettext_lazy("why", "Reason"), max_length=200)


class SampleForm(ActForm):
    """A sample was taken."""

    counts_for_its_day = True
    moment = "taken_at"

    taken_at = forms.DateTimeField(
        label=_("Taken at"),
        required=False,
        widget=MomentInput(),
        help_text=_("Empty: now"),
    )
    pooled = forms.BooleanField(label=_("Pooled with others"), required=False)
    tube = TextField(
        tidied=True,
        label=_("Code of the tube"),
        max_length=LONGEST_TUBE,
        required=False,
        help_text=_("Of a pool: the same for everybody in it."),
    )


class ConfirmedForm(ActForm):
    """A result, which is confirmed once more where its word and its Ct contradict each other."""

    confirmed = TextField(widget=forms.HiddenInput, required=False)
    asks_to_confirm = False

    def clean(self) -> dict[str, Any]:
        """Say whether these very values were asked about and sent again."""
        data = super().clean() or {}
        data["confirmed"] = data.get("confirmed") == self._said(data)
        return data

    def ask_to_confirm(self) -> None:
        """Let the form, shown again, confirm what was typed when it is sent as it is."""
        self.asks_to_confirm = True
        said = self._said(self.cleaned_data)
        self.data = {**self.data, self.add_prefix("confirmed"): said}

    def _said(self, data: dict[str, Any]) -> str:
        return f"{data.get('outcome')} {data.get('ct')} {data.get('sample', '')}".strip()


class LaboratoryForm(ConfirmedForm):
    """What the laboratory says of a sample."""

    counts_for_its_day = True
    moment = "reported_at"

    outcome = forms.ChoiceField(
        label=_("Result"), choices=NATResult.Outcome.choices, widget=forms.RadioSelect
    )
    ct = forms.DecimalField(
        label=_("Ct value"),
        required=False,
        min_value=0,
        max_value=MOST_CT,
        decimal_places=2,
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": "0.01"}),
        help_text=_("Of two genes the lower one"),
    )
    reported_at = forms.DateTimeField(
        label=_("Reported at"),
        required=False,
        widget=MomentInput(),
        help_text=_("Empty: now"),
    )


class OfferedField(forms.TypedChoiceField):
    """A choice that may have been dealt with since it was offered: the service says how."""

    def valid_value(self, value: Any) -> bool:
        """Accept what looks like a key."""
        try:
            uuid.UUID(str(value))
        except ValueError:
            return False
        return True


class ResultForm(LaboratoryForm):
    """The result of one of the samples of a case."""

    sample = OfferedField(label=_("Sample of"), widget=forms.RadioSelect, coerce=uuid.UUID)
    field_order = ("sample",)


class CorrectForm(ConfirmedForm):
    """The correction of a result."""

    result = forms.TypedChoiceField(
        label=_("Result to correct"), widget=forms.RadioSelect, coerce=int
    )
    outcome = forms.ChoiceField(
        label=_("Right result"), choices=NATResult.Outcome.choices, widget=forms.RadioSelect
    )
    ct = forms.DecimalField(
        label=_("Ct value"),
        required=False,
        min_value=0,
        max_value=MOST_CT,
        decimal_places=2,
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": "0.01"}),
        help_text=_("Of two genes the lower one"),
    )
    reason = _reason(_("What was wrong, and who says so"))


class MissedForm(ActForm):
    """A test that was not taken."""

    day = forms.TypedChoiceField(
        label=_("Day of the test"), widget=forms.RadioSelect, coerce=date.fromisoformat
    )
    # The one tap of the day's list gives none, and so none is recorded.
    reason = TextField(
        label=pgettext_lazy("why", "Reason"),
        max_length=200,
        required=False,
        help_text=_("For example: not met at home. Empty: no reason given."),
    )


class CheckForm(OnceForm):
    """The daily check."""

    counts_for_its_day = True

    temperature = forms.DecimalField(
        label=_("Temperature in °C"),
        required=False,
        decimal_places=1,
        max_digits=4,
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": "0.1"}),
    )
    symptoms = forms.MultipleChoiceField(
        label=_("Symptoms"),
        choices=Symptom.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    note = TextField(label=_("Note"), max_length=500, required=False)

    def clean_symptoms(self) -> list[Symptom]:
        """Return the symptoms as such."""
        return [Symptom(value) for value in self.cleaned_data["symptoms"]]


class OutingForm(OnceForm):
    """What an outing is for, and how."""

    day = forms.DateField(label=_("Day"), widget=DateInput())
    purpose = forms.ChoiceField(
        label=_("Purpose"), choices=OutingPurpose.choices, widget=forms.RadioSelect
    )
    vehicle = forms.ChoiceField(
        label=_("Vehicle"), choices=Vehicle.choices, widget=forms.RadioSelect
    )
    mask = forms.ChoiceField(label=_("Mask"), choices=Mask.choices, widget=forms.RadioSelect)
    reason = _reason(_("In detail"))


class AnswerForm(ActForm):
    """Yes or no to an outing."""

    asked = forms.TypedChoiceField(
        label=_("Leave to go out"), widget=forms.RadioSelect, coerce=int
    )
    answer = forms.ChoiceField(
        label=_("Decision"),
        choices=[
            ("approve", pgettext_lazy("an outing", "Approve")),
            ("refuse", pgettext_lazy("an outing", "Refuse")),
        ],
        widget=forms.RadioSelect,
    )
    reason = TextField(label=_("Reason of a refusal"), max_length=200, required=False)

    def clean(self) -> dict[str, Any]:
        """Ask why an outing is refused."""
        data = super().clean() or {}
        if data.get("answer") == "refuse" and not data.get("reason"):
            self.add_error("reason", gettext("Say why leave to go out is refused."))
        return data


class HomeForm(ActForm):
    """Whether the home is fit for isolation."""

    met = forms.TypedChoiceField(
        label=_("Is the home fit for isolation?"),
        choices=[("yes", _("Fit")), ("no", _("Not fit"))],
        widget=forms.RadioSelect,
        coerce=lambda value: value == "yes",
    )
    reason = _reason()


class MoveForm(ActForm):
    """The setting to which the person moved."""

    counts_for_its_day = True

    setting = forms.ChoiceField(
        label=_("Moved today to"),
        choices=[("central", _("Central isolation")), ("home", _("Home isolation"))],
        widget=forms.RadioSelect,
    )
    reason = _reason()


class CentralForm(ActForm):
    """A request for central isolation."""

    reason = _reason(_("What they say"))


class ClinicalForm(ActForm):
    """What a clinician found."""

    state = forms.ChoiceField(
        label=_("Class found by a clinician"), choices=CLINICAL, widget=forms.RadioSelect
    )
    reason = _reason(_("Who found it, and how"))


class ContactsForm(ActForm):
    """Which household members become close contacts."""

    residents = forms.TypedMultipleChoiceField(
        label=_("Who lives there"), widget=forms.CheckboxSelectMultiple, coerce=uuid.UUID
    )


class NoContactForm(ContactsForm):
    """Which household members are no close contacts, and why."""

    reason = _reason(_("Why not"))


class NoteForm(OnceForm):
    """A note."""

    text = TextField(label=_("Note"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class ReleaseForm(ActForm):
    """The release, which asks for nothing more."""


class ExceptionForm(ActForm):
    """Under which document one case stands, whatever the rule of transition says."""

    excepted = forms.ChoiceField(
        label=_("This case"),
        choices=[("", _("Follows the rule")), *Case.Excepted.choices],
        required=False,
        widget=forms.RadioSelect,
    )
    ground = forms.ChoiceField(label=_("By which clause"), required=False)
    reason = TextField(
        label=pgettext_lazy("why", "Reason"),
        max_length=200,
        required=False,
        help_text=_("Without names: administrators read it, too."),
    )


ACT_FORMS: dict[Act, type[ActForm]] = {
    Act.RELEASE: ReleaseForm,
    Act.CONTACTS: ContactsForm,
    Act.NO_CONTACT: NoContactForm,
    Act.SAMPLE: SampleForm,
    Act.RESULT: ResultForm,
    Act.CORRECT: CorrectForm,
    Act.MISSED: MissedForm,
    Act.CHECK: CheckForm,
    Act.ANSWER: AnswerForm,
    Act.OUTING: OutingForm,
    Act.HOME: HomeForm,
    Act.MOVE: MoveForm,
    Act.CENTRAL: CentralForm,
    Act.CLINICAL: ClinicalForm,
    Act.EXCEPTION: ExceptionForm,
    Act.NOTE: NoteForm,
}


class UncoverForm(forms.Form):
    """What is to be uncovered, and why."""

    field = forms.ChoiceField(
        choices=[
            ("name", pgettext_lazy("of a person", "name")),
            ("number", _("number")),
            ("phone", _("phone")),
            ("emergency_phone", _("phone of the emergency contact")),
        ]
    )
    reason = TextField(max_length=200, min_length=2)
