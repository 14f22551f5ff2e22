"""Which document is in force at a place on a day, for everyone signed in."""

from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from accounts.access import member
from common import clock
from common.days import DayField
from common.places import LONGEST_PLACE, UnknownPlaceError
from common.text import TextField
from policy.activations.local_law import area_of, local_law


class LocalLawForm(forms.Form):
    """An area and a day."""

    area = TextField(
        label=_("Area"),
        max_length=LONGEST_PLACE,
        help_text=_("Name, pinyin or six digits"),
        error_messages={"required": _("Choose the area.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    day = DayField(
        label=_("Day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Give the day, for example 2022-12-07.")},
    )

    helper = FormHelper()
    helper.form_tag = False

    def clean_area(self) -> Any:
        """Return the code and the name of the area."""
        try:
            return area_of(self.cleaned_data["area"])
        except UnknownPlaceError as unknown:
            sentence = unknown.sentence
            if unknown.places:
                sentence += " " + " · ".join(place.full_name for place in unknown.places[:5])
            raise forms.ValidationError(sentence) from unknown


@require_GET
def law_at(request: HttpRequest) -> HttpResponse:
    """Show which document is in force in an area on a day, and what was and will be."""
    now = clock.now()
    areas = list(member(request).areas.order_by("path")[:10])
    asked = {"area": areas[0].code if areas else "", "day": clock.day_of(now).isoformat()}
    entered = {name: request.GET[name] for name in ("area", "day") if request.GET.get(name)}
    form = LocalLawForm({**asked, **entered} if areas or entered else None)
    context: dict[str, Any] = {"form": form, "areas": areas}
    if form.is_bound and form.is_valid():
        code, name = form.cleaned_data["area"]
        context["local_law"] = local_law(
            code=code, name=name, day=form.cleaned_data["day"], now=now
        )
        form = context["form"] = LocalLawForm(
            initial={"area": name, "day": form.cleaned_data["day"]}
        )
    return render(request, "policy/law_at.html", context, status=422 if form.errors else 200)
