"""
Write Excel workbooks of plain tables, row by row, in little memory.

Own code, because libraries that write row by row keep the rows in temporary files, where personal
data would be readable.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from itertools import islice
from typing import IO
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

Cell = str | int | float | date | None
Row = Sequence[Cell]

LONGEST_TEXT = 32_767
LONGEST_MARK = 255  # characters of a header or footer
COLUMN_WIDTH = 18
MOST_ROWS = 1_048_576
DAY_ZERO = date(1899, 12, 30).toordinal()
AT_ONCE = 500  # rows

_ESCAPED = re.compile(r"_x[0-9A-Fa-f]{4}_")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_UNSAFE = re.compile("[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]|_x")

# Indexes of cell formats in `_STYLES`.
_HEADING, _TEXT, _DAY = 1, 2, 3


@dataclass(frozen=True)
class Imprint:
    """Author and time of a workbook, for printed pages and document properties."""

    title: str
    line: str
    author: str
    at: datetime


def write_workbook(
    file: IO[bytes],
    sheets: Iterable[tuple[str, Iterable[Row]]],
    *,
    headings: int = 1,
    mark: Imprint | None = None,
) -> None:
    """
    Write `sheets`, pairs of name and rows; the first `headings` rows are bold and frozen.

    Texts are written as inline strings with quote prefix, so that none becomes a formula.
    """
    names = []
    with ZipFile(file, "w", ZIP_DEFLATED) as book:
        for name, rows in sheets:
            names.append(name)
            with book.open(f"xl/worksheets/sheet{len(names)}.xml", "w", force_zip64=True) as sheet:
                _write_sheet(sheet, rows, headings, mark)
        for path, part in _parts(names, mark).items():
            book.writestr(path, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>{part}')


def _write_sheet(
    sheet: IO[bytes], rows: Iterable[Row], headings: int, mark: Imprint | None
) -> None:
    pane = (
        f'<pane ySplit="{headings}" topLeftCell="A{headings + 1}" activePane="bottomLeft"'
        ' state="frozen"/>'
    )
    sheet.write(
        (
            f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><worksheet xmlns="{_MAIN}">'
            f'<sheetViews><sheetView workbookViewId="0">{pane if headings else ""}</sheetView>'
            f'</sheetViews><cols><col min="1" max="51" width="{COLUMN_WIDTH}" style="{_TEXT}"'
            ' customWidth="1"/></cols><sheetData>'
        ).encode()
    )
    numbered = enumerate(rows, 1)
    while chunk := list(islice(numbered, AT_ONCE)):
        written = (_row(n, row, _HEADING if n <= headings else _TEXT) for n, row in chunk)
        sheet.write("".join(written).encode())
    sheet.write(f"</sheetData>{_page_setup(mark)}</worksheet>".encode())


def _row(number: int, row: Row, style: int) -> str:
    cells = [
        _cell(f"{_column_letters(column)}{number}", value, style)
        for column, value in enumerate(row)
        if value is not None and value != ""
    ]
    return f'<row r="{number}">{"".join(cells)}</row>'


def _cell(at: str, value: str | float | date, style: int) -> str:
    if isinstance(value, str):
        text = _xml_text(value[:LONGEST_TEXT])
        opened = f'<c r="{at}" s="{style}" t="inlineStr"><is><t xml:space="preserve">'
        return f"{opened}{text}</t></is></c>"
    if isinstance(value, date):
        return f'<c r="{at}" s="{_DAY}"><v>{value.toordinal() - DAY_ZERO}</v></c>'
    return f'<c r="{at}"><v>{value}</v></c>'


def _xml_text(text: str) -> str:
    """Return a text escaped for XML; characters XML forbids as in ECMA-376 (22.9.2.19)."""
    if not _UNSAFE.search(text):
        return text
    if "_x" in text:
        text = _ESCAPED.sub(lambda match: f"_x005F{match[0]}", text)
    text = _CONTROL.sub(lambda match: f"_x{ord(match[0]):04X}_", text)
    return escape(text)


@cache
def _column_letters(column: int) -> str:
    """Return the letters of a column: A to Z, then AA."""
    if column < 26:
        return chr(65 + column)
    return _column_letters(column // 26 - 1) + chr(65 + column % 26)


def _page_setup(mark: Imprint | None) -> str:
    """Return the page setup: landscape, with the mark on every page."""
    if mark is None:
        return ""
    # An ampersand starts a format code there.
    line = escape(mark.line.replace("&", "＆")[: LONGEST_MARK - len("&L&8 &R&P/&N")])
    return (
        '<pageMargins left="0.4" right="0.4" top="0.7" bottom="0.7" header="0.3" footer="0.3"/>'
        '<pageSetup paperSize="9" orientation="landscape"/><headerFooter>'
        f"<oddHeader>&amp;L&amp;8 {line}</oddHeader>"
        f"<oddFooter>&amp;L&amp;8 {line}&amp;R&amp;P/&amp;N</oddFooter></headerFooter>"
    )


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats"
_KIND = f"{_TYPE}-officedocument.spreadsheetml"

# numFmtId 49 is "text": numbers of documents keep their digits when somebody edits the cell.
_STYLES = f"""<styleSheet xmlns="{_MAIN}">\
<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy-mm-dd"/></numFmts>\
<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>\
<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>\
<fills count="2"><fill><patternFill patternType="none"/></fill>\
<fill><patternFill patternType="gray125"/></fill></fills>\
<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>\
<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>\
<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>\
<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" quotePrefix="1"\
 applyNumberFormat="1" applyFont="1"/>\
