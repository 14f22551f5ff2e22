"""Areas by their GB/T 2260 codes: a place lies in an area when the area's digits begin its code."""

import functools
import re

_CODE = re.compile(r"[0-9]{6}")
_PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 "
    "71 81 82".split()
)
NATIONAL = "000000"


def is_code(code: str) -> bool:
    """Say whether this is a six-digit area code of a province that exists."""
    return _CODE.fullmatch(code) is not None and (code[:2] in _PROVINCES or code == NATIONAL)


@functools.cache
def significant(code: str) -> str:
    """Return the digits of a code without the pairs of zeros at its end."""
    while code.endswith("00"):
        code = code[:-2]
    return code


def lies_in(place: str, area: str) -> bool:
    """Say whether a place lies in an area; everything lies in the nation."""
    return place.startswith(significant(area))


def same_province(place: str, other: str) -> bool:
    """Say whether two places lie in the same province; nobody shares one with the nation."""
    return place[:2] == other[:2]
