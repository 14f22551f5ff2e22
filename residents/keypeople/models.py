"""Health files, vaccinations and needs of key people; health data is sealed."""

import uuid
from datetime import date
from typing import Any, Self, cast

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.scope import people_within
from accounts.staff.models import Area, User
from common.encryption import EncryptedTextField
from residents.keypeople.facts import KeyFacts, Product, unpack


class HealthFile(models.Model):
    """The facts for which a person may be listed: one file a person (Shanxi 9)."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    resident = models.OneToOneField(
        "residents.Resident",
        on_delete=models.PROTECT,
        related_name="health_file",
        verbose_name=_("resident"),
    )
    facts = EncryptedTextField(_("facts"), blank=True, bound_to=["key"])
    # Equal for equal facts, by a keyed hash: lists are grouped by it.
    token = models.BigIntegerField(default=0, editable=False, db_index=True)
    contraindication = EncryptedTextField(_("contraindication"), blank=True, bound_to=["key"])
    colour_reason = EncryptedTextField(_("reason of the colour"), blank=True, bound_to=["key"])
    note = EncryptedTextField(_("note"), blank=True, bound_to=["key"])
    changed_at = models.DateTimeField(_("changed at"))
    changed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("changed by")
    )
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("health file")
        verbose_name_plural = _("health files")

    def __str__(self) -> str:
        return f"health file of resident {self.resident_id}"

    @property
    def known(self) -> KeyFacts:
        """Return the unpacked facts."""
        return unpack(self.facts)


class DoseQuerySet(models.QuerySet["Dose"]):
    """Queries on doses."""

    def visible_to(self, user: Any) -> Self:
        """Return the doses of residents below the areas of `user`."""
        return self.filter(people_within(user, "resident__grid__path"))

    def valid(self) -> Self:
        """Return the doses that were not withdrawn."""
        return self.filter(withdrawn_at=None)


class Dose(models.Model):
    """A dose of vaccine given to a resident; never changed, only withdrawn."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    resident = models.ForeignKey(
        "residents.Resident",
        on_delete=models.PROTECT,
        related_name="doses",
        verbose_name=_("resident"),
    )
    # The day and the product, sealed: "2022-03-01 inactivated".
    given = EncryptedTextField(_("given"), bound_to=["key"])
    # Allows one dose a person and day.
    day_hash = models.CharField(max_length=64, editable=False)
    recorded_at = models.DateTimeField(_("recorded at"))
    recorded_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("recorded by")
    )
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("withdrawn by"),
    )

    objects = DoseQuerySet.as_manager()

    class Meta:
        verbose_name = _("dose")
        verbose_name_plural = _("doses")
        constraints = [
            models.UniqueConstraint(
                fields=["resident", "day_hash"],
                name="dose_once_a_day",
                condition=Q(withdrawn_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"dose {self.key}"

    @property
    def day(self) -> date:
        """Return the day on which it was given."""
        return date.fromisoformat(self.given.split()[0])

    @property
    def product(self) -> Product:
        """Return the vaccine."""
        return cast(Product, self.given.split()[1])


class NeedQuerySet(models.QuerySet["Need"]):
    """Queries on needs."""

    def visible_to(self, user: Any) -> Self:
        """Return the needs of residents below the areas of `user`."""
        return self.filter(people_within(user, "resident__grid__path"))

    def open(self) -> Self:
        """Return the needs that are not closed, of residents who still live here."""
        return self.filter(closed_at=None, resident__gone_as="")

    def due(self, on: date) -> Self:
        """Return the open needs whose next contact is due."""
        return self.open().filter(next_on__lte=on)


class Need(models.Model):
    """A need of a resident until it is closed, with the responsible user and the next contact."""

    class Kind(models.TextChoices):
        MEDICINE = "medicine", _("Medicine")
        DIALYSIS = "dialysis", _("Transport to dialysis")
        FOOD = "food", _("Food and daily goods")
        CARE = "care", _("A visit or a call")
        DOCTOR = "doctor", _("Seeing a doctor")
        OTHER = "other", _("Something else")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    resident = models.ForeignKey(
        "residents.Resident",
        on_delete=models.PROTECT,
        related_name="needs",
        verbose_name=_("resident"),
    )
    # The kind reveals illness, so it is sealed like the text.
    kind = EncryptedTextField(_("need"), bound_to=["key"])
    words = EncryptedTextField(_("what exactly"), blank=True, bound_to=["key"])
    responsible = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("looks after it")
    )
    next_on = models.DateField(_("next contact"))
    opened_at = models.DateTimeField(_("noted at"))
    opened_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("noted by")
    )
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = NeedQuerySet.as_manager()

    class Meta:
        verbose_name = _("need")
        verbose_name_plural = _("needs")
        indexes = [
            models.Index(fields=["next_on", "id"], name="need_due", condition=Q(closed_at=None))
        ]

    def __str__(self) -> str:
        return f"need {self.key}"

    @property
    def kind_named(self) -> str:
        """Return the label of the kind."""
        return str(self.Kind(self.kind).label)


class Contact(models.Model):
    """A call or visit about a need; never changed or deleted."""

    class How(models.TextChoices):
        CALL = "call", _("Telephone")
        VISIT = "visit", _("Visit")
        DELIVERY = "delivery", _("Delivery or transport")
        NOBODY = "nobody", _("Nobody reached")

    # Makes repeated submissions one contact.
    key = models.UUIDField(unique=True, editable=False)
    need = models.ForeignKey(
        Need, on_delete=models.PROTECT, related_name="contacts", verbose_name=_("need")
    )
    how = models.CharField(_("how"), max_length=10, choices=How)
    words = EncryptedTextField(_("what was said or done"), blank=True, bound_to=["key"])
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("by"))

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"contact {self.key}"


class KeyStandard(models.Model):
    """
    The rules of colours and full vaccinations in an area, from a moment on.

    Documents leave them to the area (Cangshan 5). The most local one applies, there the latest;
    earlier ones are kept.
    """

    area = models.ForeignKey(
        Area, on_delete=models.PROTECT, related_name="+", verbose_name=_("area")
    )
    # As `standards.pack` writes it.
    content = models.JSONField(_("standard"))
    reason = models.CharField(_("reason"), max_length=200)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("standard of key populations")
        verbose_name_plural = _("standards of key populations")
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="key_standard_has_reason")
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"standard of {self.area} since {self.at:%F}"
