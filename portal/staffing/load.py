"""Grids that nobody holds, and staff with more than they can do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef

from accounts.staff.models import Area, Role, User

# Each open case is a visit or a call a day, with the test or the check and the way there about
# ten minutes: an eight hours' day holds 48.
MOST_OPEN_CASES = 48
MOST_SHOWN = 12  # grids without anybody, those with the most open cases first


@dataclass(frozen=True)
class Loaded:
    """A member of grid staff with their share of the open cases, and their grids."""

    person: User
    open_cases: int
    grids: list[Area]


@dataclass(frozen=True)
class Staffing:
    """Who holds the grids of a place: grids without anybody, staff with too much."""

    without: list[tuple[Area, int]] = field(default_factory=list)
    overloaded: list[Loaded] = field(default_factory=list)

    @property
    def shown(self) -> list[tuple[Area, int]]:
        """Return the grids without anybody that a page names."""
        return self.without[:MOST_SHOWN]

    @property
    def more(self) -> int:
        """Return how many grids without anybody there are besides."""
        return len(self.without) - len(self.shown)

    @property
    def most(self) -> int:
        """Return how many open cases one person can look after."""
        return MOST_OPEN_CASES


def staffing_of(grids: Sequence[Area], open_cases: Mapping[int, int]) -> Staffing:
    """
    Return how grids are staffed, with the open cases of each by its key. One query.

    Those who hold one grid together share its cases.
    """
    held: dict[int, list[User]] = defaultdict(list)
    holds: dict[User, list[Area]] = defaultdict(list)
    for person in _grid_staff(grids):
        paths = tuple(person.paths)  # type: ignore[attr-defined]
        for grid in grids:
            if grid.path.startswith(paths):
                held[grid.pk].append(person)
                holds[person].append(grid)
    shares = {
        person: sum(open_cases.get(grid.pk, 0) / len(held[grid.pk]) for grid in theirs)
        for person, theirs in holds.items()
    }
    loaded = [Loaded(person, ceil(share), holds[person]) for person, share in shares.items()]
    without = [(grid, open_cases.get(grid.pk, 0)) for grid in grids if not held[grid.pk]]
    return Staffing(
        sorted(without, key=lambda pair: -pair[1]),
        sorted(
            (each for each in loaded if each.open_cases > MOST_OPEN_CASES),
            key=lambda each: -each.open_cases,
        ),
    )


def _grid_staff(grids: Sequence[Area]) -> list[User]:
    """Return the active grid staff of these grids, with the paths of all their areas."""
    above = paths_above(grids)
    paths = Area.objects.filter(people=OuterRef("pk")).order_by("path").values("path")
    staff = User.objects.filter(
        is_active=True,
        role=Role.GRID_STAFF,
        pk__in=User.areas.through.objects.filter(area__path__in=above).values("user"),
    )
    return list(staff.annotate(paths=ArraySubquery(paths)).order_by("username"))


def paths_above(grids: Iterable[Area]) -> set[str]:
    """Return the tree paths of grids and of all areas that they lie in: equality uses an index."""
    return {
        grid.path[:end]
        for grid in grids
        for end in range(Area.steplen, len(grid.path) + 1, Area.steplen)
    }
