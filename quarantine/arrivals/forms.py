"""The form of an arrival: it cleans, and decides nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

from django import forms
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.staff.models import Area, User
from common import clock
from policy.engine.decisions.facts import Served
from policy.words import CLINICAL, EXPOSURES, SETTINGS, served_days
from quarantine.arrivals import codec
from quarantine.arrivals.codec import LOOK_BACK
from quarantine.arrivals.unclear import UnclearPlace
from quarantine.widgets import DateInput, MomentInput, PlaceField
from residents.register.forms import AddressForm, PersonForm
from residents.register.models import Resident

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

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["last_day"].widget.attrs["max"] = today.isoformat()

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


class ServedForm(forms.Form):
    """Days under a measure elsewhere, before this arrival."""

    setting = forms.ChoiceField(
        label=_("Stage"), choices=SETTINGS, required=False, widget=forms.RadioSelect
    )
    first_day = forms.DateField(label=_("First day"), required=False, widget=DateInput())
    last_day = forms.DateField(label=_("Last day"), required=False, widget=DateInput())

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        for name in ("first_day", "last_day"):
            self.fields[name].widget.attrs["max"] = today.isoformat()

    @property
    def filled(self) -> bool:
        """Whether this row has a value."""
        return bool(self.initial) or (self.is_bound and self.has_changed())

    def clean(self) -> dict[str, Any]:
        """Ask for a row as a whole, with its days in order."""
        data = super().clean() or {}
        if not any(data.values()):
            return data
        missing = {
            "setting": gettext("Choose how these days were served."),
            "first_day": gettext("Enter the first of these days."),
            "last_day": gettext("Enter the last of these days."),
        }
        for name, sentence in missing.items():
            if name in data and not data[name]:
                self.add_error(name, sentence)
        first, last = data.get("first_day"), data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", gettext("The last day lies before the first."))
        if first and first < self.today - LOOK_BACK:
            self.add_error("first_day", _too_long_ago())
        return data


MOST_SERVED = 3
ServedFormSet = forms.formset_factory(
    ServedForm, extra=1, max_num=MOST_SERVED, absolute_max=MOST_SERVED
)

# The days of arrival that are one tap away.
DAYS_BACK = (
    pgettext_lazy("a day", "Today"),
    _("Yesterday"),
    _("The day before"),
)
OTHER_DAY = "other"


class JourneyForm(forms.Form):
    """The journey: from where and when, and the facts that the law asks about."""

    # A form of another day asks again: who sends it after midnight means the day before.
    shown_on = forms.DateField(widget=forms.HiddenInput, required=False)
    # Dates, and OTHER_DAY for one that is typed.
    arrived = forms.ChoiceField(label=_("Arrived"), widget=forms.RadioSelect)
    arrived_on = forms.DateField(label=_("Day of arrival"), required=False, widget=DateInput())
    coming = forms.ChoiceField(
        label=_("Came from"),
        choices=[
            ("home", pgettext_lazy("came from", "Mainland")),
            ("hmt", _("Hong Kong, Macao, Taiwan")),
            ("abroad", pgettext_lazy("came from", "Abroad")),
        ],
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
        self,
        *args: Any,
        now: datetime,
        stays: Sequence[dict[str, Any]] = (),
        served: Sequence[dict[str, Any]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.now, self.today = now, clock.day_of(now)
        self.shown_earlier = False
        self.unclear: list[UnclearPlace] = []
        self._name_days()
        self._end_days_now()
        self.stays = StayFormSet(
            self.data if self.is_bound else None,
            prefix="stay",
            initial=list(stays),
            form_kwargs={"today": self.today},
        )
        # A page that does not ask for days served sends no rows of them.
        self.served = ServedFormSet(
            self.data if self.is_bound and "served-TOTAL_FORMS" in self.data else None,
            prefix="served",
            initial=list(served),
            form_kwargs={"today": self.today},
        )

    def _name_days(self) -> None:
        """Offer the last days by their dates; a day that is not among them is another one."""
        days = [self.today - timedelta(days=back) for back in range(len(DAYS_BACK))]
        short = pgettext("on a chip", "j M")
        chips = {
            day.isoformat(): f"{name} {date_format(day, short)}"
            for day, name in zip(days, DAYS_BACK, strict=True)
        }
        arrived = cast("forms.ChoiceField", self.fields["arrived"])
        arrived.choices = [*chips.items(), (OTHER_DAY, _("Another day"))]
        today = self.today.isoformat()
        if self.is_bound:
            self.data = shown = cast("Any", self.data).copy()
            self.shown_earlier = shown.get("shown_on", today) != today
        else:
            self.initial = shown = {"arrived": today, **self.initial}
        shown["shown_on"] = today
        chosen = shown.get("arrived", "")
        if chosen not in chips and _is_day(chosen):
            shown["arrived"], shown["arrived_on"] = OTHER_DAY, chosen

    def _end_days_now(self) -> None:
        """Let the browser offer no day or moment to come."""
        for name in ("arrived_on", "left_on", "post_ended"):
            self.fields[name].widget.attrs["max"] = self.today.isoformat()
        for name in ("sampled_at", "reported_at"):
            self.fields[name].widget.attrs["max"] = f"{localtime(self.now):%Y-%m-%dT%H:%M}"

    def is_valid(self) -> bool:
        """Return whether the form and its rows are in order."""
        valid = super().is_valid()
        rows: list[Any] = [self.stays, self.served] if self.served.is_bound else [self.stays]
        arrived_on = self.cleaned_data.get("arrived_on")
        for formset in rows:
            formset.is_valid()
            for form in formset:
                last = getattr(form, "cleaned_data", {}).get("last_day")
                if last and arrived_on and last > arrived_on:
                    form.add_error("last_day", after_arrival())
        return valid and all(formset.is_valid() for formset in rows)

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
        if data.get("coming") != "abroad" and not data.get("exposure"):
            self._require(data, "origin", gettext("Enter the city or county they came from."))
        left_on, arrived_on = data.get("left_on"), data.get("arrived_on")
        if data.get("coming") != "abroad" and left_on and arrived_on and left_on > arrived_on:
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
        chosen = data.get("arrived", "")
        if self.shown_earlier:
            self.add_error(
                "arrived", gettext("This form was opened on another day: check the date.")
            )
        if chosen and chosen != OTHER_DAY:
            data["arrived_on"] = date.fromisoformat(chosen)
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

    @property
    def wrong_rows(self) -> list[forms.Form]:
        """Return the rows of stays and of days served in which something is wrong."""
        return [row for row in (*self.stays, *self.served) if row.errors]

    @property
    def place_fields(self) -> list[forms.BoundField]:
        """Return the fields that name places, each of which may be asked about again."""
        return [self["origin"], self["entered_via"], *(stay["place"] for stay in self.stays)]

    def ask_where(self, unclear: Iterable[UnclearPlace]) -> None:
        """Ask which city or county, at each place within which the law tells places apart."""
        self.unclear = list(unclear)
        for place in self.unclear:
            for form, name in self._named(place):
                cast("PlaceField", form.fields[name]).places = place.within
                form.add_error(name, place.sentence)

    def _named(self, unclear: UnclearPlace) -> list[tuple[forms.Form, str]]:
        fields = [
            (self, "origin"),
            (self, "entered_via"),
            *((stay, "place") for stay in self.stays),
        ]
        return [
            (form, name)
            for form, name in fields
            if (place := getattr(form, "cleaned_data", {}).get(name))
            and place.code == unclear.code
        ]

    @property
    def wrong_day(self) -> str:
        """Return the sentence on the first day or moment that is filled in wrong, "" for none."""
        forms_with_days = (
            (self, ("arrived_on", "left_on", "post_ended", "sampled_at", "reported_at")),
            *((stay, ("last_day",)) for stay in self.stays),
            *((served, ("first_day", "last_day")) for served in self.served),
        )
        return next(
            (
                str(form.errors[name][0])
                for form, names in forms_with_days
                for name in names
                if name in form.errors and form[name].value()
            ),
            "",
        )

    def facts(self) -> dict[str, Any]:
        """Return the facts of the form, as far as it is filled, for `measure`."""
        stays, served = (
            [getattr(form, "cleaned_data", {}) for form in rows]
            for rows in (self.stays, self.served)
        )
        return codec.read_facts(self.cleaned_data, stays, served, today=self.today)


class ArrivalForm(PersonForm, AddressForm, JourneyForm):
    """The arrival: the person, the door and the journey."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    resident = forms.UUIDField(widget=forms.HiddenInput, required=False)
    # Whose phone reaches the whole household.
    phone_of = forms.UUIDField(widget=forms.HiddenInput, required=False)
    # Days of an earlier case here, which count once somebody has confirmed it.
    served_here = forms.TypedMultipleChoiceField(
        label=_("Served here before they left"),
        help_text=_("Tick what counts: these days are taken off the new measure."),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

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
        served_here: Sequence[Served] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, now=now, today=clock.day_of(now), by=by, **kwargs)
        self.known = known
        self._offer(served_here)
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

    def _offer(self, served_here: Sequence[Served]) -> None:
        """Offer the days served here, or do not ask where there are none."""
        offered = {
            f"{days.setting}.{days.first_day}.{days.last_day}": days for days in served_here
        }
        field = cast("forms.TypedMultipleChoiceField", self.fields["served_here"])
        field.choices = [(key, served_days(days)) for key, days in offered.items()]
        field.coerce = offered.__getitem__
        if not offered:
            del self.fields["served_here"]

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


def _too_long_ago() -> str:
    sentence = ngettext(
        "This day lies more than %d day back: check it.",
        "This day lies more than %d days back: check it.",
        LOOK_BACK.days,
    )
    return sentence % LOOK_BACK.days


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def after_arrival() -> str:
    """Return the sentence on a stay that ends after the arrival, which no look-back can count."""
    return gettext("The last day there lies after the arrival: check the day.")
