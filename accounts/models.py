"""Areas, the people who work in them, and what they did."""

import uuid
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from functools import cached_property, reduce
from operator import or_
from typing import Any, Self, cast

import pgtrigger
from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from treebeard.mp_tree import MP_Node, MP_NodeManager, MP_NodeQuerySet

from accounts.encryption import EncryptedTextField


class AreaQuerySet(MP_NodeQuerySet):
    """Questions about areas."""

    def below(self, user: "User") -> Self:
        """Return the areas that `user` answers for, with all below them."""
        return cast(Self, self.filter(within(user, "path")))


class AreaManager(MP_NodeManager):
    """The tree, with the questions above; treebeard's own queryset would not know them."""

    def get_queryset(self) -> AreaQuerySet:
        """Return all areas in the order of the tree."""
        return cast(AreaQuerySet, AreaQuerySet(self.model, using=self._db).order_by("path"))

    def below(self, user: "User") -> AreaQuerySet:
        """Return the areas that `user` answers for, with all below them."""
        return self.get_queryset().below(user)


class Area(MP_Node):
    """
    A place that somebody answers for, from the country down to a grid.

    Codes are GB/T 2260 down to the county and the community's own below it.
    """

    class Level(models.TextChoices):
        COUNTRY = "country", _("Country")
        PROVINCE = "province", _("Province")
        CITY = "city", _("City")
        COUNTY = "county", _("County or district")
        STREET = "street", _("Street or town")
        COMMUNITY = "community", _("Community or village")
        GRID = "grid", _("Grid")

    code = models.CharField(_("code"), max_length=20, unique=True)
    level = models.CharField(_("level"), max_length=10, choices=Level)
    name = models.CharField(_("name"), max_length=50)
    name_key = models.CharField(_("pinyin"), max_length=200, blank=True)

    objects = AreaManager()

    node_order_by: list[str] = []

    class Meta:
        verbose_name = _("area")
        verbose_name_plural = _("areas")
        constraints = [
            models.CheckConstraint(
                name="area_level_known",
                condition=models.Q(
                    level__in=[
                        "country",
                        "province",
                        "city",
                        "county",
                        "street",
                        "community",
                        "grid",
                    ]
                ),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def county_code(self) -> str:
        """Return the GB/T 2260 code that holds here: the first six digits."""
        return self.code[:6]


class Role(models.TextChoices):
    """What a person does in the portal, and so what they may see."""

    GRID_STAFF = "grid_staff", _("Grid staff")
    SUPERVISOR = "supervisor", _("Supervisor")
    ADMINISTRATOR = "administrator", _("Administrator")
    AUDITOR = "auditor", _("Auditor")


# The roles whose work is people; administrators and auditors see none of them.
SEES_PEOPLE = frozenset({Role.GRID_STAFF, Role.SUPERVISOR})
# The roles that answer for more than a grid: in production they need a second factor.
SUPERVISES = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR})


class StaffManager(UserManager["User"]):
    """Questions about those who work here."""

    use_in_migrations = False

    def signed_in(self, pk: int) -> "User | None":
        """Return who is signed in, with the areas they answer for, in one query."""
        paths = Area.objects.filter(people=models.OuterRef("pk")).order_by("path").values("path")
        user = self.annotate(paths=ArraySubquery(paths)).filter(pk=pk).first()
        if user:
            user.area_paths = tuple(user.paths)
        return user

    def managed_by(self, user: "User") -> models.QuerySet["User"]:
        """Return the accounts of `user`'s areas, and those that nobody's areas hold yet."""
        areas = Area.objects.below(user).values("pk")
        return self.filter(models.Q(areas__in=areas) | models.Q(areas=None)).distinct()


class User(AbstractUser):
    """Somebody who works here, responsible for one or more areas."""

    key = models.UUIDField(_("pseudonym"), default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=50)
    role = models.CharField(_("role"), max_length=15, choices=Role, default=Role.GRID_STAFF)
    # Two people of one employer are one voice when it is decided which document is in force.
    employer = models.CharField(_("employer"), max_length=60, blank=True)
    areas = models.ManyToManyField(
        Area, verbose_name=_("answers for"), blank=True, related_name="people"
    )
    # Somebody else knows it: the owner has to choose another before anything else.
    password_is_temporary = models.BooleanField(default=False)

    objects = StaffManager()  # type: ignore[misc]  # narrower than AbstractUser says

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.CheckConstraint(
                name="user_role_known",
                condition=models.Q(
                    role__in=["grid_staff", "supervisor", "administrator", "auditor"]
                ),
            )
        ]

    def __str__(self) -> str:
        return self.name or self.username

    @cached_property
    def area_paths(self) -> tuple[str, ...]:
        """Return the tree paths of the areas this person answers for (one query a request)."""
        return tuple(self.areas.order_by("path").values_list("path", flat=True))

    @property
    def masked_email(self) -> str:
        """Return w***@example.cn: enough to see that it is there, and whose."""
        name, at, host = self.email.rpartition("@")
        return f"{name[:1]}***{at}{host}" if self.email else ""

    @property
    def sees_people(self) -> bool:
        """Return whether this person's work is with residents."""
        return self.is_active and self.role in SEES_PEOPLE


