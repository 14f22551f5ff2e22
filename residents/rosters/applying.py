"""
Import the staged rows of a roster: a chunk in one transaction, each table in one statement.

Imported rows leave the staging table in the same transaction, so that an interrupted import
continues where it stopped. A person who was changed or registered since the dry run is not
changed, and the row is rejected. Of a large roster, two chunks are imported in parallel.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.keys.keyring import newest_search_key
from common import locks
from common.encryption import VERSION_AT, newest_version
from residents.register.models import Resident
from residents.rosters.copying import RowWriter
from residents.rosters.models import KnownColumns, Roster, RosterFile, RosterRow
from residents.rosters.references import is_referenced
from residents.rosters.sheets import columns, reading

CHUNK = 5_000
# Connections for a large roster, and the number of chunks from which one is large.
WORKER_THREADS, LARGE = 2, 4
State = Roster.State
Outcome = RosterRow.Outcome

LATE = gettext_noop(
    "Somebody registered or changed this person after the file was checked. Compare, and send the"
    " row again if it still holds."
)

_CHUNKS = """
SELECT min(row), max(row), count(*), count(*) FILTER (WHERE version IS NULL) FROM (
    SELECT row, version, (row_number() OVER (ORDER BY row) - 1) / %(chunk)s AS chunk
    FROM residents_stagedresident WHERE roster_id = %(roster)s
) AS numbered GROUP BY chunk ORDER BY chunk
"""
_BUILDINGS = """
INSERT INTO residents_building (grid_id, name, name_key)
SELECT DISTINCT grid_id, building, building_key FROM residents_stagedresident
WHERE roster_id = %(roster)s AND row BETWEEN %(first)s AND %(last)s AND grid_id IS NOT NULL
ON CONFLICT DO NOTHING RETURNING id
"""
# LATERAL, because an empty table has no statistics for planning a join.
_HOUSEHOLDS = """
INSERT INTO residents_household (
    key, building_id, unit, unit_key, floor, door, door_hash, door_key)
SELECT home.* FROM (
    SELECT DISTINCT ON (building.id, staged.unit_key, staged.door_key)
        staged.household, building.id AS building, staged.unit, staged.unit_key, staged.floor,
        staged.door, staged.door_hash, staged.door_key
    FROM residents_stagedresident AS staged
    JOIN residents_building AS building
        ON building.grid_id = staged.grid_id AND building.name = staged.building
    WHERE roster_id = %(roster)s AND row BETWEEN %(first)s AND %(last)s
    ORDER BY building.id, staged.unit_key, staged.door_key, staged.row) AS home
LEFT JOIN LATERAL (
    SELECT id FROM residents_household AS known
    WHERE known.building_id = home.building AND known.unit_key = home.unit_key
        AND known.door_key = home.door_key
    LIMIT 1) AS known ON TRUE
WHERE known.id IS NULL
ON CONFLICT DO NOTHING
"""
_HOME = """
JOIN residents_building AS building
    ON building.grid_id = staged.grid_id AND building.name = staged.building
JOIN LATERAL (
    SELECT id FROM residents_household
    WHERE building_id = building.id AND unit_key = staged.unit_key AND door_key = staged.door_key
    ORDER BY id LIMIT 1) AS household ON TRUE
"""
_NEW = f"""
INSERT INTO residents_resident (
    key, household_id, grid_id, name, name_key, name_words, name_hash, document_type, number,
    number_hash, number_end, sex, birth_date, phone, phone_hash, phone_end, emergency_name,
    emergency_phone, created_at, version, gone_as)
SELECT staged.resident, household.id, staged.grid_id, staged.name, staged.name_key,
    staged.name_words, staged.name_hash, staged.document_type, staged.number,
    staged.number_hash, staged.number_end, staged.sex, staged.birth_date, staged.phone,
    staged.phone_hash, staged.phone_end, staged.emergency_name, staged.emergency_phone, %(at)s, 1,
    ''
FROM residents_stagedresident AS staged {_HOME}
WHERE roster_id = %(roster)s AND row BETWEEN %(first)s AND %(last)s AND staged.version IS NULL
"""  # noqa: S608 - our own words
# Only after a conflict, which is rare: the clause makes an insert a third slower.
_NEW_BUT = "ON CONFLICT DO NOTHING"
_KEYS = " RETURNING key::text"
_UPDATE = f"""
UPDATE residents_resident AS resident SET
    household_id = COALESCE(household.id, resident.household_id),
    grid_id = COALESCE(staged.grid_id, resident.grid_id),
    sex = COALESCE(staged.sex, resident.sex),
    birth_date = COALESCE(staged.birth_date, resident.birth_date),
    phone = COALESCE(staged.phone, resident.phone),
    phone_hash = COALESCE(staged.phone_hash, resident.phone_hash),
    phone_end = COALESCE(staged.phone_end, resident.phone_end),
    emergency_name = COALESCE(staged.emergency_name, resident.emergency_name),
    emergency_phone = COALESCE(staged.emergency_phone, resident.emergency_phone),
    version = resident.version + 1
