"""Words, citations and masks for templates of cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.utils.translation import gettext

from accounts import places
from policy import words
from quarantine.words import measure_of
from residents import masking

if TYPE_CHECKING:
    from django.contrib.messages.storage.base import Message

register = template.Library()

register.filter("mask_name", masking.mask_name)
register.filter("mask_phone", masking.mask_phone)
register.filter("place", places.name_of)
register.filter("measure", measure_of)
register.filter("document", words.document_title)
register.filter("short_day", words.short_day)
register.filter("say", words.say)
register.filter("reason", words.reason)


@register.filter
def setting(value: str) -> str:
    """Return what a setting is called."""
    return str(words.SETTINGS.get(value, ""))


@register.filter
def movement(value: str) -> str:
    """Return how far somebody may go out."""
    return str(words.MOVEMENTS.get(value, ""))


@register.filter
def subject(value: str) -> str:
    """Return what a subject of the law is called."""
    return str(words.SUBJECTS.get(value, value))


@register.simple_tag
def clause(citation: Any, *, short: bool = False) -> str:
    """Return a clause with its document's title and number; `short`: the number alone."""
    return gettext("%(document)s, clause %(clause)s") % {
        "document": words.document_title(citation.document, short=short),
        "clause": citation.clause,
    }


@register.filter
def undo_url(message: Message) -> str:
    """Return the address at which what `message` tells is taken back, "" for none."""
    tags = message.extra_tags or ""
    return next((tag[5:] for tag in tags.split() if tag.startswith("undo:")), "")
