"""
Comparing the rows of a roster with the register: what would become of each.

What is accepted is written as the register will hold it, sealed for its row: each value is sealed
and hashed once, and a batch is compared in one query.
"""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, Self
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.translation import gettext_noop

from common.encryption import hasher
from residents.duplicates.models import merged_entries, standing_for
from residents.register import addresses
from residents.register.models import Household, Resident
from residents.register.services import (
    DOOR,
    DOOR_KEY,
    LAST,
    NUMBER_END,
    PHONE,
    PHONE_END,
    SHORT,
    number_hashes,
)
from residents.rosters.copying import (
    NULL,
    RowWriter,
    StagedWriter,
    copied_sealer,
    escaped,
    in_copy,
)
from residents.rosters.models import Roster, RosterRow
from residents.rosters.sheets import cells, columns
from residents.rosters.sheets.rows import (
    REMEMBERED,
    UNKNOWN,
    Home,
    Problem,
    RosterPerson,
    RowReader,
)
from residents.search import name_keys

Outcome = RosterRow.Outcome
NEW, UPDATE, UNCHANGED, DUPLICATE, REJECTED = (each.value for each in Outcome)
Numbered = tuple[int, list[Any]]
Known = dict[tuple[str, str], Resident]

NO_ADDRESS = gettext_noop("Enter the address: building, unit and door.")
TWICE = gettext_noop("The same number stands in row %(row)d already.")
TWICE_PERSON = gettext_noop(
    "Somebody of this name and birth date stands in row %(row)d already, at the same door."
)
OTHER_NAME = gettext_noop(
    "The number is registered under another name. Compare both with the document, and change the"
    " person by hand."
)
GONE = gettext_noop(
    "This person is registered as moved away or dead. If they live here, say so on their page"
    " first."
)
SAME_PERSON = gettext_noop(
    "Somebody of the same name and birth date is registered under another number or none. If it"
    " is the same person, change them by hand; if not, register this one by hand."
)
ELSEWHERE = gettext_noop(
    "A person with this number is registered in an area that is not yours. Ask your supervisor to"
    " have them moved here."
)

# By the whole name as it is spelt; while two search keys are in use, by the surname alone.
_NAMESAKES = """
SELECT staged.row, resident.key, resident.name
FROM residents_stagedresident AS staged
JOIN residents_resident AS resident USING (name_key, birth_date)
JOIN accounts_area AS area ON area.id = resident.grid_id AND resident.gone_as = ''
WHERE staged.row > %s AND staged.roster_id = %s AND staged.version IS NULL AND area.path LIKE %s
    AND (staged.name_hash = resident.name_hash OR %s)
"""
# The household that the row was to make is made by whoever else lives there, under its key.
_PUT_ASIDE = """
WITH gone AS (
    DELETE FROM residents_stagedresident WHERE roster_id = %(roster)s AND row = %(number)s)
UPDATE residents_rosterrow SET outcome = 'duplicate', resident = NULL, note = %(note)s
WHERE roster_id = %(roster)s AND number = %(number)s
"""
_SEALED = ("name", "number", "phone", "emergency_name", "emergency_phone")
_COMPARED = ("sex", "birth_date", "phone", "emergency_name", "emergency_phone")


class HouseholdKey(NamedTuple):
    """The key of a household, and its columns as COPY reads them."""

    key: str
    columns: str


_STAYS = HouseholdKey("", in_copy(*[None] * 10))


@dataclass
class ControlTotals:
    """The control totals of a dry run."""

    read: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, int]:
        """Return them as they are stored."""
        return {"read": self.read, **{each: self.outcomes[each] for each in Outcome.values}}


