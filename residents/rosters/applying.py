"""
Taking a roster over: a chunk of rows in one transaction, each table in one statement.

What is taken over leaves the staging table in the same transaction, so that an import that was
interrupted goes on where it stood. A person who was changed or registered since the dry run is
left alone, and the row says so.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_noop

from accounts import audit
from accounts.encryption import VERSION_AT, newest_version
from residents.models import KnownColumns, Resident, Roster, RosterFile, RosterRow
from residents.rosters import columns, reading
from residents.rosters.copying import RowWriter
from residents.rosters.references import pointed_to

CHUNK = 5_000
# One chunk of any roster at a time: two of them may name the same doors in another order.
LOCK = 20221122
State = Roster.State
Outcome = RosterRow.Outcome

LATE = gettext_noop(
    "Somebody registered or changed this person after the file was checked. Compare, and send the"
    " row again if it still holds."
)

_CHUNK = """
SELECT min(row), max(row), count(*), count(*) FILTER (WHERE version IS NULL) FROM (
    SELECT row, version FROM residents_stagedresident
    WHERE roster_id = %(roster)s AND row > %(after)s ORDER BY row LIMIT %(chunk)s
) AS next
"""
_BUILDINGS = """
INSERT INTO residents_building (grid_id, name, name_key)
SELECT DISTINCT grid_id, building, building_key FROM residents_stagedresident
WHERE roster_id = %(roster)s AND row BETWEEN %(first)s AND %(last)s AND grid_id IS NOT NULL
ON CONFLICT DO NOTHING RETURNING id
"""
# Each door is looked up by itself: an empty table has no statistics to plan a join by.
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
    key, household_id, grid_id, name, name_key, name_words, document_type, number, number_hash,
    number_end, sex, birth_date, phone, phone_hash, phone_end, emergency_name, emergency_phone,
    created_at, version, gone_as)
SELECT staged.resident, household.id, staged.grid_id, staged.name, staged.name_key,
    staged.name_words, staged.document_type, staged.number, staged.number_hash, staged.number_end,
    staged.sex, staged.birth_date, staged.phone, staged.phone_hash, staged.phone_end,
    staged.emergency_name, staged.emergency_phone, %(at)s, 1, ''
FROM residents_stagedresident AS staged {_HOME}
WHERE roster_id = %(roster)s AND row BETWEEN %(first)s AND %(last)s AND staged.version IS NULL
"""  # noqa: S608 - our own words
# Somebody was registered meanwhile, which happens in few chunks: looking costs a third more.
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
        OR NOT {pointed_to(Resident, "resident")})
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
    """The keys were changed since the dry run: it has to be done again."""


@dataclass(frozen=True)
class _Taken:
    new: list[str]
    updated: list[str]
    late: int
    buildings: list[int]


def apply(roster: Roster, *, at: datetime) -> int:
    """
    Take over what is staged for `roster`, chunk by chunk, and return how many rows.

    Raise `SealedUnderAnotherKeyError` before anything is done if the keys changed since.
    """
    _refuse_old_keys(roster)
    after = taken = 0
    while chunk := _apply_chunk(roster, after, at):
        after, rows = chunk
        taken += rows
    _finish(roster, at)
    return taken


def _refuse_old_keys(roster: Roster) -> None:
    version = bytes([newest_version()])
    others = " OR ".join(
        f"({column} <> '' AND substring({column} FROM {VERSION_AT + 1} FOR 1) <> %(version)s)"
        for column in ("number", "phone", "emergency_name", "emergency_phone", "door")
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM residents_stagedresident"  # noqa: S608 - our own words
            f" WHERE roster_id = %(roster)s AND ({others}))",
            {"roster": roster.pk, "version": version},
        )
        if cursor.fetchone()[0]:
            raise SealedUnderAnotherKeyError


@transaction.atomic
def _apply_chunk(roster: Roster, after: int, at: datetime) -> tuple[int, int] | None:
    """Take over the rows that follow `after`; return the last of them and how many they were."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        given: dict[str, Any] = {"roster": roster.pk, "chunk": CHUNK, "after": after}
        cursor.execute(_CHUNK, given)
        first, last, rows, new = cursor.fetchone()
        if not rows:
            return None
        given |= {"first": first, "last": last, "at": roster.applied_at}
        taken = _take(cursor, given, rows, changes=rows > new)
        cursor.execute(_LEAVE, given)
    _count(roster, rows, taken, at)
    audit.record(
        by=roster.applied_by,
        did=gettext_noop("took over from a roster"),
        to=roster,
        shown=map(UUID, taken.new + taken.updated),
        new=len(taken.new),
        updated=len(taken.updated),
    )
    return last, rows


def _take(cursor: Any, given: dict[str, Any], rows: int, *, changes: bool) -> _Taken:
    cursor.execute(_BUILDINGS, given)
    buildings = [pk for (pk,) in cursor.fetchall()]
    cursor.execute(_HOUSEHOLDS, given)
    new = _insert(cursor, given)
    updated: list[str] = []
    if changes:
        cursor.execute(_UPDATE, given)
        updated = [key for (key,) in cursor.fetchall()]
    late = rows - len(new) - len(updated)
    if late:
        cursor.execute(_LATE, {**given, "taken": new + updated})
    return _Taken(new, updated, late, buildings)


def _insert(cursor: Any, given: dict[str, Any]) -> list[str]:
    try:
        with transaction.atomic():
            cursor.execute(_NEW + _KEYS, given)
            return [key for (key,) in cursor.fetchall()]
    except IntegrityError:
        cursor.execute(_NEW + _NEW_BUT + _KEYS, given)
        return [key for (key,) in cursor.fetchall()]


def _count(roster: Roster, rows: int, taken: _Taken, at: datetime) -> None:
    """Keep the totals true: what came too late is no longer accepted."""
    roster.done += rows
    roster.touched_at = at
    roster.findings.setdefault("buildings", []).extend(taken.buildings)
    if taken.late:
        left = {
            Outcome.NEW.value: _left(roster, Outcome.NEW),
            Outcome.UPDATE.value: _left(roster, Outcome.UPDATE),
        }
        roster.counts |= left
        roster.counts["rejected"] += taken.late
        roster.counts["late"] = roster.counts.get("late", 0) + taken.late
    roster.save(update_fields=["done", "touched_at", "findings", "counts"])


def _left(roster: Roster, outcome: str) -> int:
    return RosterRow.objects.filter(roster=roster, outcome=outcome).count()


def _finish(roster: Roster, at: datetime) -> None:
    """Note the cells of the rows that came too late, forget the file, and remember its columns."""
    if roster.counts.get("late"):
        _note_late(roster)
    with transaction.atomic():
        RosterFile.objects.filter(roster=roster).delete()
        remember(roster)
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


def remember(roster: Roster) -> None:
    """Keep what the sender calls which column, for their next roster."""
    headings = roster.findings.get("headings", [])
    chosen = {int(index): name for name, index in roster.columns.items()}
    KnownColumns.objects.update_or_create(
        area=roster.area,
        sender=roster.sender,
        defaults={
            "headings": {
                columns.normal(heading): chosen.get(index, "")
                for index, heading in enumerate(headings)
                if columns.normal(heading)
            }
        },
    )
