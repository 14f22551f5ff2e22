"""
The sandboxed program that opens untrusted files in a process of its own.

It gets the file on standard input, has no keys, database or network configuration, and limited
memory and time. It writes lines of JSON: first the sheets, then the rows of the requested sheets.
It uses the standard library, calamine and olefile only; `reading` runs it.
"""

import csv
import io
import json
import re
import resource
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from math import isfinite
from pathlib import PurePosixPath
from typing import Any

import olefile
import python_calamine

MEMORY = 1 << 30
SECONDS = 60
PARTS = 600  # of a zip: a workbook has about ten, and one for each sheet
SHEETS = 100
UNPACKED = 400 << 20
RATIO = 100  # of compression; rosters have about 10
RATIO_MATTERS = 10 << 20
COLUMNS = 256
LONGEST_CELL = 32_767  # of Excel
LONGEST_ROW = 64 << 20
MERGED_CELLS = 2_000_000
HEAD = 40
HOURS = 24
NO_NUMBER = "#NUM!"  # as spreadsheet programs show it
BATCH = 5_000

Row = list[Any]

_OLE, _ZIP = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK\x03\x04"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
# FILEPASS among the first records of a workbook of Excel 97 or 95 ([MS-XLS] 2.4.117).
_ENCRYPTED_RECORDS = re.compile(
    rb"\x09\x08(?:\x10\x00\x00\x06\x05\x00.{12}|\x08\x00\x00\x05\x05\x00.{4})"
    rb"(?:\x86\x00\x00\x00)?\x2f\x00",
    re.DOTALL,
)
_OTHER = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf")
_BOMS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_OUTSIDE = ("xl/externalLinks/", "xl/connections.xml", "xl/queryTables/")
# Records of old workbooks ([MS-XLS] 2.3).
_BEGIN, _END, _BOUND_SHEET, _NAME = 0x0809, 0x000A, 0x0085, 0x0018
_ROW, _COLUMNS, _FORMULA_CELL, _BOOL_OR_ERROR = 0x0208, 0x007D, 0x0006, 0x0205
_DATE_1904, _NO_MACROS, _BOOK_REFERRED, _SHEET_REFERRED = 0x0022, 0x01BD, 0x01AE, 0x0017
_QUERIES = frozenset({0x01AD, 0x0876})  # Qsi, DConn
_EXCEL_97 = 0x0600
_MACRO_SHEET, _MACRO_MODULE = 1, 6  # kinds of sheets in _BOUND_SHEET
_ITSELF, _ADD_IN = 0x0401, 0x3A01  # SupBook
_INSIDE_95 = b"\x02\x03\x04\x3a"  # how ExternSheet of Excel 95 begins for the workbook itself
_FLAGS_OF_ROW, _HIDDEN_ROW = 12, 0x20
# A formula's value is text, true or false, an error or empty where it ends so.
_NO_NUMBER_VALUE, _ERROR_VALUE, _EMPTY_VALUE = b"\xff\xff", 2, 3
# Calls of CALL, REGISTER.ID and RTD in a parsed formula: PtgFuncVar, arguments, function.
_NEWER_FUNCTIONS = re.compile(rb"WEBSERVICE|FILTERXML", re.IGNORECASE)
_REACHING_OUT_97 = re.compile(rb"[\x22\x42\x62][\x00-\x1e](?:\x96\x00|\x0b\x01|\x7b\x01)")
_MACROS = (python_calamine.SheetTypeEnum.MacroSheet, python_calamine.SheetTypeEnum.Vba)
_HYPERTEXT = re.compile(rb"\s*<(?:!doctype|html|\?xml|table|meta|head)", re.IGNORECASE)
# Formulas that access other files or addresses, or run a program (DDE).
# In a formula without its texts. [0] is the workbook itself, Table[2022] a column of its own.
_REACHING_OUT = re.compile(
    rb"(?<![\w\]])\[[1-9]\d*\]|WEBSERVICE|FILTERXML|\bDDE\b|RTD\(|CALL\(|\bREGISTER(?:\.ID)?\("
    rb"|\|[^<]{0,200}!|https?:|file:",
    re.IGNORECASE,
)
_TEXT_OF_FORMULA = re.compile(rb'"[^"]*"|&quot;.*?&quot;')
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
    """A file that is refused, with the key of the sentence and its parameters."""

    def __init__(self, why: str, **given: Any) -> None:
        super().__init__(why)
        self.why, self.given = why, given


