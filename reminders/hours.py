"""The hours in which nobody's telephone rings."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone


def is_quiet(at: datetime) -> bool:
    """Return whether nothing may leave the portal at that moment (setting QUIET_HOURS)."""
    begins, ends = settings.QUIET_HOURS
    now = timezone.localtime(at).time()
    if begins <= ends:
        return bool(begins <= now < ends)
    return bool(now >= begins or now < ends)


def after_quiet(at: datetime) -> datetime:
    """Return the first moment from `at` on at which messages may leave the portal."""
    if not is_quiet(at):
        return at
    _, ends = settings.QUIET_HOURS
    local = timezone.localtime(at)
    day = local.date() if local.time() < ends else local.date() + timedelta(days=1)
    return datetime.combine(day, ends, tzinfo=local.tzinfo)
