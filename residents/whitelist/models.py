"""Whitelist workers, their duties, and their gate codes."""

import uuid
from datetime import date
from typing import Any, Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.scope import people_within
from accounts.staff.models import User
from common.encryption import EncryptedTextField
from policy import words


class WorkerQuerySet(models.QuerySet["Worker"]):
    """Queries on whitelist workers."""

    def visible_to(self, user: Any) -> Self:
        """Return the workers who live below the areas of `user`."""
        return self.filter(people_within(user, "resident__grid__path"))

    def listed(self) -> Self:
        """Return the entries that were not ended, of residents who still live here."""
        return self.filter(ended_at=None, resident__gone_as="")

    def valid(self, on: date) -> Self:
        """Return the entries valid on a day, first and last day included."""
        return self.listed().filter(valid_from__lte=on, valid_until__gte=on)


class Worker(models.Model):
    """An entry of the white list (113号 8): post, employer and validity."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    resident = models.ForeignKey(
        "residents.Resident",
        on_delete=models.PROTECT,
        related_name="posts",
        verbose_name=_("resident"),
    )
    post = models.CharField(_("post"), max_length=30, choices=list(words.WHITELIST_POSTS.items()))
    # The post for occupational testing, if a document requires it.
    screening_post = models.CharField(
        _("post of occupational testing"),
        max_length=30,
        blank=True,
        choices=list(words.POSTS.items()),
    )
    employer = models.CharField(_("employer"), max_length=100)
    valid_from = models.DateField(_("valid from"))
    valid_until = models.DateField(_("valid until"))
    listed_at = models.DateTimeField(_("listed at"))
    listed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("listed by")
    )
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = WorkerQuerySet.as_manager()

    class Meta:
        verbose_name = _("whitelist worker")
        verbose_name_plural = _("whitelist workers")
        constraints = [
            models.UniqueConstraint(
                fields=["resident"], name="worker_once", condition=Q(ended_at=None)
            ),
            models.CheckConstraint(
                name="worker_days_in_order", condition=Q(valid_until__gte=F("valid_from"))
            ),
        ]
        indexes = [
            models.Index(
                fields=["valid_until", "id"], name="worker_ends", condition=Q(ended_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"worker {self.key}"

    def holds(self, on: date) -> bool:
        """Return whether the entry is valid on a day."""
        return self.ended_at is None and self.valid_from <= on <= self.valid_until


class DutyEntry(models.Model):
    """A duty of a worker on a day, or symptoms; never changed or deleted."""

    worker = models.ForeignKey(
        Worker, on_delete=models.PROTECT, related_name="kept", verbose_name=_("worker")
    )
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    duty = models.CharField(_("duty"), max_length=20, choices=list(words.WHITELIST_DUTIES.items()))
    day = models.DateField(_("day"))
    # "well" or "symptoms": health data, so sealed.
    state = EncryptedTextField(_("state"), bound_to=["key"])
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("by"))

    class Meta:
        verbose_name = _("duty kept")
        verbose_name_plural = _("duties kept")
        indexes = [models.Index(fields=["worker", "duty", "-day", "-id"], name="duty_latest")]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.duty} of worker {self.worker_id} on {self.day}"

    @property
    def well(self) -> bool:
        """Return whether no symptoms were recorded."""
        return bool(self.state != "symptoms")


class GateCode(models.Model):
    """A random code that a worker shows at a gate, stored as a keyed hash only."""

    worker = models.ForeignKey(
        Worker, on_delete=models.PROTECT, related_name="codes", verbose_name=_("worker")
    )
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    made_at = models.DateTimeField(_("made at"))
    made_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("made by")
    )
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("gate code")
        verbose_name_plural = _("gate codes")
        constraints = [
            models.UniqueConstraint(
                fields=["worker"], name="gate_code_one_valid", condition=Q(revoked_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"gate code of worker {self.worker_id}"