def within(user: Any, path: str) -> models.Q:
    """
    Return the condition that `path`, a lookup to an area's tree path, lies in `user`'s areas.

    Nothing lies in the areas of somebody who answers for none.
    """
    paths = getattr(user, "area_paths", ())
    conditions = [models.Q(**{f"{path}__startswith": prefix}) for prefix in paths]
    return reduce(or_, conditions) if conditions else models.Q(pk__in=[])


def people_within(user: Any, path: str) -> models.Q:
    """Return `within` for rows about residents: nothing for roles whose work is not people."""
    return within(user, path) if getattr(user, "sees_people", False) else models.Q(pk__in=[])


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """Questions about the audit."""

    def about(self, subject: str, key: uuid.UUID) -> Self:
        """Return what was done to or read of a person, alone or among others."""
        return self.filter(models.Q(subject=subject) | models.Q(shown__contains=[key]))

    def matching(self, *, day: date | None, about: str) -> Self:
        """Return the entries of a day, those about or by a pseudonym; None and "" ask nothing."""
        entries = self
        if day:
            start = timezone.make_aware(datetime.combine(day, time()))
            entries = entries.filter(at__gte=start, at__lt=start + timedelta(days=1))
        about = about.strip()
        if not about:
            return entries
        found = models.Q(subject=about) | models.Q(subject__endswith=f":{about}")
        with suppress(ValueError):
            found |= models.Q(actor=uuid.UUID(about.rpartition(":")[2]))
        return entries.filter(found)


class AuditEntry(models.Model):
    """
    One thing that somebody did or read, for ever.

    Holds pseudonyms only, so that it may outlive the personal data it speaks of: a reason here
    is one of a list; what somebody wrote stands sealed in `AuditWords`.
    """

    at = models.DateTimeField(_("at"), db_default=Now(), db_index=True)
    actor = models.UUIDField(_("who"), null=True)
    did = models.CharField(_("did"), max_length=60)
    subject = models.CharField(_("to"), max_length=80)
    # The pseudonyms of those on a page that was shown, and of the one whom `subject` is about.
    shown = ArrayField(models.UUIDField(), verbose_name=_("shown"), default=list)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    detail = models.JSONField(_("detail"), default=dict)
    # What proves that the portal wrote it; empty on entries older than the first seal.
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
    What somebody wrote as a reason: sealed, since it may name people.

    Its entry holds a digest of the text, which begins with random characters; so the text can
    neither be exchanged nor guessed, and may go when the personal data goes.
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


class DataKey(models.Model):
    """That a key is in use in this database; of the key itself a keyed hash of a fixed text."""

    class Kind(models.TextChoices):
        FIELD = "field", _("seals")
        SEARCH = "search", _("finds")

    kind = models.CharField(max_length=10, choices=Kind)
    version = models.PositiveSmallIntegerField()
    fingerprint = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name = _("key in use")
        verbose_name_plural = _("keys in use")

    def __str__(self) -> str:
        return f"{self.kind} key {self.version}"


class AuditSeal(models.Model):
    """
    A link of the chain: the entries with ids above `after` up to `through`, and no others.

    `digest` covers the seal before, so a change anywhere changes all that follow; `proof` needs a
    key that the database does not hold.
    """

    number = models.BigIntegerField(primary_key=True)
    after = models.BigIntegerField()
    through = models.BigIntegerField()
    entries = ArrayField(models.BigIntegerField())
    leaves = models.BinaryField()  # a digest for each entry
    at = models.DateTimeField(_("sealed at"))
    digest = models.BinaryField()
    proof = models.BinaryField()

    class Meta:
        verbose_name = _("audit seal")
        verbose_name_plural = _("audit seals")
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"seal {self.number}"


# Django looks for models here; these stand with what they are about.
from accounts.exports.models import Export, ExportFile, ExportRequest  # noqa: E402

__all__ = [
    "SEES_PEOPLE",
    "SUPERVISES",
    "Area",
    "AuditEntry",
    "AuditSeal",
    "AuditWords",
    "DataKey",
    "Export",
    "ExportFile",
    "ExportRequest",
    "Role",
    "User",
    "people_within",
    "within",
]
