"""
The program that opens a file nobody has looked at yet, apart from the portal.

It gets the file on its standard input, holds no key, no database and no address, may use little
memory and time, and says what it finds as lines of JSON: first the sheets, then the rows of the
sheets that are asked for. Standard library and calamine only; `reading` talks to it.
"""

import csv
import io
import json
import re
import resource
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any

import python_calamine

MEMORY = 1 << 30
SECONDS = 60
PARTS = 600  # of a zip: a workbook has some ten, and one for each sheet
SHEETS = 100
UNPACKED = 400 << 20
RATIO = 100  # a roster shrinks to a tenth
RATIO_MATTERS = 10 << 20
COLUMNS = 256
LONGEST_CELL = 32_767  # of Excel
LONGEST_ROW = 64 << 20
MERGED_CELLS = 2_000_000
HEAD = 40
BATCH = 5_000

Row = list[Any]

_OLE, _ZIP = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK\x03\x04"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_OTHER = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf")
_BOMS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_OUTSIDE = ("xl/externalLinks/", "xl/connections.xml", "xl/queryTables/")
_HYPERTEXT = re.compile(rb"\s*<(?:!doctype|html|\?xml|table|meta|head)", re.IGNORECASE)
# Formulas that fetch something from elsewhere, or run a program (DDE).
_REACHING_OUT = re.compile(
    rb"\[\d+\]|WEBSERVICE|FILTERXML|\bDDE\b|RTD\(|CALL\(|REGISTER|\|[^<]{0,200}!|https?:|file:",
    re.IGNORECASE,
)
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>][^<]*")
_FORMULA_WITHOUT_VALUE = re.compile(
    rb"<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)\s*(?:<(?:\w+:)?v\s*/>\s*)?</(?:\w+:)?c>"
)
_SHEET_TAG = re.compile(rb"<(\w+:)?worksheet[\s>]")
_ROW_NUMBER = re.compile(rb'\br="(\d+)"')
_HIDDEN = re.compile(rb'\bhidden="(?:1|true)"')
_HIDDEN_COLUMNS = re.compile(rb'<(?:\w+:)?col\s[^>]*\bhidden="(?:1|true)"[^>]*>')
_SPAN = re.compile(rb'\b(min|max)="(\d+)"')


class RefusedFileError(Exception):
    """A file that is not read, with the word for it and what the sentence needs."""

    def __init__(self, why: str, **given: Any) -> None:
        super().__init__(why)
        self.why, self.given = why, given


class TextFile:
    """A CSV file in one of the encodings that communities use."""

    kind = "csv"

    def __init__(self, content: bytes) -> None:
        self.encoding, text = _decoded(content)
        self.sheets = [_sheet("")]
        try:
            self._rows = list(csv.reader(io.StringIO(text, newline=""), _dialect(text)))
        except csv.Error as error:
            # csv counts characters of a field; what is left is a quote that nobody closed.
            why = "long_cell" if "field larger" in str(error) else "open_quote"
            raise RefusedFileError(why) from error
        self.sheets[0]["rows"] = sum(map(_filled, self._rows))
        self.sheets[0]["last"] = len(self._rows)

    def rows(self, _: int) -> Iterator[tuple[int, Row]]:
        """Yield every row with its number; a value written ="0591" is the text in it."""
        for number, row in enumerate(self._rows, 1):
            yield number, [cell[2:-1] if cell[:2] == '="' else cell for cell in row]


