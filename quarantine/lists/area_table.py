"""A table of areas: for each its numbers, each with the link to exactly the people behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from accounts.staff.models import Area

# More rows than this are no overview: then the level above is shown.
MOST_ROWS = 60


@dataclass(frozen=True)
class LinkedNumber:
    """A count, what it is called, and where the people behind it stand."""

    key: str
    value: int
    url: str
    label: str
    icon: str = ""


@dataclass(frozen=True)
class AreaRow:
    """An area with its numbers; `url` leads further down, "" at a grid."""

    area: Area
    place: str
    url: str
    numbers: list[LinkedNumber]
    is_sum: bool = False  # of rows that stand below it


def shown_areas(areas: Sequence[Area], levels: Iterable[str]) -> list[Area]:
    """Return the areas of the first of `levels` that has some and not too many, else none."""
    for level in levels:
        of_level = [area for area in areas if area.level == level]
        if 0 < len(of_level) <= MOST_ROWS:
            return of_level
    return []


def place_of(area: Area, around: Iterable[Area]) -> str:
    """Return the names of those of `around` that `area` lies in, which tell namesakes apart."""
    above = (outer for outer in around if area.path.startswith(outer.path) and outer != area)
    return " · ".join(outer.name for outer in above)
