"""The demo's areas: real down to the county, invented below it."""

from typing import Any

from accounts.staff.models import Area
from common.pinyin import place_key

Level = Area.Level

BAYANNUR, CANGSHAN = "150802", "350104"

_ABOVE = {
    BAYANNUR: [
        ("150000", Level.PROVINCE, "内蒙古自治区"),
        ("150800", Level.CITY, "巴彦淖尔市"),
        (BAYANNUR, Level.COUNTY, "临河区"),
    ],
    CANGSHAN: [
        ("350000", Level.PROVINCE, "福建省"),
        ("350100", Level.CITY, "福州市"),
        (CANGSHAN, Level.COUNTY, "仓山区"),
    ],
}
_STREETS = {BAYANNUR: "河套示范街道", CANGSHAN: "榕城示范街道"}
COMMUNITIES = ("示范社区 A", "示范社区 B")
GRIDS = ("第一网格", "第二网格", "第三网格")


def create_areas() -> list[Area]:
    """Create the tree of areas, and return its grids in the order of their codes."""
    country = Area.objects.add_root(_fields("000000", Level.COUNTRY, "全国"))
    for county, levels in _ABOVE.items():
        area = country
        for code, level, name in levels:
            area = _below(area, code, level, name)
        street = _below(area, f"{county}900", Level.STREET, _STREETS[county])
        for number, name in enumerate(COMMUNITIES, 1):
            _plant_community(street, f"{street.code}{number:03}", name)
    return list(Area.objects.filter(level=Level.GRID).order_by("code"))


def _plant_community(street: Area, code: str, name: str) -> None:
    community = _below(street, code, Level.COMMUNITY, name)
    for number, grid in enumerate(GRIDS, 1):
        _below(community, f"{code}{number:02}", Level.GRID, grid)


def _below(parent: Area, code: str, level: str, name: str) -> Area:
    parent.refresh_from_db()
    child: Area = Area.objects.add_child(parent, _fields(code, level, name))
    return child


def _fields(code: str, level: str, name: str) -> dict[str, Any]:
    return {"code": code, "level": level, "name": name, "name_key": place_key(name)}
