"""Read an untrusted file in a sandboxed process (child.py)."""

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_noop

from residents.rosters.models import Roster, RosterFile

LARGEST_FILE = 30 << 20
SECONDS = 120
# The most rows of a sheet: a file that ends there may be truncated (format before 2007;
# ISO/IEC 29500).
LIMITS = (65_536, 1_048_576)
CHILD = Path(__file__).with_name("child.py")

Cells = list[Any]
Numbered = tuple[int, Cells]

REFUSALS = {
    "asked": gettext_noop(
        "The file is about people of other areas, too, and too many such questions were put"
        " today. Ask your supervisor."
    ),
    "bomb": gettext_noop(
        "The file would unpack to %(unpacked)d MB from %(packed)d KB. No roster does; it was not"
        " opened."
    ),
    "damaged": gettext_noop(
        "The file is damaged or not complete. Open it in Excel or WPS, save it as .xlsx, and send"
        " that; or ask for it once more."
    ),
    "empty": gettext_noop("The file is empty."),
    "encoding": gettext_noop(
        "The text of the file is neither UTF-8 nor GB18030 throughout. Save it in Excel or WPS"
        " as .xlsx and send that."
    ),
    "entities": gettext_noop(
        "The file defines entities, which no spreadsheet program writes. It was not opened."
    ),
    "hypertext": gettext_noop(
        "This is a web page that only bears the name of a spreadsheet. Open it in Excel or WPS,"
        " save it as .xlsx, and send that."
    ),
    "large": gettext_noop("The file is larger than %(most)d MB. Divide it."),
    "long_cell": gettext_noop(
        "A cell is longer than Excel allows. Most often a quotation mark is missing: save the"
        " file as .xlsx and send that."
    ),
    "long_cell_at": gettext_noop(
        "The cell in row %(row)d, column %(letter)s, is longer than Excel allows (32,767"
        " characters). It was not read."
    ),
    "long_row": gettext_noop("A row is longer than any roster's. The file was not read."),
    "macros": gettext_noop(
        "The file contains macros, programs that could do harm. Save it as .xlsx without them"
        " and send that."
    ),
    "many_parts": gettext_noop(
        "The file has %(parts)d parts, where a workbook has some ten. It was not opened."
    ),
    "many_sheets": gettext_noop(
        "The file has %(sheets)d sheets; up to %(most)d are read. Divide it."
    ),
    "merged": gettext_noop("The file merges millions of cells. It was not read."),
    "nul": gettext_noop(
        "The file contains bytes that no text has. Save it in Excel or WPS as .xlsx and send that."
    ),
    "nul_at": gettext_noop(
        "The cell in row %(row)d, column %(letter)s, contains a character that no text has. Clear"
        " it and type it anew."
    ),
    "open_quote": gettext_noop(
        "A quotation mark is opened and never closed, so that rows run into each other. Save the"
        " file as .xlsx and send that."
    ),
    "other_file": gettext_noop(
        "This is no spreadsheet. Rosters are read from .xlsx, .xls and .csv files."
    ),
    "other_workbook": gettext_noop(
        "This is no .xlsx file, though packed like one. Open it in Excel or WPS, save it as"
        " .xlsx, and send that."
    ),
    "outside": gettext_noop(
        "The file fetches values from other files, programs or addresses. Copy it, paste the"
        " values only, and send that."
    ),
    "password": gettext_noop(
        "The file is protected with a password. Remove the password in Excel or WPS, and send"
        " it again."
    ),
    "row_twice": gettext_noop(
        "Row %(row)d stands twice in the file, so that one would hide the other. Open it in Excel"
        " or WPS, save it anew, and send that."
    ),
    "too_large": gettext_noop(
        "The file needs more memory or time than any roster. Copy the rows into a new file,"
        " or divide it."
    ),
    "wide": gettext_noop(
        "The sheet has %(columns)d columns; up to %(most)d are read. Copy the roster's columns"
        " into a new file."
    ),
}


class UnreadableFileError(Exception):
    """A file that is refused; `why` is a key of `REFUSALS`, `given` the parameters."""

    def __init__(self, why: str, **given: Any) -> None:
        super().__init__(why)
        self.why, self.given = why, given


@dataclass(frozen=True)
class OpenedFile:
    """An opened file: its sheets, the first rows of each, and all rows on request."""

    kind: str
    encoding: str
    sheets: list[dict[str, Any]]
    heads: list[list[Numbered]]
    process: "subprocess.Popen[bytes]"

    def rows(self, sheet: int) -> Iterator[list[Numbered]]:
        """Yield the rows of a sheet that are not empty, with their numbers, in batches."""
        assert self.process.stdin  # noqa: S101 - tells the type checker
        self.process.stdin.write(b"%d\n" % sheet)
        self.process.stdin.flush()
        while "end" not in (answer := _read_answer(self.process)):
            yield answer["rows"]


@contextmanager
def opened(content: bytes) -> Iterator[OpenedFile]:
    """
    Open a file by its content. Raise `UnreadableFileError` if it is refused.

    The reading process has no secrets, is limited to 1 GiB and 60 s of CPU, and ends with the
    `with` block.
    """
    if len(content) > LARGEST_FILE:
        raise UnreadableFileError("large", most=LARGEST_FILE >> 20)
    with subprocess.Popen(  # noqa: S603 - our own program, nothing from outside among its words
        [sys.executable, "-I", str(CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a traceback may quote a cell
        env={},
    ) as process:
        clock = threading.Timer(SECONDS, process.kill)
        clock.daemon = True
        clock.start()
        try:
            _send(process, content)
            answer = _read_answer(process)
            yield OpenedFile(
                answer["kind"], answer["encoding"], answer["sheets"], answer["heads"], process
            )
        finally:
            clock.cancel()
            process.kill()
            with suppress(BrokenPipeError):  # input that was not read
                process.stdin and process.stdin.close()


def _send(process: "subprocess.Popen[bytes]", content: bytes) -> None:
    assert process.stdin  # noqa: S101 - tells the type checker
    try:
        process.stdin.write(b"%d\n" % len(content))
        process.stdin.write(content)
        process.stdin.flush()
    except BrokenPipeError as error:
        raise UnreadableFileError("too_large") from error


def _read_answer(process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    assert process.stdout  # noqa: S101 - tells the type checker
    line = process.stdout.readline()
    if not line.endswith(b"\n"):
        # Killed at its limits, or crashed in a library.
        raise UnreadableFileError("too_large" if process.wait() < 0 else "damaged")
    answer: dict[str, Any] = json.loads(line)
    if why := answer.get("refused"):
        parameters = answer["given"]
        if "column" in parameters:
            parameters["letter"] = letter(parameters.pop("column"))
        raise UnreadableFileError(why, **parameters)
    return answer


def content_of(roster: Roster) -> bytes:
    """Return the file as it was uploaded."""
    return base64.b64decode(RosterFile.objects.get(roster=roster).content)


def letter(column: int) -> str:
    """Return the letters of a column, counted from 0."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def at_limit(last_row: int) -> bool:
    """Return whether a sheet ends at a format's limit, so that rows may be missing."""
    return last_row in LIMITS
