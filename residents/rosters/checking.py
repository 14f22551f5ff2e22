"""
Compare the rows of a roster with the register, and stage the accepted ones.

Staged values are sealed and hashed as the register will hold them, so that this is done once. A
batch is compared in one query.
"""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime
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
from residents.duplicates.models import kept_entry_of, merged_entries
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
    copy_fields,
    copy_sealer,
    escaped,
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

EXAMPLES = 5  # rows that are named for a reason of rejection
Outcome = RosterRow.Outcome
NEW, UPDATE, UNCHANGED, DUPLICATE, REJECTED, REFERRED = (outcome.value for outcome in Outcome)
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
ELSEWHERE = gettext_noop("A person with this number is registered in another area.")

# By the hash of the pinyin; while two search keys are in use, by the surname's pinyin only.
_NAMESAKES = """
SELECT staged.row, resident.key, resident.name
FROM residents_stagedresident AS staged
JOIN residents_resident AS resident USING (name_key, birth_date)
JOIN accounts_area AS area ON area.id = resident.grid_id AND resident.gone_as = ''
WHERE staged.row > %s AND staged.roster_id = %s AND staged.version IS NULL AND area.path LIKE %s
    AND (staged.name_hash = resident.name_hash OR %s)
"""
# The household of the row stays: other rows with its door use its key.
_PUT_ASIDE = """
WITH gone AS (
    DELETE FROM residents_stagedresident WHERE roster_id = %(roster)s AND row = %(number)s)
UPDATE residents_rosterrow SET outcome = 'duplicate', resident = NULL, note = %(note)s
WHERE roster_id = %(roster)s AND number = %(number)s
"""
_SEALED = ("name", "number", "phone", "emergency_name", "emergency_phone")
_COMPARED = ("sex", "birth_date", "phone", "emergency_name", "emergency_phone")


class HouseholdKey(NamedTuple):
    """The key of a household, and its columns in the format of COPY."""

    key: str
    columns: str


_SAME_HOUSEHOLD = HouseholdKey("", copy_fields(*[None] * 10))


@dataclass
class ControlTotals:
    """The control totals of a dry run."""

    read: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, int]:
        """Return the totals for `Roster.counts`."""
        return {
            "read": self.read,
            **{outcome: self.outcomes[outcome] for outcome in Outcome.values},
        }


