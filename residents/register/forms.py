"""Forms about residents and rosters; `services` stores the input."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Field, Fieldset, Layout
from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.scope import people_within
from accounts.staff.models import Area, User
from common.text import TextField
from residents.register.identity import read_name, read_number, read_phone
from residents.register.lengths import (
    HIGHEST_FLOOR,
    LONGEST_BUILDING,
    LONGEST_DOOR,
    LONGEST_UNIT,
    LOWEST_FLOOR,
    TYPED_NAME,
    TYPED_NUMBER,
    TYPED_PHONE,
)
from residents.register.models import Building, Resident, UncoverReason
from residents.rosters.models import Roster
from residents.rosters.sheets import columns
from residents.rosters.sheets.reading import LARGEST_FILE

CHIPS = "components/_chips.html"
MOST_BUILDINGS = 300

TEXT = {"autocomplete": "off", "spellcheck": "false"}
PHONE = {"inputmode": "tel", "autocomplete": "off", "type": "tel"}
NUMBER = {**TEXT, "autocapitalize": "characters", "inputmode": "text"}


def grids_of(user: User) -> "models.QuerySet[Area]":
    """Return the grids whose residents `user` may see."""
    grids: models.QuerySet[Area] = Area.objects.filter(
        people_within(user, "path"), level=Area.Level.GRID
    )
    return grids.order_by("path")


class PersonForm(forms.Form):
    """The identity and contacts of a resident."""

    number_required = True

    document_type = forms.ChoiceField(
        label=pgettext_lazy("an identity paper", "Document"),
        choices=Resident.DocumentType,
        widget=forms.RadioSelect,
        initial=Resident.DocumentType.MAINLAND_ID,
        error_messages={"required": _("Choose the document.")},
    )
    number = TextField(
        label=_("Document number"),
        max_length=TYPED_NUMBER,
        required=False,
        widget=forms.TextInput(NUMBER),
    )
    name = TextField(
        label=pgettext_lazy("of a person", "Name"),
        max_length=TYPED_NAME,
        widget=forms.TextInput(TEXT),
        error_messages={"required": _("Enter the name as it stands on the document.")},
    )
    sex = forms.ChoiceField(
        label=_("Sex"),
        choices=Resident.Sex,
        widget=forms.RadioSelect,
        initial=Resident.Sex.UNKNOWN,
        required=False,
    )
    birth_date = forms.DateField(
        label=_("Birth date"),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
    phone = TextField(
        label=_("Phone"), max_length=TYPED_PHONE, required=False, widget=forms.TextInput(PHONE)
    )
    emergency_name = TextField(
        label=_("Emergency contact"),
        max_length=TYPED_NAME,
        required=False,
        widget=forms.TextInput(TEXT),
    )
    emergency_phone = TextField(
        label=_("Their phone"),
        max_length=TYPED_PHONE,
        required=False,
        widget=forms.TextInput(PHONE),
    )

    layout: tuple[object, ...] = (
        Field("document_type", template=CHIPS),
        "number",
        "name",
        Fieldset(
            _("Only where the number does not say it"),
            Field("sex", template=CHIPS),
            "birth_date",
            css_class="fieldset-soft",
        ),
        "phone",
        Fieldset(
            _("In an emergency"), "emergency_name", "emergency_phone", css_class="fieldset-soft"
        ),
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        self.helper.form_show_errors = True
        self.helper.layout = Layout(*self.layout)
        self.fields["birth_date"].widget.attrs["max"] = today.isoformat()

    def clean_name(self) -> str:
        """Return the normalised name."""
        return _read(read_name, self.cleaned_data["name"])

    def clean_number(self) -> str:
        """Return the normalised number."""
        kind = self.cleaned_data.get("document_type")
        number: str = self.cleaned_data["number"]
        if not kind or not (number or self.number_required):
            return number
        return read_number(kind, number, today=self.today).number

    def clean_birth_date(self) -> date | None:
        """Return the birth date; refuse one in the future."""
        born: date | None = self.cleaned_data["birth_date"]
        if born and born > self.today:
            raise forms.ValidationError(_("The birth date is in the future. Check the date."))
        return born

    def clean_phone(self) -> str:
        """Return the normalised phone."""
        return _read(read_phone, self.cleaned_data["phone"])

    def clean_emergency_name(self) -> str:
        """Return the normalised name."""
        return _read(read_name, self.cleaned_data["emergency_name"])

    def clean_emergency_phone(self) -> str:
        """Return the normalised phone."""
        return _read(read_phone, self.cleaned_data["emergency_phone"])


class HousematePersonForm(PersonForm):
    """A resident at a known address, where the phone of a housemate can be chosen."""

    phone_of = forms.ChoiceField(
        label=_("Or the phone of"), required=False, widget=forms.RadioSelect
    )
    layout = tuple(
        part
        for element in PersonForm.layout
        for part in (
            (element, Field("phone_of", template=CHIPS)) if element == "phone" else (element,)
        )
    )

    def __init__(self, *args: Any, housemates: Sequence[Resident], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reached = {
            str(housemate.key): housemate
            for housemate in housemates
            if housemate.phone and not housemate.of_gone  # type: ignore[attr-defined]
        }
        field = self.fields["phone_of"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells the type checker
        field.choices = [
            ("", _("nobody")),
            *(
                (key, f"{housemate.masked_name} {housemate.masked_phone}")
                for key, housemate in self._reached.items()
            ),
        ]
        if not self._reached:
            del self.fields["phone_of"]
            self.helper.layout = Layout(*PersonForm.layout)

    def clean(self) -> dict[str, Any]:
        """Use the phone of the chosen housemate, unless one was typed."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        chosen = self._reached.get(data.pop("phone_of", ""))
        if chosen and not data.get("phone") and "phone" not in self.errors:
            data["phone"] = chosen.phone
        return data


