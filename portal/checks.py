"""What `manage.py check --database default` and `migrate` say of an installation."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from accounts.keys import keyring
from accounts.staff.models import User
from portal.demo import staff


@register(Tags.database)
def keys_of_this_database(databases: Any = None, **_: Any) -> list[CheckMessage]:
    """Refuse keys that do not open what the database holds."""
    if not databases:
        return []
    try:
        keyring.check()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="portal.E002")]
    return []


@register(Tags.database)
def two_roles(databases: Any = None, **_: Any) -> list[CheckMessage]:
    """Warn where who serves owns the audit: it could do with it what it likes."""
    if not databases or not settings.PRODUCTION or settings.SERVING_ROLE:
        return []
    return [
        checks.Warning(
            "The role of DATABASE_URL migrates, and so owns the audit that it writes.",
            hint="Migrate by another role: DATABASE_MIGRATION_URL (docs/operations.md).",
            id="portal.W001",
        )
    ]


@register(Tags.database)
def no_demo_accounts(databases: Any = None, **_: Any) -> list[CheckMessage]:
    """Refuse a production database that holds the demo's accounts: others know their passwords."""
    if settings.DEMO or not databases:
        return []
    if (
        User._meta.db_table not in connection.introspection.table_names()
        or not staff.demo_exists()
    ):
        return []
    return [
        Error(
            "This database holds the accounts of the demo, whose passwords were shown.",
            hint="Start production on an empty database; the demo's people are not real.",
            id="portal.E001",
        )
    ]
