"""
The questions of the contract: a JSON object in, a JSON object out.

`because` is given in Chinese, the first language of the portal's users; errors are in English, for
whoever writes the program that asks. Nothing here raises.
"""

import json
import math
from typing import Any

from policy.engine.documents import library
from policy.engine.errors import BadQuestionError, ContradictionError
from policy.engine.questions.contract import Answer, read_question
from policy.engine.questions.reading import refuse, refuse_unknown_key
from policy.engine.text import Text

LONGEST_LINE = 1 << 24
LONGEST_NUMBER = 40
DEEPEST = 20
# Far more than any object of a question has.
MOST_KEYS = 100
NO_UTF_8 = Text("此行不是 UTF-8。", "The line is not UTF-8.")
TOO_DEEP = Text("此行嵌套过深。", "The line is nested too deeply.")
BEYOND = Text(
    "问题中的某个取值超出合理范围。", "A value of the question is beyond any sensible size."
)
NO_OBJECT = Text("此行不是一个 JSON 对象。", "The line is not one JSON object.")
# Stands for a number that JSON does not know or that no question can mean.
_NO_NUMBER = object()


def answer(question: object, documents: library.Library | None = None) -> Answer:
    """Return the answer to one question, or `{"error": sentence}`; never raises."""
    try:
        return _answer_in_chinese(question, documents or library.shipped())
    except BadQuestionError as error:
        return {"error": error.text.en}


def answer_line(line: bytes, documents: library.Library | None = None) -> Answer:
    """Return the answer to one line of JSON in UTF-8, or `{"error": sentence}`; never raises."""
    try:
        return consider_line(line, documents or library.shipped())
    except BadQuestionError as error:
        return {"error": error.text.en}


def consider_line(line: bytes, documents: library.Library) -> Answer:
    """
    Return the answer to one line of JSON in UTF-8.

    Raises `BadQuestionError` for a line that is none or that cannot be understood.
    """
    try:
        question = _parsed(line)
    except UnicodeDecodeError:
        raise BadQuestionError("line", NO_UTF_8) from None
    except RecursionError:
        raise BadQuestionError("line", TOO_DEEP) from None
    except ValueError:
        raise BadQuestionError("line", NO_OBJECT) from None
    return _answer_in_chinese(question, documents)


def _answer_in_chinese(question: object, documents: library.Library) -> Answer:
    """Return the answer with its reasons in Chinese."""
    try:
        answer: Answer = _in_chinese(consider(question, documents))
    except (OverflowError, RecursionError):
        raise ContradictionError("line", BEYOND) from None
    return answer


def _parsed(line: bytes) -> object:
    if len(line) > LONGEST_LINE:
        refuse("line", "过长", "it is longer than any question.")
    question = json.loads(
        line.decode("utf-8"),
        object_pairs_hook=_without_repeats,
        parse_constant=_no_constant,
        parse_int=_sensible_int,
        parse_float=_sensible_float,
    )
    if _depth(question) > DEEPEST:
        refuse("line", "嵌套过深", "it is nested too deeply.")
    return question


def _depth(value: object) -> int:
    """Return how deeply a value is nested, as far as it matters."""
    depth, layer = 0, [value]
    while layer and depth <= DEEPEST:
        depth += 1
        layer = [
            inner
            for item in layer
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
    return depth


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for key, value in pairs:
        if not key.isprintable() or len(members) == MOST_KEYS:
            refuse_unknown_key(key)
        if key in members:
            refuse(key, "键重复", "this key stands twice in one object.")
        if value is _NO_NUMBER or (isinstance(value, list) and _NO_NUMBER in value):
            refuse(key, "不是合理的数字", "this is no number of any sensible size.")
        members[key] = value
    return members


def _no_constant(_word: str) -> object:
    return _NO_NUMBER


def _sensible_int(digits: str) -> object:
    return int(digits) if len(digits) <= LONGEST_NUMBER else _NO_NUMBER


def _sensible_float(digits: str) -> object:
    number = float(digits)
    return number if len(digits) <= LONGEST_NUMBER and math.isfinite(number) else _NO_NUMBER


def _in_chinese(value: Any) -> Any:
    if isinstance(value, Text):
        return value.zh
    if isinstance(value, dict):
        return {key: _in_chinese(item) for key, item in value.items()}
    return [_in_chinese(item) for item in value] if isinstance(value, list) else value


def consider(question: object, documents: library.Library) -> Answer:
    """
    Return the answer to one question with its reasons in both languages.

    Raises `BadQuestionError` for a question that cannot be understood.
    """
    if not isinstance(question, dict):
        raise BadQuestionError("line", NO_OBJECT)
    return read_question(question, documents).answer(documents)
