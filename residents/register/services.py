"""Registering residents, finding them, changing what is known, uncovering what is masked."""

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Model, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, pgettext_lazy

from accounts.auditing import audit
from accounts.staff.models import Area, User
from common.encryption import sealed, search_hash, search_hashes
from residents.duplicates.models import merged_entries, standing_for
from residents.openings.models import Opening
from residents.register import addresses
from residents.register.identity import Identity, read_name, read_number, read_phone
from residents.register.models import Building, Household, Resident, UncoverReason
from residents.search import name_keys

# The contexts that keep equal texts of two columns from having equal hashes.
NUMBER, PHONE, DOOR = "resident.number", "resident.phone", "household.door"
NUMBER_END, PHONE_END, DOOR_KEY = "resident.number_end", "resident.phone_end", "household.door_key"
LAST = 4  # characters of a number or phone by which somebody is found
_DERIVED = ("_hash", "_key", "_end", "_words")
SHORT = 16  # characters of a hash that many rows share anyway

# What `uncover` may show, and how each is called.
UNCOVERABLE = {
    "name": pgettext_lazy("of a person", "name"),
    "number": gettext_lazy("number"),
    "phone": gettext_lazy("phone"),
    "address": gettext_lazy("address"),
    "emergency_name": gettext_lazy("emergency contact"),
    "emergency_phone": gettext_lazy("phone of the emergency contact"),
}


# What the audit says of residents, in words for their page.


class AlreadyRegisteredError(ValidationError):
    """The number belongs to somebody who is registered in the areas of the one who asks."""

    def __init__(self, resident: Resident) -> None:
        self.resident = resident
        super().__init__(
            _("This number is registered already: open that person instead of a second entry.")
        )


class RegisteredElsewhereError(ValidationError):
    """The number belongs to somebody outside the areas of the one who asks."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "A person with this number is registered in an area that is not yours. Open their"
                " record with a reason, or ask your supervisor to have them moved here."
            )
        )


class ChangedMeanwhileError(ValidationError):
    """Somebody else saved the row after it was read."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "Somebody else changed this person while you were writing. Your input is still"
                " here: compare it with what is saved now, and save again."
            )
        )


def find_by_number(*, document_type: str, number: str) -> Resident | None:
    """Return who holds this number, wherever they live; ask `known` on behalf of somebody."""
    if not number:
        return None
    return holder_of(number_hashes(document_type, number), document_types=[document_type])


def holder_of(hashes: Collection[str], *, document_types: Collection[str]) -> Resident | None:
    """
    Return who holds a number of one of these hashes.

    A number that only an entry has that was merged leads to the one that was kept.
    """
    holding = Q(document_type__in=document_types, number_hash__in=hashes)
    found = Resident.objects.people().filter(holding).select_related("household__building", "grid")
    # Without a limit, which would let the planner walk the residents by key.
    if own := list(found):
        return own[0]
    merged = list(merged_entries().filter(holding))
    return standing_for(merged[0]) if merged else None


@transaction.atomic
def known(*, document_type: str, number: str, by: User) -> Resident | None:
    """
    Return who holds this number, to be filled in on a form; written down as a reading.

    Who lives in other areas is not told from who is registered nowhere.
    """
    hashes = number_hashes(document_type, number)
    mine = Resident.objects.visible_to(by).filter(document_type=document_type)
    found = mine.filter(number_hash__in=hashes).first() if number else None
    if found:
        read(resident=found, by=by)
    return found


def read(*, resident: Resident, by: User, also: Iterable[Resident] = ()) -> None:
    """
    Write down that `by` looks at a resident's data, and at others who stand beside it.

    Of a resident who is not in the areas of `by` it says by which opening.
    """
    shown = [other.key for other in also]
    opening = opening_of(resident, by)
    through = {"opening": str(opening.key)} if opening else {}
    audit.record(
        by=by, did=gettext_noop("read"), to=resident, shown=shown, code="", reason="", **through
    )


