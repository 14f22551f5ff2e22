"""Opening and closing cases, and changing their facts; every act goes through here."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from accounts.errors import RefusedError
from accounts.models import User
from quarantine.models import Case, Event


class StaleCaseError(RefusedError):
    """
    A case that somebody else changed or closed in the meantime.

    Each act changes the case only at the `version` it was read with. A form that shows a case
    keeps the version in a hidden input and the view sets `case.version` from it before the act.
    """


class NoFurtherMeasureError(RefusedError):
    """Changed facts under which the law asks for nothing: a human must look."""


def refresh(*, case: Case, today: date) -> None:
    """Write `next_test_on` and `release_on` anew from the case's calendar."""
    raise NotImplementedError


def refresh_many(*, cases: Collection[Case], today: date) -> int:
    """Do the same for many cases, set by set, and return how many changed."""
    raise NotImplementedError


def change_home_conditions(*, case: Case, met: bool, reason: str, at: datetime, by: User) -> Event:
    """Record whether the home is fit for isolation; where it is not, the fallback follows."""
    raise NotImplementedError


def choose_central(*, case: Case, reason: str, at: datetime, by: User) -> Event:
    """Record that the person asks for central isolation, where the text offers it."""
    raise NotImplementedError


def move(*, case: Case, setting: str, reason: str, at: datetime, by: User) -> Event:
    """
    Record that the person moved to `central` or `home` today; days served count.

    Raise RefusedError when the law names another setting, or the person is there already.
    """
    raise NotImplementedError


def change_clinical(*, case: Case, state: str, reason: str, at: datetime, by: User) -> Event:
    """
    Record the clinical state of an infected person as a clinician found it.

    Where the law passes that state to medical care, the case closes as referred.
    """
    raise NotImplementedError


def add_note(*, case: Case, text: str, at: datetime, by: User) -> Event:
    """Keep a note (encrypted) with a case."""
    raise NotImplementedError
