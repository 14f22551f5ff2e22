"""
Merging two entries of one person, field by field, and taking that back.

This floor's share: the fields, and what this floor knows of a person.
`quarantine.relocation.merging` is what pages call: it takes along what stands above.
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
from residents.keypeople.services import adds_to, hand_doses_over
from residents.register import services
from residents.register.identity import read_number
from residents.register.models import Household, Resident
from residents.whitelist.models import Worker


class Field(models.TextChoices):
    """What is chosen of one entry or the other."""

    NAME = "name", pgettext_lazy("of a person", "Name")
    DOCUMENT = "document", gettext_lazy("Document and number")
    SEX = "sex", gettext_lazy("Sex")
    BIRTH_DATE = "birth_date", gettext_lazy("Birth date")
    PHONE = "phone", gettext_lazy("Phone")
    EMERGENCY_NAME = "emergency_name", gettext_lazy("Emergency contact")
    EMERGENCY_PHONE = "emergency_phone", gettext_lazy("Their phone")
    HOME = "home", gettext_lazy("Where they live")


class MergeError(RefusedError):
    """Two entries that cannot be merged, or a merge that cannot be undone; it says why."""


def held(resident: Resident) -> dict[str, Any]:
    """Return what an entry holds of each field; personal data, ready for JSON."""
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
    one, other = held(first), held(second)
    return [field for field in Field if one[field] != other[field]]


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
    Merge one entry into another, with the fields `take` of the one that goes.

    `versions` are those that the page had shown. Raise MergeError, or
    `services.ChangedMeanwhileError`.
    """
    _lock(kept, merged)
    if kept.gone_as in Resident.NOBODY or merged.gone_as in Resident.NOBODY:
        raise MergeError(_("One of these entries was merged or taken back already."))
    _refuse_two(kept, merged)
    taken = _as_the_number_says(kept, merged, take, today=clock.day_of(at))
    before: dict[str, Any] = {"kept": held(kept), "merged": held(merged), "take": taken}
    made = Merge.objects.create(kept=kept, merged=merged, before=json.dumps(before), at=at, by=by)
    gone = {"gone_as": Resident.GoneAs.MERGED, "gone_on": clock.day_of(at)}
    services.update(merged, versions[1], **gone)
    services.update(kept, versions[0], **_columns(before["merged"], taken))
    made.moved = _take_along(kept, merged, at=at, by=by)
    Merge.objects.filter(pk=made.pk).update(moved=made.moved)
    for resident, other in ((kept, merged), (merged, kept)):
        did = gettext_noop("merged two entries")
        audit.record(by=by, did=did, to=resident, other=str(other.key))
    return made