def opening_of(resident: Resident, by: User) -> Opening | None:
    """Return by which opening `by` sees a resident; None where the resident is theirs."""
    if resident.grid.path.startswith(by.area_paths):
        return None
    return Opening.objects.active().filter(resident=resident, by=by).order_by("-pk").first()


def showed(*, page: str, people: Iterable[Resident], by: User) -> None:
    """Write down that a page showed `people` to `by`; call it in every view that lists people."""
    audit.showed(by=by, page=page, people=[resident.key for resident in people])


@transaction.atomic
def household_at(
    *, building: Building, unit: str = "", door: str, floor: int | None = None
) -> Household:
    """Return the household behind a door of `building`, made where nobody was there before."""
    unit, door = _tidy(unit), _tidy(door)
    if not door:
        raise ValidationError(_("Enter the door, for example 502."))
    if known := _behind(building, unit, door):
        household, made = known, False
    else:
        household, made = Household.objects.get_or_create(
            building=building,
            unit=unit,
            door_hash=search_hash(door, context=DOOR),
            defaults={"door": door, "floor": floor, **door_columns(unit, door)},
        )
    if not made and floor is not None and household.floor is None:
        Household.objects.filter(pk=household.pk).update(floor=floor)
        household.floor = floor
    return household


def _behind(building: Building, unit: str, door: str) -> Household | None:
    """Return who is registered behind this door, however it was written then."""
    there = Household.objects.filter(
        building=building, unit_key=addresses.unit_key(unit), door_key__in=door_hashes(door)
    )
    return there.order_by("pk").first()


@transaction.atomic
def building_at(*, grid: Area, name: str) -> Building:
    """Return the building of this name in `grid`, made where there was none."""
    if not (tidy := _tidy(name)):
        raise ValidationError(_("Enter the building, for example 3号楼."))
    key = addresses.building_key(tidy)
    known = Building.objects.filter(grid=grid, name_key=key).order_by("pk").first()
    if key and known:
        return known
    return Building.objects.get_or_create(grid=grid, name=tidy, defaults={"name_key": key})[0]


@transaction.atomic
def register(
    *,
    household: Household,
    name: str,
    document_type: str,
    number: str = "",
    phone: str = "",
    sex: str = Resident.Sex.UNKNOWN,
    birth_date: date | None = None,
    emergency_name: str = "",
    emergency_phone: str = "",
    at: datetime,
    by: User,
) -> Resident:
    """
    Register a person who lives or stays in `household`.

    Sex and birth date are those that the number says, where it says them.
    """
    identity = read_number(document_type, number, today=timezone.localtime(at).date())
    _refuse_known(document_type, identity, by)
    resident = Resident.objects.create(
        household=household,
        grid=household.building.grid,
        created_at=at,
        **name_columns(read_name(name)),
        **_identified(document_type, identity, sex, birth_date),
        **_reached(phone, emergency_name, emergency_phone),
    )
    audit.record(by=by, did=gettext_noop("registered"), to=resident)
    return resident


@transaction.atomic
def change(
    *,
    resident: Resident,
    version: int,
    name: str = "",
    document_type: str = "",
    number: str = "",
    phone: str = "",
    sex: str = "",
    birth_date: date | None = None,
    emergency_name: str = "",
    emergency_phone: str = "",
    at: datetime,
    by: User,
) -> None:
    """
    Change what is known of a resident, unless it changed since `version` was read.

    What is left empty stays: the form shows nothing of what it holds.
    """
    new = _reached(phone, emergency_name, emergency_phone)
    if name:
        new |= name_columns(read_name(name))
    if number or document_type not in {"", resident.document_type}:
        kind = document_type or resident.document_type
        identity = read_number(kind, number, today=timezone.localtime(at).date())
        _refuse_known(kind, identity, by, besides=resident)
        new |= _identified(kind, identity, sex or resident.sex, birth_date or resident.birth_date)
    else:
        new |= {k: v for k, v in (("sex", sex), ("birth_date", birth_date)) if v}
    changed = sorted(field for field, value in new.items() if getattr(resident, field) != value)
    update(resident, version, **new)
    fields = [field for field in changed if not field.endswith(_DERIVED)]
    audit.record(by=by, did=gettext_noop("changed"), to=resident, fields=fields)


