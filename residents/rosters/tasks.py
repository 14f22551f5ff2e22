"""What workers do for rosters. The database knows what is to be done; these only knock."""

from uuid import UUID

from celery import shared_task

from common import clock
from residents.rosters import working


@shared_task
def work_on_roster(key: str) -> bool:
    """Do what a roster's state asks for."""
    return working.work(key=UUID(key), at=clock.now())


@shared_task
def resume_rosters() -> int:
    """Take up the rosters whose worker is gone, and count those that are at work."""
    keys = working.at_work()
    for key in keys:
        work_on_roster.delay(str(key))
    return len(keys)


@shared_task
def expire_rosters() -> int:
    """Delete what is personal in old rosters, and count them."""
    return working.expire(at=clock.now())
