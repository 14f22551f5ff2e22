"""Moves (including departures, deaths and returns) and handovers."""

import uuid
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.scope import people_within
from accounts.staff.models import Area, User
from accounts.withdrawal import (
    KEPT,
    ONLY_WITHDRAWN,
    Withdrawable,
    WithdrawableQuerySet,
    set_together,
)
from common.encryption import EncryptedTextField
from residents.register.models import Household, Resident


class MoveQuerySet(WithdrawableQuerySet["Move"]):
    """Queries on moves."""

    def visible_to(self, user: Any) -> Self:
        """Return the moves of residents below the areas of `user`."""
        return self.filter(people_within(user, "resident__grid__path"))


class Move(Withdrawable):
    """A move, departure, death or return with its day; never changed, only withdrawn."""

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
    # The resident's version afterwards: the move can be undone while it is current.
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
            set_together("withdrawn", name="move_withdrawal_whole"),
        ]
        triggers = [ONLY_WITHDRAWN, KEPT]

    def __str__(self) -> str:
        return f"{self.kind} of resident {self.resident_id}"


class HandoverQuerySet(WithdrawableQuerySet["Handover"]):
    """Queries on handovers."""

    def visible_to(self, user: Any) -> Self:
        """Return the handovers from and to the areas of `user`."""
        return self.filter(people_within(user, "grid__path") | people_within(user, "to__path"))

    def waiting(self) -> Self:
        """Return the valid handovers that were not answered."""
        return self.valid().filter(answered_at=None)

    def coming_to(self, user: Any) -> Self:
        """Return the handovers to the areas of `user`."""
        return self.filter(people_within(user, "to__path"))


class Handover(Withdrawable):
    """
    The handover of a resident to a community of other staff.

    Until it is accepted, the resident stays registered in the old grid.
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
            set_together("answered", name="handover_answer_whole"),
            set_together("withdrawn", name="handover_withdrawal_whole"),
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