class Checker:
    """Checks the rows of one roster, batch by batch, and remembers what it has seen."""

    def __init__(self, roster: Roster, *, width: int, date1904: bool, at: datetime) -> None:
        self.roster, self._at = roster, at
        today = timezone.localtime(at).date()
        self.counts = ControlTotals()
        self._reader = RowReader(roster, width=width, date1904=date1904, today=today)
        self._rows, self._staged = RowWriter(roster), StagedWriter(roster)
        self._hash_phone, self._phone_end = hasher(context=PHONE), _end(PHONE_END)
        self._number_end = _end(NUMBER_END)
        self._name_columns = name_keys.columns_by(settings.SEARCH_KEYS[0])
        self._seals = {name: copied_sealer(Resident, name) for name in _SEALED}
        self._seal_door = copied_sealer(Household, "door")
        # Thousands of households share a few doors, units and buildings.
        self._hash_door = lru_cache(REMEMBERED)(hasher(context=DOOR))
        self._hash_door_key = lru_cache(REMEMBERED)(hasher(context=DOOR_KEY))
        self._building_key = lru_cache(REMEMBERED)(addresses.building_key)
        self._unit_key = lru_cache(REMEMBERED)(addresses.unit_key)
        self._door_key = lru_cache(REMEMBERED)(addresses.door_key)
        self._fresh_keys = fresh_keys()
        self._seen: dict[str, int] = {}
        self._homes: dict[Home, HouseholdKey] = {}
        self._doors: dict[tuple[int, str, str, str], str] = {}
        # The cells and name of each who is new: of this batch, and of that which is being written.
        self._recent: dict[int, tuple[list[Any], str]] = {}
        self._found: dict[int, tuple[list[Any], str]] = {}
        self._looked_at = 0
        self._thread = ThreadPoolExecutor(1)
        self._writing = ExitStack()
        self._written: Future[None] | None = None

    def check(self, batch: Sequence[Numbered]) -> None:
        """
        Find out what becomes of a batch of rows.

        It is written while the next batch is read: PostgreSQL and Python work side by side.
        """
        people, problems = self._reader.read([cells for _, cells in batch])
        self._settle()
        known = self._known(people)
        self._start()
        outcomes = self.counts.outcomes
        for index, ((number, row), person) in enumerate(zip(batch, people, strict=True)):
            if index in problems:
                outcome = self._put_aside(number, row, REJECTED, *problems[index])
            else:
                outcome = self._decide(number, row, person, known)
            outcomes[outcome] += 1
        self.counts.read += len(batch)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *failure: Any) -> None:
        """Write what is not written yet; after a failure, take back what is half written."""
        try:
            if failure[0] is None:
                self._settle()
                self._start()
                self._settle()
        finally:
            self._thread.shutdown()
            self._writing.__exit__(*sys.exc_info())

    def _start(self) -> None:
        """Begin to write what was found, in a transaction that `_settle` ends."""
        rows, staged = self._rows.take(), self._staged.take()
        self._found, self._recent = self._recent, {}
        self._writing = ExitStack()
        self._writing.enter_context(transaction.atomic())
        cursor = self._writing.enter_context(connection.cursor())
        self._written = self._thread.submit(self._copy, cursor, rows, staged)

    def _copy(self, cursor: Any, rows: list[str], staged: list[str]) -> None:
        self._rows.copy(cursor, rows)
        self._staged.copy(cursor, staged)

    def _settle(self) -> None:
        if self._written is None:
            return
        self._written.result()
        self._written = None
        with self._writing.pop_all():
            self._put_namesakes_aside()
            self._roster_stands()

    def _roster_stands(self) -> None:
        roster = self.roster
        roster.counts, roster.done = self.counts.as_json(), self.counts.read
        roster.touched_at = self._at
        roster.save(update_fields=["counts", "done", "touched_at"])

    def _known(self, people: list[RosterPerson]) -> Known:
        """Return who is registered under the numbers of a batch, wherever they live."""
        wanted: dict[str, list[str]] = {}
        newest: dict[str, str] = {}
        for person in people:
            if person.number_hash:
                wanted.setdefault(person.document_type, []).append(person.number_hash)
            if person.number_hash and len(settings.SEARCH_KEYS) > 1:
                older = number_hashes(person.document_type, person.number)[1:]
                wanted[person.document_type] += older
                newest |= dict.fromkeys(older, person.number_hash)
        known: Known = {}
        for kind, some in wanted.items():
            holding = [~Q(number_hash=""), _one_of(some), Q(document_type=kind)]
            there = Resident.objects.people().filter(*holding)
            # A number that only an entry has that was merged leads to the one that was kept.
            merged = merged_entries().filter(*holding)
            for resident in (*merged, *there.select_related("household__building")):
                held = newest.get(resident.number_hash, resident.number_hash)
                known[kind, held] = standing_for(resident)
        return known

    def _decide(self, number: int, row: list[Any], person: RosterPerson, known: Known) -> str:
        problem: Problem
        if person.number_hash:
            first = self._seen.setdefault(person.number_hash, number)
            if first != number:
                problem = (columns.NUMBER, TWICE, {"row": first})
                return self._put_aside(number, row, DUPLICATE, problem)
            resident = known.get((person.document_type, person.number_hash))
            if resident:
                return self._compare(number, row, person, resident)
        if person.home is None:
            problem = (columns.ADDRESS, NO_ADDRESS, {})
            return self._put_aside(number, row, REJECTED, problem)
        if not person.number_hash:
            said = f"{person.name}:{person.birth_date}:{person.home}"
            first = self._seen.setdefault(said, number)
            if first != number:
                problem = (columns.NAME, TWICE_PERSON, {"row": first})
                return self._put_aside(number, row, DUPLICATE, problem)
        self._recent[number] = row, person.name
        return self._register(number, person, person.home)

    def _compare(
        self, number: int, row: list[Any], person: RosterPerson, resident: Resident
    ) -> str:
        if resident.grid_id not in self._reader.places.paths:
            return self._put_aside(number, row, REJECTED, (columns.NUMBER, ELSEWHERE, {}))
        if resident.gone_as:
            problem: Problem = (columns.NAME, GONE, {})
            return self._put_aside(number, row, DUPLICATE, problem, resident=resident.key)
        if resident.name != person.name:
            problem = (columns.NAME, OTHER_NAME, {})
            return self._put_aside(number, row, DUPLICATE, problem, resident=resident.key)
        return self._change(number, person, resident)

    def _put_aside(
        self,
        number: int,
        row: list[Any],
        outcome: str,
        *problems: Any,
        resident: UUID | None = None,
    ) -> str:
        self._rows.write(number, outcome, note=_note(row, *problems, resident=resident))
        return outcome

    def _register(self, number: int, person: RosterPerson, home: Home) -> str:
        key = next(self._fresh_keys)
        seals = self._seals
        household, made = self._household(home)
        self._rows.write(number, NEW, key, household.key if made else None)
        phone, born = person.phone, person.birth_date
        name = self._name_columns(person.name)
        said = (
            seals["name"](person.name, key),
            name.key,
            name.words,
            name.hash,
            person.document_type,
            seals["number"](person.number, key),
            person.number_hash,
            self._number_end(person.number[-LAST:]),
            person.sex or UNKNOWN,
            born.isoformat() if born else NULL,
            seals["phone"](phone, key),
            self._hash_phone(phone),
            self._phone_end(phone[-LAST:]),
            seals["emergency_name"](person.emergency_name, key),
            seals["emergency_phone"](person.emergency_phone, key),
        )
        self._staged.write(number, key, None, household.columns, "\t".join(said))
        return NEW

    def _household(self, home: Home) -> tuple[HouseholdKey, bool]:
        """Return the columns of a household, and whether this row is the first that names it."""
        known = self._homes.get(home)
        if known:
            return known, False
        grid, (building, unit, floor, door) = home
        unit_key, door_key = self._unit_key(unit), self._door_key(door)
        behind = grid, building, unit_key, door_key
        made = behind not in self._doors
        key = self._doors.setdefault(behind, next(self._fresh_keys))
        said = (
            grid,
            escaped(building),
            escaped(self._building_key(building)),
            escaped(unit),
            escaped(unit_key),
            floor,
            key,
            self._seal_door(door, key),
            self._hash_door(door),
            self._hash_door_key(door_key)[:SHORT],
        )
        self._homes[home] = HouseholdKey(key, in_copy(*said))
        return self._homes[home], made

    def _change(self, number: int, person: RosterPerson, resident: Resident) -> str:
        """Write what a row changes. What it leaves empty stays."""
        new: dict[str, Any] = {}
        changes: list[tuple[str, Any, Any]] = []
        for name in _COMPARED:
            given = getattr(person, name)
            if not given or given == UNKNOWN or self._is_same(name, given, resident):
                continue
            new[name] = given
            changes.append((name, getattr(resident, name), given))
        household, made = _STAYS, False
        if person.home and self._lives_elsewhere(resident, person.home):
            household, made = self._household(person.home)
            before = resident.household
            changes.append(("address", before.address, _address(person.home[1])))
            changes.append(("household", before.key, household.key))
        if not changes:
            self._rows.write(number, UNCHANGED, resident.key)
            return UNCHANGED
        note = {"changes": changes, "version": resident.version}
        self._rows.write(number, UPDATE, resident.key, household.key if made else None, note)
        self._stage_change(number, resident, new, household)
        return UPDATE

    def _is_same(self, name: str, given: Any, resident: Resident) -> bool:
        """Return whether a value is the one that is known; equal hashes need not be unsealed."""
        if name == "phone" and self._hash_phone(given) == resident.phone_hash:
            return True
        return bool(given == getattr(resident, name))

    def _lives_elsewhere(self, resident: Resident, home: Home) -> bool:
        grid, said = home
        there = resident.household
        door = self._door_key(said.door)
        return (
            resident.grid_id != grid
            or there.building.name != said.building
            or there.unit_key != self._unit_key(said.unit)
            or (
                there.door_key != self._hash_door_key(door)[:SHORT]
                and addresses.door_key(there.door) != door
            )
        )

    def _stage_change(
        self, number: int, resident: Resident, new: dict[str, Any], household: HouseholdKey
    ) -> None:
        key = str(resident.key)
        sealed = {name: self._seals[name](new[name], key) for name in _SEALED if name in new}
        self._staged.write(
            number,
            key,
            resident.version,
            household.columns,
            in_copy(
                "",
                resident.name_key,
                None,
                "",
                resident.document_type,
                "",
                resident.number_hash,
                resident.number_end,
                new.get("sex"),
                new.get("birth_date"),
                sealed.get("phone"),
                self._hash_phone(new["phone"]) if "phone" in new else None,
                self._phone_end(new["phone"][-LAST:]) if "phone" in new else None,
                sealed.get("emergency_name"),
                sealed.get("emergency_phone"),
            ),
        )

    def _put_namesakes_aside(self) -> None:
        """Put aside who is new by number, but not by name and birth date."""
        roster = self.roster
        with connection.cursor() as cursor:
            rotating = len(settings.SEARCH_KEYS) > 1
            within = f"{roster.area.path}%"
            cursor.execute(_NAMESAKES, [self._looked_at, roster.pk, within, rotating])
            found = {
                number: key
                for number, key, name in cursor.fetchall()
                if Resident.opened_name(key, name) == self._found[number][1]
            }
            problem: Problem
            for number, key in found.items():
                problem = (columns.NAME, SAME_PERSON, {})
                cells_, _name = self._found[number]
                note = self._rows.sealed(number, _note(cells_, problem, resident=key))
                cursor.execute(_PUT_ASIDE, {"roster": roster.pk, "number": number, "note": note})
        self.counts.outcomes[NEW] -= len(found)
        self.counts.outcomes[DUPLICATE] += len(found)
        self._looked_at = max(self._found, default=self._looked_at)


def _end(context: str) -> Callable[[str], str]:
    """Return the hash of the last characters of numbers, of which there are few."""
    hashed = hasher(context=context)
    return lru_cache(REMEMBERED)(lambda last: hashed(last)[:SHORT])


def _one_of(hashes: list[str]) -> RawSQL:
    # One array instead of thousands of parameters.
    return RawSQL("number_hash = ANY(%s)", [hashes], output_field=BooleanField())


def _note(row: list[Any], *problems: Any, resident: UUID | None) -> dict[str, Any]:
    note: dict[str, Any] = {"cells": row, "why": problems}
    return {**note, "resident": str(resident)} if resident else note


def _address(door: cells.DoorCells) -> str:
    return "-".join(part for part in (door.building, door.unit, door.door) if part)


def fresh_keys() -> Iterator[str]:
    """Yield random UUIDs (version 4) as text; the kernel is asked for a thousand at a time."""
    while True:
        drawn = os.urandom(16 * 1_000).hex()
        for start in range(0, len(drawn), 32):
            digits = drawn[start : start + 32]
            variant = "89ab"[int(digits[16], 16) & 3]
            yield (
                f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}"
                f"-{variant}{digits[17:20]}-{digits[20:]}"
            )
