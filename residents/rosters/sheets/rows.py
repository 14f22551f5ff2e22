"""
Parse the rows of a roster into people, column by column, and collect problems.

Values that many rows share (grids, doors, days) are cached.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_noop

from common.encryption import hasher
from residents.register.models import Resident
from residents.register.services import NUMBER
from residents.rosters.models import Roster
from residents.rosters.places import Places
from residents.rosters.sheets import cells, columns

# Column, message and parameters; messages are translated when they are shown.
Problem = tuple[str, str, dict[str, Any]]
Problems = dict[int, list[Problem]]

NO_BUILDING = gettext_noop("Enter the building, for example 3号楼.")
NO_DOOR = gettext_noop("Enter the door, for example 502.")
OTHER_BIRTH_DATE = gettext_noop(
    "By the number, the birth date is another than in this row. One of the two is wrong."
)
OTHER_SEX = gettext_noop("By the number, the sex is another than in this row. One is wrong.")
SHIFTED = gettext_noop(
    "The row has more cells than there are headings: a comma in a cell without quotation marks"
    " shifts what follows it."
)
RUN_ON = gettext_noop(
    "A cell holds several lines, as if a quotation mark were missing and rows ran into each other."
)

MAINLAND_ID = Resident.DocumentType.MAINLAND_ID.value
UNKNOWN = Resident.Sex.UNKNOWN.value
REMEMBERED = 100_000

Home = tuple[int, cells.DoorCells]


class RosterPerson(NamedTuple):
    """The values of a row; "" and None for empty cells."""

    name: str
    document_type: str
    number: str
    number_hash: str
    sex: str
    birth_date: date | None
    phone: str
    emergency_name: str
    emergency_phone: str
    home: Home | None


class _Memoised(dict[Any, Any]):
    """A bounded cache of a function's results."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, cell: Any) -> Any:
        value = self._read(cell)
        if len(self) < REMEMBERED:
            self[cell] = value
        return value


class RowReader:
    """Parses the rows of one roster in batches."""

    def __init__(self, roster: Roster, *, width: int, date1904: bool, today: date) -> None:
        self._today, self._width = today, width
        self.places = Places(roster.area)
        self._columns: dict[str, int] = roster.columns
        heading = _heading(roster, self._columns.get(columns.BORN))
        months = "年月" in heading and "日" not in heading
        self._readers = _readers(today, date1904=date1904, months=months)
        self._hash = hasher(context=NUMBER)
        self._homes: dict[tuple[Any, ...], Home | None] = {}

    def read(self, rows: Sequence[list[Any]]) -> tuple[list[RosterPerson], Problems]:
        """Return the person of each row, and the problems by index of row."""
        problems: Problems = {}
        if self._width:
            self._refuse_shifted(rows, problems)
        values = {
            name: _column(name, _cells(rows, index), self._readers[name], problems)
            for name, index in self._columns.items()
            if name in self._readers
        }
        empty = [""] * len(rows)
        sexes = values.get(columns.SEX, empty[:])  # completed by the numbers
        days = values.get(columns.BORN, [None] * len(rows))
        kinds, numbers = self._numbers(
            rows, values.get(columns.TYPE, empty), sexes, days, problems
        )
        people = map(
            RosterPerson._make,
            zip(
                values[columns.NAME],
                kinds,
                numbers,
                [
                    self._hash(f"{kind}:{number}") if number else ""
                    for kind, number in zip(kinds, numbers, strict=True)
                ],
                sexes,
                days,
                values.get(columns.PHONE, empty),
                values.get(columns.EMERGENCY, empty),
                values.get(columns.EMERGENCY_PHONE, empty),
                self._homes_of(values, len(rows), problems),
                strict=True,
            ),
        )
        return list(people), problems

    def _refuse_shifted(self, rows: Sequence[list[Any]], problems: Problems) -> None:
        for index, row in enumerate(rows):
            if len(row) > self._width and any(row[self._width :]):
                problems.setdefault(index, []).append(("", SHIFTED, {}))
            elif any(
                "\n" in row[column] for column in self._columns.values() if column < len(row)
            ):
                problems.setdefault(index, []).append(("", RUN_ON, {}))

    def _numbers(
        self,
        rows: Sequence[list[Any]],
        kinds: list[str],
        sexes: list[str],
        days: list[date | cells.Month | None],
        problems: Problems,
    ) -> tuple[list[str], list[str]]:
        """Return types and numbers of documents; fill in sexes and birth dates by them."""
        resolved_kinds: list[str] = []
        numbers: list[str] = []
        for index, cell in enumerate(_cells(rows, self._columns[columns.NUMBER])):
            kind = kinds[index]
            try:
                if kind in {"", MAINLAND_ID} and (plain := cells.plain_number(cell, self._today)):
                    kind, (number, born, sex) = MAINLAND_ID, plain
                else:
                    kind = kind or cells.likely_type(cell)
                    number, born, sex = cells.number(cell, kind, self._today)
            except ValidationError as error:
                problems.setdefault(index, []).append(_problem(columns.NUMBER, error))
                number, born, sex = "", None, None
            resolved_kinds.append(kind)
            numbers.append(number)
            if born:
                if not cells.agree(days[index], born):
                    _add(problems, index, columns.BORN, OTHER_BIRTH_DATE)
                if sexes[index] not in {"", None, UNKNOWN, sex}:
                    _add(problems, index, columns.SEX, OTHER_SEX)
                days[index], sexes[index] = born, sex or ""
            elif isinstance(days[index], cells.Month):
                _add(problems, index, columns.BORN, cells.NO_DAY)
                days[index] = None
        return resolved_kinds, numbers

    def _homes_of(
        self, values: dict[str, list[Any]], rows: int, problems: Problems
    ) -> list[Home | None]:
        empty = [""] * rows
        parts = zip(
            *(values.get(name, empty) for name in _PLACE),
            strict=True,
        )
        homes: list[Home | None] = []
        for index, part in enumerate(parts):
            if index in problems:
                homes.append(None)
                continue
            try:
                if part not in self._homes:
                    if len(self._homes) > REMEMBERED:
                        self._homes.clear()
                    self._homes[part] = self._home(dict(zip(_PLACE, part, strict=True)))
                homes.append(self._homes[part])
            except ValidationError as error:
                problems.setdefault(index, []).append(_problem(columns.GRID, error))
                homes.append(None)
        return homes

    def _home(self, values: dict[str, Any]) -> Home | None:
        door_cells = values[columns.ADDRESS] or None
        parts = (
            values[columns.BUILDING],
            values[columns.UNIT],
            values[columns.FLOOR],
            values[columns.DOOR],
        )
        building, unit, floor, door = parts
        if building or unit or door:
            door_cells = cells.DoorCells(building, unit, None if floor == "" else floor, door)
        if door_cells is None:
            return None
        grid = self.places.grid(
            values[columns.COMMUNITY], values[columns.GRID], door_cells.building
        )
        if not door_cells.building:
            raise ValidationError(NO_BUILDING)
        if not door_cells.door:
            raise ValidationError(NO_DOOR)
        spelt = self.places.spelling(grid, door_cells.building)
        return grid, door_cells._replace(building=spelt)


