"""Facts that are never changed, only withdrawn once; fact and withdrawal are kept."""

from typing import Self, TypeVar

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.staff.models import User

# The only change of a fact that the database allows: its withdrawal.
ONLY_WITHDRAWN = pgtrigger.Protect(
    name="only_withdrawn",
    operation=pgtrigger.Update,
    condition=pgtrigger.AnyChange(exclude=["withdrawn_at", "withdrawn_by"]),
)
KEPT = pgtrigger.Protect(name="kept", operation=pgtrigger.Delete)

M = TypeVar("M", bound="Withdrawable", covariant=True)


class WithdrawableQuerySet(models.QuerySet[M]):
    """Queries on facts that can be withdrawn."""

    def valid(self) -> Self:
        """Return the rows that were not withdrawn."""
        return self.filter(withdrawn_at=None)


class Withdrawable(models.Model):
    """A fact that can be withdrawn, with the time and the user."""

    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("withdrawn by"),
    )

    class Meta:
        abstract = True


def set_together(act: str, *, name: str, **besides: None) -> models.CheckConstraint:
    """Return the constraint that `<act>_by` and `<act>_at` are both set or both NULL."""
    by, at = f"{act}_by__isnull", f"{act}_at__isnull"
    return models.CheckConstraint(
        name=name,
        condition=models.Q(**{by: True, at: True}) | models.Q(**{by: False, at: False}, **besides),
    )
