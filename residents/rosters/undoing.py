"""
Undo a roster: remove new residents, restore changed ones.

Residents that other rows reference, or that were changed since, are kept, and the row tells why.
"""

import json
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from common.encryption import hasher
from residents.register.models import Building, Household, Resident
from residents.register.services import PHONE, PHONE_END, end_hash
from residents.rosters.applying import CHUNK
from residents.rosters.copying import sealer
from residents.rosters.models import Roster, RosterRow
from residents.rosters.references import is_referenced, is_unreferenced

Fate = RosterRow.Fate
Outcome = RosterRow.Outcome
_TAKEN = (Outcome.NEW, Outcome.UPDATE)
_SEALED = ("phone", "emergency_name", "emergency_phone")

_REMOVE = f"""
DELETE FROM residents_resident AS resident
WHERE key = ANY(%s::uuid[]) AND version = 1 AND NOT {is_referenced(Resident, "resident")}
RETURNING key
"""  # noqa: S608 - our own words
# The restored columns with their types, each passed as an array over the rows.
_RESTORED = {
    "row": "bigint",
    "key": "uuid",
    "version": "int",
    "household": "bigint",
    "sex": "varchar",
    "has_birth_date": "boolean",
    "birth_date": "date",
    "phone": "bytea",
    "phone_hash": "varchar",
    "phone_end": "varchar",
    "emergency_name": "bytea",
    "emergency_phone": "bytea",
}
_PUT_BACK = f"""
UPDATE residents_resident AS resident SET
    household_id = COALESCE(household.id, resident.household_id),
    grid_id = COALESCE(building.grid_id, resident.grid_id),
    sex = COALESCE(given.sex, resident.sex),
    birth_date = CASE WHEN has_birth_date THEN given.birth_date ELSE resident.birth_date END,
    phone = COALESCE(given.phone, resident.phone),
    phone_hash = COALESCE(given.phone_hash, resident.phone_hash),
    phone_end = COALESCE(given.phone_end, resident.phone_end),
    emergency_name = COALESCE(given.emergency_name, resident.emergency_name),
    emergency_phone = COALESCE(given.emergency_phone, resident.emergency_phone),
    version = resident.version + 1
FROM unnest({", ".join(f"%({name})s::{kind}[]" for name, kind in _RESTORED.items())})
    AS given ({", ".join(_RESTORED)})
LEFT JOIN residents_household AS household ON household.id = given.household
LEFT JOIN residents_building AS building ON building.id = household.building_id
WHERE resident.key = given.key AND resident.version = given.version
    AND (building.grid_id IS NULL OR building.grid_id = resident.grid_id
        OR NOT {is_referenced(Resident, "resident")})
RETURNING given.row
"""  # noqa: S608 - our own words
_HOUSEHOLDS = f"""
DELETE FROM residents_household AS household
WHERE key IN (SELECT household FROM residents_rosterrow WHERE roster_id = %s)
    AND {is_unreferenced("household")}
"""  # noqa: S608 - our own words


def undo(roster: Roster, *, at: datetime) -> int:
    """Undo a roster, chunk by chunk; return the number of processed rows."""
    undone = 0
    while rows := _undo_chunk(roster, at):
        undone += rows
    _finish(roster, at)
    return undone


@transaction.atomic
def _undo_chunk(roster: Roster, at: datetime) -> int:
    rows = list(
        RosterRow.objects.filter(roster=roster, outcome__in=_TAKEN, fate="").order_by("number")[
            :CHUNK
        ]
    )
    if not rows:
        return 0
    fates = _remove([row for row in rows if row.outcome == Outcome.NEW])
    fates |= _put_back([row for row in rows if row.outcome == Outcome.UPDATE])
    for fate in set(fates.values()):
        RosterRow.objects.filter(
            pk__in=[pk for pk, row_fate in fates.items() if row_fate == fate]
        ).update(fate=fate)
        roster.counts[fate] = roster.counts.get(fate, 0) + list(fates.values()).count(fate)
    roster.done += len(rows)
    roster.touched_at = at
    roster.save(update_fields=["done", "counts", "touched_at"])
    undone_rows = {pk for pk, fate in fates.items() if fate in {Fate.REMOVED, Fate.RESTORED}}
    audit.record(
        by=roster.undone_by,
        did=gettext_noop("undid by a roster"),
        to=roster,
        shown=[row.resident for row in rows if row.pk in undone_rows and row.resident],
    )
    return len(rows)


def _remove(rows: list[RosterRow]) -> dict[int, str]:
    keys = [row.resident for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(_REMOVE, [keys])
        removed = {key for (key,) in cursor.fetchall()}
    used = _referenced([key for key in keys if key not in removed])
    return {
        row.pk: Fate.REMOVED
        if row.resident in removed
        else Fate.IN_USE
        if row.resident in used
        else Fate.CHANGED
        for row in rows
    }


def _referenced(keys: list[UUID | None]) -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key FROM residents_resident AS resident WHERE key = ANY(%s::uuid[])"  # noqa: S608
            f" AND {is_referenced(Resident, 'resident')}",
            [keys],
        )
        return {key for (key,) in cursor.fetchall()}


def _put_back(rows: list[RosterRow]) -> dict[int, str]:
    seals = {name: sealer(Resident, name) for name in _SEALED}
    hashed = hasher(context=PHONE)
    parameters: dict[str, list[Any]] = {name: [] for name in _RESTORED}
    for row in rows:
        note = json.loads(row.note)
        before = {name: value for name, value, _after in note["changes"]}
        columns = _columns_of(before, str(row.resident), seals, hashed)
        columns |= {"row": row.pk, "key": row.resident, "version": note["version"] + 1}
        for name, value in columns.items():
            parameters[name].append(value)
    with connection.cursor() as cursor:
        cursor.execute(_PUT_BACK, parameters)
        restored = {pk for (pk,) in cursor.fetchall()}
    return {row.pk: Fate.RESTORED if row.pk in restored else Fate.CHANGED for row in rows}


def _columns_of(
    before: dict[str, Any], key: str, seals: dict[str, Any], hashed: Any
) -> dict[str, Any]:
    born = before.get("birth_date")
    return {
        "sex": before.get("sex"),
        "has_birth_date": "birth_date" in before,
        "birth_date": date.fromisoformat(born) if born else None,
        "household": before.get("household"),
        "phone_hash": hashed(before["phone"]) if "phone" in before else None,
        "phone_end": end_hash(before["phone"], PHONE_END) if "phone" in before else None,
        **{name: seals[name](before[name], key) if name in before else None for name in _SEALED},
    }


@transaction.atomic
def _finish(roster: Roster, at: datetime) -> None:
    """Delete the empty households and buildings that the roster created."""
    with connection.cursor() as cursor:
        cursor.execute(_HOUSEHOLDS, [roster.pk])
    made = Building.objects.filter(pk__in=roster.findings.get("buildings", []))
    made.exclude(pk__in=Household.objects.values("building")).delete()
    roster.state = Roster.State.UNDONE
    roster.touched_at = at
    roster.save(update_fields=["state", "touched_at"])
    audit.record(
        by=roster.undone_by, did=gettext_noop("undid a roster"), to=roster, **roster.counts
    )
