"""The dry run of a roster: inspect the file, choose sheet and columns, check every row."""

import gc
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import translation

from accounts.auditing import audit
from accounts.keys import keyring
from residents.register import elsewhere
from residents.rosters.checking import Checker, ControlTotals
from residents.rosters.models import KnownColumns, Roster, RosterRow, StagedResident
from residents.rosters.sheets import columns, footers, reading
from residents.rosters.sheets.reading import OpenedFile, UnreadableFileError

State = Roster.State


def inspect_file(roster: Roster, *, at: datetime) -> None:
    """
    Open an uploaded file, and store its sheets and their first rows.

    If it has one sheet, with the headings of the sender's last roster, all rows are checked at
    once; else a user chooses the columns.
    """
    try:
        with reading.opened(reading.content_of(roster)) as book:
            _note_outline(roster, book, at)
            if _reuse_columns(roster):
                _check(roster, book, at)
    except UnreadableFileError as error:
        refuse(roster, error, at)


def check(roster: Roster, *, at: datetime) -> None:
    """Compare every row of the chosen sheet with the register, without importing anything."""
    try:
        with reading.opened(reading.content_of(roster)) as book:
            _check(roster, book, at)
    except UnreadableFileError as error:
        refuse(roster, error, at)


def refuse(roster: Roster, error: UnreadableFileError, at: datetime) -> None:
    """Store why a file is refused, and delete its contents."""
    with transaction.atomic():
        delete_contents(roster)
        roster.state = State.REFUSED
        roster.refusal = {"why": error.why, "given": error.given}
        roster.touched_at = at
        roster.save(update_fields=["state", "refusal", "touched_at", "outline"])


def delete_contents(roster: Roster) -> None:
    """Delete the file and all data read from it, but not imported residents."""
    getattr(roster, "file", None) and roster.file.delete()
    StagedResident.objects.filter(roster=roster).delete()
    RosterRow.objects.filter(roster=roster).delete()
    roster.outline = ""


def outline_of(roster: Roster) -> dict[str, Any]:
    """Return the sheets of a file and their first rows."""
    outline: dict[str, Any] = json.loads(roster.outline or '{"sheets": [], "heads": []}')
    return outline


def known_columns(roster: Roster) -> dict[str, str]:
    """Return the fields of the sender's last roster by heading."""
    known = KnownColumns.objects.filter(area=roster.area, sender=roster.sender).first()
    return dict(known.headings) if known else {}


def _note_outline(roster: Roster, book: OpenedFile, at: datetime) -> None:
    roster.outline = json.dumps(
        {"kind": book.kind, "encoding": book.encoding, "sheets": book.sheets, "heads": book.heads},
        ensure_ascii=False,
    )
    filled = [index for index, sheet in enumerate(book.sheets) if sheet["rows"]]
    if not filled:
        raise UnreadableFileError("empty")
    known = known_columns(roster)  # a sheet that explains how to fill the others has no headings
    headed = (index for index in filled if columns.find_heading(book.heads[index], known))
    roster.sheet = next(headed, filled[0])
    roster.state = State.CHOOSING
    roster.touched_at = at
    roster.save(update_fields=["outline", "sheet", "state", "touched_at"])


def _reuse_columns(roster: Roster) -> bool:
    """Use the columns of the sender's last roster, if they fit; return whether they do."""
    outline, known = outline_of(roster), known_columns(roster)
    if not known or sum(bool(sheet["rows"]) for sheet in outline["sheets"]) != 1:
        return False
    heading = columns.find_heading(outline["heads"][roster.sheet or 0], known)
    if heading is None or any(
        columns.normalised(cell) not in {"", *known, *columns.portal_headings()}
        for cell in heading.cells
    ):
        return False
    fields = columns.recognise(heading.cells, known)
    if columns.missing(fields.values()):
        return False
    choose(roster, sheet=roster.sheet or 0, heading=heading, fields=fields)
    return True


def choose(
    roster: Roster, *, sheet: int, heading: columns.Heading, fields: Mapping[int, str]
) -> None:
    """Store the chosen sheet and columns."""
    sheets = outline_of(roster)["sheets"]
    description = sheets[sheet]
    roster.sheet = sheet
    roster.heading_row = heading.row
    roster.columns = {name: index for index, name in fields.items() if name}
    roster.total = max(description["rows"] - heading.titles - 1, 0)
    roster.findings = {
        "headings": heading.cells,
        "sheet": description,
        "titles": heading.titles,
        "at_limit": reading.at_limit(description["last"]),
        "others": [
            (other["name"], other["rows"])
            for index, other in enumerate(sheets)
            if index != sheet and other["rows"]
        ],
    }
    roster.state, roster.refusal = State.CHECKING, {}
    chosen = ["sheet", "heading_row", "columns", "total", "findings", "state", "refusal"]
    roster.save(update_fields=chosen)


def _check(roster: Roster, book: OpenedFile, at: datetime) -> None:
    StagedResident.objects.filter(roster=roster).delete()
    RosterRow.objects.filter(roster=roster).delete()
    sheet = book.sheets[roster.sheet or 0]
    width = len(roster.findings["headings"]) if book.kind == "csv" else 0
    checker = Checker(roster, width=width, date1904=sheet["date1904"], at=at)
    passed_over: dict[int, str] = {}
    with _without_gc(), translation.override(None), checker:  # sentences are kept untranslated
        for batch in book.rows(roster.sheet or 0):
            below = [row for row in batch if row[0] > (roster.heading_row or 0)]
            found = {number: word for number, cells in below if (word := _footer(roster, cells))}
            passed_over |= found
            checker.check([row for row in below if row[0] not in found])
    _note_elsewhere(roster, checker.counts)
    roster.state = State.CHECKED
    roster.findings["reasons"] = [
        [*reason, *told] for reason, told in sorted(checker.reasons.items(), key=_most_rows_first)
    ]
    roster.findings["footers"] = sorted(passed_over.items())
    roster.total = roster.done = checker.counts.read
    roster.findings["search_key"] = keyring.newest_search_key()
    roster.save(update_fields=["state", "total", "done", "findings"])


def _note_elsewhere(roster: Roster, counts: ControlTotals) -> None:
    """
    Count and record that a roster tells how many of its people are registered elsewhere.

    Whoever has asked too often gets no answer about anybody who is not their own, known
    elsewhere or not: a refusal of the known alone would be one.
    """
    by, outcomes = roster.uploaded_by, counts.outcomes
    own = outcomes[RosterRow.Outcome.UPDATE] + outcomes[RosterRow.Outcome.UNCHANGED]
    if counts.read > own and not elsewhere.may_ask(by=by):
        raise UnreadableFileError("asked")
    if outcomes[RosterRow.Outcome.REFERRED]:
        audit.record(by=by, did=elsewhere.LEARNED, to=roster)
        elsewhere.note(by=by)


def _most_rows_first(reason: tuple[tuple[str, str], list[Any]]) -> tuple[int, int]:
    _, (rows, examples, _) = reason
    return -rows, examples[0]


def _footer(roster: Roster, cells: list[Any]) -> str:
    name, number = (roster.columns[field] for field in (columns.NAME, columns.NUMBER))
    return footers.footer(cells, name=name, number=number)


@contextmanager
def _without_gc() -> Iterator[None]:
    """Disable the garbage collector: rows form no cycles, and scanning them is slow."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
