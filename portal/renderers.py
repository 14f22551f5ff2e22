"""How forms are drawn."""

from typing import Any

from django.forms.renderers import TemplatesSetting
from django.http import HttpRequest
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

_INPUTS = frozenset(
    f"django/forms/widgets/{name}.html"
    for name in (
        *("input", "text", "number", "email", "url", "tel", "search", "password", "hidden"),
        *("date", "datetime", "time", "checkbox", "radio_option", "checkbox_option"),
    )
)


class Renderer(TemplatesSetting):
    """
    Django's own widgets; a plain input without a template.

    A form has dozens of them, and Django asks three templates for each: a third of the time of
    the page on which arrivals are logged.
    """

    def render(
        self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None
    ) -> SafeString:
        """Return the widget's HTML."""
        widget = context.get("widget", {})
        if template_name in _INPUTS and not widget.get("wrap_label"):
            return _input(widget)
        return super().render(template_name, context, request)


def _input(widget: dict[str, Any]) -> SafeString:
    attributes = {"type": widget["type"], "name": widget["name"]}
    if widget["value"] is not None:
        attributes["value"] = widget["value"]
    attributes |= widget["attrs"]
    texts = (
        f" {name}" if value is True else f' {name}="{conditional_escape(value)}"'
        for name, value in attributes.items()
        if value is not False
    )
    return SafeString(f"<input{''.join(texts)}>")