class TextFile:
    """A CSV file in UTF-8, UTF-16 or GB 18030."""

    kind = "csv"

    def __init__(self, content: bytes) -> None:
        self.encoding, text = _decoded(content)
        self.sheets = [_sheet("")]
        try:
            self._rows = list(csv.reader(io.StringIO(text, newline=""), _dialect(text)))
        except csv.Error as error:
            # A field is too long, or else a quote is not closed.
            why = "long_cell" if "field larger" in str(error) else "open_quote"
            raise RefusedFileError(why) from error
        self.sheets[0]["rows"] = sum(map(_filled, self._rows))
        self.sheets[0]["last"] = len(self._rows)

    def rows(self, _: int) -> Iterator[tuple[int, Row]]:
        """Yield every row with its number; ="0591" is read as the text 0591."""
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
                scans = _in_parallel(lambda: _scan(content), lambda: self._open(content))
            else:
                old = _in_parallel(lambda: _scan_old(content), lambda: self._open(content))
                scans = dict(zip(self._book.sheet_names, old, strict=False))
        except python_calamine.PasswordError as error:
            raise RefusedFileError("password") from error
        except (python_calamine.CalamineError, OSError, ValueError) as error:
            raise RefusedFileError("damaged") from error
        self.sheets = [
            self._described(index, data, scans.get(data.name, {}))
            for index, data in enumerate(self._book.sheets_metadata)
        ]

    def _open(self, content: bytes) -> None:
        """Open the workbook and parse the first sheet; others are parsed on request."""
        if self.kind == "xlsx":
            _check_parts(content)
        self._book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        if len(self._book.sheet_names) > SHEETS:
            raise RefusedFileError("many_sheets", sheets=len(self._book.sheet_names), most=SHEETS)
        if self._book.sheets_metadata[0].typ == python_calamine.SheetTypeEnum.WorkSheet:
            self._load(0)

    def _described(self, index: int, data: Any, scan: dict[str, Any]) -> dict[str, Any]:
        if data.typ in _MACROS:
            raise RefusedFileError("macros")
        hidden = data.visible != python_calamine.SheetVisibleEnum.Visible
        description = _sheet(data.name, hidden=hidden, **scan)
        if data.typ == python_calamine.SheetTypeEnum.WorkSheet:
            sheet = self._load(index)
            description["last"] = sheet.end[0] + 1 if sheet.end else 0
            description["merged"] = len(sheet.merged_cell_ranges or ())
            description["rows"] = sum(map(_filled, sheet.iter_rows()))
        return description

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
        """Yield every row with its number; a merged cell is repeated in each row it covers."""
        sheet = self._load(index)
        if not sheet.start:
            return
        # calamine yields rows from the first of the sheet, cells from the first non-empty column.
        _, left = sheet.start
        merged = _merged(sheet.merged_cell_ranges or [])
        current: dict[int, tuple[int, Any]] = {}
        for number, cells in enumerate(sheet.iter_rows()):
            row = [""] * left + cells
            if merged or current:
                _fill_merged(row, number, merged, current)
            yield number + 1, row


