"""Mark messages as read, and settle undelivered ones."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import User
from common.errors import RefusedError
from reminders import channels
from reminders.models import Message, MessageQuerySet, Reading

State = Message.State


class SettledError(RefusedError):
    """The message is no longer undelivered."""


def mark_read(*, messages: MessageQuerySet, at: datetime, by: User) -> int:
    """Mark the unread `messages` as read by `by`; return their number."""
    new = messages.unread_by(by).values_list("pk", flat=True)
    readings = [Reading(message_id=pk, user=by, at=at) for pk in new]
    Reading.objects.bulk_create(readings, ignore_conflicts=True, batch_size=5_000)
    return len(readings)


@transaction.atomic
def send_again(*, message: Message, at: datetime, by: User) -> None:
    """
    Send an undelivered message again, from the first attempt.

    One that may have arrived is marked as possibly sent twice, unless the gateway honours
    idempotency keys.
    """
    unsure = message.state == State.UNKNOWN and not channels.honours_keys(message.channel)
    _settle(
        message,
        state=State.DUE,
        attempts=0,
        not_before=at,
        perhaps_twice=message.perhaps_twice or unsure,
    )
    audit.record(by=by, did=gettext_noop("sent message again"), to=message)


@transaction.atomic
def mark_told_in_person(*, message: Message, by: User) -> None:
    """Drop an undelivered message that somebody told by telephone or in person."""
    _settle(message, state=State.DROPPED)
    audit.record(by=by, did=gettext_noop("told in person or by phone"), to=message)


def _settle(message: Message, **changes: object) -> None:
    unchanged = Message.objects.undelivered().filter(pk=message.pk, state=message.state)
    if not unchanged.update(**changes):
        raise SettledError(_("Somebody has already dealt with this message."))
