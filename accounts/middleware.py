"""What stands between a sign-in and the pages: idle time, a password of one's own, two factors."""

import time
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import member
from accounts.adapter import must_have_second_factor

Next = Callable[[HttpRequest], HttpResponseBase]

SEEN, SECOND_FACTOR = "seen_at", "second_factor"
WRITE_EVERY = 60  # seconds between two writes of a session
# Pages that somebody who is led elsewhere may still open.
ALWAYS = {"account_logout", "account_reauthenticate", "mfa_reauthenticate", "set_language"}
WHILE_PASSWORD_IS_TEMPORARY = ALWAYS | {"account_change_password"}
WHILE_FACTOR_IS_MISSING = ALWAYS | {"account_change_password", "mfa_activate_totp"}


class NotStored:
    """Let no browser and no proxy keep what somebody who is signed in was shown."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request; static files never come this far."""
        response = self.get_response(request)
        if request.user.is_authenticated:
            add_never_cache_headers(response)
        return response


class SignedOutPart:
    """
    Tell a part of a page that nobody is signed in any more, by status 401.

    A redirect would put the sign-in page into the part; the page itself knows better (portal.js).
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request."""
        response = self.get_response(request)
        if request.headers.get("HX-Request") and _leads_to_sign_in(response):
            return HttpResponse(status=HTTPStatus.UNAUTHORIZED)
        return response


def _leads_to_sign_in(response: HttpResponseBase) -> bool:
    address = urlsplit(response.headers.get("Location", ""))
    return address.path == resolve_url(settings.LOGIN_URL)


class Idle:
    """Sign out whoever has not asked for a page for as long as their role allows."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request, or lead to the sign-in page."""
        if request.user.is_authenticated and self._was_idle(request):
            return self._sign_out(request)
        return self.get_response(request)

    def _was_idle(self, request: HttpRequest) -> bool:
        now = int(time.time())
        seen = request.session.get(SEEN, now)
        if now - seen > settings.IDLE_MINUTES[member(request).role] * 60:
            return True
        if SEEN not in request.session or now - seen >= WRITE_EVERY:
            request.session[SEEN] = now
        return False

    def _sign_out(self, request: HttpRequest) -> HttpResponseBase:
        minutes = settings.IDLE_MINUTES[member(request).role]
        logout(request)
        messages.info(
            request,
            ngettext(
                "You were signed out after %(count)d minute without activity.",
                "You were signed out after %(count)d minutes without activity.",
                minutes,
            )
            % {"count": minutes},
        )
        return redirect_to_login(request.path)


class FirstThings:
    """Lead to what must be done before anything else: a password of one's own, a second factor."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponseBase | None:
        """Return where to go first, or None."""
        if not request.user.is_authenticated:
            return None
        page = request.resolver_match.view_name if request.resolver_match else ""
        if member(request).password_is_temporary:
            if page in WHILE_PASSWORD_IS_TEMPORARY:
                return None
            messages.warning(request, _("Choose a password that only you know."))
            return redirect("account_change_password")
        if page not in WHILE_FACTOR_IS_MISSING and self._lacks_second_factor(request):
            messages.warning(request, _("Your role needs a second factor: set it up now."))
            return redirect("mfa_activate_totp")
        return None

    def _lacks_second_factor(self, request: HttpRequest) -> bool:
        if not must_have_second_factor(member(request)) or request.session.get(SECOND_FACTOR):
            return False
        if is_mfa_enabled(request.user):
            request.session[SECOND_FACTOR] = True
            return False
        return True
