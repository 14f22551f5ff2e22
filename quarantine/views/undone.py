"""The response to an undo."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from common.errors import RefusedError


def undo_and_redirect(request: HttpRequest, take_back: Callable[[], object]) -> HttpResponse:
    """Call `take_back`, show a message with its outcome, and redirect to `next`."""
    try:
        take_back()
    except RefusedError as error:
        messages.error(request, error.sentence)
    else:
        messages.info(request, _("Taken back."))
    next_url = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(next_url, allowed_hosts=None)
    return redirect(next_url if safe else "today")
