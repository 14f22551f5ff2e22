"""Reading the inbox, and deciding about what did not arrive."""

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
    """A message that is no longer undelivered."""


def read(*, messages: MessageQuerySet, at: datetime, by: User) -> int:
    """Note that `by` has read those of `messages` that are new to them; return how many."""
    new = messages.unread_by(by).values_list("pk", flat=True)
    readings = [Reading(message_id=pk, user=by, at=at) for pk in new]
    Reading.objects.bulk_create(readings, ignore_conflicts=True, batch_size=5_000)
    return len(readings)


@transaction.atomic
def send_again(*, message: Message, at: datetime, by: User) -> None:
    """
    Send an undelivered message again, from the first attempt.

    One that may have arrived already is marked as perhaps sent twice, unless the other side
    takes the same key only once.
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
def told_otherwise(*, message: Message, by: User) -> None:
    """Put an undelivered message aside: somebody has told it by telephone or in person."""
    _settle(message, state=State.DROPPED)
    audit.record(by=by, did=gettext_noop("told in person or by phone"), to=message)


def _settle(message: Message, **changes: object) -> None:
    here = Message.objects.undelivered().filter(pk=message.pk, state=message.state)
    if not here.update(**changes):
        raise SettledError(_("Somebody has already dealt with this message."))
