"""Openings: temporary access to records of other areas."""

import uuid
from typing import Any, Self

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.scope import people_within
from accounts.staff.models import User
from accounts.voices.models import two_voices
from common.encryption import EncryptedTextField


class OpeningQuerySet(models.QuerySet["Opening"]):
    """Queries on openings; they use the database's clock, not the demo's day."""

    def visible_to(self, user: Any) -> Self:
        """Return the openings, by other users, of records in the areas of `user`."""
        return self.filter(people_within(user, "resident__grid__path")).exclude(by=user)

    def active(self) -> Self:
        """Return the openings that still give access."""
        return self.filter(ended_at=None, until__gt=Now())

    def with_details(self) -> Self:
        """Return the openings with related rows, annotated with `is_active`."""
        active = models.Q(ended_at=None, until__gt=Now())
        return (
            self.select_related("resident__grid", "by", "ended_by")
            .prefetch_related("by__areas")
            .annotate(is_active=models.ExpressionWrapper(active, models.BooleanField()))
        )

    def unseen(self) -> Self:
        """Return the openings that no supervisor has noted."""
        return self.filter(seen_at=None)


class Opening(models.Model):
    """The permission to read the record of one person outside one's areas for an hour."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    resident = models.ForeignKey(
        "residents.Resident",
        on_delete=models.PROTECT,
        related_name="openings",
        verbose_name=_("resident"),
    )
    by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="openings", verbose_name=_("by")
    )
    reason = EncryptedTextField(_("reason"), bound_to=["key"])
    at = models.DateTimeField(_("at"), db_default=Now())
    until = models.DateTimeField(_("until"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    ended_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    seen_at = models.DateTimeField(_("noted at"), null=True, blank=True)
    seen_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )

    objects = OpeningQuerySet.as_manager()

    class Meta:
        verbose_name = _("opening")
        verbose_name_plural = _("openings")
        indexes = [models.Index(fields=["by", "-at"], name="opening_by")]
        constraints = [
            models.CheckConstraint(
                name="opening_noted_by_another",
                condition=models.Q(seen_by=None) | ~models.Q(seen_by=models.F("by")),
            )
        ]
        triggers = [two_voices(first="by_id", second="seen_by_id")]

    def __str__(self) -> str:
        return f"opening {self.key}"


def opened_to(user: Any, resident: str) -> models.Q:
    """Return the condition that `user` has an active opening of the column `resident`."""
    if not getattr(user, "sees_people", False):
        return models.Q(pk__in=[])
    open_now = Opening.objects.active().filter(resident=models.OuterRef(resident), by=user)
    return models.Q(models.Exists(open_now))
