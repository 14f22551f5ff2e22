"""What every page says about reminders."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from common import clock
from reminders import health, inbox


def reminders(request: HttpRequest) -> dict[str, Any]:
    """Return whether sweeps have stopped, and what is new for somebody, when asked."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {
        "sweeps_stopped": SimpleLazyObject(health.stopped_lately),
        "news": SimpleLazyObject(lambda: inbox.news(user, at=clock.now())),
    }
