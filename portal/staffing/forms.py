"""Forms: who takes over open work, and how an activation code reaches its owner."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.activation.models import ActivationCode
from accounts.staff.models import User
from common.text import TextField
from portal.staffing import delivery
from portal.staffing.proposals import Delivery
from portal.staffing.succession import may_take_over
from residents.register.identity import read_phone

Way = ActivationCode.Way


class TakerChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic when run
    """Field staff, by name and role."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the name with the role and the user name, which tells namesakes apart."""
        return f"{obj} · {obj.get_role_display()} · {obj.username}"


class TakerForm(forms.Form):
    """Who takes over what somebody leaves."""

    taker = TakerChoice(
        label=_("Who takes over the open work"),
        queryset=User.objects.none(),
        required=False,
        to_field_name="key",
        empty_label=_("Choose somebody"),
        widget=forms.Select({"class": "form-select"}),
    )

    def __init__(self, *args: Any, of: User, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        taker = self.fields["taker"]
        assert isinstance(taker, TakerChoice)  # noqa: S101 - tells the type checker
        taker.queryset = may_take_over(of=of, by=by)


class DeliveryForm(forms.Form):
    """How the owner of an account gets the activation code."""

    way = forms.ChoiceField(
        label=_("The activation code goes"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose how the code reaches its owner.")},
    )
    phone = TextField(
        label=_("Their own phone"),
        max_length=30,
        required=False,
        help_text=_("For the SMS only; it is not kept."),
        widget=forms.TextInput({"inputmode": "tel", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email
        way = self.fields["way"]
        assert isinstance(way, forms.ChoiceField)  # noqa: S101 - tells the type checker
        ways = delivery.configured()
        way.choices = [(each.value, each.label) for each in ways]
        way.initial = ways[0]
        if Way.SMS not in ways:
            del self.fields["phone"]

    def clean_phone(self) -> str:
        """Return the phone in one form of writing."""
        typed = self.cleaned_data["phone"]
        return read_phone(typed) if typed else ""

    def clean(self) -> dict[str, Any]:
        """Require what the chosen way needs."""
        cleaned = super().clean() or {}
        if cleaned.get("way") == Way.SMS and "phone" not in self.errors and not cleaned["phone"]:
            self.add_error("phone", _("Enter the phone."))
        if cleaned.get("way") == Way.EMAIL and not self.email:
            self.add_error("way", _("The account has no e-mail address: enter one first."))
        return cleaned

    @property
    def delivery(self) -> Delivery:
        """Return what was chosen."""
        way = Way(self.cleaned_data["way"])
        phone = self.cleaned_data.get("phone", "") if way == Way.SMS else ""
        return Delivery(way, phone)


class ResetForm(DeliveryForm):
    """A new activation code, and whether the second factor goes, too."""

    factor = forms.BooleanField(
        label=_("The phone with the codes of the second factor is lost, too"),
        required=False,
        help_text=_("Then a second administrator of another employer has to agree."),
    )
