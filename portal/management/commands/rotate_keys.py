"""Seal everything with the newest keys, while the portal is used."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts.auditing import chain
from accounts.keys import keyring, rotation
from portal import roles
from residents.register import services as residents
from residents.register.models import Household, Resident


class Command(BaseCommand):
    """Seal every value, and hash what people are found by, with the newest keys."""

    help = "Seal everything with the newest keys. May be stopped and started again at any time."

    def handle(self, **_: Any) -> None:
        """Check that the old keys are there, then go through all tables, as their owner."""
        with roles.as_owner():
            keyring.check()
            rehash: rotation.Rehash = {
                Resident: residents.resident_hashes,
                Household: residents.household_hashes,
            }
            rotation.rotate(rehash=rehash, tell=self._tell)
            chain.seal()
        self.stdout.write(
            "Everything is sealed with the newest keys. Take the old ones out of FIELD_KEYS and"
            " SEARCH_KEY, and restart all services."
        )

    def _tell(self, table: str, rows: int) -> None:
        self.stdout.write(f"{table}: {rows} rows")