_PLACE = (
    *(columns.BUILDING, columns.UNIT, columns.FLOOR, columns.DOOR),
    *(columns.ADDRESS, columns.COMMUNITY, columns.GRID),
)


def _heading(roster: Roster, index: int | None) -> str:
    headings = roster.findings.get("headings", ())
    return str(headings[index]) if index is not None and index < len(headings) else ""


def _readers(today: date, *, date1904: bool, months: bool) -> dict[str, Callable[[Any], Any]]:
    shared: dict[str, Callable[[Any], Any]] = {
        columns.TYPE: cells.document_type,
        columns.SEX: cells.sex,
        columns.BORN: lambda cell: cells.birth_date(cell, today, date1904=date1904, months=months),
        columns.COMMUNITY: cells.place,
        columns.GRID: cells.place,
        columns.ADDRESS: cells.address,
        columns.BUILDING: cells.building,
        columns.UNIT: cells.unit,
        columns.FLOOR: cells.floor,
        columns.DOOR: cells.door,
    }
    return {
        columns.NAME: cells.name,
        columns.PHONE: cells.phone,
        columns.EMERGENCY: cells.optional_name,
        columns.EMERGENCY_PHONE: cells.phone,
        **{name: _Memoised(read).__getitem__ for name, read in shared.items()},
    }


def _cells(rows: Sequence[list[Any]], index: int) -> list[Any]:
    try:
        return [row[index] for row in rows]
    except IndexError:
        return [row[index] if index < len(row) else "" for row in rows]


def _column(
    name: str, column: list[Any], read: Callable[[Any], Any], problems: Problems
) -> list[Any]:
    try:
        return [read(cell) for cell in column]
    except (ValidationError, TypeError):  # TypeError: a day is no key of a dictionary
        return [_value(name, index, cell, read, problems) for index, cell in enumerate(column)]


def _value(
    name: str, index: int, cell: Any, read: Callable[[Any], Any], problems: Problems
) -> Any:
    try:
        if isinstance(cell, dict):
            cell = cell["day"]
        return read(cell)
    except ValidationError as error:
        problems.setdefault(index, []).append(_problem(name, error))
        return None


def _problem(name: str, error: ValidationError) -> Problem:
    return name, str(error.message), dict(error.params or {})


def _add(problems: Problems, index: int, name: str, sentence: str) -> None:
    problems.setdefault(index, []).append((name, sentence, {}))
