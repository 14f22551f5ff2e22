"""
The hash chain over the audit: it reveals changed, removed, inserted and moved entries.

Writers do not block each other: `seal` links entries after they are committed, in the order of
their ids. A transaction may commit after others with higher ids, or never, so a seal covers ids
only when no transaction is open that could still fill a gap. Ids missing then were rolled back; an
entry that appears under one later was inserted.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction

from accounts.auditing.audit import digest_of_words, is_genuine, leaf, subject_of, utc_timestamp
from accounts.auditing.models import AuditEntry, AuditSeal, AuditWords
from accounts.exports import ledger
from accounts.exports.models import Export
from common import locks
from common.encryption import UnreadableError, is_signed, sign

CONTEXT = "audit seal"
BATCH_SIZE = 1_000
WAIT_SECONDS = 5.0  # seconds to wait for transactions that write entries
SEALED_WITHIN = timedelta(minutes=10)
DIGEST = hashlib.sha256().digest_size

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ChainFinding:
    """A difference between the audit and what the portal wrote."""

    what: str
    number: int

    def __str__(self) -> str:
        return SENTENCES[self.what] % self.number


SENTENCES = {
    "altered": "Entry %d was altered.",
    "removed": "Entry %d was removed.",
    "inserted": "Entry %d was put in after its place was sealed.",
    "forged": "Entry %d was not written by the portal.",
    "copied": "Entry %d is a copy of an earlier one.",
    "late": "Entry %d waits for its seal for too long: is beat running?",
    "seal": "Seal %d was altered, removed or put in.",
    "proof": "Seal %d was not made by the portal.",
    "unproven": "Seal %d, the last, was made with a key that FIELD_KEYS does not hold.",
    "anchor": "Seal %d is not the one that was noted: the end was cut off, or all was rewritten.",
    "export": "Export %d of the ledger was altered, removed or put in.",
    "words": "The words of entry %d were altered or exchanged.",
}


@dataclass
class Report:
    """The result of a check of the chain."""

    findings: list[ChainFinding] = field(default_factory=list)
    entries: int = 0
    seals: int = 0
    waiting: int = 0
    gaps: int = 0
    words_gone: int = 0
    head: AuditSeal | None = None

    def add(self, what: str, number: int) -> None:
        """Add a finding."""
        self.findings.append(ChainFinding(what, number))


def head_line(seal: AuditSeal) -> str:
    """Return the number and digest of a seal, as an anchor stores them."""
    return f"{seal.number} {bytes(seal.digest).hex()}"


def seal(*, at: datetime) -> int:
    """Link the entries written since the last seal; return their number."""
    if (through := _last_settled_id()) is None:
        return 0
    sealed = 0
    while count := _seal_batch(through, at):
        sealed += count
    return sealed


def _last_settled_id() -> int | None:
    """Return the last id assigned, once no transaction can still write that id or a lower one."""
    with connection.cursor() as cursor:
        through = _last_assigned_id(cursor)
        writers = _writing_transactions(cursor)
        give_up = time.monotonic() + WAIT_SECONDS
        while writers:
            if time.monotonic() > give_up:
                log.warning("audit_not_sealed", transactions=len(writers))
                return None
            time.sleep(0.01)
            writers &= _writing_transactions(cursor)
    return through


def _last_assigned_id(cursor: object) -> int:
    # A transaction that was given an id up to this one holds a lock on the table until it ends.
    cursor.execute(  # type: ignore[attr-defined]
        "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM accounts_auditentry_id_seq"
    )
    return int(cursor.fetchone()[0])  # type: ignore[attr-defined]


def _writing_transactions(cursor: object) -> set[str]:
    cursor.execute(  # type: ignore[attr-defined]
        "SELECT virtualtransaction FROM pg_locks"
        " WHERE relation = 'accounts_auditentry'::regclass AND mode = 'RowExclusiveLock'"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND granted AND pid IS DISTINCT FROM pg_backend_pid()"
    )
    return {row[0] for row in cursor.fetchall()}  # type: ignore[attr-defined]


@transaction.atomic
def _seal_batch(through: int, at: datetime) -> int:
    if not locks.hold_for_transaction(locks.AUDIT_SEAL, wait=False):
        return 0
    previous = AuditSeal.objects.order_by("-number").first()
    after = previous.through if previous else 0
    rows = AuditEntry.objects.filter(pk__gt=after, pk__lte=through).order_by("pk")
    entries = list(rows[:BATCH_SIZE])
    if not entries:
        return 0
    seal = link(
        previous, entries, through=entries[-1].pk if len(entries) == BATCH_SIZE else through, at=at
    )
    seal.save(force_insert=True)
    if forged := [entry.pk for entry in entries if entry.proof and is_genuine(entry) is False]:
        log.error("audit_entries_forged", entries=len(forged), first=forged[0])
    log.info("audit_sealed", entries=len(entries), head=head_line(seal))
    return len(entries)


def link(
    previous: AuditSeal | None, entries: list[AuditEntry], *, through: int, at: datetime
) -> AuditSeal:
    """Return the seal that follows `previous`, over `entries` and all ids up to `through`."""
    seal = AuditSeal(
        number=previous.number + 1 if previous else 1,
        after=previous.through if previous else 0,
        through=through,
        entries=[entry.pk for entry in entries],
        leaves=b"".join(leaf(entry) for entry in entries),
        at=at,
    )
    seal.digest = _digest(previous, seal)
    seal.proof = sign(seal.digest, context=CONTEXT)
    return seal


def _digest(previous: AuditSeal | None, seal: AuditSeal) -> bytes:
    content = [seal.number, seal.after, seal.through, seal.entries, utc_timestamp(seal.at)]
    digest = hashlib.sha256(bytes(previous.digest) if previous else b"")
    digest.update(json.dumps(content).encode())
    digest.update(bytes(seal.leaves))
    return digest.digest()


def _has_valid_proof(seal: AuditSeal) -> bool | None:
    return is_signed(bytes(seal.digest), bytes(seal.proof), context=CONTEXT)


@transaction.atomic  # what is too much to be read at once is read by cursors
def verify(*, at: datetime, anchors: Iterable[tuple[int, str]] = ()) -> Report:
    """Check all audit entries of the database against the chain and the anchors."""
    with connection.cursor() as cursor:
        last_id = _last_assigned_id(cursor)
    seals = AuditSeal.objects.order_by("number").iterator(chunk_size=100)
    entries = AuditEntry.objects.order_by("pk").iterator(chunk_size=2_000)
    report = check(entries, seals, at=at, last_id=last_id, anchors=anchors)
    _check_words(report)
    _check_exports(report)
    return report


def check(
    entries: Iterable[AuditEntry],
    seals: Iterable[AuditSeal],
    *,
    at: datetime,
    last_id: int,
    anchors: Iterable[tuple[int, str]] = (),
) -> Report:
    """
    Compare entries, in the order of their ids, with the seals over them.

    `last_id` is the last id that the database assigned; `anchors` are numbers and digests of
    seals from the file outside the database.
    """
    report = Report()
    unmatched = dict(anchors)
    written = _ProofChecker(report)
    rows = _EntryWindows(written.seen(entries))
    for seal in _checked_seals(seals, report):
        if unmatched.pop(seal.number, bytes(seal.digest).hex()) != bytes(seal.digest).hex():
            report.add("anchor", seal.number)
        _compare_entries(seal, list(rows.up_to(seal.through)), report)
        written.before = seal.at
    for number in unmatched:
        report.add("anchor", number)
    if report.head and _has_valid_proof(report.head) is None:
        report.add("unproven", report.head.number)
    _check_waiting(list(rows.up_to(None)), report, at=at, last_id=last_id)
    return report


class _EntryWindows:
    """Entries in the order of their ids, split into the ranges of the seals."""

    def __init__(self, entries: Iterable[AuditEntry]) -> None:
        self.left = iter(entries)
        self.ahead: AuditEntry | None = next(self.left, None)

    def up_to(self, through: int | None) -> Iterator[AuditEntry]:
        """Yield the entries up to an id, or all remaining ones for None."""
        while self.ahead is not None and (through is None or self.ahead.pk <= through):
            yield self.ahead
            self.ahead = next(self.left, None)


class _ProofChecker:
    """
    Finds forged and copied entries by their proofs.

    Only entries older than the chain have no proof. A copy has the same content, to the
    microsecond, and so the same proof. An entry much older than the seal before it is not
    genuine, because an open writing transaction delays sealing.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.proven = False
        self.before: datetime | None = None  # when the seal before was made
        self.lately: dict[bytes, datetime] = {}

    def seen(self, entries: Iterable[AuditEntry]) -> Iterator[AuditEntry]:
        """Yield the entries, reporting each that is not genuine."""
        for entry in entries:
            if proof := bytes(entry.proof):
                self._look_at(entry, proof)
            elif self.proven:
                self.report.add("forged", entry.pk)
            yield entry

    def _look_at(self, entry: AuditEntry, proof: bytes) -> None:
        self.proven = True
        late = self.before is not None and self.before - entry.at > SEALED_WITHIN
        if is_genuine(entry) is False:
            self.report.add("forged", entry.pk)
        elif late or proof in self.lately:
            self.report.add("copied", entry.pk)
        self.lately[proof] = entry.at
        self._forget(entry.at - 2 * SEALED_WITHIN)

    def _forget(self, older_than: datetime) -> None:
        while self.lately[first := next(iter(self.lately))] < older_than:
            del self.lately[first]


