"""Import the areas of an installation from a CSV file: parse, validate all rows, then create."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.services import rename_area
from accounts.staff.models import Area, User
from common.pinyin import place_key
from common.places import places

COLUMNS = ["code", "name", "level", "parent code"]
COUNTRY = "000000"
LEVELS = Area.Level.values  # from the country down
OFFICIAL = {Area.Level.COUNTRY, Area.Level.PROVINCE, Area.Level.CITY, Area.Level.COUNTY}


class WrongRowsError(Exception):
    """Invalid rows, each as "line 3: sentence"."""

    def __init__(self, sentences: Iterable[str]) -> None:
        self.sentences = list(sentences)
        super().__init__("\n".join(self.sentences))


@dataclass(frozen=True)
class AreaRow:
    """One line of the file: an area and the code of its parent."""

    line: int
    code: str
    name: str
    level: str
    parent: str


@dataclass
class Imported:
    """The numbers of areas created, renamed and unchanged."""

    made: int = 0
    renamed: int = 0
    unchanged: int = 0


@transaction.atomic
def root_areas(*, by: User | None) -> list[Area]:
    """Return the root areas; create the country if there is no area yet."""
    if existing := list(Area.objects.filter(depth=1)):
        return existing
    name = "全国"
    row = {"code": COUNTRY, "level": Area.Level.COUNTRY, "name": name, "name_key": place_key(name)}
    country = cast(Area, Area.objects.add_root(row))
    audit.record(by=by, did=gettext_noop("made area"), to=country)
    return [country]


@transaction.atomic
def import_areas(*, lines: Iterable[str], by: User | None) -> Imported:
    """
    Create the areas of a CSV file, in any order of rows, and rename known ones.

    Importing a file twice is safe. Raise WrongRowsError, and write nothing, if a row is wrong.
    """
    root_areas(by=by)
    rows = _parse_rows(lines)
    known = {area.code: area for area in Area.objects.all()}
    parents = _parent_codes(known)
    faults = [*_duplicate_codes(rows)]
    known_levels = {code: area.level for code, area in known.items()}
    levels = {**{row.code: row.level for row in rows}, **known_levels}
    for row in rows:
        faults += [f"line {row.line}: {fault}" for fault in _faults(row, levels, parents)]
    if faults:
        raise WrongRowsError(faults)
    imported = Imported()
    for row in sorted(rows, key=lambda row: LEVELS.index(row.level)):
        _create_or_rename(row, known, imported, by)
    return imported


def _parse_rows(lines: Iterable[str]) -> list[AreaRow]:
    reader = csv.reader(lines)
    head = [cell.strip().lower() for cell in next(reader, [])]
    if head != COLUMNS:
        raise WrongRowsError([f"line 1: The columns are {', '.join(COLUMNS)}."])
    rows, faults = [], []
    for cells in reader:
        values = [cell.strip() for cell in cells]
        if not any(values):
            continue
        if len(values) == len(COLUMNS):
            rows.append(AreaRow(reader.line_num, *values))
        else:
            faults.append(f"line {reader.line_num}: A row has {len(COLUMNS)} cells.")
    if faults:
        raise WrongRowsError(faults)
    return rows


def _parent_codes(known: Mapping[str, Area]) -> dict[str, str]:
    """Return the code of the parent of each existing area."""
    codes = {area.path: area.code for area in known.values()}
    step = Area.steplen
    return {area.code: codes.get(area.path[:-step], "") for area in known.values()}


def _duplicate_codes(rows: Iterable[AreaRow]) -> Iterator[str]:
    first_lines: dict[str, int] = {}
    for row in rows:
        if (line := first_lines.setdefault(row.code, row.line)) != row.line:
            yield f"line {row.line}: Line {line} gives the code {row.code} already."


def _faults(row: AreaRow, levels: Mapping[str, str], parents: Mapping[str, str]) -> Iterator[str]:
    """Yield the errors of a row, given all levels and the parents of existing areas."""
    if row.level not in LEVELS:
        yield f"There is no level {row.level!r}: it is one of {', '.join(LEVELS)}."
        return
    if not 0 < len(row.name) <= 50:
        yield "A name has 1 to 50 characters."
    yield from _faults_of_code(row)
    yield from _faults_of_parent(row, levels)
    if row.level == Area.Level.COUNTRY and row.code not in parents:
        yield "The areas that are there lie in no country."
    if row.code in parents and (parents[row.code], levels[row.code]) != (row.parent, row.level):
        yield (
            f"{row.code} is there as a {levels[row.code]} below"
            f" {parents[row.code] or 'nothing'}: an area keeps its level and its place."
        )


def _faults_of_code(row: AreaRow) -> Iterator[str]:
    """Yield the errors of a code: GB/T 2260 down to the county, the community's own below."""
    if row.level not in OFFICIAL:
        if not (row.code.isascii() and row.code.isdigit() and 7 <= len(row.code) <= 20):
            yield "Below the county a code has 7 to 20 digits."
        return
    if row.code != COUNTRY and row.code not in places():
        yield f"GB/T 2260 knows no code {row.code!r}."
    elif _official_level(row.code) != row.level:
        yield f"{row.code} is the code of a {_official_level(row.code)}, not of a {row.level}."


def _official_level(code: str) -> str:
    if code == COUNTRY:
        return Area.Level.COUNTRY
    if code.endswith("0000"):
        return Area.Level.PROVINCE
    return Area.Level.CITY if code.endswith("00") else Area.Level.COUNTY


def _faults_of_parent(row: AreaRow, levels: Mapping[str, str]) -> Iterator[str]:
    if row.level == Area.Level.COUNTRY:
        if row.parent:
            yield "The country lies in nothing: leave the parent code empty."
        return
    above = levels.get(row.parent)
    if above not in LEVELS:
        yield f"The parent code {row.parent!r} is neither in the file nor there already."
    elif LEVELS.index(above) >= LEVELS.index(row.level):
        yield f"A {row.level} does not lie in a {above}."
    elif row.level == Area.Level.GRID and above != Area.Level.COMMUNITY:
        yield "A grid lies in a community."
    elif row.level not in OFFICIAL and LEVELS.index(above) < LEVELS.index(Area.Level.COUNTY):
        yield "Below the city a county comes first: which law holds goes by its code."
    elif not row.code.startswith(_code_prefix(row.parent, above)):
        yield f"The code {row.code} does not begin as that of {row.parent} does."


def _code_prefix(code: str, level: str) -> str:
    """Return the digits with which the codes of all areas below this one begin."""
    lengths = {Area.Level.COUNTRY: 0, Area.Level.PROVINCE: 2, Area.Level.CITY: 4}
    return code[: lengths.get(Area.Level(level), 6)]


def _create_or_rename(
    row: AreaRow, known: dict[str, Area], imported: Imported, by: User | None
) -> None:
    area = known.get(row.code)
    if area is None:
        parent = known[row.parent]
        parent.refresh_from_db()  # treebeard counts children on the row
        fields = {"code": row.code, "level": row.level, "name": row.name}
        area = cast(
            Area, Area.objects.add_child(parent, {**fields, "name_key": place_key(row.name)})
        )
        known[row.code] = area
        audit.record(by=by, did=gettext_noop("made area"), to=area, below=row.parent)
        imported.made += 1
    elif area.name != row.name:
        rename_area(area=area, name=row.name, by=by)
        imported.renamed += 1
    else:
        imported.unchanged += 1