class ChangeForm(PersonForm):
    """Changes of a resident; empty fields stay unchanged."""

    number_required = False
    version = forms.IntegerField(widget=forms.HiddenInput)
    layout = (*PersonForm.layout, "version")

    def __init__(self, *args: Any, resident: Resident, **kwargs: Any) -> None:
        initial = {
            "document_type": resident.document_type,
            "sex": resident.sex,
            "version": resident.version,
        }
        super().__init__(*args, initial=initial, **kwargs)
        self.fields["name"].required = False
        for name in ("name", "number", "phone", "emergency_name", "emergency_phone"):
            self.fields[name].widget.attrs["placeholder"] = getattr(resident, f"masked_{name}")


class AddressForm(forms.Form):
    """The address of a resident."""

    grid = forms.ModelChoiceField(
        label=_("Grid"),
        queryset=Area.objects.none(),
        empty_label=_("Choose the grid"),
        error_messages={"required": _("Choose the grid they live in.")},
    )
    building = TextField(
        label=_("Building"),
        tidied=True,
        max_length=LONGEST_BUILDING,
        widget=forms.TextInput({**TEXT, "list": "buildings"}),
        help_text=_("As people call it: 3号楼, 幸福路12号."),
        error_messages={"required": _("Enter the building, for example 3号楼.")},
    )
    unit = TextField(
        label=_("Unit"),
        tidied=True,
        max_length=LONGEST_UNIT,
        required=False,
        widget=forms.TextInput(TEXT),
    )
    door = TextField(
        label=_("Door"),
        tidied=True,
        max_length=LONGEST_DOOR,
        widget=forms.TextInput(TEXT),
        error_messages={"required": _("Enter the door, for example 502.")},
    )
    floor = forms.IntegerField(
        label=_("Floor"),
        min_value=LOWEST_FLOOR,
        max_value=HIGHEST_FLOOR,
        required=False,
        widget=forms.NumberInput({"inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by
        grid = self.fields["grid"]
        assert isinstance(grid, forms.ModelChoiceField)  # noqa: S101 - tells the type checker
        grid.queryset = grids = grids_of(by)
        first_grids = list(grids[:2])
        self.only_grid = first_grids[0] if len(first_grids) == 1 else None
        if self.only_grid:
            grid.initial, grid.empty_label = self.only_grid.pk, None
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True

    @cached_property
    def buildings(self) -> list[str]:
        """Return names for the browser's datalist, at most MOST_BUILDINGS."""
        buildings = Building.objects.visible_to(self.by).without_mistaken()
        names = buildings.order_by("name").values_list("name", flat=True)
        return list(names.distinct()[:MOST_BUILDINGS])


class SearchForm(forms.Form):
    """A search; posted, so that no personal data is in a URL."""

    text = TextField(
        label=_("Name, pinyin, phone, document number or door"),
        max_length=60,
        widget=forms.TextInput({**TEXT, "type": "search", "data-search": ""}),
        error_messages={"required": _("Enter whom to look for.")},
    )
    after = TextField(max_length=20, required=False, widget=forms.HiddenInput)


class UncoverForm(forms.Form):
    """The reason for uncovering a masked value."""

    reason = forms.ChoiceField(
        label=_("What do you need it for?"),
        choices=UncoverReason,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what you need it for.")},
    )
    words = TextField(
        label=_("Another reason, in a few words and without names"),
        max_length=100,
        required=False,
        widget=forms.TextInput({**TEXT, "class": "form-control"}),
    )

    def clean(self) -> dict[str, Any]:
        """Require a text if the reason is "other"."""
        data = super().clean() or {}
        if data.get("reason") == UncoverReason.OTHER and len(data.get("words", "").strip()) < 2:
            self.add_error("words", _("Say in a few words what you need it for."))
        return data

    def audit_reason(self) -> str:
        """Return the reason for the audit."""
        reason: str = self.cleaned_data["reason"]
        words: str = self.cleaned_data["words"]
        return words.strip() if reason == UncoverReason.OTHER else reason


def _read(read: Any, text: str) -> str:
    return str(read(text)) if text else ""


class AreaField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice among areas, each set in below the one above it."""

    top = 1  # the depth of the highest

    def label_from_instance(self, obj: Area) -> str:
        """Return the name, set in by its depth."""
        set_in = "\N{IDEOGRAPHIC SPACE}" * (obj.depth - self.top)
        return f"{set_in}{obj}"


class RosterForm(forms.Form):
    """The upload of a roster: file, sender and area."""

    file = forms.FileField(
        label=_("The roster"),
        help_text=_("An .xlsx, .xls or .csv file of at most 30 MB."),
        widget=forms.FileInput(attrs={"accept": ".xlsx,.xls,.csv,.txt"}),
        error_messages={
            "required": _("Choose the file first."),
            "empty": _("The file is empty."),
        },
    )
    sender = TextField(
        label=_("Sent by"),
        tidied=True,
        help_text=_("The unit that keeps it. What its columns are called is remembered for it."),
        max_length=50,
        widget=forms.TextInput({**TEXT, "list": "senders"}),
        error_messages={"required": _("Enter who sent the roster, for example a village.")},
    )
    area = AreaField(
        label=_("For"),
        queryset=Area.objects.none(),
        empty_label=None,
        help_text=_("Rows about other places are rejected."),
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        area = self.fields["area"]
        assert isinstance(area, AreaField)  # noqa: S101 - tells the type checker
        area.queryset = areas = Area.objects.below(by).order_by("path")
        area.top = min((one.depth for one in areas), default=1)
        senders = Roster.objects.visible_to(by).order_by("-pk").values_list("sender", flat=True)
        self.senders = list(dict.fromkeys(senders[:200]))
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True

    def clean_file(self) -> Any:
        """Return the file; refuse one larger than LARGEST_FILE."""
        file = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST_FILE:
            raise forms.ValidationError(
                _("The file is larger than %(most)d MB. Divide it."),
                params={"most": LARGEST_FILE >> 20},
            )
        return file


class ColumnsForm(forms.Form):
    """The field of each column of a sheet."""

    def __init__(
        self, *args: Any, headings: Sequence[str], fields: Mapping[int, str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("Do not import")), *columns.FIELDS.items()]
        for index, heading in enumerate(headings):
            self.fields[f"column_{index}"] = forms.ChoiceField(
                label=heading or _("(no heading)"),
                choices=choices,
                required=False,
                initial=fields.get(index, ""),
            )

    def clean(self) -> dict[str, Any]:
        """Refuse a field in two columns, and missing required fields."""
        data = super().clean() or {}
        chosen = [field for field in data.values() if field]
        for field, times in Counter(chosen).items():
            if times > 1:
                self.add_error(
                    None,
                    _("%(times)d columns hold “%(field)s”: choose one.")
                    % {"times": times, "field": columns.FIELDS[field]},
                )
        for field in columns.missing(chosen):
            self.add_error(
                None,
                _("No column holds “%(field)s”, which every row needs.")
                % {"field": columns.FIELDS[field]},
            )
        return data

    def chosen(self) -> dict[int, str]:
        """Return the field of each column."""
        return {
            int(name.removeprefix("column_")): field for name, field in self.cleaned_data.items()
        }
