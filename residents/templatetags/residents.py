"""Template tags and filters about residents."""

import uuid
from typing import Any

from django import template

from residents.keypeople.facts import PRODUCT_NAMES, Product
from residents.register.models import Resident

register = template.Library()


@register.simple_tag(takes_context=True)
def age(context: dict[str, Any], resident: Resident) -> int | None:
    """Return a resident's age in years on the page's day."""
    return resident.age(context["today"])


@register.filter
def vaccine(product: Product) -> str:
    """Return the name of a vaccine."""
    return str(PRODUCT_NAMES[product])


@register.simple_tag
def fresh_key() -> str:
    """Return a random key for one form, so that sending it twice makes one contact."""
    return str(uuid.uuid4())


@register.filter
def grouped(number: int) -> str:
    """Return a number with thousands separators."""
    return f"{number:,}"