@transaction.atomic
def unmerge(*, made: Merge, at: datetime, by: User) -> None:
    """
    Let both entries be as they were. Raise MergeError when what was taken was changed since.

    Call it before anything of the floors above is put back: it says that the merge is undone.
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
    _refuse_held(merged)
    _household, gone_as, gone_on = before["merged"][Field.HOME]
    services.update(merged, merged.version, gone_as=gone_as, gone_on=gone_on)
    _let_go(made, at=at, by=by)
    for resident, other in ((kept, merged), (merged, kept)):
        did = gettext_noop("undid a merge")
        audit.record(by=by, did=did, to=resident, other=str(other.key))


def move_rows(rows: "models.QuerySet[Any]", to: Resident) -> list[int]:
    """Let rows about one entry be about another, and return their keys, for `Merge.moved`."""
    keys = sorted(rows.values_list("pk", flat=True))
    rows.model._base_manager.filter(pk__in=keys).update(resident=to)
    return keys


def move_back(model: type[models.Model], keys: Collection[int], made: Merge) -> None:
    """Let rows that came along be about the merged entry again."""
    rows = model._base_manager.filter(pk__in=keys, resident=made.kept)
    rows.update(resident=made.merged)


def _lock(*pair: Resident) -> None:
    """Wait for whoever writes about either entry, and let nobody begin until this is done."""
    keys = [resident.pk for resident in pair]
    list(Resident.objects.select_for_update().filter(pk__in=keys).order_by("pk"))
    for resident in pair:
        resident.refresh_from_db()


def _refuse_two(kept: Resident, merged: Resident) -> None:
    """Raise MergeError where both have what one person has once, and none may be lost."""
    if Worker.objects.filter(resident__in=[kept, merged], ended_at=None).count() > 1:
        raise MergeError(
            _("Both are on the white list. Take one off first: one person stands there once.")
        )
    files = {
        file.resident_id: file for file in HealthFile.objects.filter(resident__in=[kept, merged])
    }
    if len(files) > 1 and adds_to(files[merged.pk], files[kept.pk]):
        raise MergeError(
            _(
                "The health file of the entry that goes says what the other one does not. Write it"
                " there first, so that nothing is lost."
            )
        )


def _refuse_changed(kept: Resident, before: dict[str, Any]) -> None:
    """Raise MergeError where a field that was taken from the merged entry was changed since."""
    now = held(kept)
    changed = [Field(f) for f in before["take"] if now[f] != before["merged"][f]]
    if changed:
        raise MergeError(
            _("It was changed since the merge and cannot be put back: %(fields)s.")
            % {"fields": "、".join(str(field.label) for field in changed)}
        )


def _refuse_held(merged: Resident) -> None:
    """Raise MergeError where another entry holds the number of the merged one by now."""
    kind = merged.document_type
    hashes = services.number_hashes(kind, merged.number) if merged.number else []
    holders = Resident.objects.filter(document_type=kind, number_hash__in=hashes)
    if holders.exclude(gone_as__in=Resident.NOBODY).exists():
        raise MergeError(
            _("The number of the merged entry stands on another one by now: mend that first.")
        )


def _as_the_number_says(
    kept: Resident, merged: Resident, take: Collection[Field], *, today: date
) -> list[Field]:
    """Return `take`, with sex and birth date from the same entry as a number that says them."""
    taken = set(take)
    source = merged if Field.DOCUMENT in taken else kept
    said = read_number(source.document_type, source.number, today=today)
    spoken = {Field.SEX: said.sex, Field.BIRTH_DATE: said.birth_date}
    for field in (field for field, value in spoken.items() if value):
        taken = taken | {field} if source is merged else taken - {field}
    return sorted(taken)


def _take_along(
    kept: Resident, merged: Resident, *, at: datetime, by: User
) -> dict[str, list[int]]:
    """Take along what this floor knows; of what both have once, the kept entry's stays."""
    files = HealthFile.objects.filter(resident=merged)
    if HealthFile.objects.filter(resident=kept).exists():
        files = files.none()
    own = {dose.day for dose in Dose.objects.valid().filter(resident=kept)}
    given = Dose.objects.filter(resident=merged).select_related("resident")
    doses = [dose for dose in given if dose.withdrawn_at or dose.day not in own]
    moved = {
        "needs": move_rows(Need.objects.filter(resident=merged), kept),
        "posts": move_rows(Worker.objects.filter(resident=merged), kept),
        "health_file": move_rows(files, kept),
        "doses": [dose.pk for dose in doses],
    }
    hand_doses_over(doses=doses, to=kept, at=at, by=by)
    return moved


def _let_go(made: Merge, *, at: datetime, by: User) -> None:
    for name, model in (("needs", Need), ("posts", Worker), ("health_file", HealthFile)):
        move_back(model, made.moved[name], made)
    doses = Dose.objects.filter(pk__in=made.moved["doses"], resident=made.kept)
    hand_doses_over(doses=list(doses.select_related("resident")), to=made.merged, at=at, by=by)


def _columns(values: dict[str, Any], fields: Collection[str]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for field in fields:
        columns |= _COLUMNS[Field(field)](values[field])
    return columns


def _home(value: list[Any]) -> dict[str, Any]:
    household = Household.objects.select_related("building__grid").filter(pk=value[0]).first()
    if household is None:
        raise MergeError(_("The door where they lived is no longer kept: it cannot be put back."))
    return {
        "household": household,
        "grid": household.building.grid,
        "gone_as": value[1],
        "gone_on": value[2],
    }


def _born(value: str | None) -> dict[str, Any]:
    return {"birth_date": date.fromisoformat(value) if value else None}


_COLUMNS: dict[Field, Callable[[Any], dict[str, Any]]] = {
    Field.NAME: services.name_columns,
    Field.DOCUMENT: lambda value: services.number_columns(*value),
    Field.SEX: lambda value: {"sex": value},
    Field.BIRTH_DATE: _born,
    Field.PHONE: services.phone_columns,
    Field.EMERGENCY_NAME: lambda value: {"emergency_name": value},
    Field.EMERGENCY_PHONE: lambda value: {"emergency_phone": value},
    Field.HOME: _home,
}
