"""Trying many things from one start."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import transaction


class _DoneError(Exception):
    pass


@contextmanager
def tried() -> Iterator[None]:
    """Take back what happens inside, so that the next try starts where this one did."""
    with suppress(_DoneError), transaction.atomic():
        yield
        raise _DoneError
