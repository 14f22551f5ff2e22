"""Residents, their households and the buildings they live in."""

import uuid
from datetime import date
from typing import Any, Self

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Exists, ExpressionWrapper, OuterRef, Q, Value
from django.db.models.functions import Coalesce, Length
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.scope import people_within
from accounts.staff.models import Area
from common.encryption import EncryptedTextField
from residents.openings.models import opened_to
from residents.register import masking
from residents.register.lengths import LONGEST_BUILDING, LONGEST_UNIT
from residents.search.lexemes import LexemesField

# For sorting buildings numerically: 3号楼 before 10号楼.
models.CharField.register_lookup(Length)


class BuildingQuerySet(models.QuerySet["Building"]):
    """Queries on buildings."""

    def visible_to(self, user: Any) -> Self:
        """Return the buildings below the areas of `user`."""
        return self.filter(people_within(user, "grid__path"))

    def without_mistaken(self) -> Self:
        """Return the buildings without those that only a mistaken registration created."""
        lives_there = Resident.objects.here().filter(
            household__building=OuterRef("household__building")
        )
        mistaken = Resident.objects.filter(
            ~Exists(lives_there), gone_as=Resident.GoneAs.TAKEN_BACK
        )
        return self.exclude(pk__in=mistaken.values("household__building"))


class Building(models.Model):
    """A building of a grid, or a named place without buildings."""

    grid = models.ForeignKey(
        Area, on_delete=models.PROTECT, related_name="buildings", verbose_name=_("grid")
    )
    name = models.CharField(_("building"), max_length=LONGEST_BUILDING)
    # `addresses.building_key`: 3 of 3号楼 and of 3栋.
    name_key = models.CharField(max_length=LONGEST_BUILDING, blank=True, editable=False)

    objects = BuildingQuerySet.as_manager()

    class Meta:
        verbose_name = _("building")
        verbose_name_plural = _("buildings")
        constraints = [
            models.UniqueConstraint(fields=["grid", "name"], name="building_once_a_grid")
        ]

    def __str__(self) -> str:
        return self.name


class HouseholdQuerySet(models.QuerySet["Household"]):
    """Queries on households."""

    def visible_to(self, user: Any) -> Self:
        """Return the households below the areas of `user`."""
        return self.filter(people_within(user, "building__grid__path"))


