"""
Closings of an outbreak in an area, and whose data they froze.

What was recorded of these people until then can be read and not changed: each table that holds
such data asks the database by FROZEN. Where a row belongs is said by its number, not by a time: a
closing waits for those who are writing, then notes the last number of each table.
"""

import uuid
from typing import Any, Self

import pgtrigger
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from accounts.scope import within
from accounts.staff.models import SUPERVISES, Area, Role, User
from accounts.withdrawal import KEPT, Withdrawable, WithdrawableQuerySet, set_together
from common.encryption import EncryptedTextField

# How the database begins its refusal of a change of frozen data.
REFUSAL = "outbreak_frozen"


class ClosingQuerySet(WithdrawableQuerySet["Closing"]):
    """Queries on closings."""

    def visible_to(self, user: Any) -> Self:
        """Return the closings in the areas of `user`, for those who supervise."""
        if getattr(user, "role", None) not in SUPERVISES:
            return self.none()
        return self.filter(within(user, "area__path"))


class Closing(Withdrawable):
    """
    The end of an outbreak in an area: its data are frozen, and purged after a term.

    What comes later belongs to a new outbreak. Withdrawn, it was a mistake, and nothing is frozen.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    area = models.ForeignKey(
        Area, on_delete=models.PROTECT, related_name="closings", verbose_name=_("area")
    )
    reason = EncryptedTextField(_("reason"), bound_to=["key"])
    closed_at = models.DateTimeField(_("closed at"))
    closed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("closed by")
    )
    # The last row of each table that belongs to the outbreak; all others hang on one of these.
    last_case = models.BigIntegerField(editable=False)
    last_arrival = models.BigIntegerField(editable=False)
    last_sample = models.BigIntegerField(editable=False)
    last_todo = models.BigIntegerField(editable=False)
    # Rows by table, when they were frozen.
    counts = models.JSONField(default=dict)
    people = models.PositiveIntegerField(_("people"))
    # How long the data stay: as it was said on that day, and by whom.
    days = models.PositiveSmallIntegerField(_("days"))
    said_by = models.CharField(max_length=10)
    purge_from = models.DateField(_("to be purged from"))

    objects = ClosingQuerySet.as_manager()

    class Meta:
        verbose_name = _("closing of an outbreak")
        verbose_name_plural = _("closings of outbreaks")
        constraints = [set_together("withdrawn", name="closing_withdrawal_whole")]
        triggers = [
            KEPT,
            pgtrigger.Protect(
                name="only_withdrawn",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(exclude=["withdrawn_at", "withdrawn_by", "counts"]),
            ),
        ]

    def __str__(self) -> str:
        return f"closing {self.key}"


class Frozen(models.Model):
    """A person whose data of an outbreak are frozen; gone with the purge of them."""

    closing = models.ForeignKey(Closing, on_delete=models.PROTECT, related_name="frozen")
    resident = models.ForeignKey(
        "residents.Resident", on_delete=models.PROTECT, related_name="frozen"
    )
    # Something of another outbreak rests on these data: they stay.
    held = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("frozen data of a person")
        verbose_name_plural = _("frozen data of people")
        constraints = [models.UniqueConstraint(fields=["resident", "closing"], name="frozen_once")]

    def __str__(self) -> str:
        return f"frozen in {self.closing_id}"


def frozen(last: str, *, rows: str, when: str = "", inserts: bool = False) -> pgtrigger.Trigger:
    """
    Return the trigger that keeps frozen data as they are.

    `rows` is a query of the resident and the number to compare with the column `last` of the
    closing, about the row `this`.
    """
    operation = pgtrigger.Update | pgtrigger.Delete
    return pgtrigger.Trigger(
        name="frozen",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | operation if inserts else operation,
        condition=pgtrigger.Condition(when) if when else None,
        declare=[("this", "record")],
        func=f"""
            IF TG_OP = 'INSERT' THEN this := NEW; ELSE this := OLD; END IF;
            IF NOT (TG_OP = 'UPDATE' AND NEW IS NOT DISTINCT FROM OLD) AND EXISTS (
                SELECT FROM ({rows}) AS about (resident, number)
                JOIN residents_frozen f ON f.resident_id = about.resident
                JOIN residents_closing c ON c.id = f.closing_id
                WHERE c.withdrawn_at IS NULL AND about.number <= c.{last}
            ) THEN
                RAISE EXCEPTION '{REFUSAL}: the outbreak that this belongs to is over';
            END IF;
            IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
            RETURN NEW;
        """,
    )


# Of a table that points to a resident, and of one that points to a case.
OF_RESIDENT = "SELECT this.resident_id, this.id"
OF_CASE = "SELECT resident_id, id FROM quarantine_case WHERE id = this.case_id"


def hidden_from(user: Any, last: str) -> Q:
    """
    Return the condition that a row about a resident is frozen, and `user` not to see it.

    Frozen data are for those who supervise; `last` is the column of the closing.
    """
    if getattr(user, "role", None) != Role.GRID_STAFF:
        return Q(pk__in=[])
    return Q(Exists(frozen_rows(last)))


def frozen_rows(last: str) -> models.QuerySet[Frozen]:
    """Return what freezes the row of an outer query that has a resident."""
    return Frozen.objects.filter(
        resident=OuterRef("resident"),
        closing__withdrawn_at=None,
        **{f"closing__{last}__gte": OuterRef("pk")},
    )
