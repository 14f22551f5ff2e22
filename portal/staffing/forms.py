"""The form in which somebody is chosen who takes over open work."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.staff.models import User
from portal.staffing.succession import may_take_over


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