def as_it_is(resident: Resident) -> dict[str, Any]:
    """Return what an entry about a resident may change, for `put_back`; personal data."""
    return {
        "household": resident.household_id,
        "phone": resident.phone,
        "emergency_name": resident.emergency_name,
        "emergency_phone": resident.emergency_phone,
        "gone_as": resident.gone_as,
        "gone_on": resident.gone_on.isoformat() if resident.gone_on else None,
    }


@transaction.atomic
def put_back(*, resident: Resident, before: Mapping[str, Any], version: int, by: User) -> None:
    """
    Let a resident be as they were before an entry moved or changed them, up to `version`.

    The household that they leave goes too when nothing points to it. Raise
    `ChangedMeanwhileError` when they were changed since.
    """
    left = resident.household
    home = Household.objects.select_related("building__grid").get(pk=before["household"])
    update(
        resident,
        version,
        household=home,
        grid=home.building.grid,
        emergency_name=before["emergency_name"],
        emergency_phone=before["emergency_phone"],
        gone_as=before.get("gone_as", ""),
        gone_on=before.get("gone_on"),
        **phone_columns(before["phone"]),
    )
    if not _pointed_to(left):
        left.delete()
    audit.record(by=by, did=gettext_noop("put back as it was"), to=resident)


@transaction.atomic
def take_registration_back(
    *, resident: Resident, on: date, by: User, besides: Collection[Model] = ()
) -> bool:
    """
    Let nobody be registered who was registered by mistake, and return whether that was done.

    Not when anything but `besides` points to them: then they are known, and stay.
    """
    if _pointed_to(resident, besides):
        return False
    gone = Resident.GoneAs.TAKEN_BACK
    update(resident, resident.version, gone_as=gone, gone_on=on)
    audit.record(by=by, did=gettext_noop("undid a registration"), to=resident)
    return True


def _pointed_to(row: Model, besides: Collection[Model] = ()) -> bool:
    """Return whether any row, of whatever kind, points to this one."""
    return any(
        relation.related_model._base_manager.filter(**{relation.field.name: row})
        .exclude(pk__in=[one.pk for one in besides if isinstance(one, relation.related_model)])
        .exists()
        for relation in row._meta.related_objects
    )


@transaction.atomic
def uncover(*, resident: Resident, field: str, reason: str, by: User) -> str:
    """Return what a page shows masked, and write down who uncovered it and why."""
    if field not in UNCOVERABLE:
        raise ValueError(field)
    if len(reason.strip()) < 2:
        raise ValidationError(_("Say in a few words what you need it for."))
    said = reason.strip()[:200]
    listed = said in UncoverReason.values
    audit.record(
        by=by,
        did=gettext_noop("uncovered"),
        to=resident,
        code=said if listed else "",
        reason="" if listed else said,
        field=field,
    )
    return resident.household.address if field == "address" else str(getattr(resident, field))


def _refuse_known(
    document_type: str, identity: Identity, by: User, besides: Resident | None = None
) -> None:
    found = find_by_number(document_type=document_type, number=identity.number)
    if found and found != besides:
        _refuse_elsewhere(found, by)
        raise AlreadyRegisteredError(found)


def _refuse_elsewhere(found: Resident, by: User) -> None:
    """Raise `RegisteredElsewhereError` where `by` may not see who was found."""
    if not Resident.objects.visible_to(by).filter(pk=found.pk).exists():
        raise RegisteredElsewhereError


