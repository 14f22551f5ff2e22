"""
Delivery of messages by outside channels.

A worker leases a few messages. For each one it checks in one statement that it still holds the
lease and that the message is still needed, sends it without a database transaction, and marks it
afterwards. So no message is marked that was not sent, and a killed or stopped worker leaves at
worst one message of unknown state. That one is sent again only if the gateway honours idempotency
keys; otherwise a human decides (`Message.undelivered`).

Before anything is sent it is asked whether the database is one that was restored (`restores`).

Leases are timed by the database's clock and have a fencing number that increases: a worker that
continues after its lease expired finds a higher number, and writes nothing.
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
from reminders import channels, kinds, restores
from reminders.channels.errors import NotSentError, PerhapsSentError
from reminders.hours import is_quiet
from reminders.models import Message

BATCH = 20
ATTEMPTS = 6
# Attempts allowed after crashes of workers, which are rarely the message's fault.
INTERRUPTIONS = 20
# Pauses between attempts: half a minute, 2, 8, 32 minutes, 2 hours.
FIRST_PAUSE = timedelta(seconds=30)
PAUSE_GROWS = 4
# After so many consecutive failures the channel is taken to be down.
TROUBLES = 5

State = Message.State
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Lease:
    """The right to send one message, until another worker holds a higher number."""

    pk: int
    fence: int

    def still_mine(self) -> QuerySet[Message]:
        """Return the message, if no other worker has leased it since."""
        return Message.objects.filter(pk=self.pk, fence=self.fence)


def deliver(*, channel: str, at: datetime) -> int:
    """Send waiting messages of `channel` for DELIVERY_SECONDS; return the number sent."""
    if channel not in channels.configured() or is_quiet(at) or not restores.may_send(at=at):
        return 0
    settle_expired_leases(channel=channel, at=at)
    ends = time.monotonic() + settings.DELIVERY_SECONDS
    sent = troubles = 0
    while leases := claim(channel=channel, at=at):
        if not restores.begin_sending(at=at):
            _release_leases(leases)
            return sent
        rows = Message.objects.select_related("case", "grid").defer("case__facts")
        messages = rows.in_bulk([lease.pk for lease in leases])
        for number, lease in enumerate(leases):
            if time.monotonic() > ends or troubles >= TROUBLES:
                _release_leases(leases[number:])
                return sent
            delivered = _deliver_one(messages[lease.pk], lease, at=at)
            sent += delivered is True
            troubles = troubles + 1 if delivered is False else 0
    return sent


def claim(*, channel: str, at: datetime, limit: int = BATCH) -> list[Lease]:
    """Lease up to `limit` waiting messages, the first of each grid before the second of any."""
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


def settle_expired_leases(*, channel: str, at: datetime) -> int:
    """Settle messages whose lease expired while being sent; return their number."""
    expired = Message.objects.filter(channel=channel, state=State.SENDING, leased_until__lt=Now())
    if not channels.honours_keys(channel):
        return expired.update(state=State.UNKNOWN, leased_until=None, trouble="interrupted")
    retried = expired.filter(attempts__lt=INTERRUPTIONS).update(
        state=State.DUE, leased_until=None, not_before=at, trouble="interrupted"
    )
    return retried + expired.update(state=State.FAILED, leased_until=None, trouble="interrupted")


def begin(lease: Lease, message: Message, *, on: date) -> bool:
    """Mark the message as being sent, or drop it if it is no longer needed."""
    reason, parameters = _reason(message.kind, on)
    with transaction.atomic(), connection.cursor() as cursor:
        if channels.honours_keys(message.channel):
            # If the server loses this, the same key is sent again: no need to wait for the disk.
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
        current = lease.still_mine().filter(state=State.DUE)
        obsolete = current.exclude(kinds.holds(message.kind, on))
        obsolete.update(state=State.DROPPED, leased_until=None)
    return begun


@lru_cache(maxsize=len(Message.Kind) * 2)
def _reason(kind: str, on: date) -> tuple[str, tuple[Any, ...]]:
    """Return the SQL for messages still needed; cached, as compiling costs more than executing."""
    query = Message.objects.filter(kinds.holds(kind, on)).order_by().values("pk").query
    text, parameters = query.get_compiler(connection=connection).as_sql()
    return text, tuple(parameters)


def mark_sent(lease: Lease, *, at: datetime) -> bool:
    """Mark the message as sent, unless another worker has leased it since."""
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
    """Send one message; return True if sent, False if the channel failed, else None."""
    if not begin(lease, message, on=clock.day_of(at)):
        return None
    try:
        channels.sender(message.channel)(message)
    except NotSentError as error:
        _retry_later(lease, message, at=at, trouble=str(error))
    except PerhapsSentError as error:
        _handle_uncertain(lease, message, at=at, trouble=str(error))
    except Exception as error:  # noqa: BLE001 - one bad row must not stop the others
        # The type only: the text of an error may quote the message.
        log.error("reminder_failed", message=message.pk, error=type(error).__name__)  # noqa: TRY400
        _handle_uncertain(lease, message, at=at, trouble=type(error).__name__)
    else:
        return mark_sent(lease, at=at) or None
    return False


def _retry_later(lease: Lease, message: Message, *, at: datetime, trouble: str) -> None:
    """Schedule the next attempt, or mark the message as failed after the last."""
    attempt = message.attempts + 1
    current = lease.still_mine().filter(state=State.SENDING)
    if attempt >= ATTEMPTS:
        current.update(state=State.FAILED, leased_until=None, trouble=trouble[:120])
        return
    pause = FIRST_PAUSE * PAUSE_GROWS ** (attempt - 1)
    current.update(
        state=State.DUE, leased_until=None, not_before=at + pause, trouble=trouble[:120]
    )


def _handle_uncertain(lease: Lease, message: Message, *, at: datetime, trouble: str) -> None:
    """Retry if the gateway honours idempotency keys; otherwise mark as unknown for a human."""
    if channels.honours_keys(message.channel):
        _retry_later(lease, message, at=at, trouble=trouble)
        return
    lease.still_mine().filter(state=State.SENDING).update(
        state=State.UNKNOWN, leased_until=None, trouble=trouble[:120]
    )


def _release_leases(leases: list[Lease]) -> None:
    """Release leases of messages that were not begun."""
    for lease in leases:
        lease.still_mine().filter(state=State.DUE).update(leased_until=None)
