"""Rosters: files of people, their rows as read, and what became of each."""

import uuid
from typing import Any, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.staff.models import Area, Role, User, people_within
from common.encryption import EncryptedTextField
from residents.register.lengths import LONGEST_BUILDING, LONGEST_UNIT
from residents.search.lexemes import LexemesField


class RosterQuerySet(models.QuerySet["Roster"]):
    """Questions about rosters."""

    def visible_to(self, user: Any) -> Self:
        """Return the rosters for areas of `user`, where they answer for other people's work."""
        if getattr(user, "role", None) != Role.SUPERVISOR:
            return self.none()
        return self.filter(people_within(user, "area__path"))


class Roster(models.Model):
    """
    A file with people, on its way into the register: read, checked, applied, perhaps undone.

    What is personal in it is sealed, and deleted once it is no longer needed.
    """

    class State(models.TextChoices):
        READING = "reading", _("Being read")
        CHOOSING = "choosing", _("Columns to be chosen")
        CHECKING = "checking", _("Being checked")
        CHECKED = "checked", _("Checked, not yet imported")
        APPLYING = "applying", _("Importing")
        APPLIED = "applied", _("Imported")
        UNDOING = "undoing", _("Being undone")
        UNDONE = "undone", _("Undone")
        REFUSED = "refused", _("Not readable")
        DISCARDED = "discarded", _("Discarded")

    # Those in which the portal is at work, whoever looks on.
    AT_WORK = (State.READING, State.CHECKING, State.APPLYING, State.UNDOING)

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    area = models.ForeignKey(
        Area, on_delete=models.PROTECT, related_name="rosters", verbose_name=_("area")
    )
    sender = models.CharField(_("sent by"), max_length=50)
    file_name = EncryptedTextField(_("file"), blank=True, bound_to=["key"])
    file_hash = models.CharField(max_length=64, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.READING)
    uploaded_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("uploaded by")
    )
    uploaded_at = models.DateTimeField(_("uploaded at"))
    applied_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        verbose_name=_("imported by"),
    )
    applied_at = models.DateTimeField(_("imported at"), null=True)
    undone_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, verbose_name=_("undone by")
    )
    undone_at = models.DateTimeField(_("undone at"), null=True)
    # When a worker last did something for it: what stands still is taken up again.
    touched_at = models.DateTimeField()
    # The sheets and their first rows, until columns are chosen: JSON.
    outline = EncryptedTextField(blank=True, bound_to=["key"])
    sheet = models.PositiveSmallIntegerField(null=True)
    heading_row = models.PositiveIntegerField(null=True)
    columns = models.JSONField(default=dict)
    # What was found in the sheet besides rows: hidden ones, formulas, a format's limit.
    findings = models.JSONField(default=dict)
    refusal = models.JSONField(default=dict)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    purged = models.BooleanField(default=False)

    objects = RosterQuerySet.as_manager()

    class Meta:
        verbose_name = _("roster")
        verbose_name_plural = _("rosters")

    def __str__(self) -> str:
        return f"roster {self.key}"


class RosterFile(models.Model):
    """What was uploaded, sealed (base64 within), until it is taken over or thirty days old."""

    roster = models.OneToOneField(Roster, on_delete=models.CASCADE, related_name="file")
    content = EncryptedTextField(bound_to=["roster_id"])

    def __str__(self) -> str:
        return f"file of {self.roster}"


