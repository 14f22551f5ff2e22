"""Words of the law for templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template

from policy import words

if TYPE_CHECKING:
    from policy.engine.text import Text

register = template.Library()


@register.filter
def spoken(text: Text | None) -> str:
    """Return a bilingual sentence in the reader's language."""
    return words.say(text)


@register.filter
def document_title(document: str) -> str:
    """Return the title and number of a document, given its id."""
    return words.document_title(document)


@register.filter
def subject_name(subject: str) -> str:
    """Return what a subject is called."""
    return str(words.SUBJECTS.get(subject, subject))


@register.filter
def setting_name(setting: str) -> str:
    """Return what a setting is called."""
    return str(words.SETTINGS.get(setting, setting))


@register.filter
def movement_name(movement: str) -> str:
    """Return what a rule of going out is called."""
    return str(words.MOVEMENTS.get(movement, movement))


@register.filter
def force_name(force: str) -> str:
    """Return whether a provision binds or advises, as a word."""
    return str(words.FORCES.get(force, force))


@register.filter
def duty_name(duty: str) -> str:
    """Return whose duty it is."""
    return str(words.DUTIES.get(duty, duty))


@register.filter
def page_name(page: str) -> str:
    """Return what the page that serves a duty is called."""
    return str(words.PAGES.get(page, page))


@register.filter
def document_short(document: str) -> str:
    """Return the number of a document, its title where it has none, given its id."""
    return words.document_title(document, short=True)


@register.filter
def verdict_name(verdict: str) -> str:
    """Return a verdict of the comparison as a word."""
    return str(words.VERDICTS.get(verdict, verdict))


@register.filter
def verdict_shape(verdict: str) -> str:
    """Return a verdict of the comparison as a shape."""
    return {"stricter": "▲", "equal": "＝", "looser": "▼"}.get(verdict, "–")
