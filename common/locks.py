"""The advisory locks of the portal: every name once, and the two ways to take one."""

from collections.abc import Iterator
from contextlib import contextmanager

import pglock

AUDIT_SEAL = "audit: sealing"
REMINDERS = "reminders: sweep"
SWITCH = "switch: sweep"
# One roster at a time is taken over or back: two may name the same people and doors in another
# order; and so may two chunks of one roster the homes of neighbours.
REGISTER = "register: rows of a roster"
HOMES = "register: homes of a roster"


def roster(pk: int) -> str:
    """Return the name of the lock under which a worker has a roster."""
    return f"roster: {pk}"


def entry(key: object) -> str:
    """Return the name of the lock under which the entry with `key` is saved."""
    return f"entry: {key}"


@contextmanager
def held(name: str, *, wait: bool = True) -> Iterator[bool]:
    """
    Hold a lock for a block; yield whether it is held, which only without `wait` may be False.

    The lock belongs to the connection, so it ends with a process that is killed.
    """
    with _advisory(name, wait=wait) as is_held:
        yield is_held


def hold_for_transaction(name: str, *, wait: bool = True) -> bool:
    """Hold a lock until the transaction ends; return False where another has it (no `wait`)."""
    return _advisory(name, wait=wait, xact=True).acquire()


def _advisory(name: str, *, wait: bool, xact: bool = False) -> pglock.advisory:
    if wait:
        return pglock.advisory(name, xact=xact)
    return pglock.advisory(name, xact=xact, timeout=0)
