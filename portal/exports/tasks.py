"""Celery tasks of exports. What is to be made stands in the database."""

from uuid import UUID

from celery import shared_task

from common import clock
from common.doorbell import ring
from portal.exports import making


@shared_task
def make_file(key: str) -> bool:
    """Make a long list that somebody ordered."""
    return making.make_ordered(key=UUID(key), at=clock.now())


@shared_task
def look_after_files() -> int:
    """Delete files that were not fetched, and order again what no worker has made; count these."""
    making.expire(at=clock.now())
    keys = making.waiting_files()
    for key in keys:
        ring(make_file, str(key))
    return len(keys)
