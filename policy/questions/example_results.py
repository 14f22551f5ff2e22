"""Worked examples that were run, in words."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import ngettext

from policy import words
from policy.questions.answers import AnswerLine, headline, lines
from policy.worked_examples import ExampleResult


@dataclass(frozen=True)
class ExampleRow:
    """A worked example: what it says, what it asks, and what the law answers now."""

    name: str
    question: str
    headline: str
    lines: list[AnswerLine]
    wrong: list[tuple[str, str, str]]


def rows(results: Iterable[ExampleResult]) -> list[ExampleRow]:
    """Return the examples in the reader's language, those that do not hold first."""
    return sorted(map(_row, results), key=lambda row: not row.wrong)


def _row(result: ExampleResult) -> ExampleRow:
    example, answer = result.example, result.answer
    return ExampleRow(
        words.say(example.name),
        _json(example.question),
        _headline(str(example.question.get("ask")), answer),
        [] if "findings" in answer or "error" in answer else lines(answer),
        [(one.key, _json(one.expected), _json(one.got)) for one in result.disagreements],
    )


def _headline(kind: str, answer: dict[str, Any]) -> str:
    if "error" in answer:
        return str(answer["error"])
    if "findings" in answer:
        number = len(answer["findings"])
        return ngettext("%d clause compared", "%d clauses compared", number) % number
    return headline(kind, answer).text


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
