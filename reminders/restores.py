"""
A restored backup is noticed, and nothing leaves the portal before a human says so.

The outbox counts in the database what is sent, and each host notes that count in a file of its
own. The file is written after the database, so it can only be behind; a database that is behind
the file, or another one, was restored. It no longer knows what was sent since its backup, and
would send all of that again.
"""

import fcntl
import os
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count, F
from django.utils.translation import gettext_noop

from accounts.auditing import anchors, audit
from reminders.models import Message, Outbox

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Noted:
    """How far sending had come when this host last looked."""

    key: UUID
    number: int


def may_send(*, at: datetime) -> bool:
    """Return whether messages may leave the portal; hold them if the database was restored."""
    noted = _read()
    outbox = _outbox()
    if _is_behind(outbox, noted):
        _hold(outbox, at)
        return False
    if not outbox.held_at:
        _note(outbox)
    return not outbox.held_at


def begin_sending(*, at: datetime) -> bool:
    """Count a sending in the database and in the file; return False if it may not begin."""
    noted = _read()
    with transaction.atomic():
        Outbox.objects.filter(pk=1).update(number=F("number") + 1)
        outbox = _outbox()
    if outbox.held_at or _is_behind(outbox, noted):
        _hold(outbox, at)
        return False
    _note(outbox)
    return True


def is_held() -> bool:
    """Return whether messages to the outside are held."""
    return Outbox.objects.filter(held_at__isnull=False).exists()


def waiting() -> Counter[tuple[str, str]]:
    """Return how many messages wait, by channel and kind."""
    rows = Message.objects.waiting().outside().order_by().values_list("channel", "kind")
    return Counter({(channel, kind): n for channel, kind, n in rows.annotate(Count("pk"))})


@transaction.atomic
def go_on(*, drop: tuple[str, ...], at: datetime) -> int:
    """
    Let messages leave again, after dropping those that wait by the channels `drop`.

    Return how many were dropped. Heads of the audit that were noted after the backup are given up.
    """
    waiting = Message.objects.waiting().outside().filter(channel__in=drop)
    dropped = waiting.update(state=Message.State.DROPPED, leased_until=None)
    outbox = Outbox.objects.select_for_update().get(pk=_outbox().pk)
    noted = _read()
    continued = {outbox.key, *outbox.earlier, *([noted.key] if noted else [])}
    outbox.earlier = sorted(continued)
    outbox.key, outbox.held_at = uuid4(), None
    outbox.save()
    lost = anchors.give_up_lost(settings.AUDIT_ANCHORS)
    audit.record(
        by=None,
        did=gettext_noop("let messages leave after a backup was restored"),
        to="outbox:1",
        dropped=dropped,
        channels=list(drop),
        heads_given_up=lost,
    )
    transaction.on_commit(lambda: _note(outbox))
    return dropped


def _outbox() -> Outbox:
    return Outbox.objects.get_or_create(pk=1)[0]


def _is_behind(outbox: Outbox, noted: Noted | None) -> bool:
    if noted is None or noted.key in outbox.earlier:
        return False
    return noted.key != outbox.key or noted.number > outbox.number


def _hold(outbox: Outbox, at: datetime) -> None:
    if Outbox.objects.filter(pk=outbox.pk, held_at=None).update(held_at=at):
        log.error("reminders_held", number=outbox.number)


def _read() -> Noted | None:
    try:
        key, _, number = settings.OUTBOX_NOTE.read_text().partition(" ")
        return Noted(UUID(key), int(number)) if key else None
    except OSError:  # what cannot be read cannot be written, either, which is logged
        return None
    except ValueError:  # of no database that we know
        return Noted(UUID(int=0), 0)


def _note(outbox: Outbox) -> None:
    """Write how far sending has come, and have it on the disk, before anything is sent."""
    try:
        settings.OUTBOX_NOTE.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(settings.OUTBOX_NOTE, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            noted = _read()
            if noted and noted.key == outbox.key and noted.number >= outbox.number:
                return  # another worker of this host has come further meanwhile
            # Always as long: no power cut leaves half of one.
            file.write(f"{outbox.key} {outbox.number:020}")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        log.error("reminders_not_noted", error=type(error).__name__)  # noqa: TRY400
