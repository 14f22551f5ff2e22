"""
Writing Excel workbooks: plain tables, row by row, in little memory.

Texts are written as texts and marked as such (`quotePrefix`), so that none is ever a formula,
and so that numbers of documents stay what they are when somebody edits them (ECMA-376 part 1,
18.8.45 and 22.9.2.19).
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import IO
from xml.sax.saxutils import escape, quoteattr

Cell = str | int | float | date | None
Row = Sequence[Cell]

LONGEST_TEXT = 32_767
_TEXT, _HEADING, _DAY = 1, 2, 3
_EPOCH = date(1899, 12, 30)
_UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def _style(number_format: int, font: int = 0, *, text: bool = False) -> str:
    quoted = ' quotePrefix="1"' if text else ""
    return (
        f'<xf numFmtId="{number_format}" fontId="{font}" fillId="0" borderId="0" xfId="0"'
        f' applyNumberFormat="1" applyFont="1"{quoted}/>'
    )


_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/></font><font><b/><sz val="11"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    f'<cellXfs count="4">{_style(0)}{_style(49, text=True)}{_style(49, 1, text=True)}'
    f"{_style(164)}</cellXfs>"
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)


def write_workbook(
    file: IO[bytes], sheets: Iterable[tuple[str, Iterable[Row]]], *, headings: int = 1
) -> None:
    """Write `sheets`, each a name and its rows, the first `headings` of them in bold and kept."""
    names = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        for number, (name, rows) in enumerate(sheets, 1):
            names.append(name)
            with book.open(f"xl/worksheets/sheet{number}.xml", "w", force_zip64=True) as sheet:
                for part in _sheet(rows, headings):
                    sheet.write(part.encode())
        for path, text in _around(names):
            book.writestr(path, text)


def _sheet(rows: Iterable[Row], headings: int) -> Iterator[str]:
    pane = (
        f'<sheetViews><sheetView workbookViewId="0"><pane ySplit="{headings}"'
        f' topLeftCell="A{headings + 1}" activePane="bottomLeft" state="frozen"/></sheetView>'
        "</sheetViews>"
        if headings
        else ""
    )
    yield (
        f'{_HEAD}<worksheet xmlns="{_MAIN}">{pane}<sheetFormatPr defaultColWidth="18"'
        ' defaultRowHeight="15"/><sheetData>'
    )
    part: list[str] = []
    for number, row in enumerate(rows, 1):
        style = _HEADING if number <= headings else _TEXT
        part.append(f"<row>{''.join([_cell(cell, style) for cell in row])}</row>")
        if not number % 500:
            yield "".join(part)
            part.clear()
    yield "".join(part) + "</sheetData></worksheet>"


def _cell(value: Cell, style: int) -> str:
    if value is None or value == "":
        return f'<c s="{style}"/>'
    if isinstance(value, str):
        text = escape(_UNSPEAKABLE.sub(_spelt, value[:LONGEST_TEXT]))
        return f'<c s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    if isinstance(value, date):
        return f'<c s="{_DAY}"><v>{(value - _EPOCH).days}</v></c>'
    return f"<c><v>{value}</v></c>"


def _spelt(character: re.Match[str]) -> str:
    return f"_x{ord(character[0]):04X}_"


def _around(names: list[str]) -> Iterator[tuple[str, str]]:
    numbers = range(1, len(names) + 1)
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = [("/xl/workbook.xml", "sheet.main"), ("/xl/styles.xml", "styles")]
    parts += [(f"/xl/worksheets/sheet{number}.xml", "worksheet") for number in numbers]
    overrides = "".join(
        f'<Override PartName="{part}" ContentType="{types}.{kind}+xml"/>' for part, kind in parts
    )
    yield (
        "[Content_Types].xml",
        f'{_HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f"{overrides}</Types>",
    )
    yield "_rels/.rels", _relations([("officeDocument", "xl/workbook.xml")])
    targets = [("worksheet", f"worksheets/sheet{number}.xml") for number in numbers]
    yield "xl/_rels/workbook.xml.rels", _relations([*targets, ("styles", "styles.xml")])
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="r{number}"/>'
        for number, name in enumerate(names, 1)
    )
    yield (
        "xl/workbook.xml",
        f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{sheets}</sheets>'
        "</workbook>",
    )
    yield "xl/styles.xml", _STYLES


def _relations(targets: list[tuple[str, str]]) -> str:
    lines = "".join(
        f'<Relationship Id="r{number}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'{_HEAD}<Relationships xmlns="{space}">{lines}</Relationships>'
