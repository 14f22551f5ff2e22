"""Redirect to where a form says that the user came from."""

from typing import Any

from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

LONGEST = 2_000


def is_own_path(address: str) -> bool:
    """Return whether an address is a path of the portal, whole and no longer than any is."""
    whole = address.startswith("/") and len(address) <= LONGEST
    return whole and url_has_allowed_host_and_scheme(address, allowed_hosts=None)


def redirect_to_next(request: HttpRequest, to: str, *args: Any) -> HttpResponseRedirect:
    """Redirect to the posted `next`, or to the page `to` where that is no path of the portal."""
    asked = request.POST.get("next", "")
    return HttpResponseRedirect(asked) if is_own_path(asked) else redirect(to, *args)
