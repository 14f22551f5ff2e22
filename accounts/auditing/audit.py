"""
Record what users did or read, in the transaction of the act.

The database links each entry into the chain when that transaction commits (`witness`), and the
head of the chain is noted outside it at once (`anchors`).
"""

import hashlib
import json
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.auditing import anchors
from accounts.auditing.models import AuditEntry, AuditWords
from accounts.staff.models import User
from common.encryption import is_signed, sign

CONTEXT = "audit entry"
# Hexadecimal digits before a free text, so that its digest in the entry reveals nothing.
SALT = 32


def subject_of(row: models.Model) -> str:
    """Return the pseudonym of a row: model and key, no personal data."""
    return f"{row._meta.model_name}:{getattr(row, 'key', row.pk)}"


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

    `code` is a reason from a fixed list, stored in the entry; `reason` is free text, stored
    sealed. `shown` are the pseudonyms of the people on a page; the person that `to` is about
    is added to them.
    """
    if not reason:
        entry = _entry(by, did, to, code=code, shown=shown, detail=detail)
        entry.save()
        anchors.note_after_commit()
        return entry
    salted = secrets.token_hex(SALT // 2) + reason
    detail["words"] = digest_of_words(salted)
    with transaction.atomic(savepoint=False):
        entry = _entry(by, did, to, code=code, shown=shown, detail=detail)
        entry.save()
        AuditWords.objects.create(entry=entry, text=salted)
        anchors.note_after_commit()
    return entry


@transaction.atomic
def forget_words(*, entries: Iterable[AuditEntry], by: User | None, why: str) -> int:
    """Delete the free texts of entries, which may name people; the entries stay. Record it."""
    keys = [entry.pk for entry in entries]
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_forget_words(%s)", [keys])
        gone = int(cursor.fetchone()[0])
    record(by=by, did=gettext_noop("deleted words of the audit"), to=why, number=gone)
    return gone


def showed(*, by: User, page: str, people: Iterable[UUID]) -> None:
    """Record in one entry that a page showed these people; call it in the page's request."""
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
    entry.proof = sign(signed_content(entry), context=CONTEXT)
    return entry


def _about(to: models.Model | str) -> list[UUID]:
    """Return the pseudonym of the person that a case, a sample or another row is about."""
    person = getattr(to, "resident", None)
    return [person.key] if person else []


def signed_content(entry: AuditEntry) -> bytes:
    """Return the canonical content of an entry, the same before and after it is stored."""
    return _canonical(
        utc_timestamp(entry.at),
        str(entry.actor),
        entry.did,
        entry.subject,
        [str(key) for key in entry.shown],
        entry.reason,
        entry.detail,
    )


def is_genuine(entry: AuditEntry) -> bool | None:
    """Return whether the portal wrote an entry; None if the key is no longer configured."""
    return is_signed(signed_content(entry), bytes(entry.proof), context=CONTEXT)


def digest_of_words(text: str) -> str:
    """Return the digest of a free text, as its entry stores it."""
    return hashlib.sha256(text.encode()).hexdigest()


def words_of(entry: AuditEntry) -> str:
    """Return the free text of a reason, "" if there is none."""
    words = getattr(entry, "words", None)
    return words.text[SALT:] if words else ""


def _canonical(*parts: Any) -> bytes:
    return json.dumps(
        parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str
    ).encode()


def utc_timestamp(at: datetime) -> str:
    """Return a moment as ISO 8601 in UTC with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