class Household(models.Model):
    """An address with the people who live there. The door is sealed: it would identify people."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    building = models.ForeignKey(
        Building, on_delete=models.PROTECT, related_name="households", verbose_name=_("building")
    )
    unit = models.CharField(_("unit"), max_length=LONGEST_UNIT, blank=True)
    unit_key = models.CharField(max_length=LONGEST_UNIT, blank=True, editable=False)
    floor = models.SmallIntegerField(_("floor"), null=True, blank=True)
    door = EncryptedTextField(_("door"), bound_to=["key"])
    door_hash = models.CharField(max_length=64, editable=False)
    # The hash of `addresses.door_key`, the same for 501 and 501室.
    door_key = models.CharField(max_length=16, blank=True, editable=False)

    objects = HouseholdQuerySet.as_manager()

    class Meta:
        verbose_name = _("household")
        verbose_name_plural = _("households")
        constraints = [
            models.UniqueConstraint(
                fields=["building", "unit", "door_hash"], name="household_once"
            )
        ]
        indexes = [
            models.Index(fields=["door_key", "unit_key", "building"], name="household_by_door")
        ]

    def __str__(self) -> str:
        return masking.mask_address(self.address)

    @property
    def address(self) -> str:
        """Return the full address: building, unit, door. Pages show `str` of the household."""
        return "-".join(part for part in (self.building.name, self.unit, self.door) if part)


class ResidentQuerySet(models.QuerySet["Resident"]):
    """Questions about residents."""

    def visible_to(self, user: Any, *, opened: bool = False) -> Self:
        """
        Return the residents below the areas of `user`, without void entries (NOBODY).

        With `opened` also those with an active opening by `user`: only for pages of one person,
        not for lists or acts.
        """
        in_areas = people_within(user, "grid__path")
        return self.people().filter(in_areas | opened_to(user, "pk") if opened else in_areas)

    def people(self) -> Self:
        """Return the residents without void entries (NOBODY)."""
        return self.exclude(gone_as__in=Resident.NOBODY)

    def here(self) -> Self:
        """Return the residents who have not left or died."""
        return self.filter(gone_as="")

    def number_to_follow(self) -> Self:
        """Return the residents here whose papers are elsewhere, so that a number is owed."""
        return self.here().filter(document_type=Resident.DocumentType.TO_FOLLOW)


class Resident(models.Model):
    """A person who lives or stays in a grid."""

    class DocumentType(models.TextChoices):
        MAINLAND_ID = "mainland_id", _("Resident identity card")
        HMT_RESIDENCE = "hmt_residence", _("Residence permit (Hong Kong, Macao, Taiwan)")
        FOREIGN_RESIDENCE = "foreign_residence", _("Foreign permanent residence card")
        HMT_TRAVEL = "hmt_travel", _("Travel permit (Hong Kong, Macao, Taiwan)")
        PASSPORT = "passport", _("Passport")
        NONE = "none", _("None yet (newborn)")
        TO_FOLLOW = "to_follow", _("Number to follow (papers elsewhere)")

    class Sex(models.TextChoices):
        FEMALE = "female", _("Female")
        MALE = "male", _("Male")
        UNKNOWN = "unknown", _("Not known")

    class GoneAs(models.TextChoices):
        LEFT = "left", _("Moved away")
        DIED = "died", _("Died")
        MERGED = "merged", _("Merged with another entry")
        TAKEN_BACK = "taken_back", _("Registered by mistake")

    # Documents without a number, which search and uniqueness leave out.
    WITHOUT_NUMBER = (DocumentType.NONE, DocumentType.TO_FOLLOW)

    # Void entries: merged or registered by mistake; only their history is kept.
    NOBODY = (GoneAs.MERGED, GoneAs.TAKEN_BACK)

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(
        Household, on_delete=models.PROTECT, related_name="residents", verbose_name=_("household")
    )
    # A copy of the household's grid, so that lists use one index; `services` update both.
    grid = models.ForeignKey(
        Area, on_delete=models.PROTECT, related_name="residents", verbose_name=_("grid")
    )
    name = EncryptedTextField(pgettext_lazy("of a person", "name"), bound_to=["key"])
    # For these three see `residents.search.name_keys`.
    name_key = models.CharField(_("pinyin"), max_length=10, blank=True, editable=False)
    name_words = LexemesField(default="", editable=False)
    name_hash = models.CharField(max_length=16, blank=True, editable=False)
    document_type = models.CharField(
        pgettext_lazy("an identity paper", "document"), max_length=20, choices=DocumentType
    )
    number = EncryptedTextField(_("number"), blank=True, bound_to=["key"])
    number_hash = models.CharField(max_length=64, blank=True, editable=False)
    # Hash of the last four characters, which pages show.
    number_end = models.CharField(max_length=16, blank=True, editable=False)
    sex = models.CharField(_("sex"), max_length=10, choices=Sex, default=Sex.UNKNOWN)
    birth_date = models.DateField(_("birth date"), null=True, blank=True)
    phone = EncryptedTextField(_("phone"), blank=True, bound_to=["key"])
    phone_hash = models.CharField(max_length=64, blank=True, editable=False, db_index=True)
    phone_end = models.CharField(max_length=16, blank=True, editable=False)
    # When somebody last entered this phone for this person, the same one again included.
    phone_entered_at = models.DateTimeField(_("phone entered at"), null=True, blank=True)
    emergency_name = EncryptedTextField(_("emergency contact"), blank=True, bound_to=["key"])
    emergency_phone = EncryptedTextField(_("their phone"), blank=True, bound_to=["key"])
    created_at = models.DateTimeField(_("registered at"))
    version = models.PositiveIntegerField(default=1)
    # For residents who no longer live here; they keep their last household.
    gone_as = models.CharField(_("gone"), max_length=10, choices=GoneAs, blank=True)
    gone_on = models.DateField(_("gone on"), null=True, blank=True)

    objects = ResidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("resident")
        verbose_name_plural = _("residents")
        constraints = [
            models.UniqueConstraint(
                fields=["document_type", "number_hash"],
                name="resident_number_once",
                condition=~Q(number_hash="") & ~Q(gone_as__in=["merged", "taken_back"]),
            ),
            models.CheckConstraint(
                name="resident_number_or_none",
                condition=Q(document_type__in=["none", "to_follow"], number_hash="")
                | (~Q(document_type__in=["none", "to_follow"]) & ~Q(number_hash="")),
            ),
            models.CheckConstraint(
                name="resident_gone_whole",
                condition=Q(gone_as="", gone_on=None)
                | (~Q(gone_as="") & Q(gone_on__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(
                fields=["grid", "name_key", "id"],
                name="resident_here_in_grid",
                condition=Q(gone_as=""),
            ),
            models.Index(fields=["name_key", "id"], name="resident_here", condition=Q(gone_as="")),
            models.Index(
                fields=["grid", "gone_on"], name="resident_gone", condition=~Q(gone_as="")
            ),
            models.Index(fields=["number_end"], name="resident_number_end"),
            models.Index(
                fields=["grid", "name_key", "id"],
                name="resident_number_to_follow",
                condition=Q(gone_as="", document_type="to_follow"),
            ),
            models.Index(fields=["phone_end"], name="resident_phone_end"),
            GinIndex(fields=["name_words"], name="resident_name_words"),
            # Lists of key people are sorted by age, the oldest first, unknown last.
            models.Index(
                Coalesce("birth_date", Value(date(9999, 12, 31))),
                "id",
                name="resident_by_birth",
                condition=Q(gone_as=""),
            ),
        ]

    def __str__(self) -> str:
        return f"resident {self.key}"

    def age(self, on: date) -> int | None:
        """Return the age in full years on a day, None if the birth date is unknown."""
        born = self.birth_date
        if not born:
            return None
        return on.year - born.year - ((on.month, on.day) < (born.month, born.day))

    @classmethod
    def opened_name(cls, key: object, sealed: Any) -> str:
        """Return the name of the resident with `key` from a sealed value of `values_list`."""
        field: Any = cls._meta.get_field("name")
        return str(field.open(bytes(sealed), key))

    @property
    def masked_name(self) -> str:
        """Return the name as pages show it."""
        return masking.mask_name(self.name)

    @property
    def masked_phone(self) -> str:
        """Return the phone as pages show it."""
        return masking.mask_phone(self.phone)

    @property
    def shares_phone(self) -> bool:
        """Return whether others of the household have the same phone. One query."""
        household_members = Resident.objects.here().filter(household=self.household_id)
        sharing = household_members.filter(phone_hash=self.phone_hash).exclude(pk=self.pk)
        return bool(self.phone) and sharing.exists()

    @property
    def number_follows(self) -> bool:
        """Return whether the papers are elsewhere, so that a number is owed."""
        return self.document_type == self.DocumentType.TO_FOLLOW

    @property
    def phone_of_gone(self) -> bool:
        """
        Return whether the phone is that of somebody who has left or died since it was entered.

        One query.
        """
        return Resident.objects.filter(reached_under_phone_of_gone(), pk=self.pk).exists()

    @property
    def masked_number(self) -> str:
        """Return the document's number as pages show it."""
        return masking.mask_number(self.number)

    @property
    def masked_emergency_name(self) -> str:
        """Return the name of the emergency contact as pages show it."""
        return masking.mask_name(self.emergency_name)

    @property
    def masked_emergency_phone(self) -> str:
        """Return the phone of the emergency contact as pages show it."""
        return masking.mask_phone(self.emergency_phone)


