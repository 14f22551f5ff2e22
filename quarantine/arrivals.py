"""Logging who arrives, and the case that follows from it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from accounts.errors import RefusedError
from accounts.models import Area, User
from quarantine.models import Arrival, Case
from residents.models import Resident

if TYPE_CHECKING:
    from policy.engine.decide import Decision
    from policy.engine.facts import Person
    from policy.engine.library import Law


class FutureArrivalError(RefusedError):
    """An arrival that has not happened yet."""

    field = "arrived_on"


class AlreadyLoggedError(RefusedError):
    """An arrival of the same person on the same day."""

    field = "arrived_on"


class OpenCaseError(RefusedError):
    """A person who is under a measure already; `case` is the open one."""

    case: Case


@dataclass(frozen=True)
class Logged:
    """An arrival, the case it opened if any, and the answer of the law."""

    arrival: Arrival
    case: Case | None
    decision: Decision


def log_arrival(
    *,
    key: uuid.UUID,
    resident: Resident,
    grid: Area,
    facts: Person,
    origin: str,
    from_abroad: bool,
    law: Law,
    at: datetime,
    by: User,
) -> Logged:
    """
    Log an arrival and open the case that the law asks for, in one transaction.

    `facts.start` is the day of arrival. `origin` is the GB/T 2260 code, "" from abroad. The
    same `key` sent again returns what the first call logged. Raise FutureArrivalError,
    AlreadyLoggedError or OpenCaseError.
    """
    raise NotImplementedError


def take_back_arrival(*, arrival: Arrival, at: datetime, by: User) -> None:
    """
    Take an arrival back, with its case, for a short while after it was logged.

    Raise TooLateToUndoError after testing.services.UNDO, or once something happened to the case.
    """
    raise NotImplementedError
