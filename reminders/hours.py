"""Quiet hours, in which no message is sent by outside channels."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone


def is_quiet(at: datetime) -> bool:
    """Return whether a moment lies in the quiet hours (setting QUIET_HOURS)."""
    begins, ends = settings.QUIET_HOURS
    now = timezone.localtime(at).time()
    if begins <= ends:
        return bool(begins <= now < ends)
    return bool(now >= begins or now < ends)


def after_quiet(at: datetime) -> datetime:
    """Return the first moment from `at` on outside the quiet hours."""
    if not is_quiet(at):
        return at
    _, ends = settings.QUIET_HOURS
    local = timezone.localtime(at)
    day = local.date() if local.time() < ends else local.date() + timedelta(days=1)
    return datetime.combine(day, ends, tzinfo=local.tzinfo)
