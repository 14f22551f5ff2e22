"""The ledger of exports, requests for unmasked data, and files to be fetched."""

import uuid
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, Self

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from accounts.scope import within
from accounts.staff.models import SUPERVISES, Area, Role, User
from accounts.voices.models import TIED, two_voices
from common.encryption import EncryptedTextField

# How long a request waits for a second person, how long an approval holds, and how long a
# finished file can be fetched.
WAITS_FOR = timedelta(days=3)
AGREED_FOR = timedelta(hours=4)
FILE_KEPT = timedelta(hours=1)


class ExportedList(models.TextChoices):
    """The lists that can be exported."""

    RESIDENTS = "residents", _("Residents")
    CASES = "cases", _("Cases")
    TODAY = "today", _("Work of today")
    KEY_PEOPLE = "key_people", _("Key populations")
    WORKERS = "workers", _("Whitelist workers")
    MEND = "mend", _("Rows of a roster to correct")
    AUDIT = "audit", _("Audit")
    OWN_DATA = "own_data", _("A person's own data")


class FileFormat(models.TextChoices):
    """The file formats of exports."""

    XLSX = "xlsx", "Excel (.xlsx)"
    CSV = "csv", "CSV (UTF-8)"
    ZIP = "zip", _("JSON and a page to print (.zip)")  # of a person's own data only


class Sensitive(models.TextChoices):
    """The fields that are masked in a file unless two people agreed otherwise."""

    NAME = "name", _("Names")
    PHONE = "phone", _("Phones")
    NUMBER = "number", _("Numbers of documents")
    ADDRESS = "address", _("Doors")


class ExportPurpose(models.TextChoices):
    """The purposes for which unmasked data may leave the portal."""

    TRANSFER = "transfer", _("Transfer to a quarantine site")
    MEDICAL = "medical", _("Medical care")
    SAMPLING = "sampling", _("Sampling at the door")
    SUPPLIES = "supplies", _("Delivery of medicine and food")
    COMPARISON = "comparison", _("Comparison with another register")
    OWN_DATA = "own_data", _("The person asked for their own data")


class ExportRequestQuerySet(models.QuerySet["ExportRequest"]):
    """Queries on requests."""

    def visible_to(self, user: Any) -> Self:
        """Return the requests for the areas of `user` and their own; all for auditors."""
        if user.role == Role.AUDITOR:
            return self
        return self.filter(within(user, "area__path") | Q(asked_by=user))

    def waiting(self, at: datetime) -> Self:
        """Return the requests that a second person can still decide on."""
        return self.filter(
            approved_at=None, refused_at=None, withdrawn_at=None, asked_at__gt=at - WAITS_FOR
        )

    def to_decide(self, user: Any, at: datetime) -> Self:
        """Return the waiting requests that `user` may decide on: `requests.unfit` in SQL."""
        if user.role not in SUPERVISES:
            return self.none()
        above = [Q(path__startswith=path) & ~Q(path=path) for path in user.area_paths]
        asker = Area.objects.filter(people=OuterRef("asked_by"))
        fit = Exists(asker) & ~Exists(asker.exclude(reduce(or_, above, Q(pk=None))))
        if user.role == Role.SUPERVISOR:
            fit |= Q(asked_by__role=Role.GRID_STAFF)
        if user.employer:
            same_employer = Q(asker_employer__iexact=user.employer)
            fit |= ~(
                same_employer | Q(asker_employer="") | Q(asked_by__employer__iexact=user.employer)
            )
        tied = RawSQL(TIED, [user.pk])  # noqa: S611 - the one argument is a key
        return self.visible_to(user).waiting(at).filter(fit).exclude(asked_by__in=tied)

    def answered_to(self, user: Any, at: datetime) -> Self:
        """Return the requests of `user` that can be used now or were refused within WAITS_FOR."""
        return self.filter(
            Q(valid_until__gte=at, export=None) | Q(refused_at__gt=at - WAITS_FOR),
            asked_by=user,
            withdrawn_at=None,
        )

    def agreed(self, at: datetime) -> Self:
        """Return the approved requests that were not used."""
        return self.filter(valid_until__gte=at, withdrawn_at=None, export=None)


# These columns never change: what is approved is what was asked for.
_ASKED = (
    *("key", "what", "area", "filters", "fields", "format", "purpose"),
    *("asked_by", "asker_employer", "asked_at"),
)

