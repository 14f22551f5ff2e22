"""
The ways out of the portal.

A channel module has `send(message)`, which returns when the message was taken, raises
NotSentError when it certainly was not, and PerhapsSentError when nobody can know.
"""

from collections.abc import Callable

from django.conf import settings
from django.db.models import Q

from reminders.channels import mail, robots, sms
from reminders.models import Message

Channel = Message.Channel


def configured() -> tuple[Channel, ...]:
    """Return the outside channels that the settings describe."""
    return (*for_residents(), *for_grids())


def for_residents() -> tuple[Channel, ...]:
    """Return the channels that reach a resident."""
    return (Channel.SMS,) if settings.SMS_GATEWAY else ()


def for_grids() -> tuple[Channel, ...]:
    """Return the channels that reach those who work in a grid."""
    used = {robot["channel"] for robot in settings.ROBOTS}
    robots_used = (each for each in (Channel.WECOM, Channel.DINGTALK) if each in used)
    return (*((Channel.EMAIL,) if settings.EMAIL_URL else ()), *robots_used)


def reaches(channel: Channel) -> Q:
    """Return the condition on grids that `channel` reaches somebody there."""
    return mail.reaches() if channel == Channel.EMAIL else robots.reaches(channel)


def honours_keys(channel: str) -> bool:
    """Return whether the other side of `channel` takes the same key only once."""
    return channel == Channel.SMS and bool(settings.SMS_GATEWAY.get("idempotency_header"))


def sender(channel: str) -> Callable[[Message], None]:
    """Return the function that sends by `channel`."""
    return {
        Channel.SMS: sms.send,
        Channel.EMAIL: mail.send,
        Channel.WECOM: robots.send,
        Channel.DINGTALK: robots.send,
    }[Channel(channel)]
