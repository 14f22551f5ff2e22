"""
Health of the sweeps.

Uses the database's clock only: the demo's day may jump, and clocks of machines may differ.
"""

from datetime import timedelta

from django.core.cache import cache
from django.db.models.functions import Now

from reminders.models import Heartbeat

SWEEP = "sweep"
STOPPED_AFTER = timedelta(minutes=5)
KEPT_SECONDS = 15
CACHE_KEY = "sweeps-stopped"


def record_heartbeat() -> None:
    """Record that a sweep has completed."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(sweep=SWEEP, at=Now())],
        update_conflicts=True,
        unique_fields=["sweep"],
        update_fields=["at"],
    )


def sweeps_stopped() -> bool:
    """Return whether no sweep completed in the last five minutes."""
    heartbeats = Heartbeat.objects.filter(sweep=SWEEP, at__gt=Now() - STOPPED_AFTER)
    return not heartbeats.exists()


def sweeps_stopped_cached() -> bool:
    """Return `sweeps_stopped`, cached for KEPT_SECONDS."""
    stopped = cache.get(CACHE_KEY)
    if stopped is None:
        stopped = sweeps_stopped()
        cache.set(CACHE_KEY, stopped, KEPT_SECONDS)
    return bool(stopped)
