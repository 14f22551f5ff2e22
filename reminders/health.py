"""
Whether the sweeps are running.

Measured by the database's clock alone: the demo's day may jump, and web and worker machines may
disagree about the time.
"""

from datetime import timedelta

from django.core.cache import cache
from django.db.models.functions import Now
from redis.exceptions import RedisError

from reminders.models import Heartbeat

SWEEP = "sweep"
STOPPED_AFTER = timedelta(minutes=5)
KEPT_SECONDS = 15
CACHE_KEY = "sweeps-stopped"


def beat() -> None:
    """Note that a sweep ran through."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(sweep=SWEEP, at=Now())],
        update_conflicts=True,
        unique_fields=["sweep"],
        update_fields=["at"],
    )


def stopped() -> bool:
    """Return whether no sweep ran through in the last five minutes."""
    recent = Heartbeat.objects.filter(sweep=SWEEP, at__gt=Now() - STOPPED_AFTER)
    return not recent.exists()


def stopped_lately() -> bool:
    """Return the same, asked of the database only now and then; works without the cache."""
    try:
        return bool(cache.get_or_set(CACHE_KEY, stopped, KEPT_SECONDS))
    except RedisError:
        return stopped()