class RosterRow(models.Model):
    """What became of one row of a file; the history of whom it made or changed."""

    class Outcome(models.TextChoices):
        NEW = "new", _("New")
        UPDATE = "update", _("Update")
        UNCHANGED = "unchanged", _("Unchanged")
        DUPLICATE = "duplicate", _("Duplicate?")
        REJECTED = "rejected", _("Rejected")

    class Fate(models.TextChoices):
        """What undoing did to it."""

        REMOVED = "removed", _("Removed again")
        RESTORED = "restored", _("Put back")
        IN_USE = "in_use", _("Kept: something else points to this person")
        CHANGED = "changed", _("Kept: changed since")

    roster = models.ForeignKey(
        # Without a constraint, which would be checked for every row.
        Roster,
        on_delete=models.CASCADE,
        related_name="rows",
        db_index=False,
        db_constraint=False,
    )
    number = models.PositiveIntegerField(_("row"))
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome)
    # By key: a row outlives the person, as the audit does.
    resident = models.UUIDField(null=True)
    # The key of the household to be made, for the first row that names its door.
    household = models.UUIDField(null=True)
    fate = models.CharField(max_length=10, blank=True, choices=Fate)
    # JSON: why not, the cells as they were typed; what changed, before and after.
    note = EncryptedTextField(blank=True, bound_to=["roster_id", "number"])

    class Meta:
        verbose_name = _("row of a roster")
        verbose_name_plural = _("rows of rosters")
        constraints = [
            models.UniqueConstraint(fields=["roster", "number"], name="roster_row_once")
        ]

    def __str__(self) -> str:
        return f"row {self.number} of {self.roster}"


class StagedResident(models.Model):
    """
    A row that is accepted and not yet taken over, as the columns of `Resident` will hold it.

    In an update, what is NULL stays as it is.
    """

    pk = models.CompositePrimaryKey("roster", "row")
    # No constraints on what lives for minutes: they would be checked for every row.
    roster = models.ForeignKey(
        Roster,
        on_delete=models.CASCADE,
        related_name="staged",
        db_index=False,
        db_constraint=False,
    )
    row = models.PositiveIntegerField()
    resident = models.UUIDField()
    version = models.PositiveIntegerField(null=True)  # of whom it updates
    grid = models.ForeignKey(
        Area,
        on_delete=models.CASCADE,
        related_name="+",
        null=True,
        db_index=False,
        db_constraint=False,
    )
    # NULL: stays as it is.
    building = models.CharField(max_length=LONGEST_BUILDING, null=True)  # noqa: DJ001
    building_key = models.CharField(max_length=LONGEST_BUILDING, null=True)  # noqa: DJ001
    unit = models.CharField(max_length=LONGEST_UNIT, null=True)  # noqa: DJ001
    unit_key = models.CharField(max_length=LONGEST_UNIT, null=True)  # noqa: DJ001
    floor = models.SmallIntegerField(null=True)
    household = models.UUIDField(null=True)
    door = models.BinaryField(null=True)
    door_hash = models.CharField(max_length=64, null=True)  # noqa: DJ001
    door_key = models.CharField(max_length=16, null=True)  # noqa: DJ001
    name = models.BinaryField()
    name_key = models.CharField(max_length=10)
    name_words = LexemesField(null=True)
    name_hash = models.CharField(max_length=16)
    document_type = models.CharField(max_length=20)
    number = models.BinaryField()
    number_hash = models.CharField(max_length=64)
    number_end = models.CharField(max_length=16)
    sex = models.CharField(max_length=10, null=True)  # noqa: DJ001
    birth_date = models.DateField(null=True)
    phone = models.BinaryField(null=True)
    phone_hash = models.CharField(max_length=64, null=True)  # noqa: DJ001
    phone_end = models.CharField(max_length=16, null=True)  # noqa: DJ001
    emergency_name = models.BinaryField(null=True)
    emergency_phone = models.BinaryField(null=True)

    def __str__(self) -> str:
        return f"row {self.row} of {self.roster}"


class KnownColumns(models.Model):
    """How a sender names the columns of rosters, from the last one that was taken over."""

    area = models.ForeignKey(Area, on_delete=models.CASCADE, related_name="+")
    sender = models.CharField(max_length=50)
    headings = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["area", "sender"], name="known_columns_once")
        ]

    def __str__(self) -> str:
        return f"columns of {self.sender}"
