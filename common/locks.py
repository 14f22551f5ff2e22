"""The PostgreSQL advisory locks of the portal: their names, and two ways to take them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pglock
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

REMINDERS = "reminders: sweep"
SWITCH = "switch: sweep"
# One roster at a time is imported or undone: two rosters could lock the same people and doors in
# different order, and two chunks of one roster the same homes.
REGISTER = "register: rows of a roster"
HOMES = "register: homes of a roster"


def roster(pk: int) -> str:
    """Return the name of the lock of the worker that processes a roster."""
    return f"roster: {pk}"


def purge(pk: int) -> str:
    """Return the name of the lock of the worker that purges a closed outbreak."""
    return f"purge: {pk}"


def entry(key: object) -> str:
    """Return the name of the lock for saving the entry with `key`."""
    return f"entry: {key}"


def limit(what: str, pk: int) -> str:
    """Return the name of the lock for counting what one user has done so far."""
    return f"limit: {what} of {pk}"


@contextmanager
def held(name: str, *, wait: bool = True) -> Iterator[bool]:
    """
    Hold a lock for a block of many transactions; yield whether it was acquired (always if `wait`).

    The lock belongs to a transaction on a connection of its own that does nothing else: behind a
    pooler in transaction mode, a session's lock would stay on whatever connection took it.
    PostgreSQL releases it when the process is killed. Raises `OperationalError` at the end where
    that connection was lost meanwhile, and with it the lock.
    """
    beside = connection.copy()
    try:
        yield _acquired(beside, name, wait=wait)
        beside.rollback()
    finally:
        beside.close()


def _acquired(beside: BaseDatabaseWrapper, name: str, *, wait: bool) -> bool:
    """Take a lock in a transaction that stays open, however long it has nothing to do."""
    take = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
    beside.set_autocommit(False)
    with beside.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute(f"SELECT {take}(%s)", [pglock.advisory(name).int_lock_id])
        return wait or bool(cursor.fetchone()[0])


def hold_for_transaction(name: str, *, wait: bool = True) -> bool:
    """Hold a lock until the transaction ends; without `wait` return False if it is taken."""
    if wait:
        return pglock.advisory(name, xact=True).acquire()
    return pglock.advisory(name, xact=True, timeout=0).acquire()
