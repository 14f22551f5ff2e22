"""Audit entries, their free texts, and the chain over them."""

import uuid
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Self

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.encryption import EncryptedTextField


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """Queries on the audit."""

    def about(self, subject: str, key: uuid.UUID) -> Self:
        """Return the entries about a person, including pages that showed several people."""
        return self.filter(models.Q(subject=subject) | models.Q(shown__contains=[key]))

    def matching(self, *, day: date | None, about: str) -> Self:
        """Return the entries of a day, about or by a pseudonym; None and "" do not filter."""
        entries = self
        if day:
            start = timezone.make_aware(datetime.combine(day, time()))
            entries = entries.filter(at__gte=start, at__lt=start + timedelta(days=1))
        about = about.strip()
        if not about:
            return entries
        condition = models.Q(subject=about) | models.Q(subject__endswith=f":{about}")
        with suppress(ValueError):
            condition |= models.Q(actor=uuid.UUID(about.rpartition(":")[2]))
        return entries.filter(condition)


class AuditEntry(models.Model):
    """
    One act or read access; never changed or deleted.

    Holds pseudonyms only, so that it may be kept longer than the personal data: `reason` is a
    code from a list; free text is sealed in `AuditWords`.
    """

    at = models.DateTimeField(_("at"), db_default=Now(), db_index=True)
    actor = models.UUIDField(pgettext_lazy("the audit", "who"), null=True)
    did = models.CharField(_("did"), max_length=60)
    subject = models.CharField(pgettext_lazy("the audit", "to"), max_length=80)
    # The pseudonyms of the people on a page that was shown, and of the person `subject` is about.
    shown = ArrayField(models.UUIDField(), verbose_name=_("shown"), default=list)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    detail = models.JSONField(_("detail"), default=dict)
    # The signature of the portal.
    proof = models.BinaryField(default=b"")

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(fields=["actor", "id"], name="audit_actor"),
            models.Index(fields=["did", "id"], name="audit_did"),
            models.Index(fields=["subject", "id"], name="audit_subject"),
            GinIndex(fields=["shown"], name="audit_shown", condition=~models.Q(shown=[])),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.at:%F %T} {self.did} {self.subject}"


class AuditWords(models.Model):
    """
    The free text of a reason: sealed, because it may name people.

    Its entry holds a digest of the text, which begins with random characters; so the text can
    neither be exchanged nor guessed, and may be deleted with the personal data.
    """

    entry = models.OneToOneField(
        AuditEntry, on_delete=models.PROTECT, primary_key=True, related_name="words"
    )
    text = EncryptedTextField(_("in words"), bound_to=["entry_id"])

    class Meta:
        verbose_name = _("words of an audit entry")
        verbose_name_plural = _("words of audit entries")

    def __str__(self) -> str:
        return f"words of entry {self.entry_id}"


class AuditLink(models.Model):
    """
    A link of the chain: one row, of a table that the audit rests on, made, changed or removed.

    The database itself writes it in the transaction of the change (`witness`), without a gap
    between numbers. `digest` covers the link before, so that a change invalidates all later ones.
    """

    number = models.BigIntegerField(primary_key=True)
    op = models.CharField(max_length=1)  # I, U or D, as PostgreSQL says INSERT, UPDATE, DELETE
    table = models.CharField(max_length=63)
    row = models.CharField(max_length=64)
    content = models.BinaryField(null=True)  # SHA-256 of the row; none once it is removed
    tx = models.BigIntegerField()  # the transaction
    digest = models.BinaryField()

    class Meta:
        verbose_name = _("audit link")
        verbose_name_plural = _("audit links")
        indexes = [models.Index(fields=["table", "row", "-number"], name="audit_link_of_row")]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"link {self.number}"


class AuditPending(models.Model):
    """A link before its transaction commits; empty for everybody else."""

    op = models.CharField(max_length=1)
    table = models.CharField(max_length=63)
    row = models.CharField(max_length=64)
    content = models.BinaryField(null=True)
    tx = models.BigIntegerField()

    class Meta:
        verbose_name = _("audit link to come")
        verbose_name_plural = _("audit links to come")
        # Each change asks whether the mark of its transaction is there, past what others left.
        indexes = [models.Index(fields=["op"], name="audit_mark", condition=models.Q(op="!"))]

    def __str__(self) -> str:
        return f"{self.op} {self.table} {self.row}"
