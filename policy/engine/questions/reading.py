"""Strict reading of a question: every key known, every value of its type, errors name the key."""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from typing import Any, NoReturn, TypeVar

from policy.engine import areas
from policy.engine.errors import BadQuestionError
from policy.engine.moments import SHANGHAI
from policy.engine.text import Text

T = TypeVar("T")

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-5][0-9])"
)
# Control characters, separators of lines, halves of characters.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
YEARS = range(2000, 2101)
LONGEST_TEXT = 100
LONGEST_LIST = 1000
ABSENT: Any = object()


def shown(value: object) -> str:
    """Return a value for an error sentence: one short line, whatever it was."""
    words = repr(value)
    words = words if len(words) <= 40 else words[:40] + "…"
    return words.encode("utf-8", "backslashreplace").decode().replace("\n", " ")


def refuse(
    key: str, zh: str, en: str, *, error: type[BadQuestionError] = BadQuestionError
) -> NoReturn:
    """Refuse a question because of one key."""
    name = key if key.isprintable() and len(key) <= LONGEST_TEXT else shown(key)
    raise error(key, Text(f"“{name}”：{zh}", f'"{name}": {en}'))


def read_day(key: str, value: object) -> date:
    """Return the day that a value of the form YYYY-MM-DD names."""
    if isinstance(value, str) and _DAY.fullmatch(value) and int(value[:4]) in YEARS:
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    refuse(
        key,
        f"不是有效日期：{shown(value)}",
        f"{shown(value)} is not a day of the form YYYY-MM-DD.",
    )


def read_moment(key: str, value: object) -> datetime:
    """Return the moment that an ISO 8601 text with offset names, in local time."""
    if isinstance(value, str) and _MOMENT.fullmatch(value) and int(value[:4]) in YEARS:
        try:
            return datetime.fromisoformat(value).astimezone(SHANGHAI)
        except ValueError:
            pass
    refuse(
        key,
        f"不是带时区的时刻：{shown(value)}",
        f"{shown(value)} is not a moment in ISO 8601 with offset.",
    )


def read_flag(key: str, value: object) -> bool:
    """Return true or false, and nothing that only resembles them."""
    if isinstance(value, bool):
        return value
    refuse(
        key, f"须为 true 或 false：{shown(value)}", f"{shown(value)} is neither true nor false."
    )


def read_text(key: str, value: object) -> str:
    """Return a short text on one line, whatever the script."""
    if isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and not _CONTROL.search(value):
        return value
    refuse(key, f"须为简短文字：{shown(value)}", f"{shown(value)} is not a short text.")


def read_area(key: str, value: object) -> str:
    """Return a six-digit area code."""
    if isinstance(value, str) and areas.is_code(value):
        return value
    refuse(
        key,
        f"不是六位行政区划代码：{shown(value)}",
        f"{shown(value)} is not a six-digit GB/T 2260 area code.",
    )


def whole(most: int) -> Callable[[str, object], int]:
    """Return a reader of whole numbers from 0 to `most`; JSON knows no difference of 2 and 2.0."""

    def read(key: str, value: object) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
            return value
        refuse(
            key,
            f"须为0至{most}的整数：{shown(value)}",
            f"{shown(value)} is not a whole number from 0 to {most}.",
        )

    return read


def decimal(most: float) -> Callable[[str, object], float]:
    """Return a reader of numbers from 0 to `most`."""

    def read(key: str, value: object) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most:
            return float(value)
        refuse(
            key,
            f"须为0至{most:g}的数：{shown(value)}",
            f"{shown(value)} is not a number from 0 to {most:g}.",
        )

    return read


def choice(words: Collection[str]) -> Callable[[str, object], str]:
    """Return a reader of one of the words of a closed vocabulary."""

    def read(key: str, value: object) -> str:
        if isinstance(value, str) and value in words:
            return value
        refuse(key, f"未知取值：{shown(value)}", f"the value {shown(value)} is not known.")

    return read


def optional(reader: Callable[[str, object], T]) -> Callable[[str, object], T | None]:
    """Return a reader that lets null through."""

    def read(key: str, value: object) -> T | None:
        return None if value is None else reader(key, value)

    return read


def listed(reader: Callable[[str, object], T]) -> Callable[[str, object], tuple[T, ...]]:
    """Return a reader of a list whose items all read alike."""

    def read(key: str, value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            refuse(key, f"须为列表：{shown(value)}", f"{shown(value)} is not a list.")
        if len(value) > LONGEST_LIST:
            refuse(key, "列表过长", f"the list has more than {LONGEST_LIST} items.")
        return tuple(reader(key, item) for item in value)

    return read


def read_mapping(key: str, value: object) -> Mapping[str, object]:
    """Return a JSON object."""
    if isinstance(value, dict):
        return value
    refuse(key, f"须为对象：{shown(value)}", f"{shown(value)} is not an object.")


class Fields:
    """The keys of one object: refuses those that are not named, then reads them one by one."""

    __slots__ = ("_mapping",)

    def __init__(self, mapping: Mapping[str, object], known: Collection[str]) -> None:
        for key in mapping:
            if key not in known:
                refuse(key, "未知的键", "this key is not known here.")
        self._mapping = mapping

    def __contains__(self, key: str) -> bool:
        return key in self._mapping

    def get(self, key: str, reader: Callable[[str, object], T], default: T = ABSENT) -> T:
        """Return the value of a key; without a default the key must be there."""
        value = self._mapping.get(key, ABSENT)
        if value is not ABSENT:
            return reader(key, value)
        if default is ABSENT:
            refuse(key, "须填写", "this key is missing.")
        return default
