"""SMS to a resident's own telephone, through the HTTP gateway that the settings describe."""

from typing import Any

from django.conf import settings

from reminders import texts
from reminders.channels import web
from reminders.channels.errors import NotSentError
from reminders.models import Message
from residents.register.models import Resident


def send(message: Message) -> None:
    """Send one SMS; the number is unsealed here and nowhere else."""
    gateway = settings.SMS_GATEWAY
    if not gateway or message.case is None:
        raise NotSentError("no gateway")
    wanted = Resident.objects.only("key", "phone", "phone_hash", "name", "sex")
    resident = wanted.get(pk=message.case.resident_id)
    if not (phone := resident.phone):
        raise NotSentError("no phone")
    community = texts.community_of(message.grid)
    values = {
        "phone": phone,
        "text": texts.for_resident(message, resident, community),
        "community": community.name,
        "key": str(message.key),
    }
    headers = dict(gateway.get("headers", {}))
    if header := gateway.get("idempotency_header"):
        headers[header] = str(message.key)
    body = filled(gateway.get("body", {"to": "{phone}", "text": "{text}"}), values)
    answer = web.post(
        gateway["url"],
        method=gateway.get("method", "POST"),
        headers=headers,
        **{"data" if gateway.get("form") else "json": body},
    )
    web.expect(answer, gateway.get("expect", {}))


def filled(template: Any, values: dict[str, str]) -> Any:
    """Return `template` with `{phone}`, `{text}` and the like replaced in every string of it."""
    if isinstance(template, dict):
        return {name: filled(each, values) for name, each in template.items()}
    if isinstance(template, list):
        return [filled(each, values) for each in template]
    if isinstance(template, str):
        for name, value in values.items():
            template = template.replace("{%s}" % name, value)  # noqa: UP031 - braces are literal
    return template
