"""A roster of the demo: an Excel file of generated people, with the faults of real files."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import xlsxwriter
from stdnum.iso7064 import mod_11_2

from portal.demo.community import GIVEN, SEED, SURNAMES
from portal.demo.places import COMMUNITIES, GRIDS

HEADINGS = [
    *("序号", "姓名", "身份证号码", "性别", "出生日期", "联系电话", "所属社区", "所属网格"),
    *("楼栋", "单元", "楼层", "门牌号", "紧急联系人", "紧急联系人电话", "备注"),
]
TITLE = "示范花名册（全部为生成的数据，与任何人无关）"
NAME, NUMBER, SEX, BORN, PHONE, COMMUNITY, GRID, BUILDING, _UNIT, _FLOOR, DOOR = range(1, 12)
# No county has this code, nor the one of the demo's other people: nobody bears these numbers.
NO_COUNTY = "199902"
EACH = 500  # rows, after which the troubles come again
_PRIVATE = "\ue7c7"  # of a font of another system
_HOME = 3  # people behind a door
_FULL_WIDTH = {ord(str(digit)): 0xFF10 + digit for digit in range(10)}


@dataclass
class _Sheet:
    """A sheet that is filled row by row, and the expected fate of its rows."""

    sheet: Any
    day: Any  # the format of dates
    row: int = 3
    expected: Counter[str] = field(default_factory=Counter)

    def write(self, cells: list[Any]) -> None:
        """Write the next row; texts stay texts, whatever they look like."""
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                self.sheet.write_string(self.row, column, cell)
            elif isinstance(cell, date):
                self.sheet.write_datetime(self.row, column, cell, self.day)
            elif cell is not None:
                self.sheet.write_number(self.row, column, cell)
        self.row += 1


def write_roster(path: Path, *, rows: int) -> Counter[str]:
    """Write a roster of `rows` people for the demo's Linhe; return what should become of them."""
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = _Sheet(book.add_worksheet("花名册"), book.add_format({"num_format": "yyyy/m/d"}))
        sheet.sheet.merge_range(0, 0, 0, len(HEADINGS) - 1, TITLE)
        sheet.sheet.write_row(2, 0, HEADINGS)
        sheet.sheet.set_column(len(HEADINGS) - 1, len(HEADINGS) - 1, 12, None, {"hidden": True})
        _fill(sheet, rows)
        notes = book.add_worksheet("填表说明")
        notes.write_column(0, 0, ["填表说明", "身份证号码请按文本填写。", TITLE])
    return sheet.expected


def _fill(sheet: _Sheet, rows: int) -> None:
    chance = random.Random(SEED)  # noqa: S311 - the same file each time
    before: list[Any] = []
    for number in range(rows):
        cells = _person(number, rows, chance)
        fault = number % EACH
        if fault in _FAULTS:
            becomes, change = _FAULTS[fault]
            change(sheet, cells, before)
            sheet.expected[becomes] += 1
        else:
            sheet.expected["new"] += 1
        sheet.write(cells)
        before = cells


def _person(number: int, rows: int, chance: random.Random) -> list[Any]:
    born = date(1931, 1, 1) + timedelta(days=number * 7_919 % 32_999)
    stem = f"{NO_COUNTY}{born:%Y%m%d}{number % 1000:03}"
    home = number // _HOME
    grids = len(COMMUNITIES) * len(GRIDS)
    grid = home * _HOME * grids // (rows + _HOME)
    name = chance.choice(SURNAMES) + "".join(chance.sample(GIVEN, 2))
    return [
        number + 1,
        name,
        stem + mod_11_2.calc_check_digit(stem),
        "男" if int(stem[-1]) % 2 else "女",
        born.isoformat(),
        f"100{chance.randrange(10**8):08}",
        COMMUNITIES[grid // len(GRIDS)],
        GRIDS[grid % len(GRIDS)],
        f"{home // 96 % 60 + 11}号楼",
        f"{home // 48 % 2 + 1}单元",
        home // 2 % 24 + 1,
        f"{home // 2 % 24 + 1}0{home % 2 + 1}",
        chance.choice(SURNAMES) + chance.choice(GIVEN),
        f"100{chance.randrange(10**8):08}",
        "",
    ]


def _change(column: int, change: Callable[[Any], Any]) -> Callable[..., None]:
    def changed(_sheet: _Sheet, cells: list[Any], _before: list[Any]) -> None:
        cells[column] = change(cells[column])

    return changed


def _hide(sheet: _Sheet, _cells: list[Any], _before: list[Any]) -> None:
    sheet.sheet.set_row(sheet.row, None, None, {"hidden": True})


def _leave_blank(sheet: _Sheet, _cells: list[Any], _before: list[Any]) -> None:
    sheet.row += 1


def _repeat(_sheet: _Sheet, cells: list[Any], before: list[Any]) -> None:
    cells[NAME:DOOR] = before[NAME:DOOR]


def _enter_formula(sheet: _Sheet, cells: list[Any], _before: list[Any]) -> None:
    born, cell = cells[BORN], f"C{sheet.row + 1}"
    formula = f'=MID({cell},7,4)&"-"&MID({cell},11,2)&"-"&MID({cell},13,2)'
    sheet.sheet.write_formula(sheet.row, BORN, formula, None, born)
    cells[BORN] = None


def _merge(sheet: _Sheet, cells: list[Any], before: list[Any]) -> None:
    """Let the building stand once, for this row and the one before."""
    sheet.sheet.merge_range(sheet.row - 1, BUILDING, sheet.row, BUILDING, before[BUILDING])
    cells[BUILDING] = None


def _last(number: str) -> str:
    return number[:-1] + ("0" if number[-1] != "0" else "1")


# The row of each five hundred: what should become of it, and what is wrong or odd about it.
_FAULTS: dict[int, tuple[str, Callable[..., None]]] = {
    7: ("rejected", _change(NUMBER, lambda number: float(number[:17] + "0"))),
    23: ("rejected", _change(NUMBER, lambda _: "1.99902E+17")),
    41: ("rejected", _change(NUMBER, _last)),
    59: ("new", _change(NUMBER, lambda number: number.translate(_FULL_WIDTH))),
    83: ("new", _change(PHONE, int)),
    101: ("rejected", _change(PHONE, lambda phone: phone[:6])),
    127: ("duplicate", _repeat),
    149: ("rejected", _change(GRID, lambda _: "第九十九网格")),
    173: ("rejected", _change(BORN, lambda _: "1931-02-03")),
    197: ("new", _change(BORN, date.fromisoformat)),
    211: ("new", _change(BORN, lambda day: f"{int(day[:4])}年{int(day[5:7])}月{int(day[8:])}日")),
    239: ("new", _hide),
    263: ("new", _leave_blank),
    283: ("rejected", _change(NAME, lambda name: name + _PRIVATE)),
    307: ("new", _enter_formula),
    331: ("rejected", _change(DOOR, lambda _: "")),
    353: ("new", _change(NAME, lambda name: f"{name[0]} {name[1:]}")),
    401: ("new", _merge),
}
