"""
Adapters of allauth: no sign-up, sign-ins are audited, secrets of second factors are sealed.

Guessing is limited by `accounts.limits`, not by allauth, whose counts live in the cache.
"""

import base64
from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.limits.devices import remember
from accounts.limits.guesses import PASSWORD, guess
from accounts.staff.models import SUPERVISES, User
from common.encryption import decrypt, encrypt
from common.redirects import is_own_path

TOTP = "mfa.secret"


class SignIn(AuthenticationBackend):
    """Authenticate by user name and password; load the user of a session."""

    def get_user(self, user_id: int) -> User | None:
        """Return the active user of a session; called on every page."""
        user = User.objects.signed_in(user_id)
        return user if user and user.is_active else None


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are created by administrators only."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: there is no public sign-up."""
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Return whether `next` may be followed: a path of the portal."""
        return is_own_path(url or "")

    def post_login(self, request: HttpRequest, user: User, **context: Any) -> HttpResponse:
        """Record the sign-in in the audit; know the device from now on."""
        audit.record(by=user, did=gettext_noop("signed in"), to=user)
        response = cast(HttpResponse, super().post_login(request, user, **context))
        remember(request, response, user.username)
        return response

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Return whose password this is; slow guessing down."""
        right = guess(request, what=PASSWORD, username=credentials.get("username", ""))
        user = cast(User | None, super().authenticate(request, **credentials))
        if user:
            right()
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Record a wrong password for an existing account in the audit."""
        user = User.objects.filter(username=credentials.get("username", "")).first()
        if user:
            audit.record(by=None, did=gettext_noop("sign-in refused"), to=user)

    @transaction.atomic
    def set_password(self, user: User, password: str) -> None:
        """Store a password that its owner chose."""
        user.set_password(password)
        user.save(update_fields=["password"])
        audit.record(by=user, did=gettext_noop("changed the password"), to=user)


class MFAAdapter(DefaultMFAAdapter):
    """The second factor: its secrets are sealed, and supervising roles cannot remove it."""

    def encrypt(self, text: str) -> str:
        """Return the sealed secret for the database."""
        return base64.b64encode(encrypt(text, context=TOTP)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return the secret that was sealed."""
        return decrypt(base64.b64decode(encrypted_text), context=TOTP)

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        """Return whether the owner may remove the second factor."""
        return not must_have_second_factor(authenticator.user)


def must_have_second_factor(user: User) -> bool:
    """Return whether this installation requires a second factor for the user."""
    return settings.SECOND_FACTOR_REQUIRED and user.role in SUPERVISES
