"""
Devices on which somebody has signed in before, by a signed cookie.

Their tries are counted apart, so that a stranger's wrong passwords lock nobody out where they
work. The cookie opens nothing: it holds keyed hashes of user names, each with a random number.
"""

import secrets
from typing import cast

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from accounts.limits.counts import DAY, key_of

SALT = "accounts.limits.devices"
KNOWN_FOR = 180 * DAY
MOST = 8  # people who share a device; who comes later takes the place of the first


def device_of(request: HttpRequest, username: str) -> str:
    """Return the number of the client's device if this user has signed in on it, else ""."""
    return _known(request).get(_person(username), "")


def remember(request: HttpRequest, response: HttpResponse, username: str) -> None:
    """Let the client keep that this user has signed in on it."""
    known = _known(request)
    number = known.pop(_person(username), "") or secrets.token_hex(16)
    latest = dict([*known.items(), (_person(username), number)][-MOST:])
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        signing.dumps(latest, salt=SALT),
        max_age=KNOWN_FOR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _known(request: HttpRequest) -> dict[str, str]:
    cookie = request.COOKIES.get(settings.DEVICE_COOKIE_NAME, "")
    try:
        return cast(dict[str, str], signing.loads(cookie, salt=SALT, max_age=KNOWN_FOR))
    except signing.BadSignature:
        return {}


def _person(username: str) -> str:
    return key_of("device of", username.lower())[:32]
