"""
Who takes over when somebody goes: an account is closed, or loses areas or its role.

Accounts know nothing of residents and cases; what moves along is gathered here, above all of them.
Messages of the inbox belong to a grid, so they move with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext

from accounts import services as accounts
from accounts.auditing import audit
from accounts.staff import authority
from accounts.staff.models import SEES_PEOPLE, Area, Role, User
from common.errors import RefusedError
from portal.staffing.load import paths_above
from quarantine.models import Case
from quarantine.todo.models import Todo
from residents.keypeople.models import Need


@dataclass(frozen=True)
class Left:
    """What somebody would leave: grids in which nobody else works, and open work."""

    grids: list[Area]
    open_cases: int
    needs: list[Need]
    todos: int = 0  # open ones about people there

    @property
    def needs_taker(self) -> bool:
        """Return whether somebody has to take over."""
        return bool(self.open_cases or self.needs or self.todos)

    @property
    def sentence(self) -> str:
        """Return in words what is left."""
        names = pgettext("joins names", ", ").join(grid.name for grid in self.grids) or "—"
        return _(
            "Somebody has to take over: grids without anybody: %(grids)s; open cases there:"
            " %(cases)d; to-dos there: %(todos)d; needs they look after: %(needs)d. Choose who"
            " does."
        ) % {
            "grids": names,
            "cases": self.open_cases,
            "todos": self.todos,
            "needs": len(self.needs),
        }


class NobodyTakesOverError(RefusedError):
    """Open work would stay with nobody; `left` is what."""

    field = "taker"

    def __init__(self, left: Left) -> None:
        self.left = left
        super().__init__(left.sentence)


def may_take_over(*, of: User, by: User) -> QuerySet[User]:
    """Return whom `by` may choose to take over the work of somebody: active field staff."""
    chosen = authority.below(by).filter(is_active=True, role__in=SEES_PEOPLE)
    return chosen.exclude(pk=of.pk).order_by("role", "username")


@transaction.atomic
def change_account(
    *,
    user: User,
    name: str,
    role: str,
    areas: Iterable[Area],
    employer: str,
    email: str,
    taker: User | None,
    at: datetime,
    by: User,
    second: User | None = None,
) -> None:
    """
    Change an account; what it can no longer do goes to `taker` in the same step.

    Raise NobodyTakesOverError where open work is left and nobody takes it, and what
    `accounts.services.change_account` raises.
    """
    areas = list(areas)
    left = refuse_nobody(user=user, role=role, areas=areas, taker=taker)
    accounts.change_account(
        user=user,
        name=name,
        role=role,
        areas=areas,
        employer=employer,
        email=email,
        at=at,
        by=by,
        second=second,
    )
    _take_over(left, of=user, taker=taker, at=at, by=by, second=second)


@transaction.atomic
def close_account(
    *, user: User, taker: User | None, at: datetime, by: User, second: User | None = None
) -> None:
    """
    Close an account; its open work goes to `taker` in the same step.

    Raise NobodyTakesOverError where open work is left and nobody takes it, and what
    `accounts.services.deactivate` raises.
    """
    left = refuse_nobody(user=user, role=user.role, areas=[], taker=taker)
    accounts.deactivate(user=user, by=by, second=second)
    _take_over(left, of=user, taker=taker, at=at, by=by, second=second)


def refuse_nobody(*, user: User, role: str, areas: Iterable[Area], taker: User | None) -> Left:
    """Return what somebody leaves who keeps only `areas`; raise NobodyTakesOverError."""
    kept = [area.path for area in areas] if role in SEES_PEOPLE else []
    left = _left_behind(user, kept)
    if left.needs_taker and taker is None:
        raise NobodyTakesOverError(left)
    return left


def _left_behind(user: User, kept: Collection[str]) -> Left:
    """Return what somebody leaves who keeps only the areas at these paths."""
    if not user.sees_people:
        return Left([], 0, [])
    held = Area.objects.below(user).filter(level=Area.Level.GRID)
    # Who takes the last two people from a grid at once waits here for the other.
    lost = [grid for grid in held.select_for_update() if not grid.path.startswith(tuple(kept))]
    deserted = _without(lost, besides=user)
    needs = Need.objects.open().filter(responsible=user).select_related("resident__grid")
    return Left(
        deserted,
        Case.objects.governing().filter(grid__in=deserted).count(),
        [need for need in needs if not need.resident.grid.path.startswith(tuple(kept))],
        Todo.objects.open().filter(resident__grid__in=deserted).count(),
    )


def _without(grids: list[Area], *, besides: User) -> list[Area]:
    """Return the grids in which nobody of the same work is left; supervisors do not walk them."""
    roles = {Role.GRID_STAFF} if besides.role == Role.GRID_STAFF else SEES_PEOPLE
    others = User.objects.filter(is_active=True, role__in=roles).exclude(pk=besides.pk)
    above = Area.objects.filter(path__in=paths_above(grids), people__in=others)
    held = tuple(set(above.values_list("path", flat=True)))
    return [grid for grid in grids if not grid.path.startswith(held)]


def _take_over(
    left: Left, *, of: User, taker: User | None, at: datetime, by: User, second: User | None
) -> None:
    """Give `taker` the grids that would have nobody, and the needs with their grids."""
    if taker is None or not (left.grids or left.needs):
        return
    grids = {grid.pk: grid for grid in left.grids}
    grids |= {need.resident.grid_id: need.resident.grid for need in left.needs}
    missing = [grid for grid in grids.values() if not grid.path.startswith(taker.area_paths)]
    if missing:
        accounts.change_account(
            user=taker,
            name=taker.name,
            role=taker.role,
            areas=[*taker.areas.all(), *missing],
            employer=taker.employer,
            email=taker.email,
            at=at,
            by=by,
            second=second,
        )
    needs = Need.objects.filter(pk__in=[need.pk for need in left.needs])
    needs.update(responsible=taker, version=F("version") + 1)
    audit.record(
        by=second or by,
        did=gettext_noop("gave open work to"),
        to=taker,
        of=str(of.key),
        grids=[grid.code for grid in left.grids],
        needs=len(left.needs),
    )
