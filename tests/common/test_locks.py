"""Locks that hold behind a pooler, too."""

import pytest
from django.db import OperationalError, connection

from common import locks
from tests.pooling import pooled

NAME = "a lock of tests"


def is_free() -> bool:
    """Return whether somebody else could take the lock."""
    with locks.held(NAME, wait=False) as is_held:
        return is_held


@pytest.mark.django_db(transaction=True)
class TestALockForSeveralTransactions:
    def test_is_held_from_one_transaction_to_the_next(self) -> None:
        with pooled(), locks.held(NAME):
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            assert not is_free()
        assert is_free()

    def test_leaves_nothing_on_the_connection_that_works(self) -> None:
        with locks.held(NAME), connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()"
                " AND locktype = 'advisory'"
            )
            assert cursor.fetchone() == (0,)

    def test_that_was_lost_is_told_at_the_end(self) -> None:
        with (
            pytest.raises(OperationalError),
            locks.held(NAME),
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " WHERE locktype = 'advisory' AND pg_locks.database ="
                " (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
