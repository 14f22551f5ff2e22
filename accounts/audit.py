"""Writing down what somebody did or read, in the same transaction."""

from typing import Any

from django.db import models

from accounts.models import AuditEntry, User


def subject_of(thing: models.Model) -> str:
    """Return the pseudonym of a row: its model and its key, no personal data."""
    return f"{thing._meta.model_name}:{getattr(thing, 'key', thing.pk)}"


def record(
    *, by: User | None, did: str, to: models.Model, reason: str = "", **detail: Any
) -> AuditEntry:
    """Write one entry; `by` is None when the portal acts. No personal data in `detail`."""
    return AuditEntry.objects.create(
        actor=by.key if by else None, did=did, subject=subject_of(to), reason=reason, detail=detail
    )
