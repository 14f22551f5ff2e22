"""A preview as a page shows it: each number with the link to exactly the people behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from accounts.staff.models import Area, User
from quarantine.models import PreviewSeen
from quarantine.switching.preview import SwitchOutcome, SwitchPreview

# More rows than this are no overview: then the level above is shown.
MOST_ROWS = 60
# What a number is shown with beside its word and colour.
SHAPES = {
    SwitchOutcome.LENGTHENED: "bi-arrow-up-right-circle-fill",
    SwitchOutcome.DECISION: "bi-person-raised-hand",
    SwitchOutcome.MOVED: "bi-arrow-left-right",
    SwitchOutcome.TESTS: "bi-droplet-half",
    SwitchOutcome.SHORTENED: "bi-arrow-down-right-circle",
    SwitchOutcome.RELEASED: "bi-check2-circle",
    SwitchOutcome.KEPT: "bi-dash-circle",
}


@dataclass(frozen=True)
class Number:
    """How many cases have an outcome, and where they stand."""

    outcome: SwitchOutcome
    value: int
    url: str

    @property
    def shape(self) -> str:
        """Return the symbol of the outcome."""
        return SHAPES[self.outcome]


@dataclass(frozen=True)
class Row:
    """An area with its numbers; `url` leads further down, "" at a grid."""

    area: Area
    place: str
    url: str
    numbers: list[Number]


@dataclass(frozen=True)
class Difference:
    """A number that is another one than when somebody looked."""

    outcome: SwitchOutcome
    before: int
    now: int


class Effect:
    """What a decision changes in the areas of a reader, or in one of them."""

    def __init__(
        self,
        found: SwitchPreview,
        *,
        user: User,
        within: Area,
        address: str,
        asked: Mapping[str, str],
        code: str = "",
    ) -> None:
        self.found, self._address, self._asked = found, address, asked
        inside = Area.objects.below(user).filter(path__startswith=within.path)
        self._areas: list[Area] = list(inside.order_by("path"))
        self.scope = next((area for area in self._areas if area.code == code), None)

    @cached_property
    def total(self) -> int:
        """Return how many open cases there are."""
        return sum(self._counts(self.scope).values())

    @cached_property
    def numbers(self) -> list[Number]:
        """Return the numbers of all, what lengthens first."""
        return self._numbers(self.scope)

    @cached_property
    def changing(self) -> int:
        """Return for how many cases something changes."""
        return sum(each.value for each in self.numbers if each.outcome != SwitchOutcome.KEPT)

    @cached_property
    def whole(self) -> bool:
        """Return whether the reader sees all that is counted; only then the chart tells of it."""
        return self.scope is None and set(self.found.in_grid) <= set(self._grids)

    @cached_property
    def rows(self) -> list[Row]:
        """Return the numbers by street and grid where these are few, else by a level above."""
        return [
            Row(area, self._place(area), self._down(area), self._numbers(area))
            for area in self._shown
        ]

    @property
    def days(self) -> list[tuple[date, int, int]]:
        """Return how many tests each of the coming days needs, before and after."""
        before, after = self.found.tests_before, self.found.tests_after
        return [(day, before[day], after[day]) for day in self.found.days]

    @property
    def saved(self) -> int:
        """Return how many tests of two weeks are no longer needed, below 0 where more are."""
        return sum(before - after for _day, before, after in self.days)

    def chart(self) -> dict[str, Any]:
        """Return the same as JSON values, for a chart."""
        days = self.days
        return {
            "days": [f"{day:%m-%d}" for day, *_ in days],
            "today": f"{days[0][0]:%m-%d}",
            "beside": True,
            "series": [
                {
                    "name": _("As it stands"),
                    "key": "before",
                    "values": [each for _day, each, _after in days],
                },
                {
                    "name": _("After the change"),
                    "key": "after",
                    "values": [each for _day, _before, each in days],
                },
            ],
        }

    def differences(self, look: PreviewSeen | None) -> list[Difference]:
        """Return what has changed since somebody looked at all of it."""
        if look is None:
            return []
        now = self.found.counts
        return [
            Difference(outcome, look.counts.get(outcome, 0), now[outcome])
            for outcome in SwitchOutcome
            if look.counts.get(outcome, 0) != now[outcome]
        ]

    def _numbers(self, area: Area | None) -> list[Number]:
        counts = self._counts(area)
        return [Number(each, counts[each], self._people(each, area)) for each in SwitchOutcome]

    def _counts(self, area: Area | None) -> Counter[str]:
        path = area.path if area else ""
        counts: Counter[str] = Counter()
        for pk, grid in self._grids.items():
            if grid.path.startswith(path):
                counts.update(self.found.in_grid.get(pk, {}))
        return counts

    def _people(self, outcome: SwitchOutcome, area: Area | None) -> str:
        where = {"area": area.code} if area else {}
        return f"{self._address}?{urlencode({'outcome': outcome.value, **where, **self._asked})}"

    @cached_property
    def _grids(self) -> Mapping[int, Area]:
        return {area.pk: area for area in self._areas if area.level == Area.Level.GRID}

    @cached_property
    def _shown(self) -> list[Area]:
        path = self.scope.path if self.scope else ""
        below = [area for area in self._areas if area.path.startswith(path)]
        counted = {self._grids[pk].path for pk in self.found.in_grid if pk in self._grids}
        for level in (Area.Level.GRID, Area.Level.COMMUNITY, Area.Level.STREET, Area.Level.COUNTY):
            found = [
                area
                for area in below
                if area.level == level and any(each.startswith(area.path) for each in counted)
            ]
            if found and len(found) <= MOST_ROWS:
                return found if level != Area.Level.GRID else self._with_streets(found)
        return []

    def _with_streets(self, grids: list[Area]) -> list[Area]:
        streets = [
            area
            for area in self._areas
            if area.level == Area.Level.STREET
            and area != self.scope
            and any(grid.path.startswith(area.path) for grid in grids)
        ]
        return sorted([*streets, *grids], key=lambda area: area.path)

    def _place(self, area: Area) -> str:
        """Return the names above an area that tell two of the same name apart."""
        return " · ".join(
            other.name
            for other in self._areas
            if area.path.startswith(other.path)
            and other.level in (Area.Level.STREET, Area.Level.COMMUNITY)
            and other not in self._shown
        )

    def _down(self, area: Area) -> str:
        if area.level == Area.Level.GRID:
            return ""
        return f"?{urlencode({'area': area.code, **self._asked})}"
