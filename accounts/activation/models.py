"""Activation codes: kept as hashes, valid once, for three days."""

import uuid
from datetime import datetime
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.staff.models import User
from accounts.withdrawal import KEPT


class ActivationCodeQuerySet(models.QuerySet["ActivationCode"]):
    """Queries on activation codes."""

    def open(self) -> Self:
        """Return the codes that were neither used nor replaced; they may have expired."""
        return self.filter(used_at=None, revoked_at=None)


class ActivationCode(models.Model):
    """A code with which its owner chooses the password of an account, once."""

    class Way(models.TextChoices):
        SMS = "sms", _("by SMS to their own phone")
        EMAIL = "email", _("by e-mail")
        PAPER = "paper", _("on paper, sealed")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="codes", verbose_name=_("account")
    )
    code_hash = models.CharField(max_length=64, unique=True, editable=False)
    way = models.CharField(_("given"), max_length=5, choices=Way)
    sent_to = models.CharField(_("sent to"), max_length=80, blank=True)  # masked
    issued_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("issued by")
    )
    issued_at = models.DateTimeField(_("issued at"))
    expires_at = models.DateTimeField(_("valid until"))
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("replaced at"), null=True, blank=True)

    objects = ActivationCodeQuerySet.as_manager()

    class Meta:
        verbose_name = _("activation code")
        verbose_name_plural = _("activation codes")
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                name="activation_code_one_open",
                condition=Q(used_at=None, revoked_at=None),
            ),
            models.CheckConstraint(
                name="activation_code_used_or_replaced",
                condition=Q(used_at=None) | Q(revoked_at=None),
            ),
        ]
        triggers = [
            KEPT,
            pgtrigger.Protect(
                name="only_spent",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(exclude=["used_at", "revoked_at"]),
            ),
            pgtrigger.Protect(
                name="spent_for_good",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__used_at__isnull=False)
                | pgtrigger.Q(old__revoked_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"activation code {self.key}"

    def waits(self, at: datetime) -> bool:
        """Return whether the code can be used at a moment."""
        return self.used_at is None and self.revoked_at is None and at < self.expires_at
