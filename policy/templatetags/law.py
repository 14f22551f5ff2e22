"""Words of the law for templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.utils.translation import gettext_lazy as _

from policy import words

if TYPE_CHECKING:
    from policy.engine.text import Text

register = template.Library()
_RELATIONS = {
    "before": _("earlier document"),
    "parent": _("parent document"),
    "in_force": _("document in force"),
}

_VOCABULARIES = {
    "categories": words.CATEGORIES,
    "conditions": words.CONDITIONS,
    "duties": words.DUTIES,
    "frequencies": words.FREQUENCIES,
    "forces": words.FORCES,
    "marks": words.MARKS,
    "outings": words.OUTINGS,
    "pages": words.PAGES,
    "settings": words.SETTINGS,
    "subjects": words.SUBJECTS,
    "vaccinations": words.VACCINATIONS,
    "verdicts": words.VERDICTS,
    "whitelist_duties": words.WHITELIST_DUTIES,
}


@register.filter
def spoken(text: Text | None) -> str:
    """Return a bilingual sentence in the reader's language."""
    return words.say(text)


@register.filter
def in_words(text: Text | None) -> str:
    """Return a bilingual sentence in the reader's language, with areas by their names."""
    return words.reason(text) if text else ""


@register.filter
def relation(to: str) -> str:
    """Return what another document is to the one that is looked at."""
    return str(_RELATIONS[to])


@register.filter
def document_title(document: str) -> str:
    """Return the title and number of a document, given its id."""
    return words.document_title(document)


@register.simple_tag
def clause(document: str, number: object, *, short: bool = False) -> str:
    """Return a clause with its document, given the document's id."""
    return words.clause_of(document, number, short=short)


@register.filter
def named(word: str, of: str) -> str:
    """Return what a word of the law is called; `of` says which vocabulary it is from."""
    return str(_VOCABULARIES[of].get(word, word))


@register.filter
def document_short(document: str) -> str:
    """Return the number of a document, its title where it has none, given its id."""
    return words.document_title(document, short=True)


@register.filter
def verdict_shape(verdict: str) -> str:
    """Return a verdict of the comparison as a shape."""
    return {"stricter": "▲", "equal": "＝", "looser": "▼"}.get(verdict, "–")


@register.filter
def page_address(page: str) -> str:
    """Return where the page is that serves a clause, "" while there is none."""
    return words.page_addresses().get(page, "")
