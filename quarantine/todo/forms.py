"""Forms by which a to-do is done."""

from django import forms
from django.utils.translation import gettext_lazy as _

from common.text import TextField
from quarantine.todo.models import Todo
from quarantine.widgets import MomentInput


class HandOverForm(forms.Form):
    """To whom, when and how somebody was handed over."""

    to = TextField(
        label=_("Handed over to"),
        max_length=100,
        min_length=2,
        help_text=_("Hospital or ambulance station, and who took over"),
    )
    handed_over_at = forms.DateTimeField(
        label=_("Handed over at"),
        required=False,
        widget=MomentInput(),
        help_text=_("Empty: now"),
    )
    vehicle = forms.ChoiceField(
        label=_("Vehicle"), choices=Todo.Vehicle.choices, widget=forms.RadioSelect
    )


class LookedAtForm(forms.Form):
    """What was done about it."""

    what_was_done = TextField(
        label=_("What was done"),
        max_length=200,
        min_length=2,
        help_text=_("For example: asked the clinic by phone, sample taken"),
    )
