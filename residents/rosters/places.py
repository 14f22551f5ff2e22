"""Match the addresses of a roster's rows to the grids and buildings of its area."""

import unicodedata
from collections import defaultdict

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.staff.models import Area
from residents.register.addresses import building_key
from residents.register.models import Building

_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")}


def _normalised_name(name: str) -> str:
    """Return a grid's name normalised: 第一网格, 1网格 and 1 are equal."""
    plain = unicodedata.normalize("NFKC", name).replace(" ", "").casefold()
    plain = plain.removeprefix("第").removesuffix("网格").removesuffix("号")
    if "十" in plain and all(character in "十一二三四五六七八九" for character in plain):
        tens, _ten, ones = plain.partition("十")
        return str(_DIGITS.get(tens, 1) * 10 + _DIGITS.get(ones, 0))
    return "".join(str(_DIGITS.get(character, character)) for character in plain).lstrip("0")


class Places:
    """The grids and buildings of an area."""

    def __init__(self, area: Area) -> None:
        self.area = area
        tree = {descendant.path: descendant for descendant in Area.objects.get_tree(area)}
        grids = [descendant for descendant in tree.values() if descendant.level == Area.Level.GRID]
        self.paths = {grid.pk: grid.path for grid in grids}
        self._by_code = {grid.code: grid.pk for grid in grids}
        self._by_name: dict[tuple[str, str], set[int]] = defaultdict(set)
        for grid in grids:
            above = tree.get(grid.path[: -Area.steplen])
            self._by_name["", _normalised_name(grid.name)].add(grid.pk)
            if above:
                self._by_name[above.name.replace(" ", ""), _normalised_name(grid.name)].add(
                    grid.pk
                )
                self._by_name[above.code, _normalised_name(grid.name)].add(grid.pk)
        self._by_building: dict[str, set[int]] = defaultdict(set)
        self._spelt: dict[tuple[int, str], str] = {}
        self._load_buildings(grids)
        self._found: dict[tuple[str, str, str], int] = {}

    def _load_buildings(self, grids: list[Area]) -> None:
        buildings = Building.objects.filter(grid__in=grids).order_by("-pk")
        for grid_id, name, key in buildings.values_list("grid", "name", "name_key"):
            self._by_building[key].add(grid_id)
            self._spelt[grid_id, key] = name

    def grid(self, community: str, grid: str, building: str) -> int:
        """Return the primary key of the grid of a row."""
        key = community, grid, building
        if key not in self._found:
            self._found[key] = self._look_up(community.replace(" ", ""), grid, building)
        return self._found[key]

    def _look_up(self, community: str, grid: str, building: str) -> int:
        if grid in self._by_code:
            return int(self._by_code[grid])
        if grid:
            matches = self._by_name.get((community, _normalised_name(grid)), set())
        elif (key := building_key(building)) in self._by_building:
            matches = self._by_building[key]
        else:
            matches = set(self.paths)
        if len(matches) == 1:
            return next(iter(matches))
        raise ValidationError(*self._grid_error(grid, matches))

    def _grid_error(self, grid: str, matches: set[int]) -> tuple[str, None, dict[str, str]]:
        parameters = {"grid": grid[:30], "area": self.area.name}
        if not grid:
            return _("Say the grid: %(area)s has several."), None, parameters
        if matches:
            return (
                _("Several grids in %(area)s are called “%(grid)s”: write the grid's code."),
                None,
                parameters,
            )
        return _("There is no grid “%(grid)s” in %(area)s."), None, parameters

    def spelling(self, grid: int, building: str) -> str:
        """Return the first spelling of a building's name: 3号楼 for 3栋."""
        return self._spelt.setdefault((grid, building_key(building)), building)
