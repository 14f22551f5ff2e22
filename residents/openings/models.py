"""Who opened whose record, why and until when."""

import uuid
from typing import Any, Self

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.staff.models import User, people_within
from common.encryption import EncryptedTextField


class OpeningQuerySet(models.QuerySet["Opening"]):
    """Questions about openings; time is the database's, whatever day the demo believes in."""

    def visible_to(self, user: Any) -> Self:
        """Return the openings of records in the areas of `user`, by others."""
        return self.filter(people_within(user, "resident__grid__path")).exclude(by=user)

    def active(self) -> Self:
        """Return those that still open a record."""
        return self.filter(ended_at=None, until__gt=Now())

    def whole(self) -> Self:
        """Return them with all that is shown of them, and whether each `is_active`."""
        active = models.Q(ended_at=None, until__gt=Now())
        return (
            self.select_related("resident__grid", "by", "ended_by")
            .prefetch_related("by__areas")
            .annotate(is_active=models.ExpressionWrapper(active, models.BooleanField()))
        )

    def unseen(self) -> Self:
        """Return those that no supervisor has taken note of."""
        return self.filter(seen_at=None)


class Opening(models.Model):
    """That somebody may read the record of one person outside their areas for an hour."""

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

    def __str__(self) -> str:
        return f"opening {self.key}"


def opened_to(user: Any, resident: str) -> models.Q:
    """Return the condition that the record of `resident`, a column, is open to `user` now."""
    if not getattr(user, "sees_people", False):
        return models.Q(pk__in=[])
    open_now = Opening.objects.active().filter(resident=models.OuterRef(resident), by=user)
    return models.Q(models.Exists(open_now))
