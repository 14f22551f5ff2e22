"""Register, find and change residents, and uncover masked values."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Model, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, pgettext_lazy

from accounts.auditing import audit
from accounts.staff.models import Area, User
from common.encryption import sealed, search_hash, search_hashes
from common.text import tidy
from residents.duplicates.models import kept_entry_of, merged_entries
from residents.openings.models import Opening
from residents.register import addresses, elsewhere
from residents.register.elsewhere import RegisteredElsewhereError
from residents.register.identity import Identity, read_name, read_number, read_phone
from residents.register.models import (
    Building,
    Household,
    Resident,
    UncoverReason,
    reached_under_phone_of_gone,
)
from residents.search import name_keys

# Contexts of hashes, so that equal texts in two columns have different hashes.
NUMBER, PHONE, DOOR = "resident.number", "resident.phone", "household.door"
NUMBER_END, PHONE_END, DOOR_KEY = "resident.number_end", "resident.phone_end", "household.door_key"
NUMBER_ONCE = "resident_number_once"  # the constraint
LAST = 4  # last characters of a number or phone for search
_DERIVED = ("_hash", "_key", "_end", "_words")
SHORT = 16  # characters of hashes of values that many rows share

# The fields that `uncover` may show, with their labels.
UNCOVERABLE = {
    "name": pgettext_lazy("of a person", "name"),
    "number": gettext_lazy("number"),
    "phone": gettext_lazy("phone"),
    "address": gettext_lazy("address"),
    "emergency_name": gettext_lazy("emergency contact"),
    "emergency_phone": gettext_lazy("phone of the emergency contact"),
}


class AlreadyRegisteredError(ValidationError):
    """The number belongs to a resident in the areas of the user."""

    def __init__(self, resident: Resident) -> None:
        self.resident = resident
        super().__init__(
            _("This number is registered already: open that person instead of a second entry.")
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
    """Return the holder of a number in any area; for users see `find_visible_by_number`."""
    if not number:
        return None
    return holder_of(number_hashes(document_type, number), document_types=[document_type])


def holder_of(
    hashes: Collection[str], *, document_types: Collection[str], by: User | None = None
) -> Resident | None:
    """
    Return the holder of a number with one of these hashes, in the areas of `by` if given.

    If only a merged entry has the number, return the entry that was kept. With `by`, it takes as
    long for a person of another area as for nobody.
    """
    holding = Q(document_type__in=document_types, number_hash__in=hashes)
    there = Resident.objects.visible_to(by) if by else Resident.objects.people()
    holders = there.filter(holding).select_related("household__building", "grid")
    # Without LIMIT, which would make the planner scan the residents by key.
    if current := list(holders):
        return current[0]
    merged = list(merged_entries(into=there if by else None).filter(holding))
    return kept_entry_of(merged[0]) if merged else None


@transaction.atomic
def find_visible_by_number(*, document_type: str, number: str, by: User) -> Resident | None:
    """
    Return the holder of a number in the areas of `by`, and audit the access.

    The result does not tell residents of other areas from unregistered people.
    """
    hashes = number_hashes(document_type, number)
    visible = Resident.objects.visible_to(by).filter(document_type=document_type)
    visible = visible.select_related("household__building__grid", "grid")
    resident = visible.filter(number_hash__in=hashes).first() if number else None
    if resident:
        read(resident=resident, by=by)
    return resident


def read(*, resident: Resident, by: User, also: Iterable[Resident] = ()) -> None:
    """
    Record that `by` reads a resident's data, and that of `also` on the same page.

    For a resident outside the areas of `by` the entry names the opening.
    """
    shown = [other.key for other in also]
    opening = opening_of(resident, by)
    through = {"opening": str(opening.key)} if opening else {}
    audit.record(
        by=by, did=gettext_noop("read"), to=resident, shown=shown, code="", reason="", **through
    )


def opening_of(resident: Resident, by: User) -> Opening | None:
    """Return the opening by which `by` sees a resident; None in their own areas."""
    if resident.grid.path.startswith(by.area_paths):
        return None
    return Opening.objects.active().filter(resident=resident, by=by).order_by("-pk").first()


def showed(*, page: str, people: Iterable[Resident], by: User) -> None:
    """Record that a page showed `people` to `by`; call it in every view that lists people."""
    audit.showed(by=by, page=page, people=[resident.key for resident in people])


@transaction.atomic
def household_at(
    *, building: Building, unit: str = "", door: str, floor: int | None = None
) -> Household:
    """Return the household at a door of `building`; create it if there is none."""
    unit, door = tidy(unit), tidy(door)
    if not door:
        raise ValidationError(_("Enter the door, for example 502."))
    if existing := _find_household(building, unit, door):
        household, created = existing, False
    else:
        household, created = Household.objects.get_or_create(
            building=building,
            unit=unit,
            door_hash=search_hash(door, context=DOOR),
            defaults={"door": door, "floor": floor, **door_columns(unit, door)},
        )
    if not created and floor is not None and household.floor is None:
        Household.objects.filter(pk=household.pk).update(floor=floor)
        household.floor = floor
    return household


def _find_household(building: Building, unit: str, door: str) -> Household | None:
    """Return the household at this door, in any spelling of it."""
    households = Household.objects.filter(
        building=building, unit_key=addresses.unit_key(unit), door_key__in=door_hashes(door)
    )
    return households.order_by("pk").first()


@transaction.atomic
def building_at(*, grid: Area, name: str) -> Building:
    """Return the building of this name in `grid`; create it if there is none."""
    if not (plain_name := tidy(name)):
        raise ValidationError(_("Enter the building, for example 3号楼."))
    key = addresses.building_key(plain_name)
    existing = Building.objects.filter(grid=grid, name_key=key).order_by("pk").first()
    if key and existing:
        return existing
    return Building.objects.get_or_create(grid=grid, name=plain_name, defaults={"name_key": key})[
        0
    ]


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

    Sex and birth date in the number take precedence. Raise AlreadyRegisteredError, also when
    somebody else registers the number at the same moment, RegisteredElsewhereError or
    TooManyQuestionsError.
    """
    identity = read_number(document_type, number, today=timezone.localtime(at).date())
    columns = {
        **name_columns(read_name(name)),
        **_identity_columns(document_type, identity, sex, birth_date),
        **_contact_columns(phone, emergency_name, emergency_phone),
    }
    with elsewhere.asking(by=by, when=bool(identity.number)), transaction.atomic():
        _refuse_known(document_type, identity, by)
        with _refusing_known(document_type, identity, by):
            resident = Resident.objects.create(
                household=household,
                grid=household.building.grid,
                created_at=at,
                **columns,
                phone_entered_at=at if phone else None,
            )
        audit.record(by=by, did=gettext_noop("registered"), to=resident)
    return resident


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
    Change a resident, unless they changed since `version` was read.

    Empty values stay unchanged, because the form does not show current values. Raise
    ChangedMeanwhileError before anything else is asked, and what `register` raises.
    """
    kind = document_type or resident.document_type
    renumbered = bool(number) or kind != resident.document_type
    with elsewhere.asking(by=by, when=renumbered) as question, transaction.atomic():
        _refuse_changed(resident, version)
        new = _contact_columns(phone, emergency_name, emergency_phone)
        if name:
            new |= name_columns(read_name(name))
        if renumbered:
            identity = read_number(kind, number, today=timezone.localtime(at).date())
            _refuse_known(kind, identity, by, besides=resident)
            new |= _identity_columns(
                kind, identity, sex or resident.sex, birth_date or resident.birth_date
            )
            # Whoever puts number after number on one person asks about each, also where the
            # one before is taken off first.
            question.learned = bool(resident.number)
        else:
            identity = Identity("")
            new |= {k: v for k, v in (("sex", sex), ("birth_date", birth_date)) if v}
        changed = sorted(
            field for field, value in new.items() if getattr(resident, field) != value
        )
        if phone:
            new["phone_entered_at"] = at
        with _refusing_known(kind, identity, by, besides=resident):
            update(resident, version, **new)
        fields = [field for field in changed if not field.endswith(_DERIVED)]
        audit.record(by=by, did=gettext_noop("changed"), to=resident, fields=fields)


def snapshot_of(resident: Resident) -> dict[str, Any]:
    """Return the columns that an arrival may change, for `restore_snapshot`; personal data."""
    return {
        "household": resident.household_id,
        "phone": resident.phone,
        "emergency_name": resident.emergency_name,
        "emergency_phone": resident.emergency_phone,
        "gone_as": resident.gone_as,
        "gone_on": resident.gone_on.isoformat() if resident.gone_on else None,
    }


@transaction.atomic
def restore_snapshot(
    *, resident: Resident, before: Mapping[str, Any], version: int, by: User
) -> None:
    """
    Restore a resident to the snapshot `before`, if `version` is still current.

    The household that they leave is deleted if nothing references it. Raise
    `ChangedMeanwhileError` if they were changed since.
    """
    former_household = resident.household
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
    if not _is_referenced(former_household):
        former_household.delete()
    audit.record(by=by, did=gettext_noop("put back as it was"), to=resident)


@transaction.atomic
def take_registration_back(
    *, resident: Resident, on: date, by: User, besides: Collection[Model] = ()
) -> bool:
    """
    Void a registration made by mistake; return whether that was possible.

    It is not if a row other than `besides` references the resident.
    """
    if _is_referenced(resident, besides):
        return False
    gone = Resident.GoneAs.TAKEN_BACK
    update(resident, resident.version, gone_as=gone, gone_on=on)
    elsewhere.note(by=by)  # that the number was free
    audit.record(by=by, did=gettext_noop("undid a registration"), to=resident)
    return True


def _is_referenced(row: Model, besides: Collection[Model] = ()) -> bool:
    """Return whether a row of any table, other than `besides`, references this one."""
    return any(
        relation.related_model._base_manager.filter(**{relation.field.name: row})
        .exclude(
            pk__in=[other.pk for other in besides if isinstance(other, relation.related_model)]
        )
        .exists()
        for relation in row._meta.related_objects
    )


@transaction.atomic
def uncover(*, resident: Resident, field: str, reason: str, by: User) -> str:
    """Return a masked value, and audit who uncovered it and why."""
    if field not in UNCOVERABLE:
        raise ValueError(field)
    if len(reason.strip()) < 2:
        raise ValidationError(_("Say in a few words what you need it for."))
    given_reason = reason.strip()[:200]
    listed = given_reason in UncoverReason.values
    audit.record(
        by=by,
        did=gettext_noop("uncovered"),
        to=resident,
        code=given_reason if listed else "",
        reason="" if listed else given_reason,
        field=field,
    )
    return resident.household.address if field == "address" else str(getattr(resident, field))


def _refuse_known(
    document_type: str, identity: Identity, by: User, besides: Resident | None = None
) -> None:
    """Refuse a number that somebody holds; outside the areas of `by` as `elsewhere` allows."""
    if not identity.number:
        return
    asked = elsewhere.current()
    hashes = number_hashes(document_type, identity.number)
    limited = None if asked.allowed else by
    holder = holder_of(hashes, document_types=[document_type], by=limited)
    if holder is None or holder == besides:
        if holder is None:
            asked.refuse_too_many()
        return
    if asked.allowed and not Resident.objects.visible_to(by).filter(pk=holder.pk).exists():
        raise RegisteredElsewhereError
    raise AlreadyRegisteredError(holder)


@contextmanager
def _refusing_known(
    document_type: str, identity: Identity, by: User, besides: Resident | None = None
) -> Iterator[None]:
    """Write a number in the block; refuse it if somebody else did at the same moment."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if NUMBER_ONCE not in str(error):
            raise
        _refuse_known(document_type, identity, by, besides)
        raise


