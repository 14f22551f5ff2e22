"""Words of changes for templates."""

from django import template

from reminders import texts

register = template.Library()

register.filter("source", texts.source_of)