class Workbook:
    """An Excel file, .xlsx or .xls."""

    encoding = ""

    def __init__(self, content: bytes) -> None:
        self.kind = "xlsx" if content.startswith(_ZIP) else "xls"
        self._loaded: dict[int, Any] = {}
        scans: dict[str, dict[str, Any]] = {}
        try:
            if self.kind == "xlsx":
                scans = _beside(lambda: _scan(content), lambda: self._open(content))
            else:
                self._open(content)
        except python_calamine.PasswordError as error:
            raise RefusedFileError("password") from error
        except (python_calamine.CalamineError, OSError, ValueError) as error:
            raise RefusedFileError("damaged") from error
        self.sheets = [
            self._described(index, data, scans.get(data.name, {}))
            for index, data in enumerate(self._book.sheets_metadata)
        ]

    def _open(self, content: bytes) -> None:
        """Parse the first sheet, and the others when they are asked for."""
        if self.kind == "xlsx":
            _look_at_parts(content)
        self._book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        if len(self._book.sheet_names) > SHEETS:
            raise RefusedFileError("many_sheets", sheets=len(self._book.sheet_names), most=SHEETS)
        if self._book.sheets_metadata[0].typ == python_calamine.SheetTypeEnum.WorkSheet:
            self._load(0)

    def _described(self, index: int, data: Any, scan: dict[str, Any]) -> dict[str, Any]:
        hidden = data.visible != python_calamine.SheetVisibleEnum.Visible
        said = _sheet(data.name, hidden=hidden, **scan)
        if data.typ == python_calamine.SheetTypeEnum.WorkSheet:
            sheet = self._load(index)
            said["last"] = sheet.end[0] + 1 if sheet.end else 0
            said["merged"] = len(sheet.merged_cell_ranges or ())
            said["rows"] = sum(map(_filled, sheet.iter_rows()))
        return said

    def _load(self, index: int) -> Any:
        if index not in self._loaded:
            try:
                sheet = self._book.get_sheet_by_index(index)
            except python_calamine.CalamineError as error:
                raise RefusedFileError("damaged") from error
            if sheet.total_width > COLUMNS:
                raise RefusedFileError("wide", columns=sheet.total_width, most=COLUMNS)
            self._loaded[index] = sheet
        return self._loaded[index]

    def rows(self, index: int) -> Iterator[tuple[int, Row]]:
        """Yield every row with its number; a merged cell stands in each row that it covers."""
        sheet = self._load(index)
        if not sheet.start:
            return
        # Rows are given from the first of the sheet on, cells from the first column with anything.
        _, left = sheet.start
        merged = _merged(sheet.merged_cell_ranges or [])
        current: dict[int, tuple[int, Any]] = {}
        for number, cells in enumerate(sheet.iter_rows()):
            row = [""] * left + cells
            if merged or current:
                _fill(row, number, merged, current)
            yield number + 1, row


def _fill(
    row: Row, number: int, merged: dict[int, list[tuple[int, int]]], current: dict[int, Any]
) -> None:
    for column, bottom in merged.get(number, ()):
        current[column] = bottom, row[column] if column < len(row) else ""
    for column, (bottom, value) in list(current.items()):
        if number > bottom:
            del current[column]
        elif column < len(row):
            row[column] = value


def _merged(
    ranges: list[tuple[tuple[int, int], tuple[int, int]]],
) -> dict[int, list[tuple[int, int]]]:
    """Return which merged cells begin in a row: their column and last row, for those of height."""
    begin: dict[int, list[tuple[int, int]]] = {}
    cells = 0
    for (top, left), (bottom, _) in ranges:
        cells += bottom - top + 1
        if cells > MERGED_CELLS:
            raise RefusedFileError("merged")
        if bottom > top:
            begin.setdefault(top, []).append((left, bottom))
    return begin


def _filled(row: Row) -> bool:
    return any(row) or any(cell != "" for cell in row)  # 0 is something


def _sheet(name: str, **given: Any) -> dict[str, Any]:
    return {
        "name": name,
        "rows": 0,
        "last": 0,
        "hidden": False,
        "hidden_rows": 0,
        "hidden_columns": [],
        "merged": 0,
        "formulas": 0,
        "formulas_empty": 0,
        "errors": 0,
        "date1904": False,
        **given,
    }


def _decoded(content: bytes) -> tuple[str, str]:
    for mark, encoding in _BOMS.items():
        if content.startswith(mark):
            try:
                return encoding, content[len(mark) :].decode(encoding)
            except UnicodeDecodeError as error:
                raise RefusedFileError("encoding") from error
    if b"\0" in content:
        raise RefusedFileError("nul")
    # GB 18030 reads almost anything: only what is no UTF-8 is left to it. GBK is part of it.
    for encoding in ("utf-8", "gb18030"):
        try:
            return encoding, content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RefusedFileError("encoding")


def _dialect(text: str) -> type[csv.Dialect]:
    line = text.split("\n", 1)[0]

    class Found(csv.excel):
        strict = True
        delimiter = max(",\t;", key=line.count)

    return Found


def _beside(aside: Callable[[], Any], work: Callable[[], None]) -> Any:
    """Return what `aside` does, done in a thread beside `work`: calamine leaves Python free."""
    with ThreadPoolExecutor(1) as thread:
        found = thread.submit(aside)
        try:
            work()
        except Exception:
            found.result()  # what it refuses says more
            raise
        return found.result()