def reached_under_phone_of_gone(person: str = "") -> "ExpressionWrapper[Any]":
    """
    Return the condition that a phone is that of somebody gone since it was entered.

    Entering it again says that it does reach the person. `person` leads to them: `resident__`.
    """
    gone = [Resident.GoneAs.LEFT, Resident.GoneAs.DIED]
    never_entered = Q(**{f"{person}phone_entered_at": None})
    owners = Resident.objects.filter(gone_as__in=gone, phone_hash=OuterRef(f"{person}phone_hash"))
    since = owners.filter(
        moves__kind__in=gone,
        moves__withdrawn_at=None,
        moves__at__gt=OuterRef(f"{person}phone_entered_at"),
    )
    reached = ~Q(**{f"{person}phone_hash": ""}) & Q(**{f"{person}gone_as": ""})
    of_gone = reached & (Exists(since) | never_entered & Exists(owners))
    return ExpressionWrapper(of_gone, output_field=models.BooleanField())


class UncoverReason(models.TextChoices):
    """The reasons for uncovering a masked value."""

    CALL = "call", _("To call them")
    VISIT = "visit", _("To visit or deliver")
    IDENTITY = "identity", _("To check the document")
    MEDICAL = "medical", _("For medical care")
    OTHER = "other", _("Another reason")
