"""
Taking samples and recording results.

Knows residents only; what a result means for a case is asked in `quarantine.results`, and pages
about cases call that.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from accounts.errors import RefusedError
from accounts.models import User
from residents.models import Resident
from testing.models import NATResult, Sample

# How long what was just recorded may be taken back with one tap.
UNDO = timedelta(minutes=10)


class AlreadySampledError(RefusedError):
    """Somebody was sampled that day already."""

    field = "taken_at"


class ResultExistsError(RefusedError):
    """A sample has a result already."""


class CtError(RefusedError):
    """A Ct value that cannot be."""

    field = "ct"


class FutureError(RefusedError):
    """Something recorded before it happened, or before what it follows from."""


class TooLateToUndoError(RefusedError):
    """Something can no longer be taken back."""


def take_sample(
    *, resident: Resident, taken_at: datetime, at: datetime, by: User, pooled: bool = False
) -> Sample:
    """
    Record that a sample was taken, and return it.

    `at` is the present moment. Raise AlreadySampledError (101号 clause 6: one a person and day)
    or FutureError.
    """
    raise NotImplementedError


def record_result(
    *,
    sample: Sample,
    outcome: NATResult.Outcome,
    ct: Decimal | None,
    reported_at: datetime,
    at: datetime,
    by: User,
) -> NATResult:
    """
    Record what the laboratory found, and return it. Of two genes give the lower Ct value.

    Raise ResultExistsError, CtError (0 to 50) or FutureError.
    """
    raise NotImplementedError


def withdraw_sample(*, sample: Sample, at: datetime, by: User) -> None:
    """Take a sample back. Raise TooLateToUndoError after UNDO, or once it has a result."""
    raise NotImplementedError


def withdraw_result(*, result: NATResult, at: datetime, by: User) -> None:
    """Take a result back. Raise TooLateToUndoError after UNDO."""
    raise NotImplementedError
