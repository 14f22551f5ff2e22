"""
Buildings, units and doors as people write them, and the keys under which they are found.

3号楼, 3栋, 三幢 and 3# are one building, 2单元 and 2 one unit, 501室 and 501 one door.
"""

import re
import unicodedata
from dataclasses import dataclass

_DIGITS = "零一二三四五六七八九"
_HAN_NUMBER = re.compile(
    f"(?:([二三四五六七八九])?十)?([{_DIGITS[1:]}])?(?=号|栋|幢|座|楼|单元|院|#)"
)
_BUILDING_END = re.compile(r"(?:号楼|栋|幢|座|楼|号|#)$")
_UNIT_END = re.compile(r"(?:单元|门)$")
_DOOR_END = re.compile(r"(?:室|号房|号|房|户)$")

_BUILDING = r"(?P<building>[^-]*?[0-9a-z](?:号楼|栋|幢|座|楼|号|#))"
_UNIT = r"(?:(?P<unit>[0-9a-z]{1,3})(?:单元|门))"
_DOOR = r"(?:(?P<door>[0-9]{1,5}[a-z]?)(?:室|号房|号|房|户)?)"
_WRITTEN = tuple(
    re.compile(pattern)
    for pattern in (
        f"{_BUILDING}-?{_UNIT}-?{_DOOR}?",
        f"{_BUILDING}-?(?:(?P<unit>[0-9a-z]{{1,3}})-)?{_DOOR}",
        _BUILDING,
        f"{_UNIT}-?{_DOOR}",
        f"(?P<building>[^-]*[0-9a-z])-(?P<unit>[0-9a-z]{{1,3}})-{_DOOR}",
        f"(?P<building>[^-]*[0-9a-z])-{_DOOR}",
        _DOOR,
    )
)


@dataclass(frozen=True)
class TypedAddress:
    """The keys of an address as far as it was typed; "" for what was not."""

    building: str = ""
    unit: str = ""
    door: str = ""


def read(text: str) -> TypedAddress | None:
    """Return what address `text` says: 3-2-501, 3号楼2单元501, 3栋501, 501室; None for none."""
    plain = re.sub(r"-+", "-", re.sub(r"[\s/,，、—–－_]+", "-", _plain(text))).strip("-")
    for form in _WRITTEN:
        if said := form.fullmatch(plain):
            part = said.groupdict()
            return TypedAddress(
                building_key(part.get("building") or ""),
                unit_key(part.get("unit") or ""),
                door_key(part.get("door") or ""),
            )
    return None


def building_key(name: str) -> str:
    """Return the key of a building's name: 3 of 3号楼, 阳光花园3 of 阳光花园三栋."""
    return _BUILDING_END.sub("", _joined(name)).removeprefix("第")


def unit_key(unit: str) -> str:
    """Return the key of a unit: 2 of 2单元."""
    return _UNIT_END.sub("", _joined(unit))


def door_key(door: str) -> str:
    """Return the key of a door: 501 of 501室."""
    return _DOOR_END.sub("", _joined(door))


def _joined(text: str) -> str:
    return re.sub(r"\s+", "", _plain(text))


def _plain(text: str) -> str:
    """Return narrow small letters, and numbers below a hundred in digits."""
    return _HAN_NUMBER.sub(_digits, unicodedata.normalize("NFKC", text).lower().strip())


def _digits(said: re.Match[str]) -> str:
    if not said[0]:
        return ""
    ones = str(_DIGITS.index(said[2])) if said[2] else ""
    if "十" not in said[0]:
        return ones
    return (str(_DIGITS.index(said[1])) if said[1] else "1") + (ones or "0")
