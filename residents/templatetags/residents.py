"""What templates say of residents."""

import uuid
from typing import Any

from django import template

from residents.keypeople.facts import PRODUCT_NAMES, Product
from residents.register.models import Resident

register = template.Library()


@register.simple_tag(takes_context=True)
def age(context: dict[str, Any], resident: Resident) -> int | None:
    """Return a resident's age in years on the day that the page believes in."""
    return resident.age(context["today"])


@register.filter
def vaccine(product: Product) -> str:
    """Return what a vaccine is called."""
    return str(PRODUCT_NAMES[product])


@register.simple_tag
def fresh_key() -> str:
    """Return a key of one form of its own: sent twice, it is one contact."""
    return str(uuid.uuid4())


@register.filter
def grouped(number: int) -> str:
    """Return a number with its thousands set apart."""
    return f"{number:,}"
