"""SMS to residents through the HTTP gateway in the settings."""

from typing import Any

from django.conf import settings

from reminders import texts
from reminders.channels import web
from reminders.channels.errors import NotSentError
from reminders.models import Message
from residents.register.models import Resident


def send(message: Message) -> None:
    """Send one SMS; the only place that unseals the phone number."""
    if not settings.SMS_GATEWAY or message.case is None:
        raise NotSentError("no gateway")
    columns = Resident.objects.only("key", "phone", "phone_hash", "name", "sex")
    resident = columns.get(pk=message.case.resident_id)
    if not (phone := resident.phone):
        raise NotSentError("no phone")
    community = texts.community_of(message.grid)
    send_text(
        phone=phone,
        text=texts.for_resident(message, resident, community),
        community=community.name,
        key=str(message.key),
    )


def send_text(*, phone: str, text: str, community: str, key: str) -> None:
    """Send a text to a phone, once for each `key` where the gateway honours keys."""
    gateway = settings.SMS_GATEWAY
    if not gateway:
        raise NotSentError("no gateway")
    values = {"phone": phone, "text": text, "community": community, "key": key}
    headers = dict(gateway.get("headers", {}))
    if header := gateway.get("idempotency_header"):
        headers[header] = key
    body = filled_template(gateway.get("body", {"to": "{phone}", "text": "{text}"}), values)
    answer = web.post(
        gateway["url"],
        method=gateway.get("method", "POST"),
        headers=headers,
        **{"data" if gateway.get("form") else "json": body},
    )
    web.expect(answer, gateway.get("expect", {}))


def filled_template(template: Any, values: dict[str, str]) -> Any:
    """Return `template` with placeholders such as `{phone}` replaced in every string in it."""
    if isinstance(template, dict):
        return {name: filled_template(part, values) for name, part in template.items()}
    if isinstance(template, list):
        return [filled_template(part, values) for part in template]
    if isinstance(template, str):
        for name, value in values.items():
            template = template.replace("{%s}" % name, value)  # noqa: UP031 - braces are literal
    return template
