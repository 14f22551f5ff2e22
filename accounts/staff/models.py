"""Areas, staff accounts, and filters by the areas of a user."""

import uuid
from functools import cached_property
from typing import Self, cast

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from treebeard.mp_tree import MP_Node, MP_NodeManager, MP_NodeQuerySet

from accounts.scope import within


class AreaQuerySet(MP_NodeQuerySet):
    """Queries on areas."""

    def below(self, user: "User") -> Self:
        """Return the areas that `user` answers for, with all below them."""
        return cast(Self, self.filter(within(user, "path")))


class AreaManager(MP_NodeManager):
    """The tree with the queries of AreaQuerySet, which treebeard's manager would not offer."""

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
        STREET = "street", _("Subdistrict or town")
        COMMUNITY = "community", _("Community or village")
        GRID = "grid", _("Grid")

    code = models.CharField(_("code"), max_length=20, unique=True)
    level = models.CharField(_("level"), max_length=10, choices=Level)
    name = models.CharField(pgettext_lazy("of an area", "name"), max_length=50)
    name_key = models.CharField(_("pinyin"), max_length=200, blank=True)
    # The phone at the end of each SMS to residents.
    phone = models.CharField(_("duty phone"), max_length=20, blank=True)

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
    """The roles of users; they decide what a user may see and do."""

    GRID_STAFF = "grid_staff", _("Grid staff")
    SUPERVISOR = "supervisor", _("Supervisor")
    ADMINISTRATOR = "administrator", _("Administrator")
    AUDITOR = "auditor", _("Auditor")


# The roles that work with residents; administrators and auditors see no personal data.
SEES_PEOPLE = frozenset({Role.GRID_STAFF, Role.SUPERVISOR})


# The roles that supervise; in production they need a second factor.
SUPERVISES = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR})


class StaffManager(UserManager["User"]):
    """Queries on staff accounts."""

    use_in_migrations = False

    def signed_in(self, pk: int) -> "User | None":
        """Return the user with this key and the paths of their areas, in one query."""
        paths = Area.objects.filter(people=models.OuterRef("pk")).order_by("path").values("path")
        user = self.annotate(paths=ArraySubquery(paths)).filter(pk=pk).first()
        if user:
            user.area_paths = tuple(user.paths)
        return user


class User(AbstractUser):
    """A member of staff, responsible for one or more areas."""

    key = models.UUIDField(_("pseudonym"), default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(pgettext_lazy("of a person", "name"), max_length=50)
    role = models.CharField(_("role"), max_length=15, choices=Role, default=Role.GRID_STAFF)
    # Two users of one employer cannot decide together which document is in force.
    employer = models.CharField(_("employer"), max_length=60, blank=True)
    areas = models.ManyToManyField(
        Area, verbose_name=_("responsible for"), blank=True, related_name="people"
    )

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

    @cached_property
    def is_top(self) -> bool:
        """Return whether this is an administrator of the whole: what has no area is theirs."""
        if self.role != Role.ADMINISTRATOR or not self.is_active or not self.area_paths:
            return False
        return not Area.objects.filter(depth=1).exclude(path__in=self.area_paths).exists()

    @property
    def is_activated(self) -> bool:
        """Return whether the owner has chosen a password since the sign-in was last reset."""
        return self.has_usable_password()

    @property
    def masked_email(self) -> str:
        """Return the address as w***@example.cn, "" if there is none."""
        name, at, host = self.email.rpartition("@")
        return f"{name[:1]}***{at}{host}" if self.email else ""

    @property
    def sees_people(self) -> bool:
        """Return whether the user is active and works with residents."""
        return self.is_active and self.role in SEES_PEOPLE