APPROVER_IS_FIT = pgtrigger.Trigger(
    name="approver_is_fit",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("approved_by_id"),  # type: ignore[no-untyped-call]
    func="""
        IF NEW.approved_by_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM accounts_user u
                JOIN accounts_user_areas ua ON ua.user_id = u.id
                JOIN accounts_area theirs ON theirs.id = ua.area_id
                JOIN accounts_area asked ON asked.id = NEW.area_id
            WHERE u.id = NEW.approved_by_id AND u.is_active
                AND u.role IN ('supervisor', 'administrator')
                AND starts_with(asked.path, theirs.path)
        ) THEN
            RAISE EXCEPTION 'export_approver_is_fit: closed, of another role, or elsewhere';
        END IF;
        RETURN NEW;
    """,
)


class ExportRequest(models.Model):
    """
    A request to export unmasked data, and the decision of a second person.

    The request never changes; each decision is written once.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits for a second person")
        AGREED = "agreed", _("Agreed on")
        USED = "used", _("File made")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        LAPSED = "lapsed", _("Lapsed")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    what = models.CharField(_("list"), max_length=20, choices=ExportedList)
    area = models.ForeignKey(
        Area, on_delete=models.PROTECT, related_name="+", verbose_name=_("area")
    )
    filters = models.JSONField(_("filters"), default=dict)
    fields = ArrayField(models.CharField(max_length=10), verbose_name=_("unmasked"))
    format = models.CharField(_("format"), max_length=4, choices=FileFormat)
    purpose = models.CharField(_("purpose"), max_length=20, choices=ExportPurpose)
    reason = EncryptedTextField(_("reason"), bound_to=["key"])
    asked_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("asked by")
    )
    asker_employer = models.CharField(_("employer of the first"), max_length=60, blank=True)
    asked_at = models.DateTimeField(_("asked at"))
    approved_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("approved by"),
    )
    approver_employer = models.CharField(_("employer of the second"), max_length=60, blank=True)
    approved_at = models.DateTimeField(_("approved at"), null=True, blank=True)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    refused_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("refused by"),
    )
    refused_at = models.DateTimeField(_("refused at"), null=True, blank=True)
    refusal = EncryptedTextField(_("reason of the refusal"), blank=True, bound_to=["key"])
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)
    # When the asker saw the answer.
    answer_seen_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ExportRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("export request")
        verbose_name_plural = _("export requests")
        constraints = [
            models.CheckConstraint(
                name="export_request_two_people",
                condition=(Q(approved_by=None) | ~Q(approved_by=F("asked_by")))
                & (Q(refused_by=None) | ~Q(refused_by=F("asked_by"))),
            ),
            models.CheckConstraint(
                name="export_request_decided_whole",
                condition=(
                    Q(approved_by=None, approved_at=None, valid_until=None)
                    | Q(
                        approved_by__isnull=False,
                        approved_at__isnull=False,
                        valid_until__isnull=False,
                        refused_at=None,
                    )
                )
                & (
                    Q(refused_by=None, refused_at=None)
                    | Q(refused_by__isnull=False, refused_at__isnull=False)
                ),
            ),
            models.CheckConstraint(
                name="export_request_asks", condition=~Q(fields=[]) & ~Q(purpose="")
            ),
        ]
        indexes = [models.Index(fields=["area", "asked_at"], name="export_request_area")]
        triggers = [
            APPROVER_IS_FIT,
            two_voices(first="asked_by_id", second="approved_by_id"),
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="request_unchanged",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(*_ASKED),
            ),
            pgtrigger.Protect(
                name="decided_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "coalesce(OLD.approved_at, OLD.refused_at) IS NOT NULL AND"
                    " (OLD.approved_by_id, OLD.approved_at, OLD.approver_employer,"
                    " OLD.valid_until, OLD.refused_by_id, OLD.refused_at) IS DISTINCT FROM"
                    " (NEW.approved_by_id, NEW.approved_at, NEW.approver_employer,"
                    " NEW.valid_until, NEW.refused_by_id, NEW.refused_at)"
                ),
            ),
            pgtrigger.Protect(
                name="withdrawn_for_good",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.withdrawn_at IS NOT NULL AND (OLD.withdrawn_at, OLD.approved_at,"
                    " OLD.refused_at) IS DISTINCT FROM"
                    " (NEW.withdrawn_at, NEW.approved_at, NEW.refused_at)"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"export request {self.key}"

    @property
    def unmasked(self) -> list[str]:
        """Return what of the file is not masked, in words."""
        return [str(Sensitive(field).label) for field in self.fields]

    def state(self, at: datetime) -> "ExportRequest.State":
        """Return the state of the request at a moment."""
        if getattr(self, "export", None):
            return self.State.USED
        if self.withdrawn_at:
            return self.State.WITHDRAWN
        if self.refused_at:
            return self.State.REFUSED
        last = self.valid_until or self.asked_at + WAITS_FOR
        if at > last:
            return self.State.LAPSED
        return self.State.AGREED if self.approved_at else self.State.WAITING


class ExportQuerySet(models.QuerySet["Export"]):
    """Queries on the ledger."""

    def visible_to(self, user: Any) -> Self:
        """Return the user's own exports, for SUPERVISES those of their areas, for auditors all."""
        if user.role == Role.AUDITOR:
            return self
        own_exports = Q(by=user)
        return self.filter(
            own_exports | within(user, "area__path") if user.role in SUPERVISES else own_exports
        )


