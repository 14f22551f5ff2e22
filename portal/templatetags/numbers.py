"""A number as a link: a tag rather than an included file, for a page shows two hundred."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.dashboard import Number

register = template.Library()


@register.simple_tag
def number(shown: Number, place: str = "") -> SafeString:
    """Return a number as the link to the people behind it; `place` makes its id unique."""
    return format_html(
        '<a class="n n-{}{}" id="{}-{}" href="{}">{}</a>',
        shown.key,
        "" if shown.value else " n-zero",
        place,
        shown.key,
        shown.url,
        f"{shown.value:,}",
    )


@register.simple_tag
def plain(shown: Number) -> SafeString:
    """Return a number of a chart's table as a link."""
    return format_html('<a href="{}">{}</a>', shown.url, f"{shown.value:,}")
