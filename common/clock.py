"""
The clock of the portal.

Views, tasks and commands read it once and pass the time down. The demo can set an offset in days,
so that a visitor can go through a whole calendar; a production portal has no offset.
"""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

DEMO_OFFSET = "demo-day-offset"


def now() -> datetime:
    """Return the present moment, aware."""
    return timezone.now() + _demo_offset()


def today() -> date:
    """Return the present day in Asia/Shanghai."""
    return timezone.localdate(now())


def day_of(moment: datetime) -> date:
    """Return the day in Asia/Shanghai on which `moment` lies."""
    return timezone.localdate(moment)


def real_day() -> date:
    """Return the present day, without the demo's offset."""
    return timezone.localdate()


def set_demo_day(day: date | None) -> datetime:
    """
    Set the day of the demo to `day`, and return its present moment.

    None sets the real day.
    """
    if not settings.DEMO:
        raise RuntimeError("Only the demo may set its day.")
    days = (day - real_day()).days if day else 0
    cache.set(DEMO_OFFSET, days, timeout=None)
    return now()


def _demo_offset() -> timedelta:
    return timedelta(days=cache.get(DEMO_OFFSET, 0)) if settings.DEMO else timedelta()
