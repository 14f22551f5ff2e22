"""Proposals about accounts, and the decision of a second administrator."""

import uuid
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.activation.models import ActivationCode
from accounts.staff.models import Role, User
from accounts.voices.models import two_voices
from accounts.withdrawal import KEPT, set_together
from common.encryption import EncryptedTextField


class AccountProposalQuerySet(models.QuerySet["AccountProposal"]):
    """Queries on proposals."""

    def waiting(self) -> Self:
        """Return the proposals that a second administrator can decide on."""
        return self.filter(approved_at=None, refused_at=None)


class AccountProposal(models.Model):
    """
    That an account be made or changed, as one administrator proposes and another approves.

    The proposal never changes; the decision is written once.
    """

    class Kind(models.TextChoices):
        MAKE = "make", _("Make an account")
        CHANGE = "change", _("Change an account")
        RESET = "reset", _("Reset sign-in and second factor")
        CLOSE = "close", _("Close an account")
        REOPEN = "reopen", _("Open an account again")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    account = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="proposals",
        null=True,  # until a new account is made
        verbose_name=_("account"),
    )
    # Name, role, employer, e-mail address and codes of the areas: as they would be, as they were.
    values = models.JSONField(_("as proposed"), default=dict)
    before = models.JSONField(_("as it was"), default=dict)
    taker = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        verbose_name=_("taker"),
    )
    way = models.CharField(
        _("code given"), max_length=5, choices=ActivationCode.Way, default="", blank=True
    )
    phone = EncryptedTextField(_("phone for the code"), blank=True, bound_to=["key"])
    proposed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("proposed by")
    )
    proposer_employer = models.CharField(_("employer of the first"), max_length=60)
    proposed_at = models.DateTimeField(_("proposed at"))
    approved_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, verbose_name=_("approved by")
    )
    approver_employer = models.CharField(_("employer of the second"), max_length=60, blank=True)
    approved_at = models.DateTimeField(_("approved at"), null=True)
    # By the second, or withdrawn by the first.
    refused_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, verbose_name=_("refused by")
    )
    refused_at = models.DateTimeField(_("refused at"), null=True)

    objects = AccountProposalQuerySet.as_manager()

    class Meta:
        verbose_name = _("proposal about an account")
        verbose_name_plural = _("proposals about accounts")
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                name="account_proposal_one_waiting",
                condition=Q(approved_at=None, refused_at=None, account__isnull=False),
            ),
            models.CheckConstraint(
                name="account_proposal_two_people",
                condition=Q(approved_by=None)
                | ~Q(approved_by=F("proposed_by"))
                & ~Q(approved_by=F("account"))
                & ~Q(approver_employer="")
                & ~Q(approver_employer__iexact=F("proposer_employer")),
            ),
            models.CheckConstraint(
                name="account_proposal_not_on_oneself",
                condition=Q(account=None) | ~Q(account=F("proposed_by")),
            ),
            set_together("approved", name="account_proposal_approval_whole", refused_at=None),
            set_together("refused", name="account_proposal_refusal_whole"),
        ]
        triggers = [
            KEPT,
            two_voices(first="proposed_by_id", second="approved_by_id"),
            pgtrigger.Protect(
                name="proposal_unchanged",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    *("key", "kind", "values", "before", "taker", "way"),
                    *("proposed_by", "proposer_employer", "proposed_at"),
                ),
            ),
            pgtrigger.Protect(
                name="decided_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__approved_at__isnull=False)
                | pgtrigger.Q(old__refused_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.whom}"

    @property
    def whom(self) -> str:
        """Return the name of whom it is about."""
        name: str = self.account.name if self.account else self.values["name"]
        return name

    @property
    def role(self) -> str:
        """Return the proposed role in words."""
        return str(Role(self.values["role"]).label)
