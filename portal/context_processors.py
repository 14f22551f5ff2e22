"""What every page knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts import clock


def portal(request: HttpRequest) -> dict[str, Any]:
    """Return the site's name, the day it is and whether this is the demo."""
    return {"site_name": settings.SITE_NAME, "demo": settings.DEMO, "today": clock.today()}
