"""
Verify the audit: its chain, the rows that the chain covers, and the anchors outside.

What is compared, and what each comparison finds:

    link with the link before      a link changed, removed, put in or moved
    link with its transaction      a change that the portal did not make: no signed entry beside it
    row with its latest link       a row changed, removed or put in behind the database's witness
    entry with its signature       an entry that the portal did not write, or a copy of one
    sealed value with its row      words, reasons and names exchanged, and with them pseudonyms
    seal with the chain            a chain linked anew by somebody without the portal's keys
    anchor with the chain          the same by somebody with all keys; an end that was cut off

A link is made in the transaction of the change, so that no moment is open before it.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Count, Max
from django.utils.translation import gettext_noop

from accounts.auditing import anchors, audit, stamps, witness
from accounts.auditing.anchors import Anchor, Notes
from accounts.auditing.models import AuditEntry, AuditLink, AuditPending, AuditWords
from accounts.exports import ledger
from accounts.exports.models import Export
from accounts.keys import keyring
from accounts.keys.models import DataKey
from common.encryption import UnreadableError, sealed_fields

CHUNK = 2_000
ENTRIES = AuditEntry._meta.db_table
# What opening a value may raise that somebody wrote who has no key.
UNREADABLE = (UnreadableError, ValueError, KeyError, IndexError)
SEALED = gettext_noop("sealed the audit")


@dataclass(frozen=True)
class ChainFinding:
    """A difference between the audit and what the portal wrote."""

    what: str
    table: str
    row: str

    def __str__(self) -> str:
        return SENTENCES[self.what] % {"table": self.table, "row": self.row}


SENTENCES = {
    "altered": "Row %(row)s of %(table)s was altered.",
    "removed": "Row %(row)s of %(table)s was removed.",
    "inserted": "Row %(row)s of %(table)s was put in.",
    "unexplained": "Row %(row)s of %(table)s was changed, and the portal wrote no entry about it.",
    "forged": "Entry %(row)s was not written by the portal.",
    "copied": "Entry %(row)s is a copy of an earlier one.",
    "link": "Link %(row)s of the chain was altered, removed, put in or moved.",
    "seal": "Entry %(row)s sealed another chain: links up to its own were made anew.",
    "anchor": "Link %(row)s is not the one that was noted: the end is gone, or all was rewritten.",
    "joined": "Link %(row)s was put behind a head that had been noted already.",
    "export": "Export %(row)s of the ledger is not the one in the audit.",
    "words": "The words of entry %(row)s were altered or exchanged.",
    "sealed": "A sealed value of row %(row)s of %(table)s does not belong there.",
    "unwatched": "The witness of %(table)s is missing or switched off: run migrate.",
    "stamp": "The time stamp of link %(row)s is not about the chain.",
}


@dataclass
class Report:
    """The result of a check of the chain."""

    found: dict[ChainFinding, None] = field(default_factory=dict)
    entries: int = 0
    links: int = 0
    anchored: int = 0
    not_anchored: int = 0
    stamps: int = 0
    words_gone: int = 0
    head: Anchor | None = None

    def add(self, what: str, table: str, row: object) -> None:
        """Add a finding, once."""
        self.found[ChainFinding(what, table, str(row))] = None

    @property
    def findings(self) -> list[ChainFinding]:
        """Return what was found, in the order of the checks."""
        return list(self.found)


def seal() -> bool:
    """
    Sign the head of the chain in an entry, unless there is nothing new since the last one.

    Whoever links the chain anew in the database cannot make such an entry.
    """
    last = AuditEntry.objects.filter(did=SEALED).order_by("-pk").values_list("pk", flat=True)[:1]
    head = anchors.current_head()
    of_last = AuditLink.objects.filter(table=ENTRIES, row=str(next(iter(last), "")))
    if head is None or head.number in of_last.values_list("number", flat=True):
        return False
    audit.record(by=None, did=SEALED, to=f"link:{head.number}", digest=head.digest)
    return True


def verify(*, noted: Iterable[Path] = ()) -> Report:
    """
    Check the audit and all that it rests on, against the chain and the files of anchors.

    Raise WrongKeysError where the keys are not those of the database, since then nothing could
    be told from what was tampered with.
    """
    notes = Notes.of(*noted)  # before the snapshot, which then holds all that was noted
    whole = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if whole:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return _verified(cursor, notes)


def _verified(cursor: Any, notes: Notes) -> Report:
    report = Report()
    # As the witness writes a row; and what is not yet committed, where a caller has begun.
    cursor.execute(
        "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED;"
        "SET LOCAL TIME ZONE 'UTC'; SET LOCAL bytea_output = 'hex'"
    )
    for table in witness.witnessed():
        _compare_rows(table, report)
    keys = DataKey._meta.db_table
    if not any(found.table == keys for found in report.findings):
        keyring.refuse_other_keys()
    _check_links(report)
    _check_entries(report)
    _check_anchors(report, notes)
    _check_words(report)
    _check_exports(report)
    _check_sealed(report)
    return report


def _compare_rows(each: witness.Witnessed, report: Report) -> None:
    """Compare the rows of a table with their latest links."""
    if not witness.is_watched(each.table):
        report.add("unwatched", each.table, "")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT coalesce(l.row, t.{each.key}::text), l.row IS NULL OR l.content IS NULL,
                t.{each.key} IS NULL
            FROM {each.table} t FULL JOIN (
                SELECT DISTINCT ON (row) row, content FROM {AuditLink._meta.db_table}
                WHERE "table" = %s ORDER BY row, number DESC
            ) l ON l.row = t.{each.key}::text
            WHERE CASE WHEN t.{each.key} IS NULL THEN l.content IS NOT NULL
                ELSE l.content IS DISTINCT FROM sha256(convert_to({each.covered}, 'UTF8')) END
            ORDER BY 1
            """,  # noqa: S608 - names of our own tables
            [each.table],
        )
        for row, unknown, missing in cursor.fetchall():
            what = "removed" if missing else "inserted" if unknown else "altered"
            report.add(what, each.table, row)


