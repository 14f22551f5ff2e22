"""
Outside channels of messages.

A channel module has `send(message)`: it returns if the message was accepted, raises NotSentError
if it certainly was not, and PerhapsSentError if that is unknown.
"""

from collections.abc import Callable

from django.conf import settings
from django.db.models import Q

from reminders.channels import mail, robots, sms
from reminders.models import Message

Channel = Message.Channel


def configured() -> tuple[Channel, ...]:
    """Return the outside channels that the settings configure."""
    return (*for_residents(), *for_grids())


def for_residents() -> tuple[Channel, ...]:
    """Return the channels that reach a resident."""
    return (Channel.SMS,) if settings.SMS_GATEWAY else ()


def for_grids() -> tuple[Channel, ...]:
    """Return the channels that reach the staff of a grid."""
    configured_channels = {robot["channel"] for robot in settings.ROBOTS}
    robots_used = (
        channel for channel in (Channel.WECOM, Channel.DINGTALK) if channel in configured_channels
    )
    return (*((Channel.EMAIL,) if settings.EMAIL_URL else ()), *robots_used)


def reaches(channel: Channel) -> Q:
    """Return the condition on grids that `channel` reaches their staff."""
    return mail.reaches() if channel == Channel.EMAIL else robots.reaches(channel)


def honours_keys(channel: str) -> bool:
    """Return whether the gateway of `channel` honours idempotency keys."""
    return channel == Channel.SMS and bool(settings.SMS_GATEWAY.get("idempotency_header"))


def sender(channel: str) -> Callable[[Message], None]:
    """Return the function that sends by `channel`."""
    return {
        Channel.SMS: sms.send,
        Channel.EMAIL: mail.send,
        Channel.WECOM: robots.send,
        Channel.DINGTALK: robots.send,
    }[Channel(channel)]
