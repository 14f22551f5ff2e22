"""Rendering of form widgets."""

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
_SELECT = "django/forms/widgets/select.html"


class Renderer(TemplatesSetting):
    """
    Django's own widgets; inputs and lists to choose from without a template.

    A form has dozens of them, and Django asks three templates for each input and two for each
    choice: a third of the time of the page on which arrivals are logged.
    """

    def render(
        self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None
    ) -> SafeString:
        """Return the widget's HTML."""
        widget = context.get("widget", {})
        if template_name in _INPUTS and not widget.get("wrap_label"):
            return _input(widget)
        if template_name == _SELECT:
            return _select(widget)
        return SafeString(super().render(template_name, context, request))


def _input(widget: dict[str, Any]) -> SafeString:
    attributes = {"type": widget["type"], "name": widget["name"]}
    if widget["value"] is not None:
        attributes["value"] = widget["value"]
    return SafeString(f"<input{_written(attributes | widget['attrs'])}>")


def _select(widget: dict[str, Any]) -> SafeString:
    inside = []
    for group, options, _place in widget["optgroups"]:
        if group:
            inside.append(f'<optgroup label="{conditional_escape(group)}">')
        inside += [
            f"<option{_written({'value': option['value'], **option['attrs']})}>"
            f"{conditional_escape(option['label'])}</option>"
            for option in options
        ]
        if group:
            inside.append("</optgroup>")
    attributes = _written({"name": widget["name"], **widget["attrs"]})
    return SafeString(f"<select{attributes}>{''.join(inside)}</select>")


def _written(attributes: dict[str, Any]) -> str:
    return "".join(
        f" {name}" if value is True else f' {name}="{conditional_escape(value)}"'
        for name, value in attributes.items()
        if value is not False
    )