def _fill_merged(
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
    """Return column and last row of merged cells of several rows, by their first row."""
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
    return any(row) or any(cell != "" for cell in row)  # 0 is a value


def _sheet(name: str, **values: Any) -> dict[str, Any]:
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
        **values,
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
    # UTF-8 first, because GB 18030 (which includes GBK) decodes almost anything.
    for encoding in ("utf-8", "gb18030"):
        try:
            return encoding, content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RefusedFileError("encoding")


def _dialect(text: str) -> type[csv.Dialect]:
    # The first line may be a title without any separator.
    lines = text.split("\n", HEAD)[:HEAD]

    def parts(sign: str) -> tuple[int, int]:
        return sum(sign in line for line in lines), sum(line.count(sign) for line in lines)

    class Detected(csv.excel):
        strict = True
        delimiter = max(",\t;", key=parts)

    return Detected


def _in_parallel(background: Callable[[], Any], work: Callable[[], None]) -> Any:
    """Run `work`, and `background` in a thread (calamine frees the GIL); return its result."""
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(background)
        try:
            work()
        except Exception:
            future.result()  # its refusal is more specific
            raise
        return future.result()


def _check_parts(content: bytes) -> None:
    """Refuse a zip by its directory, before anything is unpacked."""
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
    """Return what is hidden in each sheet; refuse references to outside of the file."""
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
        attributes["Id"]: attributes.get("Target", "")
        for attributes in map(_attributes, re.findall(rb"<(?:\w+:)?Relationship\s[^>]*>", rels))
        if "Id" in attributes
    }
    date1904 = bool(re.search(rb'\bdate1904="(?:1|true)"', workbook))
    scans = {}
    for tag in re.findall(rb"<(?:\w+:)?sheet\s[^>]*>", workbook):
        attributes = _attributes(tag)
        target = targets.get(attributes.get("id", ""), "")
        path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if path in book.NameToInfo:
            scans[attributes.get("name", "")] = {**_scan_sheet(book, path), "date1904": date1904}
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
    """Scan the XML of a sheet by megabytes, and count what calamine does not report."""
    counts = {"hidden_rows": 0, "formulas": 0, "formulas_empty": 0, "errors": 0}
    last = 0
    columns: list[tuple[int, int]] | None = None
    tag = b"<row"
    for text in _rows_of(book, path):
        if columns is None:
            _refuse_entities(text)
            prefix = _SHEET_TAG.search(text)
            tag = b"<" + ((prefix and prefix[1]) or b"") + b"row"
            columns = [_span(column_tag) for column_tag in _HIDDEN_COLUMNS.findall(text)]
        last, hidden = _scan_rows(text.split(tag)[1:], last)
        counts["hidden_rows"] += hidden
        if b"<f" in text or b":f" in text:
            counts["formulas"] += _count_formulas(text)
            counts["formulas_empty"] += len(_FORMULA_WITHOUT_VALUE.findall(text))
        counts["errors"] += text.count(b' t="e"')
    return {**counts, "hidden_columns": columns or []}


def _rows_of(book: zipfile.ZipFile, path: str) -> Iterator[bytes]:
    """Yield the XML of a sheet in pieces that end at the end of a row."""
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
    """Return the last row's number and the number of hidden rows; refuse repeated numbers."""
    hidden = 0
    for row in rows:
        if row[:1] not in b" \t\r\n/>":
            continue  # <rowBreaks>
        tag = row[: row.index(b">")] if b">" in row else row
        match = _ROW_NUMBER.search(tag)
        number = int(match[1]) if match else last + 1
        if number <= last:
            raise RefusedFileError("row_twice", row=number)
        last = number
        if b"hidden" in tag and _HIDDEN.search(tag):
            hidden += 1
    return last, hidden


def _count_formulas(text: bytes) -> int:
    formulas = _FORMULA.findall(text)
    for formula in formulas:
        if _REACHING_OUT.search(_TEXT_OF_FORMULA.sub(b"", formula)):
            raise RefusedFileError("outside")
    return len(formulas)


