"""Writing Excel workbooks: plain tables, row by row, in little memory."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import IO

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

Cell = str | int | float | date | None
Row = Sequence[Cell]

LONGEST_TEXT = 32_767
# Excel's "text", so that numbers of documents stay what they are when somebody edits them.
AS_TEXT = 49  # the number of this format
COLUMN_WIDTH = 18


def write_workbook(
    file: IO[bytes], sheets: Iterable[tuple[str, Iterable[Row]]], *, headings: int = 1
) -> None:
    """
    Write `sheets`, each a name and its rows, the first `headings` of them in bold and kept.

    Texts are written as texts and marked as such, so that none is ever a formula.
    """
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        text = book.add_format({"num_format": AS_TEXT, "quote_prefix": True})
        heading = book.add_format({"num_format": AS_TEXT, "quote_prefix": True, "bold": True})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for name, rows in sheets:
            sheet = book.add_worksheet(name)
            sheet.set_column(0, 50, COLUMN_WIDTH, text)
            sheet.freeze_panes(headings, 0)
            for number, row in enumerate(rows):
                style = heading if number < headings else text
                _write_row(sheet, number, row, style=style, day=day)


def _write_row(sheet: Worksheet, number: int, row: Row, *, style: Format, day: Format) -> None:
    for column, value in enumerate(row):
        if isinstance(value, str) and value:
            sheet.write_string(number, column, value[:LONGEST_TEXT], style)
        elif isinstance(value, date):
            sheet.write_datetime(number, column, value, day)
        elif isinstance(value, int | float):
            sheet.write_number(number, column, value)
