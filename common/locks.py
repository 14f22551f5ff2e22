"""The PostgreSQL advisory locks of the portal: their names, and two ways to take them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pglock

AUDIT_SEAL = "audit: sealing"
REMINDERS = "reminders: sweep"
SWITCH = "switch: sweep"
# One roster at a time is imported or undone: two rosters could lock the same people and doors in
# different order, and two chunks of one roster the same homes.
REGISTER = "register: rows of a roster"
HOMES = "register: homes of a roster"


def roster(pk: int) -> str:
    """Return the name of the lock of the worker that processes a roster."""
    return f"roster: {pk}"


def entry(key: object) -> str:
    """Return the name of the lock for saving the entry with `key`."""
    return f"entry: {key}"


@contextmanager
def held(name: str, *, wait: bool = True) -> Iterator[bool]:
    """
    Hold a lock for a block; yield whether it was acquired (always True with `wait`).

    The lock belongs to the connection: PostgreSQL releases it when the process is killed.
    """
    lock = _advisory(name, wait=wait)
    is_held = lock.acquire()
    try:
        yield is_held
    finally:
        if is_held:
            lock.release()


def hold_for_transaction(name: str, *, wait: bool = True) -> bool:
    """Hold a lock until the transaction ends; without `wait` return False if it is taken."""
    return _advisory(name, wait=wait, xact=True).acquire()


def _advisory(name: str, *, wait: bool, xact: bool = False) -> pglock.advisory:
    if wait:
        return pglock.advisory(name, xact=xact)
    return pglock.advisory(name, xact=xact, timeout=0)
