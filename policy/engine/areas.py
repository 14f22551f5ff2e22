"""Areas by GB/T 2260 codes: a place lies in an area whose digits begin its code."""

import functools
import re

_CODE = re.compile(r"[0-9]{6}")
_PROVINCES = frozenset(
    str(code)
    for first, last in (
        (11, 15),
        (21, 23),
        (31, 37),
        (41, 46),
        (50, 54),
        (61, 65),
        (71, 71),
        (81, 82),
    )
    for code in range(first, last + 1)
)
NATIONAL = "000000"
# Where people come from who are only known to come from another country; lies in no province.
ABROAD = "990000"


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
