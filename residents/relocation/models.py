"""The rows of `moves` and `handovers`: who moved, left, died, came back or was handed over."""

import uuid
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.staff.models import Area, User, people_within
from accounts.withdrawal import KEPT, ONLY_WITHDRAWN, Withdrawable, WithdrawableQuerySet, whole
from common.encryption import EncryptedTextField
from residents.register.models import Household, Resident


class MoveQuerySet(WithdrawableQuerySet["Move"]):
    """Questions about moves."""

    def visible_to(self, user: Any) -> Self:
        """Return the moves of residents below the areas of `user`."""
        return self.filter(people_within(user, "resident__grid__path"))


class Move(Withdrawable):
    """That somebody moved, left, died or came back, with the day: a fact, only taken back."""

    class Kind(models.TextChoices):
        MOVED = "moved", _("Moved")
        LEFT = "left", _("Moved away")
        DIED = "died", _("Died")
        RETURNED = "returned", _("Came back")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    resident = models.ForeignKey(
        Resident, on_delete=models.PROTECT, related_name="moves", verbose_name=_("resident")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    day = models.DateField(_("day"))
    left = models.ForeignKey(
        Household, on_delete=models.PROTECT, related_name="moves_out", verbose_name=_("household")
    )
    entered = models.ForeignKey(
        Household,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="moves_in",
        verbose_name=_("new household"),
    )
    place = EncryptedTextField(_("where to"), blank=True, bound_to=["key"])
    at = models.DateTimeField(_("recorded at"))
    by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("recorded by")
    )
    # The resident's version afterwards: as long as it holds, the move may be taken back.
    version = models.PositiveIntegerField()

    objects = MoveQuerySet.as_manager()

    class Meta:
        verbose_name = _("move")
        verbose_name_plural = _("moves")
        constraints = [
            models.CheckConstraint(
                name="move_enters_somewhere",
                condition=Q(kind__in=["moved", "returned"], entered__isnull=False)
                | Q(kind__in=["left", "died"], entered=None),
            ),
            whole("withdrawn", name="move_withdrawal_whole"),
        ]
        triggers = [ONLY_WITHDRAWN, KEPT]

    def __str__(self) -> str:
        return f"{self.kind} of resident {self.resident_id}"


class HandoverQuerySet(WithdrawableQuerySet["Handover"]):
    """Questions about people handed over between communities."""

    def visible_to(self, user: Any) -> Self:
        """Return what the areas of `user` hand over, and what is handed over to them."""
        return self.filter(people_within(user, "grid__path") | people_within(user, "to__path"))

    def waiting(self) -> Self:
        """Return what the other side has neither accepted nor refused."""
        return self.valid().filter(answered_at=None)

    def coming_to(self, user: Any) -> Self:
        """Return what is handed over to the areas of `user`."""
        return self.filter(people_within(user, "to__path"))


class Handover(Withdrawable):
    """
    Somebody who moves to a community that others answer for.

    Until the other side has accepted, they stay with those who know them: nobody falls between.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    resident = models.ForeignKey(
        Resident, on_delete=models.PROTECT, related_name="handovers", verbose_name=_("resident")
    )
    grid = models.ForeignKey(
        Area,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=pgettext_lazy("a handover", "from"),
    )
    to = models.ForeignKey(
        Area,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=pgettext_lazy("a handover", "to"),
    )
    day = models.DateField(_("moves on"))
    note = EncryptedTextField(_("what the other side should know"), blank=True, bound_to=["key"])
    asked_at = models.DateTimeField(_("handed over at"))
    asked_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("handed over by")
    )
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    answered_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("answered by"),
    )
    accepted = models.BooleanField(_("accepted"), null=True)
    reason = EncryptedTextField(_("reason"), blank=True, bound_to=["key"])

    objects = HandoverQuerySet.as_manager()

    class Meta:
        verbose_name = _("handover")
        verbose_name_plural = _("handovers")
        constraints = [
            models.UniqueConstraint(
                fields=["resident"],
                name="handover_one_waiting",
                condition=Q(answered_at=None, withdrawn_at=None),
            ),
            whole("answered", name="handover_answer_whole"),
            whole("withdrawn", name="handover_withdrawal_whole"),
            models.CheckConstraint(
                name="handover_accepted_or_not",
                condition=Q(answered_at=None, accepted=None)
                | Q(answered_at__isnull=False, accepted__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["to"],
                name="handover_waiting",
                condition=Q(answered_at=None, withdrawn_at=None),
            )
        ]
        triggers = [KEPT]

    def __str__(self) -> str:
        return f"handover {self.key}"
