"""What templates say of residents."""

from typing import Any

from django import template

from residents.models import Resident

register = template.Library()


@register.simple_tag(takes_context=True)
def age(context: dict[str, Any], resident: Resident) -> int | None:
    """Return a resident's age in years on the day that the page believes in."""
    return resident.age(context["today"])
