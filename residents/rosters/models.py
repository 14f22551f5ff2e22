"""Rosters, their files, the outcomes of rows, and staged residents."""

import uuid
from typing import Any, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.scope import people_within
from accounts.staff.models import Area, Role, User
from common.encryption import EncryptedTextField
from residents.register.lengths import LONGEST_BUILDING, LONGEST_UNIT
from residents.search.lexemes import LexemesField


class RosterQuerySet(models.QuerySet["Roster"]):
    """Queries on rosters."""

    def visible_to(self, user: Any) -> Self:
        """Return the rosters for areas of `user`; none unless they are a supervisor."""
        if getattr(user, "role", None) != Role.SUPERVISOR:
            return self.none()
        return self.filter(people_within(user, "area__path"))


class Roster(models.Model):
    """
    A file with people: read, checked, imported into the register, perhaps undone.

    Personal data in it is sealed, and deleted when it is no longer needed.
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

    # The states in which a worker has to process the roster.
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
    # The time of a worker's last progress.
    touched_at = models.DateTimeField()
    # The sheets and their first rows, until columns are chosen: JSON.
    outline = EncryptedTextField(blank=True, bound_to=["key"])
    sheet = models.PositiveSmallIntegerField(null=True)
    heading_row = models.PositiveIntegerField(null=True)
    columns = models.JSONField(default=dict)
    # Findings in the sheet: hidden rows, formulas, a format's limit.
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
    """The uploaded file, sealed (as base64), until it is imported or thirty days old."""

    roster = models.OneToOneField(Roster, on_delete=models.CASCADE, related_name="file")
    content = EncryptedTextField(bound_to=["roster_id"])

    def __str__(self) -> str:
        return f"file of {self.roster}"


class RosterRow(models.Model):
    """The outcome of one row of a file; the history of the resident it created or changed."""

    class Outcome(models.TextChoices):
        NEW = "new", _("New")
        UPDATE = "update", _("Update")
        UNCHANGED = "unchanged", _("Unchanged")
        DUPLICATE = "duplicate", _("Duplicate?")
        REJECTED = "rejected", _("Rejected")
        # Somebody of another area: which row, only those learn whose the person is.
        REFERRED = "referred", _("For the level above")

    class Fate(models.TextChoices):
        """The result of undoing a row."""

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
    # By key, without a foreign key: rows are kept when the resident is removed.
    resident = models.UUIDField(null=True)
    # The key of the household to be created, on the first row with its door.
    household = models.UUIDField(null=True)
    fate = models.CharField(max_length=10, blank=True, choices=Fate)
    # JSON: the cells and problems of a row put aside; values before and after an update.
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
    A row accepted and not yet imported, with the values for the columns of `Resident`.

    In an update, NULL leaves a column unchanged.
    """

    pk = models.CompositePrimaryKey("roster", "row")
    # No constraints, because checking them for every row is slow.
    roster = models.ForeignKey(
        Roster,
        on_delete=models.CASCADE,
        related_name="staged",
        db_index=False,
        db_constraint=False,
    )
    row = models.PositiveIntegerField()
    resident = models.UUIDField()
    version = models.PositiveIntegerField(null=True)  # of the resident it updates
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
    """The headings and fields of a sender's last imported roster."""

    area = models.ForeignKey(Area, on_delete=models.CASCADE, related_name="+")
    sender = models.CharField(max_length=50)
    headings = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["area", "sender"], name="known_columns_once")
        ]

    def __str__(self) -> str:
        return f"columns of {self.sender}"