def _check_links(report: Report) -> None:
    """Follow the chain from its beginning."""
    for pending in AuditPending.objects.all():
        report.add("inserted", AuditPending._meta.db_table, pending.pk)
    columns = ("number", "op", "table", "row", "content", "tx", "digest")
    rows = AuditLink.objects.order_by("number").values_list(*columns)
    seen: set[int] = set()
    seals = _seals()
    for tx, links in groupby(_followed(rows.iterator(CHUNK), report), key=lambda link: link[5]):
        changes = list(links)
        if tx and tx in seen:
            report.add("link", AuditLink._meta.db_table, changes[0][0])
        seen = {tx} if len(seen) > 100_000 else seen | {tx}
        _check_transaction(changes, report)
        for number, _op, table, row, *_rest in changes:
            if table == ENTRIES and (seal := seals.pop(row, None)):
                _check_seal(seal, row, number, report)


def _followed(rows: Iterable[Any], report: Report) -> Iterator[Any]:
    """Yield the links, reporting each that does not follow from the one before."""
    number, head = 0, b""
    for link in rows:
        digest = _digest(head, link)
        if link[0] != number + 1 or digest != bytes(link[6]):
            report.add("link", AuditLink._meta.db_table, link[0])
        number, head = link[0], bytes(link[6])
        report.links += 1
        yield link
    if number:
        report.head = Anchor(number, head.hex())


def _digest(head: bytes, link: Any) -> bytes:
    number, op, table, row, content, tx, _ = link
    parts = (number, op, table, row, bytes(content or b"").hex(), tx)
    return hashlib.sha256(head + "|".join(map(str, parts)).encode()).digest()


def _check_transaction(changes: list[Any], report: Report) -> None:
    """Ask of the links of one transaction that the portal has written an entry beside them."""
    explained = any(op == "I" and table == ENTRIES for _, op, table, *_ in changes)
    for _number, op, table, row, _content, tx, _ in changes:
        if (tx and not explained) or (table == ENTRIES and op != "I"):
            report.add("unexplained", table, row)


def _seals() -> dict[str, tuple[str, object]]:
    rows = AuditEntry.objects.filter(did=SEALED).values_list("pk", "subject", "detail__digest")
    return {str(pk): (subject, digest) for pk, subject, digest in rows}


def _check_seal(seal: tuple[str, object], entry: str, number: int, report: Report) -> None:
    subject, digest = seal
    sealed = subject.partition(":")[2]
    before = AuditLink.objects.filter(pk=int(sealed), pk__lt=number) if sealed.isdecimal() else ()
    if digest not in [bytes(link.digest).hex() for link in before]:
        report.add("seal", ENTRIES, entry)


