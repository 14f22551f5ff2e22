"""
The chain over the audit: who changes, removes, adds or moves an entry is found.

Writers do not wait for each other: entries are linked after they are committed, in the order of
their ids, by `seal`. An id may be given to a transaction that ends later than its successors or
not at all, so a seal reaches as far as no transaction is left that could still fill a gap; what is
missing then was rolled back, and whatever turns up there later was put in.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction

from accounts.auditing.audit import digest_of_words, is_genuine, leaf, moment, subject_of
from accounts.auditing.models import AuditEntry, AuditSeal, AuditWords
from accounts.exports import ledger
from accounts.exports.models import Export
from common import locks
from common.encryption import UnreadableError, is_signed, sign

CONTEXT = "audit seal"
SIZE = 1_000
PATIENCE = 5.0  # seconds to wait for transactions that write entries
SEALED_WITHIN = timedelta(minutes=10)
DIGEST = hashlib.sha256().digest_size

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ChainFinding:
    """Something that is not as the portal left it."""

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
    """What a check of the chain has found."""

    findings: list[ChainFinding] = field(default_factory=list)
    entries: int = 0
    seals: int = 0
    waiting: int = 0
    gaps: int = 0
    words_gone: int = 0
    head: AuditSeal | None = None

    def add(self, what: str, number: int) -> None:
        """Note a finding."""
        self.findings.append(ChainFinding(what, number))


def head_line(seal: AuditSeal) -> str:
    """Return what is noted outside of a seal: its number and digest."""
    return f"{seal.number} {bytes(seal.digest).hex()}"


def seal(*, at: datetime) -> int:
    """Link the entries that were written since the last seal; return how many."""
    if (through := _settled()) is None:
        return 0
    sealed = 0
    while done := _seal_some(through, at):
        sealed += done
    return sealed


def _settled() -> int | None:
    """Return the last id given so far, once nobody is left who could still write one below."""
    with connection.cursor() as cursor:
        through = _last_given(cursor)
        writers = _writers(cursor)
        give_up = time.monotonic() + PATIENCE
        while writers:
            if time.monotonic() > give_up:
                log.warning("audit_not_sealed", transactions=len(writers))
                return None
            time.sleep(0.01)
            writers &= _writers(cursor)
    return through


def _last_given(cursor: object) -> int:
    # Whoever was given an id up to this one holds a lock on the table until their end.
    cursor.execute(  # type: ignore[attr-defined]
        "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM accounts_auditentry_id_seq"
    )
    return int(cursor.fetchone()[0])  # type: ignore[attr-defined]


def _writers(cursor: object) -> set[str]:
    cursor.execute(  # type: ignore[attr-defined]
        "SELECT virtualtransaction FROM pg_locks"
        " WHERE relation = 'accounts_auditentry'::regclass AND mode = 'RowExclusiveLock'"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND granted AND pid IS DISTINCT FROM pg_backend_pid()"
    )
    return {row[0] for row in cursor.fetchall()}  # type: ignore[attr-defined]


@transaction.atomic
def _seal_some(through: int, at: datetime) -> int:
    if not locks.hold_for_transaction(locks.AUDIT_SEAL, wait=False):
        return 0
    before = AuditSeal.objects.order_by("-number").first()
    after = before.through if before else 0
    rows = AuditEntry.objects.filter(pk__gt=after, pk__lte=through).order_by("pk")
    entries = list(rows[:SIZE])
    if not entries:
        return 0
    made = link(
        before, entries, through=entries[-1].pk if len(entries) == SIZE else through, at=at
    )
    made.save(force_insert=True)
    if forged := [entry.pk for entry in entries if entry.proof and is_genuine(entry) is False]:
        log.error("audit_entries_forged", entries=len(forged), first=forged[0])
    log.info("audit_sealed", entries=len(entries), head=head_line(made))
    return len(entries)


def link(
    before: AuditSeal | None, entries: list[AuditEntry], *, through: int, at: datetime
) -> AuditSeal:
    """Return the seal that follows `before`, over `entries` and all ids up to `through`."""
    made = AuditSeal(
        number=before.number + 1 if before else 1,
        after=before.through if before else 0,
        through=through,
        entries=[entry.pk for entry in entries],
        leaves=b"".join(leaf(entry) for entry in entries),
        at=at,
    )
    made.digest = _digest(before, made)
    made.proof = sign(made.digest, context=CONTEXT)
    return made


def _digest(before: AuditSeal | None, seal: AuditSeal) -> bytes:
    said = [seal.number, seal.after, seal.through, seal.entries, moment(seal.at)]
    whole = hashlib.sha256(bytes(before.digest) if before else b"")
    whole.update(json.dumps(said).encode())
    whole.update(bytes(seal.leaves))
    return whole.digest()


def _proven(seal: AuditSeal) -> bool | None:
    return is_signed(bytes(seal.digest), bytes(seal.proof), context=CONTEXT)


def verify(*, at: datetime, anchors: Iterable[tuple[int, str]] = ()) -> Report:
    """Check the whole audit of the database against its chain and what was noted outside."""
    with connection.cursor() as cursor:
        given = _last_given(cursor)
    seals = AuditSeal.objects.order_by("number").iterator(chunk_size=100)
    entries = AuditEntry.objects.order_by("pk").iterator(chunk_size=2_000)
    report = check(entries, seals, at=at, given=given, anchors=anchors)
    _check_words(report)
    _check_exports(report)
    return report


def check(
    entries: Iterable[AuditEntry],
    seals: Iterable[AuditSeal],
    *,
    at: datetime,
    given: int,
    anchors: Iterable[tuple[int, str]] = (),
) -> Report:
    """
    Compare entries, in the order of their ids, with the seals over them.

    `given` is the last id that the database has given; `anchors` are numbers and digests of
    seals that were noted outside.
    """
    report = Report()
    noted = dict(anchors)
    written = _Written(report)
    rows = _Rows(written.seen(entries))
    for one in _linked(seals, report):
        if noted.pop(one.number, bytes(one.digest).hex()) != bytes(one.digest).hex():
            report.add("anchor", one.number)
        _compare(one, list(rows.up_to(one.through)), report)
        written.before = one.at
    for number in noted:
        report.add("anchor", number)
    if report.head and _proven(report.head) is None:
        report.add("unproven", report.head.number)
    _check_waiting(list(rows.up_to(None)), report, at=at, given=given)
    return report


class _Rows:
    """Entries in the order of their ids, taken window by window."""

    def __init__(self, entries: Iterable[AuditEntry]) -> None:
        self.left = iter(entries)
        self.ahead: AuditEntry | None = next(self.left, None)

    def up_to(self, through: int | None) -> Iterator[AuditEntry]:
        """Yield the entries up to an id, or all that are left."""
        while self.ahead is not None and (through is None or self.ahead.pk <= through):
            yield self.ahead
            self.ahead = next(self.left, None)


class _Written:
    """
    Finds entries that the portal did not write, or wrote elsewhere.

    Only entries older than the chain have no proof. A copy says the same, to the microsecond, so
    it has the same proof. Nothing that was written long before a seal is genuine after it: who
    writes holds the sealing up.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.proven = False
        self.before: datetime | None = None  # when the seal before was made
        self.lately: dict[bytes, datetime] = {}

    def seen(self, entries: Iterable[AuditEntry]) -> Iterator[AuditEntry]:
        """Yield the entries again, noting each that is not genuine."""
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


