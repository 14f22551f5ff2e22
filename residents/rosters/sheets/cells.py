"""
Parse the cells of a roster.

Each function takes a cell from calamine and returns the normalised value, or raises
`ValidationError`. Plainly valid values take a fast path; all others go through
`residents.register.identity`, so that rosters and forms agree.
"""

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from math import isfinite
from operator import mul
from typing import Any, NamedTuple

import phonenumbers
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from common.text import tidy, without_apostrophe
from residents.register.identity import PROVINCE, read_name, read_number, read_phone
from residents.register.lengths import (
    HIGHEST_FLOOR,
    LONGEST_BUILDING,
    LONGEST_DOOR,
    LONGEST_UNIT,
    LOWEST_FLOOR,
)
from residents.register.models import Resident
from residents.rosters.sheets.child import day_of

DocumentType = Resident.DocumentType
Sex = Resident.Sex

ROUNDED = gettext_noop(
    "Excel kept only 15 digits of this number: the others are lost in the file. Format the column"
    " as text, type the number anew, and send the row again."
)
EXACT = 10**15  # Excel keeps 15 digits of a number
_EPOCH, _EPOCH_1904 = date(1899, 12, 30), date(1904, 1, 1)
_SERIALS = range(2_101, 2_958_466)  # below, it is probably a year
_LONGEST_ADDRESS = 200
_LONGEST_FLOOR = 20

_PLAIN_NAME = re.compile("[\u4e00-\u9fff]{2,4}")
_PLAIN_NUMBER = re.compile(rf"{PROVINCE}\d{{4}}(?:19|20)\d{{9}}[\dX]", re.ASCII)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_SEX_OF = {digit: Sex.MALE.value if int(digit) % 2 else Sex.FEMALE.value for digit in "0123456789"}
_CHECKS = "10X98765432"  # ISO 7064 MOD 11-2, by the remainder of the sum
_ZEROS = 48 * sum(_WEIGHTS)
_CHINA: Any = phonenumbers.PhoneMetadata.metadata_for_region("CN")
_MOBILE = re.compile(_CHINA.mobile.national_number_pattern, re.ASCII)
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{1,2}")
_DAY = re.compile(
    r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d\d)(\d\d))"
    r"(?:[ T](\d?\d:\d\d(?::\d\d)?)(?:\.\d+)?Z?)?",
    re.ASCII,
)
_MONTH = re.compile(
    r"(?P<year>(?:1[89]|20)\d\d|\d\d)(?:[-/.年](?P<month>\d{1,2})月?)?"
    r"|(?P<full>(?:1[89]|20)\d\d)(?:年|(?P<mm>\d\d)月?)",
    re.ASCII,
)
NO_DAY = gettext_noop("This is no date: write year, month and day, for example 1990-05-17.")
_CENTURY, _MONTHS = 100, 12
_BESIDE_MIDNIGHT = timedelta(hours=1, minutes=1)
_FLOOR = re.compile(r"(?:第)?(-?\d{1,3})(?:层|楼|f)?", re.IGNORECASE | re.ASCII)
_UNIT_END = re.compile(r"(?<=\w)(?:单元|梯)$")
_DOOR_END = re.compile(r"(?<=\w)(?:室|号房|房|号|户)$")
_BUILDING_END = r"号楼|楼栋|栋|幢|座|号院|号|弄|楼"
_ADDRESS = re.compile(
    rf"(?P<building>.*(?:{_BUILDING_END}))[-—]?"
    r"(?:(?P<unit>[A-Za-z\d一二三四五六七八九十]{1,4})(?:单元|梯|门)[-—]?)?"
    r"(?:(?P<floor>-?\d{1,3})(?:层|楼)[-—]?)?"
    r"(?P<door>[A-Za-z\d]{1,10}?)(?:室|号房|房|户)?"
)
# A name that ends in a digit may be a building with a door, so only bare numbers match.
_DASHED = re.compile(
    r"(?P<building>[A-Za-z]?\d{1,4}|[^-—]{0,49}[^-—\d])[-—](?:(?P<unit>[^-—]{1,20})[-—])?"
    r"(?P<door>[A-Za-z\d]{1,10})(?:室|号|户)?"
)

