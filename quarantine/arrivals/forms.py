"""The form of an arrival: it cleans, and decides nothing."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

from django import forms
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.staff.models import Area, User
from common import clock
from policy.words import CLINICAL, EXPOSURES
from quarantine.arrivals import codec
from quarantine.widgets import DateInput, MomentInput, PlaceField
from residents.register.forms import AddressForm, PersonForm
from residents.register.models import Resident

# How far back a stay, a proof or an arrival may lie and still be worth asking about.
LOOK_BACK = timedelta(days=30)

RISKS = [("", _("None or not known")), ("low", _("Low-risk area")), ("high", _("High-risk area"))]


class StayForm(forms.Form):
    """A stay of the last days."""

    place = PlaceField(label=_("Place"), required=False)
    risk = forms.ChoiceField(
        label=_("Risk level of that place"),
        choices=RISKS,
        required=False,
        widget=forms.RadioSelect,
    )
    last_day = forms.DateField(label=_("Last day there"), required=False, widget=DateInput())
    transit = forms.BooleanField(
        label=_("Only changed trains or flights, without leaving the station"), required=False
    )

    @property
    def filled(self) -> bool:
        """Whether this row has a value."""
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

# The days of arrival that are one tap away.
DAYS_BACK = (_("Today"), _("Yesterday"), _("The day before"))


class JourneyForm(forms.Form):
    """The journey: from where and when, and the facts that the law asks about."""

    arrived = forms.ChoiceField(
        label=_("Arrived"),
        choices=[
            *((str(days), name) for days, name in enumerate(DAYS_BACK)),
            ("other", _("Another day")),
        ],
        widget=forms.RadioSelect,
        initial="0",
    )
    arrived_on = forms.DateField(label=_("Day of arrival"), required=False, widget=DateInput())
    coming = forms.ChoiceField(
        label=_("Came from"),
        choices=[("home", _("Within China")), ("abroad", _("Abroad"))],
        widget=forms.RadioSelect,
        initial="home",
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
        widget=forms.RadioSelect,
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
        widget=forms.RadioSelect,
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
        choices=[("", _("None known")), *EXPOSURES.items()],
        required=False,
        widget=forms.RadioSelect,
    )
    clinical = forms.ChoiceField(
        label=_("Class found by a clinician"),
        choices=CLINICAL,
        required=False,
        widget=forms.RadioSelect,
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
        widget=forms.RadioSelect,
        initial="yes",
        help_text=_("A room of their own, and a bathroom that nobody else uses"),
    )
    chooses_central = forms.BooleanField(
        label=_("Asks for central isolation of their own wish"), required=False
    )

    def __init__(
        self, *args: Any, now: datetime, stays: Sequence[dict[str, Any]] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.now, self.today = now, clock.day_of(now)
        self.leaves_after_arrival = False
        self.stays = StayFormSet(
            self.data if self.is_bound else None, prefix="stay", initial=list(stays)
        )

    def is_valid(self) -> bool:
        """Return whether the form and its stays are in order."""
        valid = super().is_valid()
        self.stays.is_valid()
        arrived_on = self.cleaned_data.get("arrived_on")
        for form in self.stays:
            last = getattr(form, "cleaned_data", {}).get("last_day")
            if last and arrived_on and last > arrived_on:
                self.leaves_after_arrival = True
                form.add_error("last_day", after_arrival())
        return valid and self.stays.is_valid()

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

    def _not_later(self, field: str) -> date | None:
        day: date | None = self.cleaned_data[field]
        if day and day > self.today:
            raise forms.ValidationError(gettext("This day lies in the future."))
        return day

    def clean(self) -> dict[str, Any]:
        """Clean what hangs together: the day, where from, the proof."""
        data = super().clean() or {}
        self._clean_day(data)
        if data.get("coming") == "home" and not data.get("exposure"):
            self._require(data, "origin", gettext("Enter the city or county they came from."))
        left_on, arrived_on = data.get("left_on"), data.get("arrived_on")
        if data.get("coming") == "home" and left_on and arrived_on and left_on > arrived_on:
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

    def facts(self) -> dict[str, Any]:
        """Return the facts of the form, as far as it is filled, for `measure`."""
        stays = (getattr(form, "cleaned_data", {}) for form in self.stays)
        return codec.read_facts(self.cleaned_data, stays, today=self.today)


class ArrivalForm(PersonForm, AddressForm, JourneyForm):
    """The arrival: the person, the door and the journey."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    resident = forms.UUIDField(widget=forms.HiddenInput, required=False)
    # Whose phone reaches the whole household.
    phone_of = forms.UUIDField(widget=forms.HiddenInput, required=False)

    field_order = (*PersonForm.base_fields, *AddressForm.base_fields)
    # What a known person is not asked again.
    IDENTITY = ("document_type", "number", "name", "sex", "birth_date")

    def __init__(
        self,
        *args: Any,
        now: datetime,
        by: User,
        known: Resident | None = None,
        housemate: Resident | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, now=now, today=clock.day_of(now), by=by, **kwargs)
        self.known = known
        self.housemate = housemate if housemate and not (known and known.phone) else None
        del self.fields["floor"]
        self._name_grids_by_code()
        if known:
            self._ask_for_no_identity()
        else:
            self.fields["number"].widget.attrs["data-number"] = ""
            for name in ("sex", "birth_date"):
                self.fields[name].help_text = _("Only where the number does not say it")
        self.fields["building"].help_text = ""
        if self.housemate:
            self.initial["phone_of"] = self.housemate.key
            self.fields["phone"].help_text = gettext(
                "Empty: the phone of the household, %(phone)s (%(name)s)"
            ) % {"phone": self.housemate.masked_phone, "name": self.housemate.masked_name}

    def _name_grids_by_code(self) -> None:
        grid = cast("forms.ModelChoiceField[Area]", self.fields["grid"])
        grid.to_field_name, grid.empty_label = "code", None
        if self.only_grid:
            grid.widget, grid.initial = forms.HiddenInput(), self.only_grid.code

    def _ask_for_no_identity(self) -> None:
        """Leave the door free, too: who is known may stay where they live."""
        for name in self.IDENTITY:
            del self.fields[name]
        for name in ("building", "door"):
            self.fields[name].required = False

    @property
    def more_of_person(self) -> bool:
        """Whether a field of the folded part about the person has a value."""
        folded_fields = ("sex", "birth_date", "emergency_name", "emergency_phone")
        empty_values = (None, "", Resident.Sex.UNKNOWN)
        return any(
            self[name].value() not in empty_values for name in folded_fields if name in self.fields
        )


def after_arrival() -> str:
    """Return the sentence on a stay that ends after the arrival, which no look-back can count."""
    return gettext("The last day there lies after the arrival: check the day.")
