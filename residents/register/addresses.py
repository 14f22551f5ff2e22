"""
Parse addresses, and normalise buildings, units and doors to search keys.

3号楼, 3栋, 三幢 and 3# are one building, 2单元 and 2 one unit, 501室 and 501 one door.
"""

import re
import unicodedata
from dataclasses import dataclass

from residents.register.lengths import LONGEST_BUILDING, LONGEST_UNIT

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
    """The keys of the parts of a typed address, "" for missing parts."""

    building: str = ""
    unit: str = ""
    door: str = ""


def parse_address(text: str) -> TypedAddress | None:
    """Return the address in `text` (3-2-501, 3号楼2单元501, 3栋501, 501室), None if it is none."""
    plain = re.sub(r"-+", "-", re.sub(r"[\s/,，、—–－_]+", "-", _normalised(text))).strip("-")
    for form in _WRITTEN:
        if match := form.fullmatch(plain):
            parts = match.groupdict()
            return TypedAddress(
                building_key(parts.get("building") or ""),
                unit_key(parts.get("unit") or ""),
                door_key(parts.get("door") or ""),
            )
    return None


def building_key(name: str) -> str:
    """Return the key of a building's name: 3 of 3号楼, 阳光花园3 of 阳光花园三栋."""
    key = _BUILDING_END.sub("", _without_spaces(name)).removeprefix("第")
    return key[:LONGEST_BUILDING]  # 十 becomes 10


def unit_key(unit: str) -> str:
    """Return the key of a unit: 2 of 2单元."""
    return _UNIT_END.sub("", _without_spaces(unit))[:LONGEST_UNIT]


def door_key(door: str) -> str:
    """Return the key of a door: 501 of 501室."""
    return _DOOR_END.sub("", _without_spaces(door))


def _without_spaces(text: str) -> str:
    return re.sub(r"\s+", "", _normalised(text))


def _normalised(text: str) -> str:
    """Return NFKC in lower case, with Chinese numbers below a hundred as digits."""
    return _HAN_NUMBER.sub(_as_digits, unicodedata.normalize("NFKC", text).lower().strip())


def _as_digits(match: re.Match[str]) -> str:
    if not match[0]:
        return ""
    ones = str(_DIGITS.index(match[2])) if match[2] else ""
    if "十" not in match[0]:
        return ones
    return (str(_DIGITS.index(match[1])) if match[1] else "1") + (ones or "0")
