"""Context of every page: what stands in the way of reminders, and news for the user."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from common import clock
from reminders import health, inbox


def reminders(request: HttpRequest) -> dict[str, Any]:
    """Return lazily what stands in the way of reminders, and the news of the user."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {
        "reminder_troubles": SimpleLazyObject(health.troubles_cached),
        "news": SimpleLazyObject(lambda: inbox.news(user, at=clock.now())),
    }
