"""Reading a roster's file: which sheet and columns, then every row."""

import gc
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import translation

from accounts.keys import keyring
from residents.rosters.checking import Checker
from residents.rosters.models import KnownColumns, Roster, RosterRow, StagedResident
from residents.rosters.sheets import columns, reading
from residents.rosters.sheets.reading import Opened, UnreadableFileError

State = Roster.State


def look(roster: Roster, *, at: datetime) -> None:
    """
    Open a file that was just uploaded, and note its sheets and their first rows.

    Where the sender's last roster had the same headings, and there is one sheet, every row is
    checked at once; else somebody says what the columns hold.
    """
    try:
        with reading.opened(reading.content_of(roster)) as book:
            _note_outline(roster, book, at)
            if _as_last_time(roster):
                _check(roster, book, at)
    except UnreadableFileError as error:
        refuse(roster, error, at)


def check(roster: Roster, *, at: datetime) -> None:
    """Read every row of the chosen sheet and compare it with the register; take nothing over."""
    try:
        with reading.opened(reading.content_of(roster)) as book:
            _check(roster, book, at)
    except UnreadableFileError as error:
        refuse(roster, error, at)


def refuse(roster: Roster, error: UnreadableFileError, at: datetime) -> None:
    """Say why a file is not read, and forget it."""
    with transaction.atomic():
        forget(roster)
        roster.state = State.REFUSED
        roster.refusal = {"why": error.why, "given": error.given}
        roster.touched_at = at
        roster.save(update_fields=["state", "refusal", "touched_at", "outline"])


def forget(roster: Roster) -> None:
    """Delete the file and all that was read from it, but not what was taken over."""
    getattr(roster, "file", None) and roster.file.delete()
    StagedResident.objects.filter(roster=roster).delete()
    RosterRow.objects.filter(roster=roster).delete()
    roster.outline = ""


def outline_of(roster: Roster) -> dict[str, Any]:
    """Return the sheets of a file and their first rows."""
    found: dict[str, Any] = json.loads(roster.outline or '{"sheets": [], "heads": []}')
    return found


def known_columns(roster: Roster) -> dict[str, str]:
    """Return what the sender's columns were last time, by heading."""
    found = KnownColumns.objects.filter(area=roster.area, sender=roster.sender).first()
    return dict(found.headings) if found else {}


def _note_outline(roster: Roster, book: Opened, at: datetime) -> None:
    roster.outline = json.dumps(
        {"kind": book.kind, "encoding": book.encoding, "sheets": book.sheets, "heads": book.heads},
        ensure_ascii=False,
    )
    filled = [index for index, sheet in enumerate(book.sheets) if sheet["rows"]]
    if not filled:
        raise UnreadableFileError("empty")
    roster.sheet = filled[0]
    roster.state = State.CHOOSING
    roster.touched_at = at
    roster.save(update_fields=["outline", "sheet", "state", "touched_at"])


def _as_last_time(roster: Roster) -> bool:
    """Take the sender's columns, where nothing is left to choose."""
    outline, known = outline_of(roster), known_columns(roster)
    if not known or sum(bool(sheet["rows"]) for sheet in outline["sheets"]) != 1:
        return False
    heading = columns.find_heading(outline["heads"][roster.sheet or 0], known)
    if heading is None or any(
        columns.normal(cell) not in {"", *known, *columns.ours()} for cell in heading.cells
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
    """Note which sheet and columns are read."""
    sheets = outline_of(roster)["sheets"]
    said = sheets[sheet]
    roster.sheet = sheet
    roster.heading_row = heading.row
    roster.columns = {name: index for index, name in fields.items() if name}
    roster.total = max(said["rows"] - heading.titles - 1, 0)
    roster.findings = {
        "headings": heading.cells,
        "sheet": said,
        "titles": heading.titles,
        "at_limit": reading.at_limit(said["last"]),
        "others": [
            (each["name"], each["rows"])
            for index, each in enumerate(sheets)
            if index != sheet and each["rows"]
        ],
    }
    roster.state, roster.refusal = State.CHECKING, {}
    chosen = ["sheet", "heading_row", "columns", "total", "findings", "state", "refusal"]
    roster.save(update_fields=chosen)


def _check(roster: Roster, book: Opened, at: datetime) -> None:
    StagedResident.objects.filter(roster=roster).delete()
    RosterRow.objects.filter(roster=roster).delete()
    sheet = book.sheets[roster.sheet or 0]
    width = len(roster.findings["headings"]) if book.kind == "csv" else 0
    checker = Checker(roster, width=width, date1904=sheet["date1904"], at=at)
    with _without_gc(), translation.override(None), checker:  # sentences are kept untranslated
        for batch in book.rows(roster.sheet or 0):
            checker.check([each for each in batch if each[0] > (roster.heading_row or 0)])
    roster.state = State.CHECKED
    roster.total = roster.done = checker.counts.read
    roster.findings["search_key"] = keyring.newest_search_key()
    roster.save(update_fields=["state", "total", "done", "findings"])


@contextmanager
def _without_gc() -> Iterator[None]:
    """Let the collector of cycles rest: rows make none, and it would look at each of them."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
