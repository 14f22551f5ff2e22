"""The two roles of the database: one owns the tables and migrates, the other serves."""

from collections.abc import Iterator
from contextlib import contextmanager

import environ
from django.conf import settings
from django.db import connection


@contextmanager
def as_owner() -> Iterator[None]:
    """Let the database be asked by the role that owns the tables, where one is given."""
    if not settings.DATABASE_MIGRATION_URL:
        yield
        return
    config = environ.Env().db_url_config(settings.DATABASE_MIGRATION_URL)
    owner = {name: config[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    serving = {name: connection.settings_dict[name] for name in owner}
    connection.close()
    connection.settings_dict.update(owner)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(serving)