def _checked_seals(seals: Iterable[AuditSeal], report: Report) -> Iterator[AuditSeal]:
    """Yield the seals, reporting each that does not follow from the previous one."""
    previous: AuditSeal | None = None
    for seal in seals:
        follows = (
            seal.number == (previous.number + 1 if previous else 1)
            and seal.after == (previous.through if previous else 0)
            and bytes(seal.digest) == _digest(previous, seal)
        )
        if not follows:
            report.add("seal", seal.number)
        if _has_valid_proof(seal) is False:
            report.add("proof", seal.number)
        report.seals += 1
        report.head = previous = seal
        yield seal


def _compare_entries(seal: AuditSeal, rows: list[AuditEntry], report: Report) -> None:
    leaves = bytes(seal.leaves)
    leaf_digests = {pk: leaves[i * DIGEST : (i + 1) * DIGEST] for i, pk in enumerate(seal.entries)}
    for entry in rows:
        report.entries += 1
        digest = leaf_digests.pop(entry.pk, None)
        if digest is None:
            report.add("inserted", entry.pk)
        elif digest != leaf(entry):
            report.add("altered", entry.pk)
    for pk in leaf_digests:
        report.add("removed", pk)
    report.gaps += seal.through - seal.after - len(seal.entries)


def _check_waiting(rows: list[AuditEntry], report: Report, *, at: datetime, last_id: int) -> None:
    report.entries += len(rows)
    report.waiting = len(rows)
    for entry in rows:
        if entry.pk > last_id:
            report.add("inserted", entry.pk)
        elif at - entry.at > SEALED_WITHIN:
            report.add("late", entry.pk)
    sealed_through = report.head.through if report.head else 0
    report.gaps += max(last_id - sealed_through, 0) - sum(entry.pk <= last_id for entry in rows)


def _check_words(report: Report) -> None:
    for words in AuditWords.objects.select_related("entry").iterator(chunk_size=2_000):
        try:
            matches = digest_of_words(words.text) == words.entry.detail.get("words")
        except (UnreadableError, KeyError):
            matches = False
        if not matches:
            report.add("words", words.entry_id)
    with_words = AuditEntry.objects.filter(detail__has_key="words", words=None)
    report.words_gone = with_words.count()


def _check_exports(report: Report) -> None:
    """Compare the ledger with its digests in the audit, which the chain covers."""
    entries = AuditEntry.objects.filter(did=ledger.TOOK_FILE)
    recorded = dict(entries.values_list("subject", "detail__ledger"))
    for export in Export.objects.order_by("pk").iterator(chunk_size=2_000):
        if recorded.pop(subject_of(export), None) != ledger.digest(export):
            report.add("export", export.pk)
    for subject in recorded:
        report.add("export", int(subject.rpartition(":")[2]))
