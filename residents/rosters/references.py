"""Who is pointed to by something else, so that nobody is taken away under it."""

from django.db import models

from residents.register.models import Household


def pointed_to(model: type[models.Model], alias: str) -> str:
    """Return the SQL condition that some row of any table points to the row `alias` of `model`."""
    exist = [
        f"EXISTS (SELECT 1 FROM {relation.related_model._meta.db_table} pointing"  # noqa: S608
        f" WHERE pointing.{relation.field.column} = {alias}.id)"
        for relation in model._meta.related_objects
    ]
    return f"({' OR '.join(exist)})"


def is_empty(alias: str) -> str:
    """Return the SQL condition that nothing points to the household `alias`."""
    return f"NOT {pointed_to(Household, alias)}"
