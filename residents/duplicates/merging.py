"""
Merge two entries of one person, field by field, and undo it.

This layer merges the fields and the records of `residents`. Pages call
`quarantine.duplicates.merging`, which also moves the records of the layers above.
"""

import json
from collections.abc import Callable, Collection
from datetime import date, datetime
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, pgettext_lazy

from accounts.auditing import audit
from accounts.staff.models import User
from common import clock
from common.errors import RefusedError
from residents.duplicates.models import Merge
from residents.keypeople.models import Dose, HealthFile, Need
from residents.keypeople.services import has_facts_missing_in, reassign_doses
from residents.register import services
from residents.register.identity import read_number
from residents.register.models import Household, Resident
from residents.whitelist.models import Worker


class Field(models.TextChoices):
    """The fields that are chosen from either entry."""

    NAME = "name", pgettext_lazy("of a person", "Name")
    DOCUMENT = "document", gettext_lazy("Document and number")
    SEX = "sex", gettext_lazy("Sex")
    BIRTH_DATE = "birth_date", gettext_lazy("Birth date")
    PHONE = "phone", gettext_lazy("Phone")
    EMERGENCY_NAME = "emergency_name", gettext_lazy("Emergency contact")
    EMERGENCY_PHONE = "emergency_phone", gettext_lazy("Their phone")
    HOME = "home", gettext_lazy("Where they live")


class MergeError(RefusedError):
    """The entries cannot be merged, or the merge cannot be undone; with the reason."""


def field_values(resident: Resident) -> dict[str, Any]:
    """Return the values of an entry by field, ready for JSON; personal data."""
    gone = resident.gone_on.isoformat() if resident.gone_on else None
    return {
        Field.NAME: resident.name,
        Field.DOCUMENT: [resident.document_type, resident.number],
        Field.SEX: resident.sex,
        Field.BIRTH_DATE: resident.birth_date.isoformat() if resident.birth_date else None,
        Field.PHONE: resident.phone,
        Field.EMERGENCY_NAME: resident.emergency_name,
        Field.EMERGENCY_PHONE: resident.emergency_phone,
        Field.HOME: [resident.household_id, resident.gone_as, gone],
    }


def differing(first: Resident, second: Resident) -> list[Field]:
    """Return the fields in which two entries differ."""
    first_values, second_values = field_values(first), field_values(second)
    return [field for field in Field if first_values[field] != second_values[field]]


@transaction.atomic
def merge(
    *,
    kept: Resident,
    merged: Resident,
    versions: tuple[int, int],
    take: Collection[Field],
    at: datetime,
    by: User,
) -> Merge:
    """
    Merge `merged` into `kept`, taking the fields `take` from `merged`.

    `versions` are those shown on the page. Raise MergeError or
    `services.ChangedMeanwhileError`.
    """
    _lock(kept, merged)
    if kept.gone_as in Resident.NOBODY or merged.gone_as in Resident.NOBODY:
        raise MergeError(_("One of these entries was merged or taken back already."))
    _refuse_conflicts(kept, merged)
    taken = _consistent_with_number(kept, merged, take, today=clock.day_of(at))
    before: dict[str, Any] = {
        "kept": field_values(kept),
        "merged": field_values(merged),
        "take": taken,
    }
    made = Merge.objects.create(kept=kept, merged=merged, before=json.dumps(before), at=at, by=by)
    gone = {"gone_as": Resident.GoneAs.MERGED, "gone_on": clock.day_of(at)}
    services.update(merged, versions[1], **gone)
    services.update(kept, versions[0], **_columns(before["merged"], taken))
    made.moved = _move_records(kept, merged, at=at, by=by)
    Merge.objects.filter(pk=made.pk).update(moved=made.moved)
    for resident, other in ((kept, merged), (merged, kept)):
        did = gettext_noop("merged two entries")
        audit.record(by=by, did=did, to=resident, other=str(other.key))
    return made


@transaction.atomic
def unmerge(*, made: Merge, at: datetime, by: User) -> None:
    """
    Undo a merge. Raise MergeError if a field taken from the merged entry was changed since.

    Call it before the layers above move their records back: the database allows that only
    once the merge is marked as undone.
    """
    kept, merged = made.kept, made.merged
    _lock(kept, merged)
    undone = Merge.objects.filter(pk=made.pk, undone_at=None)
    if not undone.update(undone_at=at, undone_by=by):
        raise MergeError(_("This merge was undone already."))
    if kept.gone_as in Resident.NOBODY:
        raise MergeError(_("The kept entry was itself merged since: undo that first."))
    before = json.loads(made.before)
    _refuse_changed(kept, before)
    services.update(kept, kept.version, **_columns(before["kept"], before["take"]))
    _refuse_reused_number(merged)
    _household, gone_as, gone_on = before["merged"][Field.HOME]
    services.update(merged, merged.version, gone_as=gone_as, gone_on=gone_on)
    _move_records_back(made, at=at, by=by)
    for resident, other in ((kept, merged), (merged, kept)):
        did = gettext_noop("undid a merge")
        audit.record(by=by, did=did, to=resident, other=str(other.key))


def move_rows(rows: "models.QuerySet[Any]", to: Resident) -> list[int]:
    """Reassign rows to the resident `to`; return their keys, for `Merge.moved`."""
    keys = sorted(rows.values_list("pk", flat=True))
    rows.model._base_manager.filter(pk__in=keys).update(resident=to)
    return keys