# Kinds of documents by what people call them; the first that fits counts. The number of an
# identity card stands in household registers and on other cards, too.
_TYPES = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r"(?:往来|前往)(?:港澳|台湾|香港|澳门)|(?:香港|澳门|台湾|外国)[^居]*身份证", None),
        (r"后补|待补|补交|^tofollow$", DocumentType.TO_FOLLOW),
        (r"永久居留|永居|permanentresiden|foreignresidence", DocumentType.FOREIGN_RESIDENCE),
        (
            r"回乡证|回乡卡|台胞证|台胞卡|(?:港|澳|台|来往|往来).*通行证|^通行证$"
            r"|travelpermit|homereturn|hmttravel",
            DocumentType.HMT_TRAVEL,
        ),
        (r"护照|passport", DocumentType.PASSPORT),
        (
            r"(?:港|澳|台).*居住证|^居住证$|residencepermit|hmtresidence",
            DocumentType.HMT_RESIDENCE,
        ),
        (
            r"身份证|户口|户籍|^(?:机动车)?驾驶证$|^驾照$|^社(?:会保障|保)卡$"
            r"|identitycard|idcard|mainlandid|hukou|householdregister",
            DocumentType.MAINLAND_ID,
        ),
        (
            r"^(?:暂?无(?:证件)?|没有(?:证件)?|未办理?|尚未办理?|新生儿|出生(?:医学)?证明?|none)$",
            DocumentType.NONE,
        ),
    )
)
_LIKELY = tuple(
    (re.compile(pattern, re.ASCII), kind)
    for pattern, kind in (
        (r"8[123]\d{15}[\dX]", DocumentType.HMT_RESIDENCE),
        (r"9\d{16}[\dX]|[A-Z]{3}\d{12}", DocumentType.FOREIGN_RESIDENCE),
        (r"[HM]\d{8}(?:\d\d)?", DocumentType.HMT_TRAVEL),
        (r"[A-Z]{1,2}\d{6,8}", DocumentType.PASSPORT),
    )
)
# What people write where there is nothing to write.
_NO = "无没暂未不空"
_NOTHING = re.compile(
    r"(?:暂?无|没有?|未(?:填|知|提供)?|不详)(?:有|电话|手机|座机|号码|电话号码|手机号码?"
    r"|联系方式|联系电话|联系人|联系)?|[-—–_/\\.*×]+|空|n/?a|none|nil|null|no",
    re.IGNORECASE,
)
_SEXES = {
    **dict.fromkeys(("男", "男性", "m", "male", "1"), Sex.MALE.value),
    **dict.fromkeys(("女", "女性", "f", "female", "2"), Sex.FEMALE.value),
    **dict.fromkeys(("未知", "不详", "unknown", "0", "9"), Sex.UNKNOWN.value),
}


class DoorCells(NamedTuple):
    """The parts of an address within a grid."""

    building: str
    unit: str
    floor: int | None
    door: str


def text_of(cell: Any) -> str:
    """Return the text of a cell; refuse numbers that a spreadsheet has rounded."""
    if cell.__class__ is str:
        return without_apostrophe(cell)
    if isinstance(cell, bool):
        raise ValidationError(_("The cell says only “true” or “false”."))
    if isinstance(cell, float):
        if abs(cell) >= EXACT:
            raise ValidationError(_(ROUNDED))
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, int):
        return str(cell)
    if isinstance(cell, dict):
        return str(cell["day"])
    return str(cell)


def name(cell: Any) -> str:
    """Return a person's name."""
    if cell.__class__ is str and _PLAIN_NAME.fullmatch(cell):
        return str(cell)
    return read_name(text_of(cell))


Numbered = tuple[str, date | None, str | None]


def number(cell: Any, document_type: str, today: date) -> Numbered:
    """Return a document's number, with the birth date and sex that it contains."""
    text = text_of(cell)
    if _SCIENTIFIC.fullmatch(unicodedata.normalize("NFKC", text)):
        raise ValidationError(_(ROUNDED))
    with_zeros = document_type in {DocumentType.PASSPORT, DocumentType.HMT_TRAVEL}
    if with_zeros and cell.__class__ is not str and text:
        raise ValidationError(
            _(
                "The cell is a number, which has lost the zeros at its front. Format the column as"
                " text and type the number anew."
            )
        )
    identity = read_number(document_type, text, today=today)
    return identity.number, identity.birth_date, identity.sex and identity.sex.value