def _refuse_changed(resident: Resident, version: int) -> None:
    rows = Resident.objects.select_for_update(of=["self"]).filter(pk=resident.pk, version=version)
    if not rows.exists():
        raise ChangedMeanwhileError


def update(resident: Resident, version: int, **new: Any) -> None:
    """Update columns of a resident, unless they changed since `version` was read."""
    rows = Resident.objects.filter(pk=resident.pk, version=version)
    if not rows.update(version=F("version") + 1, **sealed(resident, **new)):
        raise ChangedMeanwhileError
    resident.refresh_from_db()


def name_columns(name: str) -> dict[str, Any]:
    """Return the columns for a name normalised by `identity.read_name`."""
    keys = name_keys.columns(name)
    key_columns = {"name_key": keys.key, "name_words": keys.words, "name_hash": keys.hash}
    return {"name": name, **key_columns}


def number_columns(document_type: str, number: str) -> dict[str, Any]:
    """Return the columns for a number normalised by `identity.read_number`."""
    return {
        "document_type": document_type,
        "number": number,
        "number_hash": number_hash(document_type, number),
        "number_end": end_hash(number, NUMBER_END),
    }


def phone_columns(phone: str) -> dict[str, Any]:
    """Return the columns for a phone normalised by `identity.read_phone`."""
    return {
        "phone": phone,
        "phone_hash": search_hash(phone, context=PHONE),
        "phone_end": end_hash(phone, PHONE_END),
    }


