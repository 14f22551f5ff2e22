"""SQL conditions for rows that other tables reference."""

from django.db import models

from residents.register.models import Household


def is_referenced(model: type[models.Model], alias: str) -> str:
    """Return the SQL condition that a row of any table references the row `alias` of `model`."""
    exist = [
        f"EXISTS (SELECT 1 FROM {relation.related_model._meta.db_table} pointing"  # noqa: S608
        f" WHERE pointing.{relation.field.column} = {alias}.id)"
        for relation in model._meta.related_objects
    ]
    return f"({' OR '.join(exist)})"


def is_unreferenced(alias: str) -> str:
    """Return the SQL condition that no row references the household `alias`."""
    return f"NOT {is_referenced(Household, alias)}"
