"""
The doorbell: each task asks for the time, calls one service, and returns a count.

None carries anything that the database does not know, so that a lost one is only late.
"""

from celery import shared_task

from common import clock
from reminders import delivery
from reminders import sweep as sweeps


@shared_task
def sweep() -> int:
    """Write what is due about cases and not yet told."""
    return sweeps.sweep(at=clock.now())


@shared_task
def digests() -> int:
    """Write the morning lists, once their hour has come."""
    return sweeps.sweep_digests(at=clock.now())


@shared_task
def deliver(*, channel: str) -> int:
    """Send what waits for one channel."""
    return delivery.deliver(channel=channel, at=clock.now())