def door_columns(unit: str, door: str) -> dict[str, Any]:
    """Return the search columns of a door."""
    return {"unit_key": addresses.unit_key(unit), "door_key": door_hash(door)}


def building_keys(building: Building) -> dict[str, str]:
    """Return what a building is found by."""
    return {"name_key": addresses.building_key(building.name)}


def resident_hashes(resident: Resident) -> dict[str, str]:
    """Return what a resident is found and sorted by."""
    columns = {
        **name_columns(resident.name),
        **number_columns(resident.document_type, resident.number),
        **phone_columns(resident.phone),
    }
    return {name: columns[name] for name in columns if name.endswith(_DERIVED)}


def household_hashes(household: Household) -> dict[str, str]:
    """Return what a household is found by."""
    door = household.door
    return {"door_hash": search_hash(door, context=DOOR), **door_columns(household.unit, door)}


def door_hash(door: str) -> str:
    """Return the hash of a door, the same for all spellings."""
    return search_hash(addresses.door_key(door), context=DOOR_KEY)[:SHORT]


def door_hashes(door: str) -> list[str]:
    """Return the hashes of a door by every search key."""
    return [hashed[:SHORT] for hashed in search_hashes(addresses.door_key(door), context=DOOR_KEY)]


def end_hash(text: str, context: str) -> str:
    """Return the hash of the last four characters of a number or phone."""
    return search_hash(text[-LAST:], context=context)[:SHORT]