def _look_at_parts(content: bytes) -> None:
    """Refuse a zip by what its directory says, before anything is unpacked."""
    with _unzipped(content):
        pass


@contextmanager
def _unzipped(content: bytes) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            _refuse_bombs(book, len(content))
            names = set(book.namelist())
            if "xl/workbook.xml" not in names:
                raise RefusedFileError("other_workbook")
            if any(name.startswith(_OUTSIDE) for name in names):
                raise RefusedFileError("outside")
            if any(PurePosixPath(name).name == "vbaProject.bin" for name in names):
                raise RefusedFileError("macros")
            yield book
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise RefusedFileError("damaged") from error


def _scan(content: bytes) -> dict[str, dict[str, Any]]:
    """Return what each sheet hides, and refuse what reaches outside of the file."""
    with _unzipped(content) as book:
        return _scan_sheets(book)


def _refuse_bombs(book: zipfile.ZipFile, packed: int) -> None:
    parts = book.infolist()
    if len(parts) > PARTS:
        raise RefusedFileError("many_parts", parts=len(parts))
    if any(part.flag_bits & 1 for part in parts):
        raise RefusedFileError("password")
    unpacked = sum(part.file_size for part in parts)
    if unpacked > UNPACKED or (unpacked > RATIO_MATTERS and unpacked > RATIO * packed):
        raise RefusedFileError("bomb", unpacked=unpacked >> 20, packed=packed >> 10)


def _scan_sheets(book: zipfile.ZipFile) -> dict[str, dict[str, Any]]:
    workbook = _part(book, "xl/workbook.xml")
    rels = _part(book, "xl/_rels/workbook.xml.rels")
    for name in ("xl/sharedStrings.xml", "xl/styles.xml"):
        if name in book.NameToInfo:
            with book.open(name) as part:
                _refuse_entities(part.read(2_000))
    targets = {
        found["Id"]: found.get("Target", "")
        for found in map(_attributes, re.findall(rb"<(?:\w+:)?Relationship\s[^>]*>", rels))
        if "Id" in found
    }
    date1904 = bool(re.search(rb'\bdate1904="(?:1|true)"', workbook))
    scans = {}
    for tag in re.findall(rb"<(?:\w+:)?sheet\s[^>]*>", workbook):
        given = _attributes(tag)
        target = targets.get(given.get("id", ""), "")
        path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if path in book.NameToInfo:
            scans[given.get("name", "")] = {**_scan_sheet(book, path), "date1904": date1904}
    return scans


def _part(book: zipfile.ZipFile, name: str) -> bytes:
    if name not in book.NameToInfo:
        raise RefusedFileError("damaged")
    text = book.read(name)
    _refuse_entities(text)
    return text


def _refuse_entities(text: bytes) -> None:
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise RefusedFileError("entities")


def _attributes(tag: bytes) -> dict[str, str]:
    pairs = re.findall(rb'(?:\w+:)?(\w+)\s*=\s*"([^"]*)"', tag)
    unescaped = {b"&amp;": b"&", b"&lt;": b"<", b"&gt;": b">", b"&quot;": b'"', b"&apos;": b"'"}
    return {
        name.decode(): re.sub(rb"&\w+;", lambda m: unescaped.get(m[0], m[0]), value).decode()
        for name, value in pairs
    }


def _scan_sheet(book: zipfile.ZipFile, path: str) -> dict[str, Any]:
    """Go through the text of a sheet, a megabyte at a time, and count what calamine passes by."""
    found = {"hidden_rows": 0, "formulas": 0, "formulas_empty": 0, "errors": 0}
    last = 0
    columns: list[tuple[int, int]] | None = None
    tag = b"<row"
    for text in _rows_of(book, path):
        if columns is None:
            _refuse_entities(text)
            prefix = _SHEET_TAG.search(text)
            tag = b"<" + ((prefix and prefix[1]) or b"") + b"row"
            columns = [_span(each) for each in _HIDDEN_COLUMNS.findall(text)]
        last, hidden = _scan_rows(text.split(tag)[1:], last)
        found["hidden_rows"] += hidden
        if b"<f" in text or b":f" in text:
            found["formulas"] += _count_formulas(text)
            found["formulas_empty"] += len(_FORMULA_WITHOUT_VALUE.findall(text))
        found["errors"] += text.count(b' t="e"')
    return {**found, "hidden_columns": columns or []}


