"""Every cell of a workbook is read in the row and column in which it stands."""

import io
from typing import NamedTuple

import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from residents.rosters.sheets.child import Workbook

Position = tuple[int, int]


class Drawn(NamedTuple):
    """What a sheet holds: single cells, and cells merged over some rows (their last row)."""

    cells: dict[Position, str]
    merged: dict[Position, int]
    hidden: frozenset[int]


def _sheets() -> st.SearchStrategy[Drawn]:
    position = st.tuples(st.integers(0, 8), st.integers(0, 6))
    text = st.sampled_from(["样一", "101", "x", "13800138000"])

    def without_overlap(cells: dict[Position, str], spans: list[int], hidden: set[int]) -> Drawn:
        merged: dict[Position, int] = {}
        for (row, column), more in zip(sorted(cells), spans, strict=False):
            below = {(row + step, column) for step in range(1, more + 1)}
            free = not below & cells.keys() and not any(
                column == c and r <= row + more and row <= last for (r, c), last in merged.items()
            )
            if more and free:
                merged[row, column] = row + more
        return Drawn(cells, merged, frozenset(hidden))

    return st.builds(
        without_overlap,
        st.dictionaries(position, text, min_size=1, max_size=12),
        st.lists(st.integers(0, 3), max_size=4),
        st.sets(st.integers(0, 8), max_size=3),
    )


def _written(sheets: list[Drawn]) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        for drawn in sheets:
            sheet = book.add_worksheet()
            for (row, column), text in drawn.cells.items():
                if last := drawn.merged.get((row, column)):
                    sheet.merge_range(row, column, last, column, text)
                else:
                    sheet.write_string(row, column, text)
            for row in drawn.hidden:
                sheet.set_row(row, None, None, {"hidden": True})
    return content.getvalue()


def _read(book: Workbook, index: int) -> dict[Position, object]:
    return {
        (number - 1, column): cell
        for number, row in book.rows(index)
        for column, cell in enumerate(row)
        if cell != ""
    }


@settings(max_examples=150)
@given(st.lists(_sheets(), min_size=1, max_size=3))
def test_a_cell_is_read_where_it_stands(sheets: list[Drawn]) -> None:
    book = Workbook(_written(sheets))

    for index, drawn in enumerate(sheets):
        last = max(row for row, _ in drawn.cells)
        expected = dict(drawn.cells)
        for (row, column), bottom in drawn.merged.items():
            covered = range(row, min(bottom, last) + 1)
            expected |= {(below, column): drawn.cells[row, column] for below in covered}
        assert _read(book, index) == expected
