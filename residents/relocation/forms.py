"""Forms for moves, departures, deaths, returns and handovers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.staff.models import Area, User
from common.text import TextField
from residents.register.forms import TEXT, AddressForm
from residents.register.models import Resident

MOST_OFFERED = 300


@dataclass(frozen=True)
class Housemate:
    """A member of the same household, with the label for a form."""

    resident: Resident
    words: str
    held: bool  # under a measure

    @property
    def choice(self) -> tuple[str, str]:
        """Return the choice for a form; its value contains the version shown on the page."""
        return f"{self.resident.key}:{self.resident.version}", self.words


def _plain(form: forms.Form) -> FormHelper:
    helper = FormHelper(form)
    helper.form_tag = False
    helper.disable_csrf = True
    return helper


class DatedForm(forms.Form):
    """The base form of an event with a day, and the version of the resident shown."""

    day = forms.DateField(
        label=_("Since which day"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": _("Enter the day.")},
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self,
        data: Any = None,
        *,
        today: date,
        resident: Resident,
        initial: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        initial = {"day": today, "version": resident.version, **(initial or {})}
        super().__init__(data, initial=initial, **kwargs)
        self.fields["day"].widget.attrs["max"] = today.isoformat()
        self.helper = _plain(self)

    def now_at(self, version: int) -> None:
        """Update the version, so that the form can be sent again after a conflict."""
        data = self.data.copy()  # type: ignore[attr-defined]  # a form is given a QueryDict
        data["version"] = str(version)
        self.data = data


class WithHousematesForm(DatedForm):
    """The base form of an event that may include other members of the household."""

    also = forms.MultipleChoiceField(
        label=_("Also"),
        required=False,
        widget=forms.CheckboxSelectMultiple({"class": "form-check-input"}),
    )

    def __init__(self, *args: Any, housemates: Sequence[Housemate], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        also = self.fields["also"]
        assert isinstance(also, forms.MultipleChoiceField)  # noqa: S101 - tells the type checker
        also.choices = [housemate.choice for housemate in housemates]
        self.held = any(housemate.held for housemate in housemates)

    @property
    def others(self) -> dict[str, int]:
        """Return the keys of the ticked members, with the versions shown on the page."""
        pairs = (choice.rsplit(":", 1) for choice in self.cleaned_data["also"])
        return {key: int(version) for key, version in pairs}


class MoveForm(WithHousematesForm, AddressForm):
    """The new address of residents who moved."""

    field_order = ("day", "grid", "building", "unit", "door", "floor")

    def __init__(self, *args: Any, resident: Resident, **kwargs: Any) -> None:
        initial = {"grid": resident.grid_id, **kwargs.pop("initial", {})}
        super().__init__(*args, resident=resident, initial=initial, **kwargs)


class LeaveForm(WithHousematesForm):
    """The departure of residents from the area."""

    place = TextField(
        label=_("Where to, if they said so"),
        max_length=100,
        required=False,
        widget=forms.TextInput(TEXT),
    )
    case_told = forms.BooleanField(label=_("The place they went to was told"), required=False)


class DeathForm(DatedForm):
    """The death of a resident."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["day"].label = _("Day of death")


class ReturnForm(DatedForm, AddressForm):
    """The address of a resident who came back."""

    def __init__(self, *args: Any, resident: Resident, **kwargs: Any) -> None:
        household = resident.household
        initial = {
            "grid": resident.grid_id,
            "building": household.building.name,
            "unit": household.unit,
            "door": household.door,
            **kwargs.pop("initial", {}),
        }
        super().__init__(*args, resident=resident, initial=initial, **kwargs)


class HandoverForm(DatedForm):
    """The community to which a resident is handed over."""

    area = TextField(
        label=_("Community"),
        max_length=80,
        widget=forms.TextInput({**TEXT, "list": "communities"}),
        help_text=_("Its name or code."),
        error_messages={"required": _("Choose the community they move to.")},
    )
    note = TextField(
        label=_("What the other side should know"),
        max_length=300,
        required=False,
        widget=forms.Textarea({**TEXT, "rows": 3}),
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["day"].label = _("Moves on")
        del self.fields["day"].widget.attrs["max"]
        communities = Area.objects.filter(level=Area.Level.COMMUNITY)
        self.communities = [
            f"{area.name} {area.code}"
            for area in communities.exclude(pk__in=Area.objects.below(by))[:MOST_OFFERED]
        ]


class TakeOverForm(AddressForm):
    """The new address of a resident who is taken over."""

    day = forms.DateField(
        label=_("Since which day"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )


class RefuseForm(forms.Form):
    """The reason for refusing a handover."""

    reason = TextField(
        label=_("Why not"),
        max_length=200,
        widget=forms.TextInput(TEXT),
        error_messages={"required": _("Say in a few words why.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = _plain(self)
