"""
Sending what is due, outside the portal.

A worker leases a few messages, and for each one: makes sure in one statement that the lease is
still its own and the reason still holds, sends without holding anything in the database, and
marks afterwards. So nothing is marked that was not sent, and a worker that is killed or stopped
leaves at worst one message of which nobody can say whether it left. That one is sent again only
where the other side takes the same key once; elsewhere a human sees it (`Message.undelivered`).

Leases are measured by the database's clock and carry a number that grows: a worker that wakes up
after its lease finds that the number has moved on, and writes nothing.
"""

import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from common import clock
from reminders import channels, kinds
from reminders.channels.errors import NotSentError, PerhapsSentError
from reminders.hours import is_quiet
from reminders.models import Message

BATCH = 20
ATTEMPTS = 6
# A crash of the worker says nothing against the message that it was sending.
INTERRUPTIONS = 20
# After each attempt: half a minute, two, eight, half an hour, two hours.
FIRST_PAUSE = timedelta(seconds=30)
PAUSE_GROWS = 4
# So many troubles one after the other, and the channel itself is taken to be down.
TROUBLES = 5

State = Message.State
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Lease:
    """The right to send one message, until somebody else holds a higher number."""

    pk: int
    fence: int

    def still_mine(self) -> QuerySet[Message]:
        """Return the message, if nobody took it over."""
        return Message.objects.filter(pk=self.pk, fence=self.fence)


def deliver(*, channel: str, at: datetime) -> int:
    """Send what waits for `channel`, for a few seconds, and return how many were sent."""
    if channel not in channels.configured() or is_quiet(at):
        return 0
    take_over(channel=channel, at=at)
    ends = time.monotonic() + settings.DELIVERY_SECONDS
    sent = troubles = 0
    while leases := claim(channel=channel, at=at):
        found = Message.objects.select_related("case", "grid").defer("case__facts")
        messages = found.in_bulk([lease.pk for lease in leases])
        for number, lease in enumerate(leases):
            if time.monotonic() > ends or troubles >= TROUBLES:
                _let_go(leases[number:])
                return sent
            done = _deliver_one(messages[lease.pk], lease, at=at)
            sent += done is True
            troubles = troubles + 1 if done is False else 0
    return sent


def claim(*, channel: str, at: datetime, limit: int = BATCH) -> list[Lease]:
    """Lease up to `limit` waiting messages, the first of every grid before any grid's second."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH free AS MATERIALIZED (
                SELECT id FROM reminders_message
                WHERE state = 'due' AND channel = %(channel)s AND not_before <= %(at)s
                  AND (leased_until IS NULL OR leased_until < clock_timestamp())
                ORDER BY turn, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
            )
            UPDATE reminders_message AS message
            SET leased_until = clock_timestamp() + make_interval(secs => %(seconds)s),
                fence = fence + 1
            FROM free WHERE message.id = free.id
            RETURNING message.id, message.fence, message.turn
            """,
            {"channel": channel, "at": at, "limit": limit, "seconds": settings.LEASE_SECONDS},
        )
        rows = sorted(cursor.fetchall(), key=lambda row: (row[2], row[0]))
    return [Lease(pk=pk, fence=fence) for pk, fence, _ in rows]


def take_over(*, channel: str, at: datetime) -> int:
    """Settle what a worker began to send and never finished; return how many."""
    left = Message.objects.filter(channel=channel, state=State.SENDING, leased_until__lt=Now())
    if not channels.honours_keys(channel):
        return left.update(state=State.UNKNOWN, leased_until=None, trouble="interrupted")
    again = left.filter(attempts__lt=INTERRUPTIONS).update(
        state=State.DUE, leased_until=None, not_before=at, trouble="interrupted"
    )
    return again + left.update(state=State.FAILED, leased_until=None, trouble="interrupted")