def _rows_of(book: zipfile.ZipFile, path: str) -> Iterator[bytes]:
    """Yield the text of a sheet in pieces that end where a row ends."""
    with book.open(path) as part:
        rest = b""
        while chunk := part.read(1 << 20):
            text = rest + chunk
            cut = max(text.rfind(b"<row"), text.rfind(b":row"))
            cut = text.rfind(b"<", 0, cut + 1)
            if cut > 0:
                yield text[:cut]
            rest = text[max(cut, 0) :]
            if len(rest) > LONGEST_ROW:
                raise RefusedFileError("long_row")
        yield rest


def _scan_rows(rows: list[bytes], last: int) -> tuple[int, int]:
    """Return the last row's number and how many are hidden; refuse rows that hide another."""
    hidden = 0
    for row in rows:
        if row[:1] not in b" \t\r\n/>":
            continue  # <rowBreaks>
        tag = row[: row.index(b">")] if b">" in row else row
        found = _ROW_NUMBER.search(tag)
        number = int(found[1]) if found else last + 1
        if number <= last:
            raise RefusedFileError("row_twice", row=number)
        last = number
        if b"hidden" in tag and _HIDDEN.search(tag):
            hidden += 1
    return last, hidden


def _count_formulas(text: bytes) -> int:
    found = _FORMULA.findall(text)
    for formula in found:
        if _REACHING_OUT.search(formula):
            raise RefusedFileError("outside")
    return len(found)


def _span(tag: bytes) -> tuple[int, int]:
    ends = {name: int(number) for name, number in _SPAN.findall(tag)}
    return ends.get(b"min", 1) - 1, min(ends.get(b"max", 1), COLUMNS) - 1


def open_file(content: bytes) -> TextFile | Workbook:
    """Return the file as what its first bytes say that it is, whatever its name said."""
    if content.startswith(_OLE) and _ENCRYPTED_PACKAGE in content[: 1 << 20]:
        raise RefusedFileError("password")
    if content.startswith((_OLE, _ZIP)):
        return Workbook(content)
    if not content.strip():
        raise RefusedFileError("empty")
    if content.startswith(_OTHER):
        raise RefusedFileError("other_file")
    if _HYPERTEXT.match(content[:200].removeprefix(b"\xef\xbb\xbf")):
        raise RefusedFileError("hypertext")
    return TextFile(content)


def _plain(value: object) -> Any:
    """Return a cell that JSON does not know: a day as {"day": …}, anything else as its text."""
    if isinstance(value, datetime):
        return {"day": value.date().isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    return str(value)


def _refuse_cells(number: int, row: Row) -> None:
    for column, cell in enumerate(row):
        if cell.__class__ is str:
            if len(cell) > LONGEST_CELL:
                raise RefusedFileError("long_cell_at", row=number, column=column)
            if "\0" in cell:
                raise RefusedFileError("nul_at", row=number, column=column)


def _say(line: Any) -> None:
    sys.stdout.write(json.dumps(line, default=_plain, ensure_ascii=False, separators=(",", ":")))
    sys.stdout.write("\n")


def _head(file: TextFile | Workbook, index: int) -> list[tuple[int, Row]]:
    head = []
    for number, row in file.rows(index):
        if _filled(row):
            _refuse_cells(number, row)
            head.append((number, row))
        if len(head) == HEAD:
            break
    return head


def _answer(file: TextFile | Workbook, index: int) -> None:
    """Say the rows of a sheet that hold anything, a batch a line."""
    batch: list[tuple[int, Row]] = []
    for number, row in file.rows(index):
        if _filled(row):
            _refuse_cells(number, row)
            batch.append((number, row))
        if len(batch) == BATCH:
            _say({"rows": batch})
            batch = []
    _say({"rows": batch})
    _say({"end": True})


def main() -> None:
    """Read a file, say its sheets, and answer which rows are asked for until nobody asks."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    size = int(sys.stdin.buffer.readline())
    try:
        file = open_file(sys.stdin.buffer.read(size))
        heads = [_head(file, index) for index in range(len(file.sheets))]
        _say({"kind": file.kind, "encoding": file.encoding, "sheets": file.sheets, "heads": heads})
        sys.stdout.flush()
        for line in sys.stdin.buffer:
            _answer(file, int(line))
            sys.stdout.flush()
    except RefusedFileError as refused:
        _say({"refused": refused.why, "given": refused.given})
    except MemoryError:
        _say({"refused": "too_large", "given": {}})


if __name__ == "__main__":
    main()
