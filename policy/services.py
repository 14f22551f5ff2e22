"""The documents in the database, and who put which in force."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from accounts.errors import RefusedError
from accounts.models import Area, User
from policy.models import Activation

if TYPE_CHECKING:
    from policy.engine.library import Law, Library


class UnknownDocumentError(RefusedError):
    """A document that the portal does not hold."""

    field = "document"


class OutsideJurisdictionError(RefusedError):
    """A document put in force where its issuer has no say."""

    field = "area"


class SamePersonError(RefusedError):
    """Somebody approves what they proposed."""


class NotWaitingError(RefusedError):
    """An activation that was approved or withdrawn before."""


def library() -> Library:
    """Return the documents that the portal ships, read once a process."""
    raise NotImplementedError


def load_documents() -> int:
    """Bring `Provision` level with the library, and return how many rows were new."""
    raise NotImplementedError


def in_force(*, area: Area, at: datetime) -> Law | None:
    """
    Return the law that holds in `area` at a moment, None where no document is in force.

    The most local area with an activation in force decides, there the latest one. One query.
    """
    raise NotImplementedError


def propose_activation(
    *,
    document: str,
    area: Area,
    effective_from: datetime,
    reason: str,
    at: datetime,
    by: User,
) -> Activation:
    """Propose that a document be in force in an area from a moment on."""
    raise NotImplementedError


def approve_activation(*, activation: Activation, at: datetime, by: User) -> None:
    """Approve a proposed activation; somebody else than its proposer must."""
    raise NotImplementedError


def withdraw_activation(*, activation: Activation, at: datetime, by: User, reason: str) -> None:
    """Withdraw an activation: from `at` on the law before it holds again."""
    raise NotImplementedError
