"""Masking of personal data on pages, until a user uncovers it with a reason."""

import re

LAST = 4
COMPOUND_SURNAMES = frozenset(
    (
        *("欧阳", "上官", "司马", "诸葛", "司徒", "皇甫", "尉迟", "公孙", "慕容"),
        *("夏侯", "端木", "南宫", "宇文", "令狐", "长孙", "东方", "万俟", "澹台"),
    )
)
_LAST_WORD = re.compile(r"[0-9A-Za-z]+(?=[^0-9A-Za-z]*$)")
_VARIANT = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def mask_name(name: str) -> str:
    """Return the first character and a star: 张*."""
    if not name:
        return ""
    variant = name[1:2] if _VARIANT.match(name[1:2]) else ""
    return f"{name[0]}{variant}*"


def surname_of(name: str) -> str:
    """Return the surname of a Chinese name, the first word of another: 张, 欧阳."""
    if name[:2] in COMPOUND_SURNAMES:
        return name[:2]
    return name.split()[0] if name.isascii() else mask_name(name).removesuffix("*")


def mask_phone(phone: str) -> str:
    """Return 138****1234 for a mainland number, first and last digits for others."""
    local = phone.removeprefix("+86")
    if len(local) < 2 * LAST:
        return "*" * len(local)
    return f"{local[:-8] if len(local) > 8 else ''}****{local[-LAST:]}"


def mask_number(number: str) -> str:
    """Return stars and the last four characters of a document's number."""
    if len(number) <= LAST:
        return "*" * len(number)
    return "*" * (len(number) - LAST) + number[-LAST:]


def mask_address(address: str) -> str:
    """Return an address with its last number, the door, replaced by stars."""
    return _LAST_WORD.sub("***", address)