def move_back(model: type[models.Model], keys: Collection[int], made: Merge) -> None:
    """Reassign rows to the merged entry again."""
    rows = model._base_manager.filter(pk__in=keys, resident=made.kept)
    rows.update(resident=made.merged)


def _lock(*pair: Resident) -> None:
    """Lock both entries until the transaction ends, and reload them."""
    keys = [resident.pk for resident in pair]
    list(Resident.objects.select_for_update().filter(pk__in=keys).order_by("pk"))
    for resident in pair:
        resident.refresh_from_db()


def _refuse_conflicts(kept: Resident, merged: Resident) -> None:
    """Raise MergeError if both entries have a record that one person can have only once."""
    if Worker.objects.filter(resident__in=[kept, merged], ended_at=None).count() > 1:
        raise MergeError(
            _("Both are on the white list. Take one off first: one person stands there once.")
        )
    files = {
        file.resident_id: file for file in HealthFile.objects.filter(resident__in=[kept, merged])
    }
    if len(files) > 1 and has_facts_missing_in(files[merged.pk], files[kept.pk]):
        raise MergeError(
            _(
                "The health file of the entry that goes says what the other one does not. Write it"
                " there first, so that nothing is lost."
            )
        )


def _refuse_changed(kept: Resident, before: dict[str, Any]) -> None:
    """Raise MergeError if a field taken from the merged entry was changed since."""
    current = field_values(kept)
    changed = [Field(f) for f in before["take"] if current[f] != before["merged"][f]]
    if changed:
        raise MergeError(
            _("It was changed since the merge and cannot be put back: %(fields)s.")
            % {"fields": "、".join(str(field.label) for field in changed)}
        )


def _refuse_reused_number(merged: Resident) -> None:
    """Raise MergeError if another entry has the number of the merged one now."""
    kind = merged.document_type
    hashes = services.number_hashes(kind, merged.number) if merged.number else []
    holders = Resident.objects.filter(document_type=kind, number_hash__in=hashes)
    if holders.exclude(gone_as__in=Resident.NOBODY).exists():
        raise MergeError(
            _("The number of the merged entry stands on another one by now: mend that first.")
        )


def _consistent_with_number(
    kept: Resident, merged: Resident, take: Collection[Field], *, today: date
) -> list[Field]:
    """Return `take`, with sex and birth date from the entry whose number contains them."""
    taken = set(take)
    source = merged if Field.DOCUMENT in taken else kept
    identity = read_number(source.document_type, source.number, today=today)
    from_number = {Field.SEX: identity.sex, Field.BIRTH_DATE: identity.birth_date}
    for field in (field for field, value in from_number.items() if value):
        taken = taken | {field} if source is merged else taken - {field}
    return sorted(taken)


def _move_records(
    kept: Resident, merged: Resident, *, at: datetime, by: User
) -> dict[str, list[int]]:
    """Move the records of this layer; where each may have one, the kept entry's stays."""
    files = HealthFile.objects.filter(resident=merged)
    if HealthFile.objects.filter(resident=kept).exists():
        files = files.none()
    kept_days = {dose.day for dose in Dose.objects.valid().filter(resident=kept)}
    merged_doses = Dose.objects.filter(resident=merged).select_related("resident")
    doses = [dose for dose in merged_doses if dose.withdrawn_at or dose.day not in kept_days]
    moved = {
        "needs": move_rows(Need.objects.filter(resident=merged), kept),
        "posts": move_rows(Worker.objects.filter(resident=merged), kept),
        "health_file": move_rows(files, kept),
        "doses": [dose.pk for dose in doses],
    }
    reassign_doses(doses=doses, to=kept, at=at, by=by)
    return moved


def _move_records_back(made: Merge, *, at: datetime, by: User) -> None:
    for name, model in (("needs", Need), ("posts", Worker), ("health_file", HealthFile)):
        move_back(model, made.moved[name], made)
    doses = Dose.objects.filter(pk__in=made.moved["doses"], resident=made.kept)
    reassign_doses(doses=list(doses.select_related("resident")), to=made.merged, at=at, by=by)


def _columns(values: dict[str, Any], fields: Collection[str]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for field in fields:
        columns |= _COLUMNS[Field(field)](values[field])
    return columns


def _home_columns(value: list[Any]) -> dict[str, Any]:
    household = Household.objects.select_related("building__grid").filter(pk=value[0]).first()
    if household is None:
        raise MergeError(_("The door where they lived is no longer kept: it cannot be put back."))
    return {
        "household": household,
        "grid": household.building.grid,
        "gone_as": value[1],
        "gone_on": value[2],
    }


def _birth_date_column(value: str | None) -> dict[str, Any]:
    return {"birth_date": date.fromisoformat(value) if value else None}


_COLUMNS: dict[Field, Callable[[Any], dict[str, Any]]] = {
    Field.NAME: services.name_columns,
    Field.DOCUMENT: lambda value: services.number_columns(*value),
    Field.SEX: lambda value: {"sex": value},
    Field.BIRTH_DATE: _birth_date_column,
    Field.PHONE: services.phone_columns,
    Field.EMERGENCY_NAME: lambda value: {"emergency_name": value},
    Field.EMERGENCY_PHONE: lambda value: {"emergency_phone": value},
    Field.HOME: _home_columns,
}