def plain_number(cell: Any, today: date) -> Numbered | None:
    """Return the identity of a plainly valid identity card's number, else None."""
    if cell.__class__ is not str or not _PLAIN_NUMBER.fullmatch(cell):
        return None
    born = _day(cell[6:14])
    if born is None or born > today:
        return None
    rest = (sum(map(mul, _WEIGHTS, cell.encode())) - _ZEROS) % 11
    return (cell, born, _SEX_OF[cell[16]]) if _CHECKS[rest] == cell[17] else None


@lru_cache(maxsize=50_000)
def _day(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def document_type(cell: Any) -> str:
    """Return the type of document in a cell, "" for an empty cell."""
    word = re.sub(r"\W+", "", tidy(text_of(cell))).casefold().replace("_", "")
    if not word:
        return ""
    kind = next((kind for pattern, kind in _TYPES if pattern.search(word)), None)
    if kind is None:
        raise ValidationError(
            _(
                "“%(word)s” is no kind of document: write 身份证, 居住证, 通行证, 永居证, 护照 or"
                " 无."
            ),
            params={"word": word[:20]},
        )
    return kind


def likely_type(cell: Any) -> str:
    """Return the type of document by the format of a number, if no column gives it."""
    text = re.sub(r"[\s\-_]", "", tidy(without_apostrophe(str(cell)))).upper()
    return next(
        (kind for pattern, kind in _LIKELY if pattern.fullmatch(text)), DocumentType.MAINLAND_ID
    )


def is_nothing(text: str) -> bool:
    """Return whether a text is empty or says so: 无, 暂无, -, 无电话."""
    return not text or _NOTHING.fullmatch(re.sub(r"\s", "", tidy(text))) is not None


def phone(cell: Any) -> str:
    """Return a phone number in E.164; "" for an empty cell."""
    text = cell if cell.__class__ is str else text_of(cell)
    if len(text) == 11 and _MOBILE.fullmatch(text):
        return f"+86{text}"
    text = text_of(text)
    if _SCIENTIFIC.fullmatch(text):
        raise ValidationError(_(ROUNDED))
    return "" if is_nothing(text) else read_phone(text)


def optional_name(cell: Any) -> str:
    """Return a name; "" for an empty cell."""
    if cell.__class__ is str and _PLAIN_NAME.fullmatch(cell) and cell[0] not in _NO:
        return str(cell)
    return "" if cell == "" or is_nothing(text_of(cell)) else name(cell)


def sex(cell: Any) -> str:
    """Return a sex; "" for an empty cell."""
    known = _SEXES.get(cell) if cell.__class__ is str else None
    if known:
        return known
    word = tidy(text_of(cell)).casefold()
    if not word:
        return ""
    if word not in _SEXES:
        raise ValidationError(
            _("“%(word)s” is no sex: write 男 or 女."), params={"word": word[:20]}
        )
    return _SEXES[word]


class Month(NamedTuple):
    """A birth date without its day, or without its month; the year may have two digits."""

    year: int
    month: int | None = None

    def holds(self, day: date) -> bool:
        """Return whether a day may be meant."""
        year = day.year if self.year >= _CENTURY else day.year % _CENTURY
        return year == self.year and self.month in {None, day.month}


def agree(written: date | Month | None, born: date) -> bool:
    """Return whether a written birth date does not contradict the one of the number."""
    return written.holds(born) if isinstance(written, Month) else written in {None, born}


def birth_date(
    cell: Any, today: date, *, date1904: bool = False, months: bool = False
) -> date | Month | None:
    """
    Return a birth date from a text, a date or a serial number of Excel.

    Of a column for `months`, a first day says no more than the month.
    """
    if cell == "":
        return None
    if isinstance(cell, int | float):
        born = _numeric(cell, today, date1904=date1904)
    else:
        born = _dated(cell)
    if born is None:
        raise ValidationError(_(NO_DAY))
    if isinstance(born, Month):
        return born
    if born > today:
        raise ValidationError(_("The birth date is in the future. Check the date."))
    if born.year < today.year - 130:
        raise ValidationError(_("This birth date makes the person too old. Check it."))
    return Month(born.year, born.month) if months and born.day == 1 else born


def _numeric(value: float, today: date, *, date1904: bool) -> date | Month | None:
    if isinstance(value, bool) or not isfinite(value):
        return None
    serial = _serial(value, date1904=date1904)
    if serial is None or serial > today:
        # A number shows October as January: 1990.1.
        return _coarse(text_of(value).removesuffix(".1")) or serial
    return serial


def _serial(value: float, *, date1904: bool) -> date | None:
    if value == int(value) and 18_000_000 < value < 30_000_000:
        return _day(str(int(value)))
    if int(value) not in _SERIALS:
        return None
    epoch = datetime.combine(_EPOCH_1904 if date1904 else _EPOCH, time())
    day = day_of(epoch + timedelta(days=value))
    beside = abs(epoch + timedelta(days=value) - datetime.combine(day, time()))
    return day if beside <= _BESIDE_MIDNIGHT else None


def _dated(cell: Any) -> date | Month | None:
    text = text_of(cell)
    if len(text) == 10 and text[4] == text[7] == "-" and text.isascii():
        return _day(text.replace("-", ""))
    text = tidy(text)
    match = _DAY.fullmatch(text)
    if not match:
        return _coarse(text)
    year, month, day, mm, dd, hour = match.groups()
    born = _day(f"{year}{int(month or mm):02}{int(day or dd):02}")
    if born is None or hour is None:
        return born
    try:
        return day_of(
            datetime.combine(born, time.fromisoformat(hour if hour[1:2] != ":" else f"0{hour}"))
        )
    except ValueError:
        return None


def _coarse(text: str) -> Month | None:
    match = _MONTH.fullmatch(text)
    if not match:
        return None
    year = int(match["year"] or match["full"])
    month = int(match["month"] or match["mm"] or 0)
    if month > _MONTHS or (match["year"] == text and year < _CENTURY):
        return None
    return Month(year, month or None)


def _part(cell: Any, longest: int) -> str:
    text = cell if cell.__class__ is str and cell.isalnum() and cell.isascii() else None
    if text is None:
        text = tidy(text_of(cell))
    return _fitting(str(text), longest)


def _fitting(text: str, longest: int) -> str:
    if len(text) > longest:
        raise ValidationError(
            _("This is longer than any address: %(most)d characters at most."),
            params={"most": longest},
        )
    return text


def place(cell: Any) -> str:
    """Return the name or code of a grid or community."""
    return _part(cell, 50)


@lru_cache(maxsize=50_000)
def _building_name(text: str) -> str:
    return f"{text}号楼" if text.isdigit() else text


def building(cell: Any) -> str:
    """Return a building's name; a bare number is 3号楼."""
    return _fitting(_building_name(_part(cell, LONGEST_BUILDING)), LONGEST_BUILDING)


def unit(cell: Any) -> str:
    """Return a unit; a bare number is 2单元."""
    text = _part(cell, LONGEST_UNIT)
    number = _UNIT_END.sub("", text)
    return _fitting(f"{number}单元" if number.isdigit() else text, LONGEST_UNIT)


def floor(cell: Any) -> int | None:
    """Return a floor's number; None for an empty cell."""
    text = _part(cell, _LONGEST_FLOOR)
    if not text:
        return None
    match = _FLOOR.fullmatch(text)
    if not match or not LOWEST_FLOOR <= int(match[1]) <= HIGHEST_FLOOR:
        raise ValidationError(_("“%(text)s” is no floor."), params={"text": text})
    return int(match[1])


def door(cell: Any) -> str:
    """Return a door's number without 室."""
    text = _part(cell, LONGEST_DOOR)
    return text if text.isdigit() else _DOOR_END.sub("", text)


@lru_cache(maxsize=20_000)
def _split(text: str) -> DoorCells | None:
    compact = text.replace(" ", "")
    match = _ADDRESS.fullmatch(compact) or _DASHED.fullmatch(compact)
    if not match:
        return None
    parts = match.groupdict()
    return DoorCells(
        building(parts["building"]),
        unit(parts.get("unit") or ""),
        floor(parts.get("floor") or ""),
        door(parts["door"]),
    )


def address(cell: Any) -> DoorCells:
    """Return building, unit and door of an address in one cell."""
    text = _part(cell, _LONGEST_ADDRESS)
    if not text:
        raise ValidationError(_("Enter the address: building, unit and door."))
    door_cells = _split(text)
    if not door_cells:
        raise ValidationError(
            _(
                "The building and the door can't be told from this address. Write it like"
                " 3号楼2单元502, or give building, unit and door in columns of their own."
            )
        )
    return door_cells
