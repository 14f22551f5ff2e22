"""Migrate as the role that owns the tables, which is not the one that serves."""

from typing import Any

from django.conf import settings
from django.core.management.commands import migrate
from django.db import connection

from accounts.auditing import witness
from portal import roles


class Command(migrate.Command):
    """Django's migrate, by DATABASE_MIGRATION_URL where that is given."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate; then put the audit's witness over its tables, and give the roles rights."""
        password = connection.settings_dict["PASSWORD"]
        with roles.as_owner():
            super().handle(*args, **options)
            if not (options["plan"] or options["check_unapplied"]):
                witness.install(role=settings.SERVING_ROLE, password=password)
