"""Who acted alone upon whose account; who is a second voice is derived from this table."""

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.staff.models import User
from accounts.withdrawal import KEPT, set_together

# The accounts of which one person had, or passed on, a hand: `start` is a key in SQL. Everybody
# behind that account, by interventions that stand, and everybody behind whom these stand.
_TIED = """
    WITH RECURSIVE behind(id) AS (
        SELECT {start}::bigint
        UNION SELECT i.by_id FROM accounts_intervention i
            JOIN behind ON i.account_id = behind.id WHERE i.confirmed_at IS NULL
    ), tied(id) AS (
        SELECT id FROM behind
        UNION SELECT i.account_id FROM accounts_intervention i
            JOIN tied ON i.by_id = tied.id WHERE i.confirmed_at IS NULL
    )
    SELECT id FROM tied
"""
TIED = _TIED.format(start="%s")


def two_voices(*, first: str, second: str) -> pgtrigger.Trigger:
    """
    Return the trigger that refuses `second` where one person stands behind both accounts.

    That both are one account is refused by a constraint of each table.
    """
    tied = _TIED.format(start=f"NEW.{second}")
    return pgtrigger.Trigger(
        name="two_voices",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf(second),  # type: ignore[no-untyped-call]
        func=f"""
            IF NEW.{second} IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.{second} IS NULL)
                AND NEW.{first} <> NEW.{second} AND NEW.{first} IN ({tied}) THEN
                RAISE EXCEPTION 'two_voices: one person stands behind both accounts';
            END IF;
            RETURN NEW;
        """,
    )


class InterventionQuerySet(models.QuerySet["Intervention"]):
    """Queries on interventions."""

    def standing(self) -> Self:
        """Return the interventions that no second administrator has confirmed."""
        return self.filter(confirmed_at=None)


class Intervention(models.Model):
    """
    An act of one administrator alone upon the account of another.

    It stands until an administrator of another employer, behind whom the first does not stand,
    confirms the account. What two people decided is no intervention.
    """

    class Kind(models.TextChoices):
        MADE = "made", _("made the account")
        CHANGED = "changed", _("changed areas or e-mail address")
        RESET = "reset", _("reset the sign-in")
        REOPENED = "reopened", _("opened the account again")
        PRINTED = "printed", _("printed the activation code")

    account = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="interventions", verbose_name=_("account")
    )
    by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("done by")
    )
    by_employer = models.CharField(_("employer of the first"), max_length=60, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    at = models.DateTimeField(_("at"))
    confirmed_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("confirmed by"),
    )
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, blank=True)

    objects = InterventionQuerySet.as_manager()

    class Meta:
        verbose_name = _("intervention")
        verbose_name_plural = _("interventions")
        constraints = [
            set_together("confirmed", name="intervention_confirmed_whole"),
            models.CheckConstraint(
                name="intervention_upon_another",
                condition=~Q(by=F("account")) & (Q(confirmed_by=None) | ~Q(confirmed_by=F("by"))),
            ),
        ]
        indexes = [
            models.Index(
                fields=["by"], name="intervention_standing", condition=Q(confirmed_at=None)
            )
        ]
        triggers = [
            KEPT,
            two_voices(first="by_id", second="confirmed_by_id"),
            pgtrigger.Protect(
                name="act_unchanged",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("account", "by", "by_employer", "kind", "at"),
            ),
            pgtrigger.Protect(
                name="confirmed_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__confirmed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.by_id} {self.kind} {self.account_id}"
