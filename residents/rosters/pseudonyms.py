"""Let rosters follow people and households who were given new pseudonyms."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from residents.register.models import Resident
from residents.rosters.models import RosterRow, StagedResident

_SEALED = ("name", "number", "phone", "emergency_name", "emergency_phone")


def follow(*, keys: Mapping[UUID, UUID], since: datetime) -> None:
    """
    Put the new pseudonyms for the old ones into all rosters uploaded after a moment.

    What is staged for a person is sealed anew for them. The household of a staged row stays: it is
    one that is yet to be made.
    """
    for name in ("resident", "household"):
        wanted = {"roster__uploaded_at__gt": since, f"{name}__in": list(keys)}
        rows = list(RosterRow.objects.filter(**wanted).only("pk", name))
        for row in rows:
            setattr(row, name, keys[getattr(row, name)])
        RosterRow.objects.bulk_update(rows, [name])
    staged = StagedResident.objects.filter(
        roster__uploaded_at__gt=since, resident__in=list(keys)
    ).only("roster_id", "row", "resident", *_SEALED)
    for each in staged:
        new = keys[each.resident]
        StagedResident.objects.filter(pk=each.pk).update(resident=new, **_resealed(each, new))


def _resealed(staged: StagedResident, new: UUID) -> dict[str, Any]:
    values = {name: getattr(staged, name) for name in _SEALED}
    fields: dict[str, Any] = {name: Resident._meta.get_field(name) for name in _SEALED}
    return {
        name: bytes(fields[name].seal(fields[name].open(bytes(value), staged.resident), new))
        for name, value in values.items()
        if value
    }
