"""Give those who are registered already the columns under which they are found."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

MANY = 2000


def fill(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Fill the columns, some thousand rows at a time."""
    from residents.register import addresses, services

    def resident(row: Any) -> dict[str, Any]:
        return {
            # Names have their words from 0014 on, when they are sealed.
            "number_end": services.number_columns(row.document_type, row.number)["number_end"],
            "phone_end": services.phone_columns(row.phone)["phone_end"],
        }

    _fill(apps.get_model("residents", "Resident"), resident)
    _fill(
        apps.get_model("residents", "Household"),
        lambda row: services.door_columns(row.unit, row.door),
    )
    _fill(
        apps.get_model("residents", "Building"),
        lambda row: {"name_key": addresses.building_key(row.name)},
    )


def _fill(model: Any, columns: Any) -> None:
    rows = model.objects.order_by("pk").iterator(MANY)
    for batch in _batches(rows):
        for row in batch:
            for name, value in (filled := columns(row)).items():
                setattr(row, name, value)
        model.objects.bulk_update(batch, list(filled))


def _batches(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while batch := list(islice(rows, MANY)):
        yield batch


class Migration(migrations.Migration):
    """Fill `search_and_gone`."""

    dependencies = (("residents", "0002_search_and_gone"),)
    operations = (migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),)
