"""Compute what people, doors and buildings are found by anew."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts.keys.rotation import rehash_rows
from residents.register import services
from residents.register.models import Building, Household, Resident


class Command(BaseCommand):
    """Bring the search columns up to what this version of the portal computes."""

    help = (
        "Compute what people, doors and buildings are found by anew, after an update that reads"
        " names otherwise. May be stopped and started again at any time."
    )

    def handle(self, **_: Any) -> None:
        """Go through the registers, some rows at a time, while the portal is used."""
        self._rebuild(Resident, services.resident_hashes)
        self._rebuild(Household, services.household_hashes)
        self._rebuild(Building, services.building_keys)

    def _rebuild(self, model: Any, columns: Any) -> None:
        self.stdout.write(f"{model._meta.db_table}: {rehash_rows(model, columns)} rows")
