"""
Writing down what somebody did or read, in the same transaction.

`accounts.auditing.chain` links the entries afterwards, so that no writer waits for another.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.auditing.models import AuditEntry, AuditWords
from accounts.staff.models import User
from common.encryption import is_signed, sign

CONTEXT = "audit entry"
# Before what somebody wrote: the digest in the entry then tells nothing about it.
SALT = 32


def subject_of(thing: models.Model) -> str:
    """Return the pseudonym of a row: its model and its key, no personal data."""
    return f"{thing._meta.model_name}:{getattr(thing, 'key', thing.pk)}"


def record(
    *,
    by: User | None,
    did: str,
    to: models.Model | str,
    code: str = "",
    reason: str = "",
    shown: Iterable[UUID] = (),
    **detail: Any,
) -> AuditEntry:
    """
    Write one entry; `by` is None when the portal acts. No personal data in `detail`.

    `code` is a reason of a list and stands in the entry; `reason` is what somebody wrote, which
    is sealed. `shown` are the pseudonyms of those who stand on a page; whoever `to` is about
    is among them.
    """
    if not reason:
        entry = _entry(by, did, to, code=code, shown=shown, detail=detail)
        entry.save()
        return entry
    text = secrets.token_hex(SALT // 2) + reason
    detail["words"] = digest_of_words(text)
    with transaction.atomic(savepoint=False):
        entry = _entry(by, did, to, code=code, shown=shown, detail=detail)
        entry.save()
        AuditWords.objects.create(entry=entry, text=text)
    return entry


def showed(*, by: User, page: str, people: Iterable[UUID]) -> None:
    """Write down once that a page showed these people, in the request that shows it."""
    if keys := list(dict.fromkeys(people)):
        record(by=by, did=gettext_noop("was shown in a list"), to=f"page:{page}", shown=keys)


def _entry(
    by: User | None,
    did: str,
    to: models.Model | str,
    *,
    code: str = "",
    shown: Iterable[UUID] = (),
    detail: dict[str, Any],
) -> AuditEntry:
    entry = AuditEntry(
        # The real time, whatever day the demo believes in; signed, so that none can be repeated.
        at=timezone.now(),  # noqa: TID251
        actor=by.key if by else None,
        did=did,
        subject=to if isinstance(to, str) else subject_of(to),
        shown=[*_about(to), *shown],
        reason=code,
        detail=detail,
    )
    entry.proof = sign(said(entry), context=CONTEXT)
    return entry


def _about(to: models.Model | str) -> list[UUID]:
    """Return the pseudonym of the person whom a case, a sample or the like is about."""
    person = getattr(to, "resident", None)
    return [person.key] if person else []


def said(entry: AuditEntry) -> bytes:
    """Return what an entry says, the same before it is stored and ever after."""
    return _canonical(
        moment(entry.at),
        str(entry.actor),
        entry.did,
        entry.subject,
        [str(key) for key in entry.shown],
        entry.reason,
        entry.detail,
    )


def leaf(entry: AuditEntry) -> bytes:
    """Return the digest under which the chain holds an entry, in its place."""
    row = _canonical(entry.pk, said(entry).decode(), bytes(entry.proof).hex())
    return hashlib.sha256(row).digest()


def is_genuine(entry: AuditEntry) -> bool | None:
    """Return whether the portal wrote an entry; None where its key is not configured any more."""
    return is_signed(said(entry), bytes(entry.proof), context=CONTEXT)


def digest_of_words(text: str) -> str:
    """Return what an entry holds of the words that belong to it."""
    return hashlib.sha256(text.encode()).hexdigest()


def words_of(entry: AuditEntry) -> str:
    """Return what somebody wrote as a reason, "" where nothing is kept."""
    words = getattr(entry, "words", None)
    return words.text[SALT:] if words else ""


def _canonical(*parts: Any) -> bytes:
    return json.dumps(
        parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str
    ).encode()


def moment(at: datetime) -> str:
    """Return a moment the same in whatever zone it was given."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
