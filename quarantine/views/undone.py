"""The response to an undo."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from common.errors import RefusedError
from common.redirects import redirect_to_next


def undo_and_redirect(request: HttpRequest, take_back: Callable[[], object]) -> HttpResponse:
    """Call `take_back`, show a message with its outcome, and redirect to `next`."""
    try:
        take_back()
    except RefusedError as error:
        messages.error(request, error.sentence)
    else:
        messages.info(request, _("Taken back."))
    return redirect_to_next(request, "today")
