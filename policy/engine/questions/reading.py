"""
The values of a question: each type reads strictly, refuses in a sentence and describes itself.

Pydantic builds from these types what reads a question, the description of the API and the fields
of the calculator.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import ConfigDict, FailFast, Field, StrictBool, ValidationError
from pydantic_core import CoreSchema, ErrorDetails, core_schema

from policy.engine import areas
from policy.engine.errors import (
    BadQuestionError,
    ContradictionError,
    ContradictoryValueError,
    WrongValueError,
)
from policy.engine.moments import SHANGHAI
from policy.engine.text import Text

T = TypeVar("T")

YEARS = range(2000, 2101)
LONGEST_TEXT = 100
LONGEST_LIST = 1000
# The config of every object of a question, as `__pydantic_config__` of its dataclass.
ONLY_KNOWN_KEYS = ConfigDict(extra="forbid")

# Months of 31 and 30 days, and February in common and in leap years.
_DAY = (
    r"(20[0-9]{2}|2100)-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
    r"|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
    r"|20([02468][048]|[13579][26])-02-29"
)
_HOUR = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_MOMENT = rf"({_DAY})T{_HOUR}(:[0-5][0-9](\.[0-9]{{1,6}})?)?(Z|[+-]{_HOUR})"
# Not the control characters, nor what separates lines.
_LINE = rf"[^\u0000-\u001f\u007f-\u009f\u2028\u2029]{{1,{LONGEST_TEXT}}}"


_MISSING = Text("须填写", "this key is missing.")
_UNKNOWN_KEY = Text("未知的键", "this key is not known here.")
_UNKNOWN = Text("未知取值：{0}", "the value {0} is not known.")
_NO_OBJECT = Text("须为对象：{0}", "{0} is not an object.")
# What pydantic itself finds wrong, in the words of the engine.
_SENTENCES = {
    "missing": _MISSING,
    "extra_forbidden": _UNKNOWN_KEY,
    "unexpected_keyword_argument": _UNKNOWN_KEY,
    "literal_error": _UNKNOWN,
    "string_unicode": _UNKNOWN,
    "dataclass_type": _NO_OBJECT,
    "bool_type": Text("须为 true 或 false：{0}", "{0} is neither true nor false."),
    "tuple_type": Text("须为列表：{0}", "{0} is not a list."),
    "too_long": Text("列表过长", f"the list has more than {LONGEST_LIST} items."),
}


def short_repr(value: object) -> str:
    """Return a value for an error sentence: one short line, whatever it was."""
    words = repr(value)
    words = words if len(words) <= 40 else words[:40] + "…"
    return words.encode("utf-8", "backslashreplace").decode().replace("\n", " ")


def refuse(
    key: str, zh: str, en: str, *, error: type[BadQuestionError] = BadQuestionError
) -> NoReturn:
    """Refuse a question because of one key."""
    name = key if key.isprintable() and len(key) <= LONGEST_TEXT else short_repr(key)
    raise error(key, Text(f"“{name}”：{zh}", f'"{name}": {en}'))


def refuse_missing(key: str) -> NoReturn:
    """Refuse a question that leaves out a key it needs."""
    refuse(key, _MISSING.zh, _MISSING.en)


def refuse_unknown_key(key: str) -> NoReturn:
    """Refuse a question because of a key that it cannot have."""
    refuse(key, _UNKNOWN_KEY.zh, _UNKNOWN_KEY.en)


def refuse_unknown(key: str, value: object) -> NoReturn:
    """Refuse a word that is not of the key's vocabulary."""
    refuse(key, _UNKNOWN.zh.format(short_repr(value)), _UNKNOWN.en.format(short_repr(value)))


@dataclass(frozen=True, eq=False)
class Reader:
    """How pydantic reads a value, or refuses it by `WrongValueError`, and how it describes it."""

    read: Callable[[Any, Any], Any]
    described: dict[str, Any]

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            lambda value, info: self.read(value, info.context)
        )

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> dict[str, Any]:
        return dict(self.described)


