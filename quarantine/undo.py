"""Taking back what was just recorded, for `testing.services.UNDO`."""

from __future__ import annotations

from datetime import datetime

from accounts.models import User
from quarantine.models import Event
from testing.models import NATResult, Sample


def take_back_sample(*, sample: Sample, at: datetime, by: User) -> None:
    """Take a sample back. Raise TooLateToUndoError after UNDO or once it has a result."""
    raise NotImplementedError


def take_back_result(*, result: NATResult, at: datetime, by: User) -> None:
    """
    Take a result back, with the case that it opened or closed.

    Raise TooLateToUndoError after UNDO, or once something else followed from it.
    """
    raise NotImplementedError


def take_back_event(*, event: Event, at: datetime, by: User) -> None:
    """
    Take back a missed test, a change of facts, an outing, a check, a note or a release.

    A release taken back opens the case again. Raise TooLateToUndoError after UNDO, once
    something else followed from it, or for what follows from a result (take that back).
    """
    raise NotImplementedError