class _OldBook:
    """What the records of a workbook before 2007 say that calamine does not report."""

    def __init__(self) -> None:
        self.sheets: list[dict[str, Any]] = []
        self.date1904 = self.no_macros = False
        self._of_excel_97 = True
        self._at: dict[int, dict[str, Any]] = {}  # where each sheet begins
        self._sheet: dict[str, Any] | None = None
        self._depth = 0  # charts begin and end within a sheet

    def read(self, stream: bytes) -> None:
        """Go through all records; raise RefusedFileError for what reaches out, and macros."""
        at, end = 0, len(stream) - 4
        while at <= end:
            kind, length = struct.unpack_from("<HH", stream, at)
            if kind == _BEGIN:
                self._begin(at, stream[at + 4 : at + 4 + length])
            elif kind == _END:
                self._depth -= 1
            elif self._depth <= 0:  # what follows fills a block, or the last one
                at = min((begin for begin in self._at if begin > at), default=len(stream))
                continue
            elif kind in self._TAKEN and self._depth == 1:
                self._TAKEN[kind](self, stream[at + 4 : at + 4 + length])
            elif kind in _QUERIES:
                raise RefusedFileError("outside")
            at += 4 + length

    def _begin(self, at: int, body: bytes) -> None:
        if self._depth == 0:
            self._sheet = self._at.get(at)
            if not self._at:
                self._of_excel_97 = body[:2] == _EXCEL_97.to_bytes(2, "little")
        self._depth += 1

    def _bound_sheet(self, body: bytes) -> None:
        position, _hidden, kind = struct.unpack_from("<IBB", body)
        if kind in (_MACRO_SHEET, _MACRO_MODULE):
            raise RefusedFileError("macros")
        counts = {"hidden_rows": 0, "formulas": 0, "formulas_empty": 0, "errors": 0}
        self.sheets.append({**counts, "hidden_columns": []})
        self._at[position] = self.sheets[-1]

    def _count(self, name: str) -> None:
        if self._sheet is not None:
            self._sheet[name] += 1

    def _row(self, body: bytes) -> None:
        if body[_FLAGS_OF_ROW] & _HIDDEN_ROW:
            self._count("hidden_rows")

    def _columns(self, body: bytes) -> None:
        first, last, _width, _format, flags = struct.unpack_from("<5H", body)
        if flags & 1 and self._sheet is not None:
            self._sheet["hidden_columns"].append((first, min(last, COLUMNS - 1)))

    def _formula(self, body: bytes) -> None:
        self._count("formulas")
        if body[12:14] == _NO_NUMBER_VALUE:
            if body[6] == _ERROR_VALUE:
                self._count("errors")
            elif body[6] == _EMPTY_VALUE:
                self._count("formulas_empty")
        if _REACHING_OUT_97.search(body, 22):
            raise RefusedFileError("outside")

    def _bool_or_error(self, body: bytes) -> None:
        if body[7]:
            self._count("errors")

    def _book_referred(self, body: bytes) -> None:
        _sheets, length = struct.unpack_from("<HH", body)
        # A name of one sign stands for the workbook itself.
        if length not in (_ITSELF, _ADD_IN) and length > 1:
            raise RefusedFileError("outside")

    def _sheet_referred(self, body: bytes) -> None:
        if not self._of_excel_97 and body[0] and body[1] not in _INSIDE_95:
            raise RefusedFileError("outside")

    def _name(self, body: bytes) -> None:
        # Functions that are newer than the format stand among the names.
        if _NEWER_FUNCTIONS.search(body.replace(b"\0", b"")):
            raise RefusedFileError("outside")

    def _calendar(self, body: bytes) -> None:
        self.date1904 = body[0] == 1

    def _without_macros(self, _: bytes) -> None:
        self.no_macros = True

    _TAKEN: dict[int, Callable[[Any, bytes], None]] = {
        _BOUND_SHEET: _bound_sheet,
        _ROW: _row,
        _COLUMNS: _columns,
        _FORMULA_CELL: _formula,
        _BOOL_OR_ERROR: _bool_or_error,
        _BOOK_REFERRED: _book_referred,
        _SHEET_REFERRED: _sheet_referred,
        _NAME: _name,
        _DATE_1904: _calendar,
        _NO_MACROS: _without_macros,
    }


