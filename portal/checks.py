"""What `manage.py check --database default` and `migrate` say of an installation."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from accounts.keys import keyring
from accounts.staff.models import User
from portal import engines
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
            id="portal.W002",
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


@register(Tags.database)
def nothing_personal_in_the_log(databases: Any = None, **_: Any) -> list[CheckMessage]:
    """Warn where PostgreSQL's log would hold statements that it refuses, or rows."""
    if not databases:
        return []
    wanted = dict(setting.split("=") for setting in engines.NOTHING_PERSONAL)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(wanted)]
        )
        other = sorted(name for name, value in cursor.fetchall() if value != wanted[name])
    if not other:
        return []
    return [
        checks.Warning(
            f"PostgreSQL's log may hold birth dates and addresses: {', '.join(other)}.",
            hint="Set them as docs/operations.md says (What is needed).",
            id="portal.W001",
        )
    ]
