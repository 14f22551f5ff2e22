"""Context of every page: stopped sweeps, and news for the user."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from common import clock
from reminders import health, inbox


def reminders(request: HttpRequest) -> dict[str, Any]:
    """Return lazily whether sweeps have stopped, and the news of the user."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {
        "sweeps_stopped": SimpleLazyObject(health.sweeps_stopped_cached),
        "news": SimpleLazyObject(lambda: inbox.news(user, at=clock.now())),
    }
