"""Facts that are never changed, only taken back: once, by somebody, and both are kept."""

from typing import Self, TypeVar

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.staff.models import User

# What may change on a fact: that it is withdrawn, once.
ONLY_WITHDRAWN = pgtrigger.Protect(
    name="only_withdrawn",
    operation=pgtrigger.Update,
    condition=pgtrigger.AnyChange(exclude=["withdrawn_at", "withdrawn_by"]),
)
KEPT = pgtrigger.Protect(name="kept", operation=pgtrigger.Delete)

M = TypeVar("M", bound="Withdrawable", covariant=True)


class WithdrawableQuerySet(models.QuerySet[M]):
    """Questions about what may be withdrawn."""

    def valid(self) -> Self:
        """Return what was not withdrawn."""
        return self.filter(withdrawn_at=None)


class Withdrawable(models.Model):
    """Something that may be withdrawn, with when and by whom."""

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


def whole(act: str, *, name: str, **besides: None) -> models.CheckConstraint:
    """Return the constraint that who did something and when are known together or not at all."""
    by, at = f"{act}_by__isnull", f"{act}_at__isnull"
    return models.CheckConstraint(
        name=name,
        condition=models.Q(**{by: True, at: True}) | models.Q(**{by: False, at: False}, **besides),
    )
