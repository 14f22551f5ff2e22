"""Forms about key people; `services` stores the input."""

import uuid
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.staff.models import Area, User
from common.text import TextField
from policy import words
from policy.engine.decisions.colours import COLOURS, ColourRule, Standard
from residents.keypeople.facts import CONDITIONS, PRODUCT_NAMES, PRODUCTS, KeyFacts, Product
from residents.keypeople.models import Contact, HealthFile, Need
from residents.keypeople.standards import FULL, KeyRules
from residents.register.models import Resident

FLAGS = {
    "living_alone": _("Lives alone"),
    "pregnant": _("Pregnant or recently delivered"),
    "child_in_difficulty": _("Child in difficulty"),
    "disabled": _("Disabled"),
    "unstable": _("The illness is not stable"),
}
AREA = {"rows": 2, "class": "form-control"}
DAY = {"type": "date", "class": "form-control"}
TEXT = {"autocomplete": "off", "class": "form-control"}
NUMBER = {"inputmode": "numeric", "class": "form-control"}


def _day(label: Any, **kwargs: Any) -> forms.DateField:
    return forms.DateField(
        label=label, widget=forms.DateInput(dict(DAY), format="%Y-%m-%d"), **kwargs
    )


class ActForm(forms.Form):
    """The base form of acts on a health file."""

    def __init__(
        self,
        *args: Any,
        resident: Resident,
        file: HealthFile | None,
        today: date,
        helpers: list[User],
        by: User,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.resident, self.file, self.today = resident, file, today
        self.helpers, self.by = helpers, by
        self.fill()

    def fill(self) -> None:
        """Set the initial values; none by default."""


class FactsForm(ActForm):
    """The facts for which a document may list a person."""

    conditions = forms.MultipleChoiceField(
        label=_("Illnesses"),
        choices=[(word, words.CONDITIONS[word]) for word in CONDITIONS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    flags = forms.MultipleChoiceField(
        label=_("Circumstances"),
        choices=list(FLAGS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    contraindication = TextField(
        label=_("Contraindication"),
        max_length=200,
        required=False,
        help_text=_("Against vaccination, as the doctor said; empty for none."),
        widget=forms.TextInput(TEXT),
    )
    note = TextField(label=_("Note"), max_length=500, required=False, widget=forms.Textarea(AREA))
    version = forms.IntegerField(widget=forms.HiddenInput)

    def fill(self) -> None:
        """Set the values of the file."""
        self.initial["version"] = self.file.version if self.file else 0
        if self.file is None:
            return
        known = self.file.known
        self.initial.update(
            {
                "conditions": list(known.conditions),
                "flags": [flag for flag in FLAGS if getattr(known, flag, False)]
                + ([] if known.stable else ["unstable"]),
                "contraindication": self.file.contraindication,
                "note": self.file.note,
            }
        )

    def facts(self) -> KeyFacts:
        """Return the ticked facts."""
        flags = set(self.cleaned_data["flags"])
        return KeyFacts(
            conditions=tuple(sorted(self.cleaned_data["conditions"])),
            stable="unstable" not in flags,
            living_alone="living_alone" in flags,
            pregnant="pregnant" in flags,
            child_in_difficulty="child_in_difficulty" in flags,
            disabled="disabled" in flags,
        )


class DoseForm(ActForm):
    """A dose of vaccine."""

    day = _day(_("Given on"))
    product = forms.ChoiceField(
        label=_("Vaccine"),
        choices=[(product, PRODUCT_NAMES[product]) for product in PRODUCTS],
        widget=forms.RadioSelect,
        initial="inactivated",
    )

    def fill(self) -> None:
        """Set today as the day."""
        self.initial["day"] = self.today
        self.fields["day"].widget.attrs["max"] = self.today.isoformat()


class ColourForm(ActForm):
    """A colour given by hand."""

    colour = forms.ChoiceField(
        label=_("Colour"),
        choices=[
            ("", _("By the standard")),
            *((colour, words.MARKS[colour]) for colour in COLOURS),
        ],
        required=False,
        widget=forms.RadioSelect,
    )
    reason = TextField(
        label=_("Why"), max_length=200, required=False, widget=forms.TextInput(TEXT)
    )

    def fill(self) -> None:
        """Set the current colour and its reason."""
        if self.file:
            self.initial.update(
                {
                    "colour": self.file.known.colour,
                    "reason": self.file.colour_reason,
                }
            )


class NeedForm(ActForm):
    """A need, and who looks after it."""

    kind = forms.ChoiceField(label=_("Need"), choices=Need.Kind, widget=forms.RadioSelect)
    words = TextField(
        label=_("What exactly"), max_length=200, required=False, widget=forms.TextInput(TEXT)
    )
    responsible = forms.ChoiceField(label=_("Looks after it"))
    next_on = _day(_("Next contact"))

    def fill(self) -> None:
        """Set tomorrow and the user as initial values."""
        field = self.fields["responsible"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells the type checker
        field.choices = [
            (str(user.key), f"{user} · {user.get_role_display()}") for user in self.helpers
        ]
        field.widget.attrs["class"] = "form-select"
        self.initial.update(
            {
                "responsible": str(self.by.key),
                "next_on": self.today + timedelta(days=1),
            }
        )
        self.fields["next_on"].widget.attrs["min"] = self.today.isoformat()

    def clean_responsible(self) -> User:
        """Return the chosen user."""
        key = self.cleaned_data["responsible"]
        return next(user for user in self.helpers if str(user.key) == key)


ACT_FORMS: dict[str, type[ActForm]] = {
    "facts": FactsForm,
    "dose": DoseForm,
    "colour": ColourForm,
    "need": NeedForm,
}


class ContactForm(forms.Form):
    """A contact about a need, and when the next is due."""

    how = forms.ChoiceField(label=_("How"), choices=Contact.How, widget=forms.RadioSelect)
    words = TextField(
        label=_("What was said or done"),
        max_length=300,
        required=False,
        widget=forms.TextInput(TEXT),
    )
    next_on = _day(_("Next contact"), required=False)
    closed = forms.BooleanField(
        label=_("Nothing more is needed: close"),
        required=False,
        widget=forms.CheckboxInput({"class": "form-check-input"}),
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, today: date) -> None:
        initial = {"how": "call", "next_on": today + timedelta(days=1), "key": uuid.uuid4()}
        super().__init__(data, initial=initial)
        self.fields["next_on"].widget.attrs["min"] = today.isoformat()

    def clean(self) -> dict[str, Any]:
        """Require the next day unless the need is closed."""
        cleaned = super().clean() or {}
        if cleaned.get("closed"):
            cleaned["next_on"] = None
        elif not cleaned.get("next_on") and "next_on" not in self.errors:
            self.add_error("next_on", _("Say when the next contact is due, or close the need."))
        return cleaned


def _number(label: Any, most: int) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=1,
        max_value=most,
        required=False,
        widget=forms.NumberInput(dict(NUMBER)),
    )


def _check(label: Any) -> forms.BooleanField:
    return forms.BooleanField(
        label=label,
        required=False,
        widget=forms.CheckboxInput({"class": "form-check-input"}),
    )


class StandardForm(forms.Form):
    """The rules of colours and full vaccinations in an area."""

    area = forms.ModelChoiceField(
        label=_("Area"),
        queryset=Area.objects.none(),
        to_field_name="code",
        empty_label=None,
        widget=forms.Select({"class": "form-select"}),
    )
    reason = TextField(label=_("Why this standard"), max_length=200, widget=forms.TextInput(TEXT))

    def __init__(self, *args: Any, areas: Any, rules: KeyRules, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        area = self.fields["area"]
        assert isinstance(area, forms.ModelChoiceField)  # noqa: S101 - tells the type checker
        area.queryset = areas
        for colour in ("red", "yellow"):
            mark = getattr(rules.colours, colour)
            fields: dict[str, forms.Field] = {
                "age_at_least": _number(_("Age from"), 120),
                "diseases_at_least": _number(_("Illnesses from"), 9),
                "unstable": _check(_("The illness is not stable")),
                "unvaccinated": _check(_("Not fully vaccinated")),
            }
            for name, field in fields.items():
                field.initial = getattr(mark, name)
                self.fields[f"{colour}_{name}"] = field
        for product, count in rules.full:
            field = _number(PRODUCT_NAMES[product], 9)
            field.required, field.initial = True, count
            self.fields[f"full_{product}"] = field

    def group(self, start: str) -> list[forms.BoundField]:
        """Return the fields whose names begin with `start`."""
        return [self[name] for name in self.fields if name.startswith(f"{start}_")]

    def parts(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """Return the groups of fields with their headings."""
        return [
            (_("Red when any of these holds"), self.group("red")),
            (_("Otherwise yellow when any of these holds"), self.group("yellow")),
            (_("So many doses are a full vaccination"), self.group("full")),
        ]

    def rules(self) -> KeyRules:
        """Return the entered rules."""
        data = self.cleaned_data
        full: tuple[tuple[Product, int], ...] = tuple(
            (product, data[f"full_{product}"]) for product in FULL
        )
        return KeyRules(Standard(red=self._mark("red"), yellow=self._mark("yellow")), full)

    def _mark(self, colour: str) -> ColourRule:
        data = self.cleaned_data
        return ColourRule(
            age_at_least=data[f"{colour}_age_at_least"],
            diseases_at_least=data[f"{colour}_diseases_at_least"],
            unstable=data[f"{colour}_unstable"],
            unvaccinated=data[f"{colour}_unvaccinated"],
        )