def _linked(seals: Iterable[AuditSeal], report: Report) -> Iterator[AuditSeal]:
    """Yield the seals, noting each that does not follow from the one before."""
    before: AuditSeal | None = None
    for one in seals:
        follows = (
            one.number == (before.number + 1 if before else 1)
            and one.after == (before.through if before else 0)
            and bytes(one.digest) == _digest(before, one)
        )
        if not follows:
            report.add("seal", one.number)
        if _proven(one) is False:
            report.add("proof", one.number)
        report.seals += 1
        report.head = before = one
        yield one


def _compare(one: AuditSeal, rows: list[AuditEntry], report: Report) -> None:
    leaves = bytes(one.leaves)
    kept = {pk: leaves[i * DIGEST : (i + 1) * DIGEST] for i, pk in enumerate(one.entries)}
    for entry in rows:
        report.entries += 1
        digest = kept.pop(entry.pk, None)
        if digest is None:
            report.add("inserted", entry.pk)
        elif digest != leaf(entry):
            report.add("altered", entry.pk)
    for pk in kept:
        report.add("removed", pk)
    report.gaps += one.through - one.after - len(one.entries)


def _check_waiting(rows: list[AuditEntry], report: Report, *, at: datetime, given: int) -> None:
    report.entries += len(rows)
    report.waiting = len(rows)
    for entry in rows:
        if entry.pk > given:
            report.add("inserted", entry.pk)
        elif at - entry.at > SEALED_WITHIN:
            report.add("late", entry.pk)
    first = report.head.through if report.head else 0
    report.gaps += max(given - first, 0) - sum(entry.pk <= given for entry in rows)


def _check_words(report: Report) -> None:
    for words in AuditWords.objects.select_related("entry").iterator(chunk_size=2_000):
        try:
            kept = digest_of_words(words.text) == words.entry.detail.get("words")
        except (UnreadableError, KeyError):
            kept = False
        if not kept:
            report.add("words", words.entry_id)
    with_words = AuditEntry.objects.filter(detail__has_key="words", words=None)
    report.words_gone = with_words.count()


def _check_exports(report: Report) -> None:
    """Compare the ledger with what the audit holds of it, which the chain covers."""
    entries = AuditEntry.objects.filter(did=ledger.TOOK)
    noted = dict(entries.values_list("subject", "detail__ledger"))
    for export in Export.objects.order_by("pk").iterator(chunk_size=2_000):
        if noted.pop(subject_of(export), None) != ledger.digest(export):
            report.add("export", export.pk)
    for subject in noted:
        report.add("export", int(subject.rpartition(":")[2]))