def end_hashes(text: str, context: str) -> list[str]:
    """Return the hashes of the last four characters by every search key."""
    return [hashed[:SHORT] for hashed in search_hashes(text[-LAST:], context=context)]


def _identity_columns(
    document_type: str, identity: Identity, sex: str, birth_date: date | None
) -> dict[str, Any]:
    return {
        **number_columns(document_type, identity.number),
        "sex": identity.sex or sex,
        "birth_date": identity.birth_date or birth_date,
    }


def gone_under(phone: str, *, by: User) -> Resident | None:
    """
    Return who has left or died under a phone that reaches nobody here any more.

    None where it is nobody's, or still that of somebody here; nobody outside the areas of `by`
    is asked about. Two queries at most.
    """
    there = Resident.objects.visible_to(by)
    owners = there.filter(phone_hash__in=search_hashes(phone, context=PHONE))
    gone = owners.filter(gone_as__in=[Resident.GoneAs.LEFT, Resident.GoneAs.DIED])
    last = gone.order_by("-gone_on", "-pk").first() if phone else None
    if last and owners.here().exclude(reached_under_phone_of_gone()).exists():
        return None
    return last


def _contact_columns(phone: str, emergency_name: str, emergency_phone: str) -> dict[str, Any]:
    """Return the columns for the contacts that are not empty."""
    new: dict[str, Any] = {}
    if phone:
        new |= phone_columns(read_phone(phone))
    if emergency_name:
        new["emergency_name"] = read_name(emergency_name)
    if emergency_phone:
        new["emergency_phone"] = read_phone(emergency_phone)
    return new


def number_hash(document_type: str, number: str) -> str:
    """Return the hash of a document's number by the newest search key."""
    # With the type, because two kinds of document may have the same number.
    return search_hash(number and f"{document_type}:{number}", context=NUMBER)


def number_hashes(document_type: str, number: str) -> list[str]:
    """Return the hashes of a document's number by every search key."""
    return search_hashes(number and f"{document_type}:{number}", context=NUMBER)
