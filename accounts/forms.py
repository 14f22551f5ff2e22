"""Forms of administrators and auditors."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.staff.models import Area, Role, User
from common.days import DayField
from common.text import TextField


class AreaPick(forms.CheckboxSelectMultiple):
    """Areas as a list of checkboxes, indented by depth and filtered by typing."""

    top = 1  # the depth of the highest area

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the option with the words for the filter in the browser."""
        option = super().create_option(name, value, *args, **kwargs)
        area: Area = value.instance
        option["attrs"]["data-words"] = f"{area.name} {area.name_key} {area.code}".lower()
        option["attrs"]["class"] = f"form-check-input depth-{area.depth - self.top}"
        return option


class AreaChoice(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not generic when run
    """Areas, by name and level."""

    widget = AreaPick

    def label_from_instance(self, obj: Any) -> str:
        """Return the area's name with its level."""
        return f"{obj.name} · {obj.get_level_display()}"


class AreaNameForm(forms.Form):
    """The name of an area."""

    name = TextField(
        label=pgettext_lazy("of an area", "Name"),
        tidied=True,
        max_length=50,
        error_messages={"required": pgettext_lazy("of an area", "Enter the name.")},
    )


class AreaForm(AreaNameForm):
    """The name of an area and its duty phone."""

    phone = forms.RegexField(
        r"^\+?[0-9][0-9 -]{3,17}[0-9]$",
        label=_("Duty phone"),
        required=False,
        help_text=_("Stands at the end of each SMS to residents; empty for none."),
        error_messages={"invalid": _("Enter a phone number, for example 0591-88886666.")},
        widget=forms.TextInput({"inputmode": "tel", "autocomplete": "off"}),
    )


class GridForm(AreaNameForm):
    """A new grid."""

    code = forms.RegexField(
        r"^[0-9]{7,20}$",
        label=_("Code"),
        help_text=_("The community's code and, after it, the grid's own digits."),
        error_messages={
            "invalid": _("A code has 7 to 20 digits."),
            "required": _("Enter the code."),
        },
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )


class EmailForm(forms.Form):
    """The address for activation codes and the morning's digest."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        required=False,
        help_text=_("For activation codes and the morning's digest. Empty for none."),
        widget=forms.EmailInput({"autocomplete": "off", "spellcheck": "false"}),
    )


class PersonForm(EmailForm):
    """An account: name, role and areas."""

    field_order = ["name", "employer", "email", "role", "areas"]

    employer = TextField(
        label=_("Employer"),
        tidied=True,
        max_length=60,
        required=False,
        help_text=_(
            "The authority or committee they work for. A new one, and who changes it, is decided"
            " by two administrators."
        ),
        widget=forms.TextInput({"list": "employers", "autocomplete": "off"}),
    )
    name = TextField(
        label=pgettext_lazy("of a person", "Name"),
        tidied=True,
        max_length=50,
        error_messages={"required": pgettext_lazy("of a person", "Enter the name.")},
    )
    role = forms.ChoiceField(
        label=_("Role"), choices=Role, widget=forms.RadioSelect, initial=Role.GRID_STAFF
    )
    areas = AreaChoice(
        label=pgettext_lazy("an account", "Responsible for"),
        queryset=Area.objects.none(),
        required=False,
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        areas = self.fields["areas"]
        assert isinstance(areas, AreaChoice)  # noqa: S101 - tells the type checker
        managed = Area.objects.below(by)
        areas.queryset = managed
        highest = managed.order_by("depth").first()
        cast(AreaPick, areas.widget).top = highest.depth if highest else 1

    @property
    def employers(self) -> list[str]:
        """Return the known employers, offered so that none is spelled in two ways."""
        known = User.objects.exclude(employer="").order_by("employer")
        return list(known.values_list("employer", flat=True).distinct())

    def clean(self) -> dict[str, Any]:
        """Require an employer for administrators, who decide about policy."""
        cleaned = super().clean() or {}
        if cleaned.get("role") == Role.ADMINISTRATOR and not cleaned.get("employer", "").strip():
            self.add_error(
                "employer",
                _("Enter the employer: administrators decide with somebody of another one."),
            )
        return cleaned


class NewPersonForm(PersonForm):
    """A new account."""

    field_order = ["username", "name", "employer", "email", "role", "areas"]

    username = TextField(
        label=_("User name"),
        max_length=50,
        validators=[User.username_validator],
        error_messages={"required": _("Enter the user name.")},
        help_text=_("What they sign in with: letters, digits and . _ - without spaces."),
        widget=forms.TextInput(
            {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}
        ),
    )

    def clean_username(self) -> str:
        """Return the user name; refuse one that is taken, ignoring case."""
        username: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError(_("This user name is taken. Choose another."))
        return username


class CodeForm(forms.Form):
    """An activation code, and the password that its holder chooses."""

    code = TextField(
        label=_("Activation code"),
        max_length=40,
        error_messages={"required": _("Enter the code.")},
        widget=forms.TextInput(
            {"autocapitalize": "none", "autocomplete": "one-time-code", "spellcheck": "false"}
        ),
    )
    password1 = forms.CharField(
        label=_("New password"),
        strip=False,
        help_text=_("At least 10 characters, not only digits, known to nobody but you."),
        error_messages={"required": _("Choose a password.")},
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label=_("The new password again"),
        strip=False,
        error_messages={"required": _("Type the password again.")},
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """Require the same password twice."""
        cleaned = super().clean() or {}
        if len({cleaned.get("password1"), cleaned.get("password2")} - {None}) == 2:
            self.add_error("password2", _("These are two different passwords."))
        return cleaned


class AuditFilterForm(forms.Form):
    """Which entries of the audit to show."""

    day = DayField(
        label=_("Day"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    about = TextField(
        label=_("About or by (pseudonym)"),
        max_length=80,
        required=False,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
