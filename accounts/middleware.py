"""Middleware for signed-in users: no caching, end of a session, second factor."""

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
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import member
from accounts.adapter import must_have_second_factor

Next = Callable[[HttpRequest], HttpResponseBase]

BEGAN, SEEN, SECOND_FACTOR = "began_at", "seen_at", "second_factor"
WRITE_EVERY = 60  # seconds between two writes of a session
# Pages that stay open to users who are redirected to a required step.
ALWAYS = {"account_logout", "account_reauthenticate", "mfa_reauthenticate", "set_language"}
WHILE_FACTOR_IS_MISSING = ALWAYS | {"account_change_password", "mfa_activate_totp"}


class NoStore:
    """
    Forbid browsers and proxies to store pages for signed-in users.

    Who signs out leaves nothing in the browser's stores.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Add the headers; static files are served before this middleware."""
        response = self.get_response(request)
        if request.user.is_authenticated:
            add_never_cache_headers(response)
        elif request.method == "POST" and request.path == reverse("account_logout"):
            response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response


class SignedOutFragment:
    """
    Answer htmx requests without a session with status 401.

    A redirect would put the sign-in page into the fragment; portal.js handles the 401.
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


class SessionEnd:
    """
    Sign out users whose session is over.

    It is after the hours of their role (SESSION_HOURS), whatever they do, and after its minutes
    without requests (IDLE_MINUTES).
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request, or redirect to the sign-in page."""
        if request.user.is_authenticated:
            if self._is_over(request):
                return self._sign_out(request, _("Your session has ended. Sign in again."))
            if self._was_idle(request):
                return self._sign_out(request, self._idle(request))
        return self.get_response(request)

    def _is_over(self, request: HttpRequest) -> bool:
        now = int(time.time())
        began = request.session.setdefault(BEGAN, now)
        return bool(now - began >= settings.SESSION_HOURS[member(request).role] * 3600)

    def _was_idle(self, request: HttpRequest) -> bool:
        now = int(time.time())
        seen = request.session.get(SEEN, now)
        if now - seen > settings.IDLE_MINUTES[member(request).role] * 60:
            return True
        # A clock that was set back leaves a moment to come, which would count from then on.
        if SEEN not in request.session or not 0 <= now - seen < WRITE_EVERY:
            request.session[SEEN] = now
        return False

    def _idle(self, request: HttpRequest) -> str:
        minutes = settings.IDLE_MINUTES[member(request).role]
        return ngettext(
            "You were signed out after %(count)d minute without activity.",
            "You were signed out after %(count)d minutes without activity.",
            minutes,
        ) % {"count": minutes}

    def _sign_out(self, request: HttpRequest, why: str) -> HttpResponseBase:
        logout(request)
        messages.info(request, why)
        return redirect_to_login(request.path)


class RequiredSetup:
    """Redirect to a required step: setting up a second factor."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponseBase | None:
        """Return the redirect to a required step, or None."""
        if not request.user.is_authenticated:
            return None
        page = request.resolver_match.view_name if request.resolver_match else ""
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
