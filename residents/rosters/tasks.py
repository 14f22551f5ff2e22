"""Celery tasks of rosters; their state is in the database, tasks only start the work."""

from uuid import UUID

from celery import shared_task

from common import clock
from common.doorbell import ring
from residents.rosters import working


@shared_task
def work_on_roster(key: str) -> bool:
    """Process a roster according to its state."""
    return working.work(key=UUID(key), at=clock.now())


@shared_task
def resume_rosters() -> int:
    """Start tasks for all rosters in progress, in case a worker was lost; return their number."""
    keys = working.at_work()
    for key in keys:
        ring(work_on_roster, str(key))
    return len(keys)


@shared_task
def expire_rosters() -> int:
    """Delete the personal data of old rosters; return their number."""
    return working.expire(at=clock.now())