def _scan_old(content: bytes) -> list[dict[str, Any]]:
    """Return what is hidden in each sheet of an old workbook; refuse macros and links outside."""
    try:
        with olefile.OleFileIO(io.BytesIO(content)) as file:
            parts = {name.upper() for path in file.listdir(storages=True) for name in path}
            stream = file.openstream("Workbook" if file.exists("Workbook") else "Book").read()
        book = _OldBook()
        book.read(stream)
    except (OSError, ValueError, LookupError, struct.error) as error:
        raise RefusedFileError("damaged") from error
    # Excel keeps an empty project, too, and says so.
    if any("VBA_PROJECT" in part for part in parts) and not book.no_macros:
        raise RefusedFileError("macros")
    return [{**sheet, "date1904": book.date1904} for sheet in book.sheets]


def _span(tag: bytes) -> tuple[int, int]:
    ends = {name: int(number) for name, number in _SPAN.findall(tag)}
    return ends.get(b"min", 1) - 1, min(ends.get(b"max", 1), COLUMNS) - 1


def open_file(content: bytes) -> TextFile | Workbook:
    """Return the file opened by its first bytes, regardless of its name."""
    if content.startswith(_OLE) and (
        _ENCRYPTED_PACKAGE in content[: 1 << 20] or _ENCRYPTED_RECORDS.search(content)
    ):
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


def day_of(moment: datetime) -> date:
    """
    Return the day that is meant by a moment in a cell for days.

    Programs write a day as a moment up to a minute before its midnight, by an old offset of
    Shanghai, or an hour before, by summer time.
    """
    next_minute = moment + timedelta(minutes=1)
    is_hour_before = next_minute.hour == HOURS - 1 and next_minute.minute <= 1
    return (next_minute + timedelta(hours=1) if is_hour_before else next_minute).date()


def _json_value(value: object) -> Any:
    """Return a value for JSON: a date as {"day": …}, anything else as text."""
    if isinstance(value, datetime):
        return {"day": day_of(value).isoformat()}
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
        elif cell.__class__ is float and not isfinite(cell):
            row[column] = NO_NUMBER  # JSON and databases have no such number


def _write_line(line: Any) -> None:
    sys.stdout.write(
        json.dumps(line, default=_json_value, ensure_ascii=False, separators=(",", ":"))
    )
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


def _write_rows(file: TextFile | Workbook, index: int) -> None:
    """Write the rows of a sheet that are not empty, a batch a line."""
    batch: list[tuple[int, Row]] = []
    for number, row in file.rows(index):
        if _filled(row):
            _refuse_cells(number, row)
            batch.append((number, row))
        if len(batch) == BATCH:
            _write_line({"rows": batch})
            batch = []
    _write_line({"rows": batch})
    _write_line({"end": True})


def main() -> None:
    """Read a file, write its sheets, and answer requests for rows until stdin ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    size = int(sys.stdin.buffer.readline())
    try:
        file = open_file(sys.stdin.buffer.read(size))
        heads = [_head(file, index) for index in range(len(file.sheets))]
        _write_line(
            {"kind": file.kind, "encoding": file.encoding, "sheets": file.sheets, "heads": heads}
        )
        sys.stdout.flush()
        for line in sys.stdin.buffer:
            _write_rows(file, int(line))
            sys.stdout.flush()
    except RefusedFileError as refused:
        _write_line({"refused": refused.why, "given": refused.given})
    except MemoryError:
        _write_line({"refused": "too_large", "given": {}})


if __name__ == "__main__":
    main()