def _check_entries(report: Report) -> None:
    """Check the signature of each entry; a copy has the signature of another."""
    for entry in AuditEntry.objects.order_by("pk").iterator(chunk_size=CHUNK):
        report.entries += 1
        if audit.is_genuine(entry) is False:
            report.add("forged", ENTRIES, entry.pk)
    twice = AuditEntry.objects.values("proof").annotate(n=Count("pk"), last=Max("pk"))
    for pk in twice.filter(n__gt=1).order_by().values_list("last", flat=True):
        report.add("copied", ENTRIES, pk)


def _check_anchors(report: Report, notes: Notes) -> None:
    """Compare the chain with the heads that were noted outside."""
    last = 0
    chunk: list[Anchor] = []
    for anchor in notes.standing():
        last = max(last, anchor.number)
        report.anchored += 1
        chunk.append(anchor)
        if len(chunk) == CHUNK:
            _compare_anchors(chunk, report)
            chunk = []
    _compare_anchors(chunk, report)
    report.not_anchored = max(report.links - last, 0)


def _compare_anchors(chunk: list[Anchor], report: Report) -> None:
    numbers = {each.number for each in chunk} | {each.number + 1 for each in chunk}
    rows = AuditLink.objects.filter(pk__in=numbers).values_list("pk", "digest", "tx")
    links = {number: (bytes(digest).hex(), tx) for number, digest, tx in rows}
    table = AuditLink._meta.db_table
    for anchor in chunk:
        digest, tx = links.get(anchor.number, ("", 0))
        if digest != anchor.digest:
            report.add("anchor", table, anchor.number)
        # A head is noted once its transaction is over: nothing of it can come later.
        elif tx and links.get(anchor.number + 1, ("", 0))[1] == tx:
            report.add("joined", table, anchor.number + 1)
        if anchor.stamp and settings.AUDIT_TSA_ROOTS:
            report.stamps += 1
            if not stamps.is_about(anchor):
                report.add("stamp", table, anchor.number)


def _check_words(report: Report) -> None:
    for words in AuditWords.objects.select_related("entry").iterator(chunk_size=CHUNK):
        try:
            matches = audit.digest_of_words(words.text) == words.entry.detail.get("words")
        except (*UNREADABLE, AttributeError):
            matches = False
        if not matches:
            report.add("words", AuditWords._meta.db_table, words.entry_id)
    with_words = AuditEntry.objects.filter(detail__has_key="words", words=None)
    report.words_gone = with_words.count()


def _check_exports(report: Report) -> None:
    """Compare the ledger with its digests in the audit."""
    entries = AuditEntry.objects.filter(did=ledger.TOOK_FILE)
    recorded = dict(entries.values_list("subject", "detail__ledger"))
    table = Export._meta.db_table
    for export in Export.objects.order_by("pk").iterator(chunk_size=CHUNK):
        if recorded.pop(audit.subject_of(export), None) != ledger.digest(export):
            report.add("export", table, export.pk)
    for subject in recorded:
        report.add("export", table, subject.rpartition(":")[2])


def _check_sealed(report: Report) -> None:
    """
    Open what is sealed in the witnessed tables, and what pseudonyms are bound to elsewhere.

    A value opens only beside the pseudonym that it was sealed for: where two people's pseudonyms
    were exchanged, neither opens.
    """
    watched = {each.table for each in witness.witnessed()}
    for model in keyring.sealed_models():
        fields = sealed_fields(model)
        if model is AuditWords or not fields:
            continue
        if model._meta.db_table not in watched:
            fields = [each for each in fields if each.bound_to == ("key",)][:1]
        if fields:
            _open(model, fields, report)


def _open(model: type[models.Model], fields: list[Any], report: Report) -> None:
    bound = {name for each in fields for name in each.bound_to}
    rows = model._base_manager.only("pk", *bound, *(each.name for each in fields)).order_by("pk")
    for row in rows.iterator(chunk_size=CHUNK):
        try:
            for each in fields:
                getattr(row, each.name)
        except UNREADABLE:
            report.add("sealed", model._meta.db_table, row.pk)