class Checker:
    """Checks the rows of one roster in batches, and detects duplicates between rows."""

    def __init__(self, roster: Roster, *, width: int, date1904: bool, at: datetime) -> None:
        self.roster, self._at = roster, at
        today = timezone.localtime(at).date()
        self.counts = ControlTotals()
        self._reader = RowReader(roster, width=width, date1904=date1904, today=today)
        self._rows, self._staged = RowWriter(roster), StagedWriter(roster)
        self._hash_phone, self._phone_end = hasher(context=PHONE), _end_hasher(PHONE_END)
        self._number_end = _end_hasher(NUMBER_END)
        self._name_columns = name_keys.columns_by(settings.SEARCH_KEYS[0])
        self._seals = {name: copy_sealer(Resident, name) for name in _SEALED}
        self._seal_door = copy_sealer(Household, "door")
        # Cached, because thousands of households share a few doors, units and buildings.
        self._hash_door = lru_cache(REMEMBERED)(hasher(context=DOOR))
        self._hash_door_key = lru_cache(REMEMBERED)(hasher(context=DOOR_KEY))
        self._building_key = lru_cache(REMEMBERED)(addresses.building_key)
        self._unit_key = lru_cache(REMEMBERED)(addresses.unit_key)
        self._door_key = lru_cache(REMEMBERED)(addresses.door_key)
        self._fresh_keys = fresh_keys()
        # For each reason of a rejection: number of rows, the first of them, parameters.
        self.reasons: dict[tuple[str, str], list[Any]] = {}
        self._seen: dict[str, int] = {}
        self._homes: dict[Home, HouseholdKey] = {}
        self._doors: dict[tuple[int, str, str, str], str] = {}
        # The cells and names of new people: of this batch, and of the batch being written.
        self._recent: dict[int, tuple[list[Any], str]] = {}
        self._found: dict[int, tuple[list[Any], str]] = {}
        self._looked_at = 0
        # Who of the area has name and birth date of somebody elsewhere, in this batch.
        self._namesakes: dict[tuple[str, date | None], UUID] = {}
        self._thread = ThreadPoolExecutor(1)
        self._writing = ExitStack()
        self._written: Future[None] | None = None

    def check(self, batch: Sequence[Numbered]) -> None:
        """
        Decide the outcome of each row of a batch.

        A batch is written in a thread while the next one is read.
        """
        people, problems = self._reader.read([cells for _, cells in batch])
        self._finish_writing()
        known = self._known(people)
        self._namesakes = self._namesakes_of(people, known)
        self._start_writing()
        outcomes = self.counts.outcomes
        for index, ((number, row), person) in enumerate(zip(batch, people, strict=True)):
            if index in problems:
                outcome = self._put_aside(number, row, REJECTED, *problems[index])
            else:
                outcome = self._decide(number, row, person, known)
            outcomes[outcome] += 1
        self.counts.read += len(batch)

    def __enter__(self) -> Self:
        """Return the checker."""
        return self

    def __exit__(self, *failure: Any) -> None:
        """Write the last batch; after an exception roll the open transaction back."""
        try:
            if failure[0] is None:
                self._finish_writing()
                self._start_writing()
                self._finish_writing()
        finally:
            self._thread.shutdown()
            self._writing.__exit__(*sys.exc_info())

    def _start_writing(self) -> None:
        """Start writing the batch, in a transaction that `_finish_writing` ends."""
        rows, staged = self._rows.take(), self._staged.take()
        self._found, self._recent = self._recent, {}
        self._writing = ExitStack()
        self._writing.enter_context(transaction.atomic())
        cursor = self._writing.enter_context(connection.cursor())
        self._written = self._thread.submit(self._copy, cursor, rows, staged)

    def _copy(self, cursor: Any, rows: list[str], staged: list[str]) -> None:
        self._rows.copy(cursor, rows)
        self._staged.copy(cursor, staged)

    def _finish_writing(self) -> None:
        if self._written is None:
            return
        self._written.result()
        self._written = None
        with self._writing.pop_all():
            self._put_namesakes_aside()
            self._save_progress()

    def _save_progress(self) -> None:
        roster = self.roster
        roster.counts, roster.done = self.counts.as_json(), self.counts.read
        roster.touched_at = self._at
        roster.save(update_fields=["counts", "done", "touched_at"])

    def _known(self, people: list[RosterPerson]) -> Known:
        """Return the holders of the numbers of a batch, in any area."""
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
        for kind, hashes in wanted.items():
            holding = [~Q(number_hash=""), _number_hash_in(hashes), Q(document_type=kind)]
            residents = Resident.objects.people().filter(*holding)
            # If only a merged entry has a number, the entry that was kept counts.
            merged = merged_entries().filter(*holding)
            for resident in (*merged, *residents.select_related("household__building")):
                number_hash = newest.get(resident.number_hash, resident.number_hash)
                known[kind, number_hash] = kept_entry_of(resident)
        return known

    def _namesakes_of(
        self, people: list[RosterPerson], known: Known
    ) -> dict[tuple[str, date | None], UUID]:
        """Return who has the name and birth date of somebody elsewhere, as new rows are asked."""
        asked: set[tuple[str, date]] = set()
        for person in people:
            holder = known.get((person.document_type, person.number_hash))
            if person.number_hash and holder and not self._is_own(holder) and person.birth_date:
                asked.add((person.name, person.birth_date))
        if not asked:
            return {}
        namesakes = Resident.objects.here().filter(
            grid__path__startswith=self.roster.area.path,
            name_key__in={self._name_columns(name).key for name, _ in asked},
            birth_date__in={born for _, born in asked},
        )
        found = {(each.name, each.birth_date): each.key for each in namesakes}
        return {one: key for one, key in found.items() if one in asked}

    def _is_own(self, resident: Resident) -> bool:
        return resident.grid_id in self._reader.places.paths

    def _decide(self, number: int, row: list[Any], person: RosterPerson, known: Known) -> str:
        problem: Problem
        if person.number_hash:
            first = self._seen.setdefault(person.number_hash, number)
            if first != number:
                problem = (columns.NUMBER, TWICE, {"row": first})
                return self._put_aside(number, row, DUPLICATE, problem)
            resident = known.get((person.document_type, person.number_hash))
            # Of somebody elsewhere a row has to say what one of somebody unknown has to: else
            # the row that is let through without an address would be theirs.
            if resident and (person.home or self._is_own(resident)):
                return self._compare(number, row, person, resident)
        if person.home is None:
            problem = (columns.ADDRESS, NO_ADDRESS, {})
            return self._put_aside(number, row, REJECTED, problem)
        if not person.number_hash:
            fingerprint = f"{person.name}:{person.birth_date}:{person.home}"
            first = self._seen.setdefault(fingerprint, number)
            if first != number:
                problem = (columns.NAME, TWICE_PERSON, {"row": first})
                return self._put_aside(number, row, DUPLICATE, problem)
        self._recent[number] = row, person.name
        return self._register(number, person, person.home)

    def _compare(
        self, number: int, row: list[Any], person: RosterPerson, resident: Resident
    ) -> str:
        if not self._is_own(resident):
            if namesake := self._namesakes.get((person.name, person.birth_date)):
                same: Problem = (columns.NAME, SAME_PERSON, {})
                return self._put_aside(number, row, DUPLICATE, same, resident=namesake)
            elsewhere: Problem = (columns.NUMBER, ELSEWHERE, {})
            return self._put_aside(number, row, REFERRED, elsewhere, resident=resident.key)
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
        if outcome == REJECTED:
            self._count_reason(number, problems[0])
        return outcome

    def _count_reason(self, number: int, problem: Problem) -> None:
        column, sentence, parameters = problem
        reason = self.reasons.setdefault((column, sentence), [0, [], parameters])
        reason[0] += 1
        if len(reason[1]) < EXAMPLES:
            reason[1].append(number)

    def _register(self, number: int, person: RosterPerson, home: Home) -> str:
        key = next(self._fresh_keys)
        seals = self._seals
        household, made = self._household(home)
        self._rows.write(number, NEW, key, household.key if made else None)
        phone, born = person.phone, person.birth_date
        name = self._name_columns(person.name)
        values = (
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
        self._staged.write(number, key, None, household.columns, "\t".join(values))
        return NEW

    def _household(self, home: Home) -> tuple[HouseholdKey, bool]:
        """Return the columns of a household, and whether this row is the first with it."""
        known = self._homes.get(home)
        if known:
            return known, False
        grid, (building, unit, floor, door) = home
        unit_key, door_key = self._unit_key(unit), self._door_key(door)
        door_id = grid, building, unit_key, door_key
        made = door_id not in self._doors
        key = self._doors.setdefault(door_id, next(self._fresh_keys))
        values = (
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
        self._homes[home] = HouseholdKey(key, copy_fields(*values))
        return self._homes[home], made

    def _change(self, number: int, person: RosterPerson, resident: Resident) -> str:
        """Stage the changes of a row; empty cells change nothing."""
        new: dict[str, Any] = {}
        changes: list[tuple[str, Any, Any]] = []
        for name in _COMPARED:
            value = getattr(person, name)
            if not value or value == UNKNOWN or self._is_same(name, value, resident):
                continue
            new[name] = value
            changes.append((name, getattr(resident, name), value))
        household, made = _SAME_HOUSEHOLD, False
        if person.home and self._lives_elsewhere(resident, person.home):
            household, made = self._household(person.home)
            before = resident.household
            changes.append(("address", before.address, _address(person.home[1])))
            # By number: its pseudonym may change until the roster is undone.
            changes.append(("household", before.pk, None))
        if not changes:
            self._rows.write(number, UNCHANGED, resident.key)
            return UNCHANGED
        note = {"changes": changes, "version": resident.version}
        self._rows.write(number, UPDATE, resident.key, household.key if made else None, note)
        self._stage_change(number, resident, new, household)
        return UPDATE

    def _is_same(self, name: str, value: Any, resident: Resident) -> bool:
        """Return whether a value is unchanged; phones with equal hashes are not unsealed."""
        if name == "phone" and self._hash_phone(value) == resident.phone_hash:
            return True
        return bool(value == getattr(resident, name))

    def _lives_elsewhere(self, resident: Resident, home: Home) -> bool:
        grid, address = home
        household = resident.household
        door = self._door_key(address.door)
        return (
            resident.grid_id != grid
            or household.building.name != address.building
            or household.unit_key != self._unit_key(address.unit)
            or (
                household.door_key != self._hash_door_key(door)[:SHORT]
                and addresses.door_key(household.door) != door
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
            copy_fields(
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
        """Put new rows aside whose name and birth date are registered already."""
        roster = self.roster
        with connection.cursor() as cursor:
            rotating = len(settings.SEARCH_KEYS) > 1
            within = f"{roster.area.path}%"
            cursor.execute(_NAMESAKES, [self._looked_at, roster.pk, within, rotating])
            namesakes = {
                number: key
                for number, key, name in cursor.fetchall()
                if Resident.opened_name(key, name) == self._found[number][1]
            }
            problem: Problem
            for number, key in namesakes.items():
                problem = (columns.NAME, SAME_PERSON, {})
                cells_, _name = self._found[number]
                note = self._rows.sealed(number, _note(cells_, problem, resident=key))
                cursor.execute(_PUT_ASIDE, {"roster": roster.pk, "number": number, "note": note})
        self.counts.outcomes[NEW] -= len(namesakes)
        self.counts.outcomes[DUPLICATE] += len(namesakes)
        self._looked_at = max(self._found, default=self._looked_at)


def _end_hasher(context: str) -> Callable[[str], str]:
    """Return a caching hasher for the last four characters, which have few values."""
    hashed = hasher(context=context)
    return lru_cache(REMEMBERED)(lambda last: hashed(last)[:SHORT])


def _number_hash_in(hashes: list[str]) -> RawSQL:
    # An array instead of thousands of parameters.
    return RawSQL("number_hash = ANY(%s)", [hashes], output_field=BooleanField())


def _note(row: list[Any], *problems: Any, resident: UUID | None) -> dict[str, Any]:
    note: dict[str, Any] = {"cells": row, "why": problems}
    return {**note, "resident": str(resident)} if resident else note


def _address(door: cells.DoorCells) -> str:
    return "-".join(part for part in (door.building, door.unit, door.door) if part)


def fresh_keys() -> Iterator[str]:
    """Yield random UUIDs (version 4) as text, read from the kernel a thousand at a time."""
    while True:
        drawn = os.urandom(16 * 1_000).hex()
        for start in range(0, len(drawn), 32):
            digits = drawn[start : start + 32]
            variant = "89ab"[int(digits[16], 16) & 3]
            yield (
                f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}"
                f"-{variant}{digits[17:20]}-{digits[20:]}"
            )
