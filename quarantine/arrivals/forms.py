"""The form of an arrival: it cleans, and decides nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.staff.models import Area
from common.places import Place
from quarantine.acts.forms import CLINICAL
from quarantine.widgets import Chips, DateInput, MomentInput, PlaceField
from residents.register.identity import read_name, read_number, read_phone
from residents.register.models import Resident

# How far back a stay, a proof or an arrival may lie and still be worth asking about.
LOOK_BACK = timedelta(days=30)

RISKS = [("", _("None or not known")), ("low", _("Low-risk area")), ("high", _("High-risk area"))]


class StayForm(forms.Form):
    """A place where somebody stayed in the last days."""

    place = PlaceField(label=_("Place"), required=False)
    risk = forms.ChoiceField(
        label=_("Risk level of that place"), choices=RISKS, required=False, widget=Chips
    )
    last_day = forms.DateField(label=_("Last day there"), required=False, widget=DateInput())
    transit = forms.BooleanField(
        label=_("Only changed trains or flights, without leaving the station"), required=False
    )

    @property
    def filled(self) -> bool:
        """Whether something stands in this row."""
        return bool(self.initial) or (self.is_bound and self.has_changed())

    def clean(self) -> dict[str, Any]:
        """Ask for the last day of a stay that is named."""
        data = super().clean() or {}
        if data.get("place") and "last_day" in data and not data["last_day"]:
            self.add_error("last_day", gettext("Enter the last day of this stay."))
        if data.get("last_day") and "place" in data and not data["place"]:
            self.add_error("place", gettext("Enter the place of this stay."))
        return data


MOST_STAYS = 6
# One empty row; a script copies it for the next, and without scripts a button asks for one more.
StayFormSet = forms.formset_factory(StayForm, extra=1, max_num=MOST_STAYS, absolute_max=MOST_STAYS)


class ArrivalForm(forms.Form):
    """Who came, from where, and what the law asks about."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    resident = forms.UUIDField(widget=forms.HiddenInput, required=False)
    # Whose phone reaches the whole household.
    phone_of = forms.UUIDField(widget=forms.HiddenInput, required=False)
    document_type = forms.ChoiceField(
        label=pgettext_lazy("an identity paper", "Document"),
        choices=Resident.DocumentType.choices,
        required=False,
        widget=Chips,
    )
    number = forms.CharField(
        label=_("Number of the document"),
        max_length=40,
        required=False,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "data-number": "",
            }
        ),
    )
    name = forms.CharField(
        label=pgettext_lazy("of a person", "Name"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    phone = forms.CharField(
        label=_("Phone"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "off"}),
    )
    sex = forms.ChoiceField(
        label=_("Sex"),
        choices=Resident.Sex.choices,
        required=False,
        widget=Chips,
        initial=Resident.Sex.UNKNOWN,
        help_text=_("Only where the number does not say it"),
    )
    birth_date = forms.DateField(
        label=_("Birth date"),
        required=False,
        widget=DateInput(),
        help_text=_("Only where the number does not say it"),
    )
    emergency_name = forms.CharField(
        label=_("Emergency contact"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    emergency_phone = forms.CharField(
        label=_("Their phone"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "off"}),
    )
    grid = forms.ModelChoiceField(
        label=_("Grid"), queryset=Area.objects.none(), to_field_name="code", empty_label=None
    )
    building = forms.CharField(
        label=_("Building"),
        max_length=50,
        required=False,
        widget=forms.TextInput(attrs={"list": "buildings", "autocomplete": "off"}),
    )
    unit = forms.CharField(
        label=_("Unit"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    door = forms.CharField(
        label=_("Door"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    arrived = forms.ChoiceField(label=_("Arrived"), widget=Chips)
    arrived_on = forms.DateField(label=_("Day of arrival"), required=False, widget=DateInput())
    coming = forms.ChoiceField(
        label=_("Came from"),
        choices=[("home", _("Within China")), ("abroad", _("Abroad"))],
        widget=Chips,
    )
    origin = PlaceField(
        label=_("City or county they came from"),
        required=False,
        help_text=_("Name, pinyin or initials: 兰州, lanzhou, lz"),
    )
    risk = forms.ChoiceField(
        label=_("Risk level where they stayed there"),
        choices=RISKS,
        required=False,
        widget=Chips,
    )
    left_on = forms.DateField(
        label=_("Last day there"),
        required=False,
        widget=DateInput(),
        help_text=_("Empty: the day of arrival"),
    )
    transit = forms.BooleanField(
        label=_("Only changed trains or flights, without leaving the station"), required=False
    )
    spread = forms.BooleanField(label=_("Community spread there"), required=False)
    central_days = forms.IntegerField(
        label=_("Days of central isolation served since entry"),
        min_value=0,
        max_value=30,
        required=False,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    home_days = forms.IntegerField(
        label=_("Days of home isolation served since entry"),
        min_value=0,
        max_value=30,
        required=False,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    entered_via = PlaceField(label=_("First port of entry"), required=False)
    proof = forms.ChoiceField(
        label=_("Proof of a negative test"),
        choices=[("", pgettext_lazy("no proof", "None")), ("yes", _("Has one"))],
        required=False,
        widget=Chips,
    )
    sampled_at = forms.DateTimeField(label=_("Sampled at"), required=False, widget=MomentInput())
    reported_at = forms.DateTimeField(
        label=_("Reported at"),
        required=False,
        widget=MomentInput(),
        help_text=_("Counts only when the proof shows no sampling time"),
    )
    exposure = forms.ChoiceField(
        label=_("Contact with an infected person"),
        choices=[
            ("", _("None known")),
            ("close_contact", _("Close contact")),
            ("secondary_contact", _("Contact of a close contact")),
            ("infected", _("Infected")),
        ],
        required=False,
        widget=Chips,
    )
    clinical = forms.ChoiceField(
        label=_("Class found by a clinician"),
        choices=CLINICAL,
        required=False,
        widget=Chips,
        initial="asymptomatic",
    )
    serious = forms.BooleanField(label=_("Serious underlying disease"), required=False)
    post_ended = forms.DateField(
        label=_("Last day of a high-risk post under closed loop"),
        required=False,
        widget=DateInput(),
        help_text=_("Only for staff of ports, isolation sites and the like"),
    )
    freight = forms.BooleanField(label=_("Crew of a closed-loop truck"), required=False)
    home_fit = forms.ChoiceField(
        label=_("Is the home fit for isolation?"),
        choices=[("yes", _("Fit")), ("no", _("Not fit"))],
        widget=Chips,
        help_text=_("A room of their own, and a bathroom that nobody else uses"),
    )
    chooses_central = forms.BooleanField(
        label=_("Asks for central isolation of their own wish"), required=False
    )

    # How far back a chip for the day of arrival goes.
    DAYS = 3

    def __init__(
        self,
        *args: Any,
        now: datetime,
        today: date,
        grids: QuerySet[Area],
        found: Resident | None = None,
        housemate: Resident | None = None,
        stays: Sequence[dict[str, Any]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.now, self.today, self.found = now, today, found
        self.housemate = housemate if housemate and not (found and found.phone) else None
        if self.housemate:
            self.initial["phone_of"] = self.housemate.key
            self.fields["phone"].help_text = gettext(
                "Empty: the phone of the household, %(phone)s (%(name)s)"
            ) % {"phone": self.housemate.masked_phone, "name": self.housemate.masked_name}
        self.leaves_after_arrival = False
        offered = cast("forms.ModelChoiceField[Area]", self.fields["grid"])
        offered.queryset = grids
        codes = list(grids.values_list("code", flat=True)[:2])
        self.one_grid = len(codes) == 1
        if self.one_grid:
            offered.widget, offered.initial = forms.HiddenInput(), codes[0]
        names = (_("Today"), _("Yesterday"), _("The day before"))
        chips = [(str(back), name) for back, name in enumerate(names)]
        arrived = cast("forms.ChoiceField", self.fields["arrived"])
        arrived.choices = [*chips, ("other", _("Another day"))]
        self.stays = StayFormSet(
            self.data if self.is_bound else None, prefix="stay", initial=list(stays)
        )

    @staticmethod
    def first_values() -> dict[str, Any]:
        """Return what an empty form shows."""
        return {
            "key": uuid.uuid4(),
            "document_type": Resident.DocumentType.MAINLAND_ID,
            "arrived": "0",
            "coming": "home",
            "home_fit": "yes",
            "clinical": "asymptomatic",
            "sex": Resident.Sex.UNKNOWN,
        }

    @property
    def more_of_person(self) -> bool:
        """Whether something stands in the folded part about the person."""
        folded = ("sex", "birth_date", "emergency_name", "emergency_phone")
        unsaid = (None, "", Resident.Sex.UNKNOWN)
        return any(self[field].value() not in unsaid for field in folded)

    def is_valid(self) -> bool:
        """Return whether the form and its stays are in order."""
        mine = super().is_valid()
        self.stays.is_valid()
        arrived_on = self.cleaned_data.get("arrived_on")
        for form in self.stays:
            last = getattr(form, "cleaned_data", {}).get("last_day")
            if last and arrived_on and last > arrived_on:
                self.leaves_after_arrival = True
                form.add_error("last_day", after_arrival())
        return mine and self.stays.is_valid()

    def clean_phone(self) -> str:
        """Return the phone in the form +8613800000000, "" for none."""
        return read_phone(text) if (text := self.cleaned_data["phone"]) else ""

    def clean_left_on(self) -> date | None:
        """Refuse a stay that has not ended."""
        return self._not_later("left_on")

    def clean_post_ended(self) -> date | None:
        """Refuse a post that has not ended."""
        return self._not_later("post_ended")

    def clean_sampled_at(self) -> datetime | None:
        """Refuse a sample that was not taken yet."""
        moment: datetime | None = self.cleaned_data["sampled_at"]
        if moment and moment > self.now:
            raise forms.ValidationError(gettext("A sample cannot be taken in the future."))
        return moment

    def clean_reported_at(self) -> datetime | None:
        """Refuse a result that was not reported yet."""
        moment: datetime | None = self.cleaned_data["reported_at"]
        if moment and moment > self.now:
            raise forms.ValidationError(gettext("A result cannot be reported in the future."))
        return moment

    def clean_birth_date(self) -> date | None:
        """Refuse a birth in the future."""
        return self._not_later("birth_date")

    def clean_emergency_name(self) -> str:
        """Return the name as it is kept, "" for none."""
        return read_name(text) if (text := self.cleaned_data["emergency_name"]) else ""

    def clean_emergency_phone(self) -> str:
        """Return the phone in the form +8613800138000, "" for none."""
        return read_phone(text) if (text := self.cleaned_data["emergency_phone"]) else ""

    def _not_later(self, field: str) -> date | None:
        day: date | None = self.cleaned_data[field]
        if day and day > self.today:
            raise forms.ValidationError(gettext("This day lies in the future."))
        return day

    def clean(self) -> dict[str, Any]:
        """Clean what hangs together: the person, their door, the day, where from."""
        data = super().clean() or {}
        if not self.found:
            self._clean_person(data)
            self._require(data, "building", gettext("Enter the building, for example 3号楼."))
            self._require(data, "door", gettext("Enter the door, for example 502."))
        self._clean_day(data)
        if data.get("coming") == "home" and not data.get("exposure"):
            self._require(data, "origin", gettext("Enter the city or county they came from."))
        left, arrived_on = data.get("left_on"), data.get("arrived_on")
        if data.get("coming") == "home" and left and arrived_on and left > arrived_on:
            self.leaves_after_arrival = True
            self.add_error("left_on", after_arrival())
        self._clean_proof(data)
        return data

    def _clean_proof(self, data: dict[str, Any]) -> None:
        sampled, reported = data.get("sampled_at"), data.get("reported_at")
        if data.get("proof") != "yes" or "reported_at" not in data:
            return
        if not reported:
            self._require(data, "sampled_at", gettext("Enter when the sample was taken."))
        elif sampled and reported < sampled:
            self.add_error("reported_at", gettext("A result comes after its sample."))

    def _clean_person(self, data: dict[str, Any]) -> None:
        self._require(data, "document_type", gettext("Choose the document."))
        readers: dict[str, Callable[[str], str]] = {
            "number": lambda text: (
                read_number(data["document_type"], text, today=self.today).number
            ),
            "name": read_name,
        }
        for field, read in readers.items():
            if field in data and data.get("document_type"):
                try:
                    data[field] = read(data[field])
                except forms.ValidationError as error:
                    self.add_error(field, error)

    def _clean_day(self, data: dict[str, Any]) -> None:
        chip = data.get("arrived", "")
        if chip.isdigit():
            data["arrived_on"] = self.today - timedelta(days=int(chip))
            return
        day = data.get("arrived_on")
        if not day:
            if "arrived_on" in data:
                self.add_error("arrived_on", gettext("Enter the day of arrival."))
        elif day > self.today:
            self.add_error("arrived_on", gettext("The arrival lies in the future: check the day."))
        elif day < self.today - LOOK_BACK:
            self.add_error(
                "arrived_on",
                ngettext(
                    "The arrival lies more than %d day back: check the day.",
                    "The arrival lies more than %d days back: check the day.",
                    LOOK_BACK.days,
                )
                % LOOK_BACK.days,
            )

    def _require(self, data: dict[str, Any], field: str, sentence: str) -> None:
        if field in data and not data[field]:
            self.add_error(field, sentence)

    def person(self) -> dict[str, Any]:
        """
        Return the facts of the form as the policy question `measure` names them.

        What is not (well) filled in is left out, so that a half-filled form can be asked about.
        """
        data = self.cleaned_data
        start: date = data.get("arrived_on") or self.today
        facts: dict[str, Any] = {
            "start": start.isoformat(),
            "home_conditions_met": data.get("home_fit") != "no",
            "chooses_central": bool(data.get("chooses_central")),
            "freight_crew": bool(data.get("freight")),
        }
        if data.get("coming") == "abroad":
            facts["inbound"] = inbound = self._inbound()
            # From the port of entry they come on like everybody else: proof and landing test.
            facts["arrived_from"] = inbound["entered_via"]
        elif place := data.get("origin"):
            facts["arrived_from"] = place.code
            facts["spread_at_origin"] = bool(data.get("spread"))
        facts["stays"] = self._stays(start)
        if data.get("exposure"):
            facts["exposure"] = data["exposure"]
        if data.get("exposure") == "infected":
            facts["clinical"] = data.get("clinical") or "asymptomatic"
            facts["serious_underlying_disease"] = bool(data.get("serious"))
        if data.get("post_ended"):
            facts["closed_loop_post_ended"] = data["post_ended"].isoformat()
        if data.get("proof") and (data.get("sampled_at") or data.get("reported_at")):
            facts["proof"] = {
                field: data[field].isoformat() if data.get(field) else None
                for field in ("sampled_at", "reported_at")
            }
        return facts

    def _inbound(self) -> dict[str, Any]:
        data = self.cleaned_data
        via = data.get("entered_via")
        return {
            "central_days": data.get("central_days") or 0,
            "home_days": data.get("home_days") or 0,
            "entered_via": via.code if via else None,
        }

    def _stays(self, start: date) -> list[dict[str, Any]]:
        data = self.cleaned_data
        stays = []
        if data.get("coming") == "home" and (place := data.get("origin")):
            left: date = data.get("left_on") or start
            stays.append(_stay(place, data.get("risk"), left, data.get("transit")))
        for form in self.stays:
            stay = getattr(form, "cleaned_data", {})
            if stay.get("place") and stay.get("last_day"):
                stays.append(
                    _stay(stay["place"], stay.get("risk"), stay["last_day"], stay.get("transit"))
                )
        return stays


def after_arrival() -> str:
    """Return the sentence on a stay that ends after the arrival, which no look-back can count."""
    return gettext("The last day there lies after the arrival: check the day.")


def _stay(place: Place, risk: str | None, last_day: date, transit: bool | None) -> dict[str, Any]:
    return {
        "area": place.code,
        "risk": risk or None,
        "last_day": last_day.isoformat(),
        "transit": bool(transit),
    }