def begin(lease: Lease, message: Message, *, on: date) -> bool:
    """Say that the sending begins, or drop the message when its reason has gone."""
    reason, parameters = _reason(message.kind, on)
    with transaction.atomic(), connection.cursor() as cursor:
        if channels.honours_keys(message.channel):
            # Should the server lose this, the same key is sent again: no need to wait for disks.
            cursor.execute("SET LOCAL synchronous_commit TO off")
        cursor.execute(
            f"""
            UPDATE reminders_message
            SET state = 'sending', attempts = attempts + 1,
                leased_until = clock_timestamp() + make_interval(secs => %s)
            WHERE id = %s AND fence = %s AND state = 'due' AND id IN ({reason})
            """,  # noqa: S608 - compiled by Django
            [settings.LEASE_SECONDS, lease.pk, lease.fence, *parameters],
        )
        begun = bool(cursor.rowcount)
    if not begun:
        mine = lease.still_mine().filter(state=State.DUE)
        gone = mine.exclude(kinds.holds(message.kind, on))
        gone.update(state=State.DROPPED, leased_until=None)
    return begun


@lru_cache(maxsize=len(Message.Kind) * 2)
def _reason(kind: str, on: date) -> tuple[str, tuple[Any, ...]]:
    """Return the query for messages still worth telling; to compile it costs more than to ask."""
    query = Message.objects.filter(kinds.holds(kind, on)).order_by().values("pk").query
    text, parameters = query.get_compiler(connection=connection).as_sql()
    return text, tuple(parameters)


def mark_sent(lease: Lease, *, at: datetime) -> bool:
    """Say that the message was sent, unless somebody else has taken it over."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE reminders_message
            SET state = 'sent', sent_at = %s, leased_until = NULL, trouble = ''
            WHERE id = %s AND fence = %s AND state NOT IN ('sent', 'dropped')
            """,
            [at, lease.pk, lease.fence],
        )
        return bool(cursor.rowcount)


def _deliver_one(message: Message, lease: Lease, *, at: datetime) -> bool | None:
    """Send one message; True when sent, False when the channel gave trouble, None otherwise."""
    if not begin(lease, message, on=clock.day_of(at)):
        return None
    try:
        channels.sender(message.channel)(message)
    except NotSentError as error:
        _later(lease, message, at=at, trouble=str(error))
    except PerhapsSentError as error:
        _nobody_knows(lease, message, at=at, trouble=str(error))
    except Exception as error:  # noqa: BLE001 - one bad row must not stop the others
        # The kind alone: the words of an error may quote what was to be sent.
        log.error("reminder_failed", message=message.pk, error=type(error).__name__)  # noqa: TRY400
        _nobody_knows(lease, message, at=at, trouble=type(error).__name__)
    else:
        return mark_sent(lease, at=at) or None
    return False


def _later(lease: Lease, message: Message, *, at: datetime, trouble: str) -> None:
    """Put the message back for a later attempt, or give it up after the last."""
    attempt = message.attempts + 1
    mine = lease.still_mine().filter(state=State.SENDING)
    if attempt >= ATTEMPTS:
        mine.update(state=State.FAILED, leased_until=None, trouble=trouble[:120])
        return
    pause = FIRST_PAUSE * PAUSE_GROWS ** (attempt - 1)
    mine.update(state=State.DUE, leased_until=None, not_before=at + pause, trouble=trouble[:120])


def _nobody_knows(lease: Lease, message: Message, *, at: datetime, trouble: str) -> None:
    """Put back what the other side takes only once; leave anything else to a human."""
    if channels.honours_keys(message.channel):
        _later(lease, message, at=at, trouble=trouble)
        return
    lease.still_mine().filter(state=State.SENDING).update(
        state=State.UNKNOWN, leased_until=None, trouble=trouble[:120]
    )


def _let_go(leases: list[Lease]) -> None:
    """Give back what there was no time for."""
    for lease in leases:
        lease.still_mine().filter(state=State.DUE).update(leased_until=None)
