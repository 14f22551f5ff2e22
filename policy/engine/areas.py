"""Areas by GB/T 2260 codes: a place lies in an area whose digits begin its code."""

import functools
import re

# The nation, or a province that exists and four digits more.
CODE = r"0{6}|(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12])[0-9]{4}"
_is_code = re.compile(CODE).fullmatch
NATIONAL = "000000"
# Where people come from who are only known to come from another country; lies in no province.
ABROAD = "990000"


def is_code(code: str) -> bool:
    """Say whether this is a six-digit area code of a province that exists."""
    return _is_code(code) is not None


def is_beyond_border(code: str) -> bool:
    """Say whether people from an area pass the border: Taiwan, Hong Kong, Macao."""
    return code.startswith(("71", "81", "82"))


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
