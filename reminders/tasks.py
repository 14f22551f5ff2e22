"""
Celery tasks: each reads the clock, calls one service, and returns a count.

All state is in the database, so a lost task only causes a delay.
"""

from celery import shared_task
from django.conf import settings

from common import clock
from reminders import delivery
from reminders import sweep as sweeps
from reminders.channels import web


@shared_task
def sweep() -> int:
    """Write the messages that are due and not yet written."""
    return sweeps.sweep(at=clock.now())


@shared_task
def digests() -> int:
    """Write the morning's digests, from DIGEST_AT on."""
    return sweeps.sweep_digests(at=clock.now())


# A gateway may drip its answer, so that a sending never ends by itself.
AT_MOST = round(settings.DELIVERY_SECONDS + sum(web.SECONDS) + 3)


@shared_task(soft_time_limit=AT_MOST, time_limit=2 * AT_MOST)
def deliver(*, channel: str) -> int:
    """Send the waiting messages of one channel."""
    return delivery.deliver(channel=channel, at=clock.now())
