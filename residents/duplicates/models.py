"""
Merges of two entries, and pairs marked as different people.

The database lets a fact change its resident only by a merge or its undoing.
"""

import uuid

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.staff.models import User
from accounts.withdrawal import KEPT, set_together
from common.encryption import EncryptedTextField
from residents.register.models import Resident

# For facts about a resident: replaces `accounts.withdrawal.ONLY_WITHDRAWN`, together with
# SAME_PERSON.
ONLY_WITHDRAWN_OR_MERGED = pgtrigger.Protect(
    name="only_withdrawn",
    operation=pgtrigger.Update,
    condition=pgtrigger.AnyChange(exclude=["withdrawn_at", "withdrawn_by", "resident"]),
)
SAME_PERSON = pgtrigger.Trigger(
    name="same_person",
    when=pgtrigger.Before,
    operation=pgtrigger.UpdateOf("resident_id"),  # type: ignore[no-untyped-call]
    func="""
        IF NEW.resident_id <> OLD.resident_id AND NOT EXISTS (
            SELECT FROM residents_merge m
            WHERE m.kept_id = NEW.resident_id AND m.merged_id = OLD.resident_id
                AND m.undone_at IS NULL
            OR m.kept_id = OLD.resident_id AND m.merged_id = NEW.resident_id
                AND m.undone_at IS NOT NULL
        ) THEN
            RAISE EXCEPTION 'same_person: these two entries were not merged';
        END IF;
        RETURN NEW;
    """,
)


class Merge(models.Model):
    """A merge of one entry into another, with the data to undo it."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kept = models.ForeignKey(
        Resident, on_delete=models.PROTECT, related_name="merges", verbose_name=_("kept")
    )
    merged = models.ForeignKey(
        Resident, on_delete=models.PROTECT, related_name="merged", verbose_name=_("merged")
    )
    # JSON: the values of both entries, and the fields taken from the merged one.
    before = EncryptedTextField(bound_to=["key"])
    # The keys of the moved rows by kind; no personal data.
    moved = models.JSONField(default=dict)
    at = models.DateTimeField(_("merged at"))
    by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("merged by")
    )
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)
    undone_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("undone by"),
    )

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        constraints = [
            models.UniqueConstraint(
                fields=["merged"], name="merged_once", condition=Q(undone_at=None)
            ),
            models.CheckConstraint(name="merge_of_two", condition=~Q(kept=F("merged"))),
            set_together("undone", name="merge_undoing_whole"),
        ]
        triggers = [
            KEPT,
            pgtrigger.Protect(
                name="only_undone",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(exclude=["undone_at", "undone_by", "moved"]),
            ),
        ]

    def __str__(self) -> str:
        return f"merge {self.key}"


def merged_entries(into: models.QuerySet[Resident] | None = None) -> models.QuerySet[Resident]:
    """Return the entries that were merged into another (of `into`), found by the merges."""
    merges = Merge.objects.filter(undone_at=None)
    if into is not None:
        merges = merges.filter(kept__in=into)
    return Resident.objects.filter(gone_as=Resident.GoneAs.MERGED, pk__in=merges.values("merged"))


def kept_entry_of(resident: Resident) -> Resident:
    """Return the entry that `resident` was finally merged into; itself if it was not merged."""
    while resident.gone_as == Resident.GoneAs.MERGED:
        merges = Merge.objects.select_related("kept__household__building", "kept__grid")
        resident = merges.get(merged=resident, undone_at=None).kept
    return resident


class NotSame(models.Model):
    """A pair of entries marked as different people, no longer proposed."""

    first = models.ForeignKey(Resident, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Resident, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("by"))

    class Meta:
        verbose_name = _("different people")
        verbose_name_plural = _("different people")
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="not_same_once"),
            models.CheckConstraint(name="not_same_in_order", condition=Q(first__lt=F("second"))),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} is not {self.second_id}"
