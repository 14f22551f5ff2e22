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
from quarantine.lists.area_table import AreaRow, LinkedNumber, place_of, shown_areas
from quarantine.models import PreviewSeen
from quarantine.switching.preview import SwitchOutcome, SwitchPreview

_LEVELS = (Area.Level.GRID, Area.Level.COMMUNITY, Area.Level.STREET, Area.Level.COUNTY)
# What a number is shown with beside its word and colour.
ICONS = {
    SwitchOutcome.LENGTHENED: "bi-arrow-up-right-circle-fill",
    SwitchOutcome.DECISION: "bi-person-raised-hand",
    SwitchOutcome.MOVED: "bi-arrow-left-right",
    SwitchOutcome.TESTS: "bi-droplet-half",
    SwitchOutcome.SHORTENED: "bi-arrow-down-right-circle",
    SwitchOutcome.RELEASED: "bi-check2-circle",
    SwitchOutcome.KEPT: "bi-dash-circle",
}


@dataclass(frozen=True)
class Difference:
    """A number that has changed since an earlier look."""

    outcome: SwitchOutcome
    before: int
    now: int


class Effect:
    """What a decision changes in the areas of a reader, or in one of them."""

    def __init__(
        self,
        preview: SwitchPreview,
        *,
        user: User,
        within: Area,
        page: str,
        people: str,
        asked: Mapping[str, str],
        code: str = "",
    ) -> None:
        self.preview, self._asked = preview, asked
        self._page, self._people = page, people
        inside = Area.objects.below(user).filter(path__startswith=within.path)
        self._areas: list[Area] = list(inside.order_by("path"))
        self.scope = next((area for area in self._areas if area.code == code), None)

    @cached_property
    def total(self) -> int:
        """Return how many people are under a measure."""
        return sum(self._counts(self.scope).values())

    @cached_property
    def numbers(self) -> list[LinkedNumber]:
        """Return the numbers of all, what lengthens first."""
        return self._numbers(self.scope)

    @cached_property
    def changing(self) -> int:
        """Return for how many people something changes."""
        return sum(number.value for number in self.numbers if number.key != SwitchOutcome.KEPT)

    @cached_property
    def whole(self) -> bool:
        """Return whether the reader sees all that is counted; only then the chart tells of it."""
        return self.scope is None and set(self.preview.in_grid) <= set(self._grids)

    @cached_property
    def rows(self) -> list[AreaRow]:
        """Return the numbers by street and grid where these are few, else by a level above."""
        named = [
            area
            for area in self._areas
            if area.level in {Area.Level.STREET, Area.Level.COMMUNITY} and area not in self._shown
        ]
        return [
            AreaRow(
                area,
                place_of(area, named),
                self._down(area),
                self._numbers(area),
                is_sum=area.level == Area.Level.STREET,
            )
            for area in self._shown
        ]

    @property
    def days(self) -> list[tuple[date, int, int]]:
        """Return how many tests each of the coming days needs, before and after."""
        before, after = self.preview.tests_before, self.preview.tests_after
        return [(day, before[day], after[day]) for day in self.preview.days]

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
                    "values": [before for _day, before, _after in days],
                },
                {
                    "name": _("After the change"),
                    "key": "after",
                    "values": [after for _day, _before, after in days],
                },
            ],
        }

    def differences(self, seen: PreviewSeen | None) -> list[Difference]:
        """Return the numbers that have changed since an earlier look at the whole preview."""
        if seen is None:
            return []
        now = self.preview.counts
        return [
            Difference(outcome, seen.counts.get(outcome, 0), now[outcome])
            for outcome in SwitchOutcome
            if seen.counts.get(outcome, 0) != now[outcome]
        ]

    def _numbers(self, area: Area | None) -> list[LinkedNumber]:
        counts = self._counts(area)
        return [
            LinkedNumber(
                outcome.value,
                counts[outcome],
                self._behind(outcome, area),
                self._labels[outcome],
                ICONS[outcome],
            )
            for outcome in SwitchOutcome
        ]

    @cached_property
    def _labels(self) -> Mapping[SwitchOutcome, str]:
        return {outcome: str(outcome.label) for outcome in SwitchOutcome}

    def _counts(self, area: Area | None) -> Counter[str]:
        path = area.path if area else ""
        counts: Counter[str] = Counter()
        for pk, grid in self._grids.items():
            if grid.path.startswith(path):
                counts.update(self.preview.in_grid.get(pk, {}))
        return counts

    def _behind(self, outcome: SwitchOutcome, area: Area | None) -> str:
        where = {"area": area.code} if area else {}
        return f"{self._people}?{urlencode({'outcome': outcome.value, **where, **self._asked})}"

    @cached_property
    def _grids(self) -> Mapping[int, Area]:
        return {area.pk: area for area in self._areas if area.level == Area.Level.GRID}

    @cached_property
    def _shown(self) -> list[Area]:
        path = self.scope.path if self.scope else ""
        counted = [self._grids[pk].path for pk in self.preview.in_grid if pk in self._grids]
        paths = {
            grid_path[:end]
            for grid_path in counted
            for end in range(Area.steplen, len(grid_path) + 1, Area.steplen)
        }
        with_cases = [
            area for area in self._areas if area.path in paths and area.path.startswith(path)
        ]
        areas = shown_areas(with_cases, _LEVELS)
        by_grid = bool(areas) and areas[0].level == Area.Level.GRID
        return self._with_streets(areas) if by_grid else areas

    def _with_streets(self, grids: list[Area]) -> list[Area]:
        streets = [
            area
            for area in self._areas
            if area.level == Area.Level.STREET
            and area != self.scope
            and any(grid.path.startswith(area.path) for grid in grids)
        ]
        return sorted([*streets, *grids], key=lambda area: area.path)

    def _down(self, area: Area) -> str:
        if area.level == Area.Level.GRID:
            return ""
        return f"{self._page}?{urlencode({'area': area.code, **self._asked})}"
