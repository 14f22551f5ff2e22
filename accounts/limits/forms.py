"""Forms of allauth in which a password or a code can be guessed, with our limit."""

from typing import Any, cast

from allauth.account.forms import ChangePasswordForm as _ChangePasswordForm
from allauth.core import context
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm as _AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as _ReauthenticateForm
from django import forms
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.limits import counts
from accounts.limits.guesses import CODE, PASSWORD, guess
from accounts.staff.models import User
from common.text import TextField

_CODE = _AuthenticateForm.base_fields["code"]
# How long a code is a right one.
HOLDS_FOR = app_settings.TOTP_PERIOD * (2 * app_settings.TOTP_TOLERANCE + 1)


class _Code(forms.Form):
    """A code of the second factor."""

    user: User
    code = TextField(label=_CODE.label, widget=_CODE.widget, max_length=100)

    def clean_code(self) -> str:
        """Return the right code; slow guessing down."""
        right = guess(context.request, what=CODE, username=self.user.username)
        try:
            code = cast(str, super().clean_code())  # type: ignore[misc]
            self._refuse_used(code)
        except forms.ValidationError:
            audit.record(by=None, did=gettext_noop("code refused"), to=self.user)
            raise
        right()
        return code

    def _refuse_used(self, code: str) -> None:
        """Refuse a code a second time; allauth remembers it in the cache alone."""
        key = counts.key_of("code used", str(self.user.pk), normalize_user_code(code))
        if not counts.take(key, most=1, seconds=HOLDS_FOR):
            raise get_adapter().validation_error("incorrect_code")


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
