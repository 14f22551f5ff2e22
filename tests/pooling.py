"""What a pooler in transaction mode does to a session, done to the connection of a test."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

FORGOTTEN = (
    *("CLOSE ALL", "DEALLOCATE ALL", "UNLISTEN *", "DISCARD TEMP"),
    "SELECT pg_advisory_unlock_all()",
)


@contextmanager
def pooled() -> Iterator[None]:
    """
    Let each transaction find nothing of what the session kept, as on a connection of another's.

    For tests that commit: within one transaction a pooler takes nothing away.
    """
    with connection.execute_wrapper(_on_another_connection):
        yield


def _on_another_connection(execute: Callable[..., Any], *statement: Any) -> Any:
    raw = connection.connection
    if raw.get_transaction_status() == TRANSACTION_STATUS_IDLE:
        autocommit, raw.autocommit = raw.autocommit, True
        with raw.cursor() as cursor:
            for forget in FORGOTTEN:
                cursor.execute(forget)
        raw.autocommit = autocommit
    return execute(*statement)
