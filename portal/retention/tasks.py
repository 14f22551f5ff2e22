"""Celery tasks of purges; what is to be done stands in the database."""

from uuid import UUID

from celery import shared_task

from common import clock
from common.doorbell import ring
from portal.retention import purging


@shared_task
def purge_outbreak(key: str) -> bool:
    """Go on with a purge until it is certified."""
    return purging.work(key=UUID(key), at=clock.now())


@shared_task
def resume_purges() -> int:
    """Order again the purges that no worker has finished; return their number."""
    keys = purging.running()
    for key in keys:
        ring(purge_outbreak, str(key))
    return len(keys)
