"""How long the data of an outbreak stay, and the purges of what is over."""

import uuid
from typing import Any, Self

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.scope import within
from accounts.staff.models import SUPERVISES, Area, User
from accounts.voices.models import two_voices
from accounts.withdrawal import KEPT, set_together
from residents.closings.models import Closing

SHORTEST, LONGEST = 7, 1095  # days


class RetentionTerm(models.Model):
    """How many days the data of a closed outbreak stay in an area; the latest holds."""

    area = models.ForeignKey(
        Area, on_delete=models.PROTECT, related_name="+", verbose_name=_("area")
    )
    days = models.PositiveSmallIntegerField(
        _("days"), validators=[MinValueValidator(SHORTEST), MaxValueValidator(LONGEST)]
    )
    reason = models.CharField(_("reason"), max_length=200)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("term of retention")
        verbose_name_plural = _("terms of retention")
        constraints = [
            models.CheckConstraint(
                name="retention_term_in_range", condition=Q(days__gte=SHORTEST, days__lte=LONGEST)
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="retention_term_has_reason"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.days} days in {self.area}"


class PurgeQuerySet(models.QuerySet["Purge"]):
    """Queries on purges."""

    def visible_to(self, user: Any) -> Self:
        """Return the purges in the areas of `user`, for those who supervise."""
        if getattr(user, "role", None) not in SUPERVISES:
            return self.none()
        return self.filter(within(user, "closing__area__path"))

    def current(self) -> Self:
        """Return those that wait for a second person, run, or are done."""
        return self.filter(refused_at=None)

    def running(self) -> Self:
        """Return those that a worker has to go on with."""
        return self.filter(approved_at__isnull=False, finished_at=None)


class Purge(models.Model):
    """The deletion of a closed outbreak's data: asked by one, agreed to by another, certified."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    closing = models.ForeignKey(Closing, on_delete=models.PROTECT, related_name="purges")
    asked_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("asked by")
    )
    asker_employer = models.CharField(_("employer of the first"), max_length=60, blank=True)
    asked_at = models.DateTimeField(_("asked at"))
    approved_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("agreed by"),
    )
    approver_employer = models.CharField(_("employer of the second"), max_length=60, blank=True)
    approved_at = models.DateTimeField(_("agreed at"), null=True, blank=True)
    # By the first, who withdraws it, or by another.
    refused_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("refused by"),
    )
    refused_at = models.DateTimeField(_("refused at"), null=True, blank=True)
    # Rows by table: counted when it began, and removed so far.
    before = models.JSONField(null=True)
    removed = models.JSONField(default=dict)
    head = models.CharField(max_length=90, blank=True)  # of the audit, when it began
    touched_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    # What `certificate.signed` returned, and its digest.
    certificate = models.JSONField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)

    objects = PurgeQuerySet.as_manager()

    class Meta:
        verbose_name = _("purge")
        verbose_name_plural = _("purges")
        constraints = [
            models.UniqueConstraint(
                fields=["closing"],
                name="purge_one_at_a_time",
                condition=Q(refused_at=None, finished_at=None),
            ),
            models.CheckConstraint(
                name="purge_two_people",
                condition=Q(approved_by=None) | ~Q(approved_by=F("asked_by")),
            ),
            set_together("approved", name="purge_approved_whole"),
            set_together("refused", name="purge_refused_whole"),
            models.CheckConstraint(
                name="purge_agreed_before_done",
                condition=Q(finished_at=None)
                | Q(approved_at__isnull=False, certificate__isnull=False),
            ),
        ]
        triggers = [
            KEPT,
            two_voices(first="asked_by_id", second="approved_by_id"),
            pgtrigger.Protect(
                name="asked_unchanged",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "key", "closing", "asked_by", "asker_employer", "asked_at"
                ),
            ),
            pgtrigger.Protect(
                name="decided_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "coalesce(OLD.approved_at, OLD.refused_at) IS NOT NULL AND"
                    " (OLD.approved_by_id, OLD.approved_at, OLD.refused_by_id, OLD.refused_at)"
                    " IS DISTINCT FROM"
                    " (NEW.approved_by_id, NEW.approved_at, NEW.refused_by_id, NEW.refused_at)"
                ),
            ),
            pgtrigger.Protect(
                name="certified_for_good",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.finished_at IS NOT NULL"),
            ),
        ]

    def __str__(self) -> str:
        return f"purge {self.key}"

    @property
    def area(self) -> Area:
        """Return the area, as the rule of two people asks."""
        return self.closing.area

    @property
    def total(self) -> int:
        """Return how many rows were counted."""
        return sum((self.before or {}).values())

    @property
    def done(self) -> int:
        """Return how many rows are removed so far."""
        return sum(self.removed.values())