<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1"\
 applyNumberFormat="1"/>\
<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>\
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>\
</styleSheet>"""


def _parts(names: Sequence[str], mark: Imprint | None) -> dict[str, str]:
    """Return the parts of a workbook besides its sheets."""
    numbers = range(1, len(names) + 1)
    overrides = {
        "xl/workbook.xml": f"{_KIND}.sheet.main+xml",
        "xl/styles.xml": f"{_KIND}.styles+xml",
        "docProps/core.xml": f"{_TYPE}-package.core-properties+xml",
        **{f"xl/worksheets/sheet{n}.xml": f"{_KIND}.worksheet+xml" for n in numbers},
    }
    types = "".join(
        f'<Override PartName="/{path}" ContentType="{kind}"/>' for path, kind in overrides.items()
    )
    sheets = "".join(
        f'<sheet name="{escape(name, {chr(34): "&quot;"})}" sheetId="{n}" r:id="rId{n}"/>'
        for n, name in enumerate(names, 1)
    )
    within = [(f"{_OFFICE}/worksheet", f"worksheets/sheet{n}.xml") for n in numbers]
    around = [
        (f"{_OFFICE}/officeDocument", "xl/workbook.xml"),
        (f"{_PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml"),
    ]
    return {
        "[Content_Types].xml": (
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels"'
            f' ContentType="{_TYPE}-package.relationships+xml"/><Default Extension="xml"'
            f' ContentType="application/xml"/>{types}</Types>'
        ),
        "_rels/.rels": _relations(around),
        "xl/_rels/workbook.xml.rels": _relations([*within, (f"{_OFFICE}/styles", "styles.xml")]),
        "xl/workbook.xml": (
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'
        ),
        "xl/styles.xml": _STYLES,
        "docProps/core.xml": _properties(mark),
    }


def _relations(targets: Iterable[tuple[str, str]]) -> str:
    inner = "".join(
        f'<Relationship Id="rId{number}" Type="{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{inner}</Relationships>'


def _properties(mark: Imprint | None) -> str:
    elements = ""
    if mark:
        at = mark.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        elements = (
            f"<dc:title>{_xml_text(mark.title)}</dc:title>"
            f"<dc:creator>{_xml_text(mark.author)}</dc:creator>"
            f"<dc:description>{_xml_text(mark.line)}</dc:description>"
            f'<dcterms:created xsi:type="dcterms:W3CDTF">{at}</dcterms:created>'
        )
    return (
        f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
        f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{elements}</cp:coreProperties>'
    )