def _text(
    pattern: str, description: str, zh: str, en: str, made: Callable[[str], object] = str
) -> Reader:
    """Return a reader of texts that follow a pattern, which is also their description."""
    follows = re.compile(pattern).fullmatch

    def read(value: object, _documents: object) -> object:
        if isinstance(value, str) and follows(value):
            return made(value)
        raise WrongValueError(f"{zh}：{short_repr(value)}", f"{short_repr(value)} {en}")

    return Reader(
        read, {"type": "string", "pattern": f"^({pattern})$", "description": description}
    )


def whole_number(most: int) -> Reader:
    """Return a reader of whole numbers from 0 to `most`; JSON knows no difference of 2 and 2.0."""

    def read(value: object, _documents: object) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
            return value
        raise WrongValueError(
            f"须为0至{most}的整数：{short_repr(value)}",
            f"{short_repr(value)} is not a whole number from 0 to {most}",
        )

    return Reader(read, {"type": "integer", "minimum": 0, "maximum": most})


def decimal(most: int) -> Reader:
    """Return a reader of numbers from 0 to `most`."""

    def read(value: object, _documents: object) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most:
            return float(value)
        raise WrongValueError(
            f"须为0至{most}的数：{short_repr(value)}",
            f"{short_repr(value)} is not a number from 0 to {most}",
        )

    return Reader(read, {"type": "number", "minimum": 0, "maximum": most})


def _document(value: object, documents: Collection[str]) -> str:
    if isinstance(value, str) and value in documents:
        return value
    raise WrongValueError(
        _UNKNOWN.zh.format(short_repr(value)), _UNKNOWN.en.format(short_repr(value)).rstrip(".")
    )


DAY = _text(
    _DAY,
    "A local day in Asia/Shanghai, 2000 to 2100: YYYY-MM-DD",
    "不是有效日期",
    "is not a day of the form YYYY-MM-DD",
    date.fromisoformat,
)
MOMENT = _text(
    _MOMENT,
    "A moment, 2000 to 2100: ISO 8601 with offset",
    "不是带时区的时刻",
    "is not a moment in ISO 8601 with offset",
    lambda text: datetime.fromisoformat(text).astimezone(SHANGHAI),
)
AREA = _text(
    areas.CODE,
    "A six-digit GB/T 2260 code",
    "不是六位行政区划代码",
    "is not a six-digit GB/T 2260 area code",
)
# The ids of the documents that are known are the context of the reading.
DOCUMENT = Reader(_document, {"type": "string", "format": "document"})
LINE = _text(_LINE, "A short text on one line", "须为简短文字", "is not a short text")

Day = Annotated[date, DAY]
Moment = Annotated[datetime, MOMENT]
AreaCode = Annotated[str, AREA]
DocumentId = Annotated[str, DOCUMENT]
Line = Annotated[str, LINE]
Flag = StrictBool
Several = Annotated[tuple[T, ...], FailFast(), Field(max_length=LONGEST_LIST)]


def read(validate: Callable[[object], T], value: object, key: str) -> T:
    """
    Return what pydantic makes of a value of JSON; `key` is where it stands.

    Raises `BadQuestionError` with a sentence that names the key; unknown keys come first.
    """
    try:
        return validate(value)
    except ValidationError as refused:
        errors = refused.errors(include_url=False)
    error = min(errors, key=_rank)
    sentence = _sentence(error)
    if contradiction := _contradiction(error):
        refuse(contradiction.key, sentence.zh, sentence.en, error=ContradictionError)
    named = next((step for step in reversed(error["loc"]) if isinstance(step, str)), key)
    refuse(named, sentence.zh, sentence.en)


def _rank(error: ErrorDetails) -> tuple[int, int]:
    """Rank unknown keys first, and contradictions among sound values last."""
    if _SENTENCES.get(error["type"]) is _UNKNOWN_KEY:
        return 0, len(error["loc"])
    return (2 if _contradiction(error) else 1), 0


def _contradiction(error: ErrorDetails) -> ContradictoryValueError | None:
    wrong = error.get("ctx", {}).get("error")
    return wrong if isinstance(wrong, ContradictoryValueError) else None


def _sentence(error: ErrorDetails) -> Text:
    if error["type"] == "value_error":
        wrong: Text = error["ctx"]["error"].text
        return Text(wrong.zh, f"{wrong.en}.")
    sentence, value = _SENTENCES[error["type"]], short_repr(error["input"])
    return Text(sentence.zh.format(value), sentence.en.format(value))