# Unmasked data need an approved request that is still valid. The rows of a roster are exempt: they
# go back as they were sent.
AGREED_ON = pgtrigger.Trigger(
    name="agreed_on",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert,
    func="""
        IF NEW.what <> 'mend' AND (NEW.fields <> '{}' OR NEW.request_id IS NOT NULL)
            AND NOT EXISTS (
            SELECT FROM accounts_exportrequest r
            WHERE r.id = NEW.request_id AND r.asked_by_id = NEW.by_id AND r.what = NEW.what
                AND r.area_id = NEW.area_id AND r.filters = NEW.filters
                AND r.fields = NEW.fields AND r.format = NEW.format
                AND r.valid_until >= NEW.at AND r.withdrawn_at IS NULL
        ) THEN
            RAISE EXCEPTION 'export_agreed_on: nobody, or not any more, agreed on this';
        END IF;
        RETURN NEW;
    """,
)


class Export(models.Model):
    """An exported file: who took what, when and by which request; never changed or deleted."""

    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("taken by")
    )
    what = models.CharField(_("list"), max_length=20, choices=ExportedList)
    area = models.ForeignKey(
        Area, on_delete=models.PROTECT, related_name="+", null=True, verbose_name=_("area")
    )
    filters = models.JSONField(_("filters"), default=dict)
    format = models.CharField(_("format"), max_length=4, choices=FileFormat)
    fields = ArrayField(models.CharField(max_length=10), verbose_name=_("unmasked"), default=list)
    rows = models.PositiveIntegerField(_("rows"))
    size = models.PositiveIntegerField(_("bytes"))
    sha256 = models.CharField(max_length=64)
    # One file for each request.
    request = models.OneToOneField(
        ExportRequest, on_delete=models.PROTECT, null=True, related_name="export"
    )

    objects = ExportQuerySet.as_manager()

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        indexes = [
            models.Index(fields=["by", "at"], name="export_by"),
            models.Index(fields=["area", "id"], name="export_area"),
        ]
        triggers = [
            AGREED_ON,
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"export {self.pk}"

    @property
    def key(self) -> int:
        """Return its number, as used in the audit and on the file."""
        return self.pk

    @property
    def masked(self) -> bool:
        """Return whether all fields of the file are masked."""
        return not self.fields

    @property
    def unmasked(self) -> list[str]:
        """Return what of the file is not masked, in words."""
        return [str(Sensitive(field).label) for field in self.fields]


class ExportFile(models.Model):
    """
    A long list that a worker makes and its owner downloads once.

    The content is sealed (as base64), and deleted when it is fetched, replaced or an hour old.
    """

    by = models.OneToOneField(
        User, on_delete=models.CASCADE, related_name="+", verbose_name=_("taken by")
    )
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    what = models.CharField(_("list"), max_length=20, choices=ExportedList)
    area = models.ForeignKey(
        Area, on_delete=models.CASCADE, related_name="+", null=True, verbose_name=_("area")
    )
    filters = models.JSONField(_("filters"), default=dict)
    format = models.CharField(_("format"), max_length=4, choices=FileFormat)
    language = models.CharField(max_length=10)
    request = models.ForeignKey(ExportRequest, on_delete=models.CASCADE, null=True)
    asked_at = models.DateTimeField(_("asked at"))
    export = models.OneToOneField(Export, on_delete=models.PROTECT, null=True)
    refusal = models.CharField(max_length=200, blank=True)
    content = EncryptedTextField(blank=True, bound_to=["key"])

    class Meta:
        verbose_name = _("file to be fetched")
        verbose_name_plural = _("files to be fetched")

    def __str__(self) -> str:
        return f"file for {self.by_id}"