def update(resident: Resident, version: int, **new: Any) -> None:
    """Write columns of a resident, unless they changed since `version` was read."""
    rows = Resident.objects.filter(pk=resident.pk, version=version)
    if not rows.update(version=F("version") + 1, **sealed(resident, **new)):
        raise ChangedMeanwhileError
    resident.refresh_from_db()


def name_columns(name: str) -> dict[str, Any]:
    """Return the columns of a name that `identity.read_name` has read."""
    made = name_keys.columns(name)
    found = {"name_key": made.key, "name_words": made.words, "name_hash": made.hash}
    return {"name": name, **found}


def number_columns(document_type: str, number: str) -> dict[str, Any]:
    """Return the columns of a number that `identity.read_number` has read."""
    return {
        "document_type": document_type,
        "number": number,
        "number_hash": number_hash(document_type, number),
        "number_end": end_hash(number, NUMBER_END),
    }


def phone_columns(phone: str) -> dict[str, Any]:
    """Return the columns of a phone that `identity.read_phone` has read."""
    return {
        "phone": phone,
        "phone_hash": search_hash(phone, context=PHONE),
        "phone_end": end_hash(phone, PHONE_END),
    }


def door_columns(unit: str, door: str) -> dict[str, Any]:
    """Return the columns under which a door of a building is found."""
    return {"unit_key": addresses.unit_key(unit), "door_key": door_hash(door)}


def resident_hashes(resident: Resident) -> dict[str, str]:
    """Return the hashes under which a resident is found."""
    columns = {
        **name_columns(resident.name),
        **number_columns(resident.document_type, resident.number),
        **phone_columns(resident.phone),
    }
    return {name: columns[name] for name in columns if name.endswith(("_hash", "_end", "_words"))}


def household_hashes(household: Household) -> dict[str, str]:
    """Return the hashes under which a household is found."""
    door = household.door
    return {"door_hash": search_hash(door, context=DOOR), "door_key": door_hash(door)}


def door_hash(door: str) -> str:
    """Return the hash of a door, however it is written."""
    return search_hash(addresses.door_key(door), context=DOOR_KEY)[:SHORT]


def door_hashes(door: str) -> list[str]:
    """Return the hashes under which a door is found, by every search key."""
    return [each[:SHORT] for each in search_hashes(addresses.door_key(door), context=DOOR_KEY)]


def end_hash(text: str, context: str) -> str:
    """Return the hash of the last four characters of a number or phone."""
    return search_hash(text[-LAST:], context=context)[:SHORT]


def end_hashes(text: str, context: str) -> list[str]:
    """Return the hashes under which an end is found, by every search key."""
    return [each[:SHORT] for each in search_hashes(text[-LAST:], context=context)]


def _identified(
    document_type: str, identity: Identity, sex: str, birth_date: date | None
) -> dict[str, Any]:
    return {
        **number_columns(document_type, identity.number),
        "sex": identity.sex or sex,
        "birth_date": identity.birth_date or birth_date,
    }


def _reached(phone: str, emergency_name: str, emergency_phone: str) -> dict[str, Any]:
    """Return the columns of those that are given."""
    new: dict[str, Any] = {}
    if phone:
        new |= phone_columns(read_phone(phone))
    if emergency_name:
        new["emergency_name"] = read_name(emergency_name)
    if emergency_phone:
        new["emergency_phone"] = read_phone(emergency_phone)
    return new


def number_hash(document_type: str, number: str) -> str:
    """Return the hash under which a document is kept."""
    # A number alone is no key: two kinds of document may bear the same one.
    return search_hash(number and f"{document_type}:{number}", context=NUMBER)


def number_hashes(document_type: str, number: str) -> list[str]:
    """Return the hashes under which a document is found, by every search key."""
    return search_hashes(number and f"{document_type}:{number}", context=NUMBER)


def _tidy(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())
