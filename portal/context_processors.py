"""The context that every template gets."""

import ipaddress
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.staff.models import Role
from common import clock, replica
from portal import demo


def portal(request: HttpRequest) -> dict[str, Any]:
    """Return what every page says: whose it is, its day, the demo, and of when its data are."""
    return {
        "site_name": settings.SITE_NAME,
        "demo": settings.DEMO,
        "demo_for_all": settings.DEMO and not _only_here(request),
        "demo_sign_ins": _demo_sign_ins,
        "today": clock.today(),
        "read_as_of": replica.as_of(),
    }


def _demo_sign_ins() -> list[tuple[str, str, str]]:
    # Called by the sign-in page only: a template calls what it shows.
    return [(str(Role(role).label), name, password) for role, name, password in demo.sign_ins()]


def _only_here(request: HttpRequest) -> bool:
    """Return whether the server answers on this machine alone, by where it listens."""
    try:
        return ipaddress.ip_address(request.META.get("SERVER_NAME", "")).is_loopback
    except ValueError:  # a name, or a socket
        return True
