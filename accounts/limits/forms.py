"""Forms of allauth in which a password or a code can be guessed, with our limit."""

from typing import Any, cast

from allauth.account.forms import ChangePasswordForm as _ChangePasswordForm
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm as _AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as _ReauthenticateForm
from django import forms
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.limits.guesses import CODE, PASSWORD, guess
from accounts.staff.models import User
from common.text import TextField

_CODE = _AuthenticateForm.base_fields["code"]


class _Code(forms.Form):
    """A code of the second factor."""

    user: User
    code = TextField(label=_CODE.label, widget=_CODE.widget, max_length=100)

    def clean_code(self) -> str:
        """Return the right code; slow guessing down."""
        right = guess(context.request, what=CODE, username=self.user.username)
        try:
            code = cast(str, super().clean_code())  # type: ignore[misc]
        except forms.ValidationError:
            audit.record(by=None, did=gettext_noop("code refused"), to=self.user)
            raise
        right()
        return code


class AuthenticateForm(_Code, _AuthenticateForm):
    """The code at sign-in."""


class ReauthenticateForm(_Code, _ReauthenticateForm):
    """The code before something that needs it anew."""


class ChangePasswordForm(_ChangePasswordForm):
    """A new password, for which the old one is asked."""

    def clean_oldpassword(self) -> Any:
        """Return the right old password; slow guessing down."""
        right = guess(context.request, what=PASSWORD, username=self.user.username)
        password = super().clean_oldpassword()
        right()
        return password
