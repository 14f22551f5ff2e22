"""Forms of the portal itself."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.days import DayField

# So far from the real day a demo still looks like one.
FURTHEST = timedelta(days=60)


class DemoDayForm(forms.Form):
    """The day that the demo takes for today; none for the real one."""

    day = DayField(
        label=gettext_lazy("Day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args: Any, real_day: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.real_day = real_day

    def clean_day(self) -> date | None:
        """Refuse days so far away that nothing of the demo lies near them."""
        day: date | None = self.cleaned_data["day"]
        if day and abs(day - self.real_day) > FURTHEST:
            raise forms.ValidationError(
                _("Choose a day at most %(days)d days from the real one.")
                % {"days": FURTHEST.days}
            )
        return day