FROM residents_stagedresident AS staged {_HOME.replace("JOIN ", "LEFT JOIN ")}
WHERE roster_id = %(roster)s AND row BETWEEN %(first)s AND %(last)s
    AND resident.key = staged.resident
    AND resident.version = staged.version
    AND (staged.grid_id IS NULL OR staged.grid_id = resident.grid_id
        OR NOT {is_referenced(Resident, "resident")})
RETURNING resident.key::text
"""  # noqa: S608 - our own words
_LATE = """
UPDATE residents_rosterrow SET outcome = 'rejected', resident = NULL, household = NULL, note = ''
WHERE roster_id = %(roster)s AND number IN (
    SELECT row FROM residents_stagedresident
    WHERE roster_id = %(roster)s AND row BETWEEN %(first)s AND %(last)s
        AND resident <> ALL(%(taken)s::uuid[]))
RETURNING number
"""
_LEAVE = """
DELETE FROM residents_stagedresident
WHERE roster_id = %(roster)s AND row BETWEEN %(first)s AND %(last)s
"""


class SealedUnderAnotherKeyError(Exception):
    """The keys were changed since the dry run, which must be repeated."""


class _Chunk(NamedTuple):
    first: int
    last: int
    rows: int
    new: int


@dataclass(frozen=True)
class _WrittenKeys:
    new: list[str]
    updated: list[str]
    late: int


def apply(roster: Roster, *, at: datetime) -> int:
    """
    Import the staged rows of `roster`, chunk by chunk; return their number.

    Raise `SealedUnderAnotherKeyError` at the start if the keys changed since the dry run.
    """
    _refuse_old_keys(roster)
    chunks = _chunks(roster)
    waiting = iter(chunks)
    if len(chunks) < LARGE:
        _apply_chunks(roster, waiting, at)
    else:
        with ThreadPoolExecutor(WORKER_THREADS) as executor:
            for future in [
                executor.submit(_apply_in_thread, roster, waiting, at)
                for _ in range(WORKER_THREADS)
            ]:
                future.result()
    roster.refresh_from_db(fields=["done", "counts", "findings"])
    _finish(roster, at)
    return sum(chunk.rows for chunk in chunks)


def _apply_in_thread(roster: Roster, waiting: Iterator[_Chunk], at: datetime) -> None:
    """Apply chunks in a thread, and close its connection."""
    try:
        _apply_chunks(roster, waiting, at)
    finally:
        connection.close()


def _apply_chunks(roster: Roster, waiting: Iterator[_Chunk], at: datetime) -> None:
    for chunk in waiting:
        _make_homes(roster, chunk)
        _apply_chunk(roster, chunk, at)


def _chunks(roster: Roster) -> list[_Chunk]:
    with connection.cursor() as cursor:
        cursor.execute(_CHUNKS, {"roster": roster.pk, "chunk": CHUNK})
        return [_Chunk(*row) for row in cursor.fetchall()]


def _refuse_old_keys(roster: Roster) -> None:
    version = bytes([newest_version()])
    conditions = " OR ".join(
        f"({column} <> '' AND substring({column} FROM {VERSION_AT + 1} FOR 1) <> %(version)s)"
        for column in ("name", "number", "phone", "emergency_name", "emergency_phone", "door")
    )
    # Rosters checked before 2022-12 have no fingerprint of the search key.
    newest = newest_search_key()
    if roster.findings.get("search_key", newest) != newest:
        raise SealedUnderAnotherKeyError
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM residents_stagedresident"  # noqa: S608 - our own words
            f" WHERE roster_id = %(roster)s AND ({conditions}))",
            {"roster": roster.pk, "version": version},
        )
        if cursor.fetchone()[0]:
            raise SealedUnderAnotherKeyError


@transaction.atomic
def _make_homes(roster: Roster, chunk: _Chunk) -> None:
    """Create the missing buildings and households of a chunk, in a short transaction."""
    parameters = {"roster": roster.pk, "first": chunk.first, "last": chunk.last}
    locks.hold_for_transaction(locks.HOMES)
    with connection.cursor() as cursor:
        cursor.execute(_BUILDINGS, parameters)
        buildings = [pk for (pk,) in cursor.fetchall()]
        cursor.execute(_HOUSEHOLDS, parameters)
    if buildings:
        locked = _locked_roster(roster)
        locked.findings.setdefault("buildings", []).extend(buildings)
        locked.save(update_fields=["findings"])


@transaction.atomic
def _apply_chunk(roster: Roster, chunk: _Chunk, at: datetime) -> None:
    parameters = {
        "roster": roster.pk,
        "first": chunk.first,
        "last": chunk.last,
        "at": roster.applied_at,
    }
    with connection.cursor() as cursor:
        taken = _write_chunk(cursor, parameters, chunk)
        cursor.execute(_LEAVE, parameters)
        # Before the roster is locked, not at commit.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    audit.record(
        by=roster.applied_by,
        did=gettext_noop("imported from a roster"),
        to=roster,
        shown=map(UUID, taken.new + taken.updated),
        new=len(taken.new),
        updated=len(taken.updated),
    )
    _count(roster, chunk, taken, at)


def _write_chunk(cursor: Any, parameters: dict[str, Any], chunk: _Chunk) -> _WrittenKeys:
    new = _insert(cursor, parameters)
    updated: list[str] = []
    if chunk.rows > chunk.new:
        cursor.execute(_UPDATE, parameters)
        updated = [key for (key,) in cursor.fetchall()]
    late = chunk.rows - len(new) - len(updated)
    if late:
        cursor.execute(_LATE, {**parameters, "taken": new + updated})
    return _WrittenKeys(new, updated, late)


def _insert(cursor: Any, parameters: dict[str, Any]) -> list[str]:
    try:
        with transaction.atomic():
            cursor.execute(_NEW + _KEYS, parameters)
            return [key for (key,) in cursor.fetchall()]
    except IntegrityError:
        cursor.execute(_NEW + _NEW_BUT + _KEYS, parameters)
        return [key for (key,) in cursor.fetchall()]


def _locked_roster(roster: Roster) -> Roster:
    return Roster.objects.select_for_update().get(pk=roster.pk)


def _count(roster: Roster, chunk: _Chunk, taken: _WrittenKeys, at: datetime) -> None:
    """Update the totals; late rows no longer count as accepted."""
    locked = _locked_roster(roster)
    locked.done += chunk.rows
    locked.touched_at = at
    if taken.late:
        locked.counts |= {
            Outcome.NEW.value: _count_rows(roster, Outcome.NEW),
            Outcome.UPDATE.value: _count_rows(roster, Outcome.UPDATE),
        }
        locked.counts["rejected"] += taken.late
        locked.counts["late"] = locked.counts.get("late", 0) + taken.late
    locked.save(update_fields=["done", "touched_at", "counts"])


def _count_rows(roster: Roster, outcome: str) -> int:
    return RosterRow.objects.filter(roster=roster, outcome=outcome).count()


def _finish(roster: Roster, at: datetime) -> None:
    """Store the cells of late rows, delete the file, and remember its columns."""
    if roster.counts.get("late"):
        _note_late(roster)
    with transaction.atomic():
        RosterFile.objects.filter(roster=roster).delete()
        remember_columns(roster)
        roster.state = State.APPLIED
        roster.touched_at = at
        roster.outline = ""
        roster.save(update_fields=["state", "touched_at", "outline"])
        audit.record(
            by=roster.applied_by, did=gettext_noop("imported a roster"), to=roster, **roster.counts
        )


def _note_late(roster: Roster) -> None:
    writer = RowWriter(roster)
    late = dict(
        RosterRow.objects.filter(roster=roster, outcome=Outcome.REJECTED, note=b"").values_list(
            "number", "pk"
        )
    )
    with reading.opened(reading.content_of(roster)) as book:
        for batch in book.rows(roster.sheet or 0):
            for number, cells in batch:
                if pk := late.pop(number, None):
                    note = {"cells": cells, "why": [("", LATE, {})]}
                    with connection.cursor() as cursor:
                        cursor.execute(
                            "UPDATE residents_rosterrow SET note = %s WHERE id = %s",
                            [writer.sealed(number, note), pk],
                        )


def remember_columns(roster: Roster) -> None:
    """Store the sender's headings and their fields, for the next roster."""
    headings = roster.findings.get("headings", [])
    chosen = {int(index): name for name, index in roster.columns.items()}
    KnownColumns.objects.update_or_create(
        area=roster.area,
        sender=roster.sender,
        defaults={
            "headings": {
                columns.normalised(heading): chosen.get(index, "")
                for index, heading in enumerate(headings)
                if columns.normalised(heading)
            }
        },
    )
