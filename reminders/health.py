"""
Health of the sweeps, and of what leaves the portal.

Uses the database's clock only: the demo's day may jump, and clocks of machines may differ.
"""

from datetime import timedelta

from django.core.cache import cache
from django.db.models import Value
from django.db.models.functions import Now

from reminders.models import Heartbeat, Outbox

SWEEP = "sweep"
STOPPED_AFTER = timedelta(minutes=5)
KEPT_SECONDS = 15
CACHE_KEY = "reminder-troubles"
RUNNING, STOPPED, HELD = "running", "stopped", "held"


def record_heartbeat() -> None:
    """Record that a sweep has completed."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(sweep=SWEEP, at=Now())],
        update_conflicts=True,
        unique_fields=["sweep"],
        update_fields=["at"],
    )


def troubles() -> list[str]:
    """Return what stands in the way of reminders: STOPPED, HELD, both or neither. One query."""
    running = Heartbeat.objects.filter(sweep=SWEEP, at__gt=Now() - STOPPED_AFTER)
    held = Outbox.objects.filter(held_at__isnull=False)
    states = running.values_list(Value(RUNNING)).union(held.values_list(Value(HELD)))
    found = {state for (state,) in states}
    return [*([] if RUNNING in found else [STOPPED]), *(found & {HELD})]


def sweeps_stopped() -> bool:
    """Return whether no sweep completed in the last five minutes."""
    return STOPPED in troubles()


def troubles_cached() -> list[str]:
    """Return `troubles`, cached for KEPT_SECONDS."""
    return list(cache.get_or_set(CACHE_KEY, troubles, KEPT_SECONDS) or [])
