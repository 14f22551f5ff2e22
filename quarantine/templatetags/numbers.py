"""Numbers as links: tags rather than included files, for a page shows two hundred."""

from collections.abc import Iterable

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString

from quarantine.lists.area_table import LinkedNumber

register = template.Library()


@register.simple_tag
def number(shown: LinkedNumber, place: str = "") -> SafeString:
    """Return a number as the link to the people behind it; `place` makes its id unique."""
    return SafeString(_link(shown, escape(place)))


@register.simple_tag
def cells(shown: Iterable[LinkedNumber], place: str = "") -> SafeString:
    """Return a table's row of numbers; without a `place`, as plain links."""
    safe = escape(place)
    links = (_link(count, safe) if place else _plain(count) for count in shown)
    return SafeString("".join(f'<td class="num">{link}</td>' for link in links))


def _link(shown: LinkedNumber, place: str) -> str:
    kind = f"n-{shown.key}{'' if shown.value else ' n-zero'}"
    href = escape(shown.url)
    return f'<a class="n {kind}" id="{place}-{shown.key}" href="{href}">{shown.value:,}</a>'


def _plain(shown: LinkedNumber) -> str:
    return f'<a href="{escape(shown.url)}">{shown.value:,}</a>'
