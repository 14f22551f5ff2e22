"""Form errors from refusals of services."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError


def add_refusal(form: forms.BaseForm, error: ValidationError) -> None:
    """Add what a service refused to the field it names, else to the whole form."""
    field = getattr(error, "field", "")
    form.add_error(field if field in form.fields else None, error.messages)
