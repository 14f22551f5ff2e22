"""The worked examples that stand beside the documents: run as tests, shown to readers."""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policy.engine.documents.library import Library
from policy.engine.documents.loader import read_list
from policy.engine.errors import LawError
from policy.engine.questions.ask import answer
from policy.engine.text import Text

FOLDER = Path(__file__).resolve().parent / "examples"
ABSENT = object()
_KEYS = {"name", "question", "expect"}
_NO_EXAMPLE = Text(
    "算例须有 name（zh、en）、question、expect。",
    "an example has a name (zh and en), a question and what it expects.",
)


@dataclass(frozen=True)
class WorkedExample:
    """A question to the law and the answer that it must give; the name says the rule."""

    name: Text
    question: dict[str, Any]
    expect: dict[str, Any]
    line: int


@dataclass(frozen=True)
class Disagreement:
    """A value of an answer that is not what an example expects."""

    key: str
    expected: Any
    got: Any


@dataclass(frozen=True)
class ExampleResult:
    """A worked example with the answer that the law gives now, and where it is another one."""

    example: WorkedExample
    answer: dict[str, Any]
    disagreements: tuple[Disagreement, ...]


@functools.cache
def of(document: str) -> tuple[WorkedExample, ...]:
    """Return the worked examples of a document that comes with the portal; none without a file."""
    file = FOLDER / f"{document}.yaml"
    return read(file.read_text(encoding="utf-8"), file.name) if file.is_file() else ()


def read(text: str, name: str) -> tuple[WorkedExample, ...]:
    """
    Return the worked examples of a file.

    Raises `LawError` with the line for what is none.
    """
    return tuple(_example(value, line, name) for line, value in read_list(text, name))


def _example(value: Any, line: int, file: str) -> WorkedExample:
    if not isinstance(value, dict) or set(value) != _KEYS:
        raise LawError(file, line, _NO_EXAMPLE)
    name, question, expect = value["name"], value["question"], value["expect"]
    zh, en = (name.get("zh"), name.get("en")) if isinstance(name, dict) else (None, None)
    if not isinstance(zh, str) or not isinstance(en, str):
        raise LawError(file, line, _NO_EXAMPLE)
    if not isinstance(question, dict) or not isinstance(expect, dict) or not expect:
        raise LawError(file, line, _NO_EXAMPLE)
    return WorkedExample(Text(zh, en), _as_json(question), _as_json(expect), line)


def _as_json(value: Any) -> Any:
    """Return a value as JSON has it: lists instead of tuples."""
    if isinstance(value, Mapping):
        return {key: _as_json(item) for key, item in value.items()}
    return [_as_json(item) for item in value] if isinstance(value, tuple) else value


def run(examples: Iterable[WorkedExample], library: Library) -> tuple[ExampleResult, ...]:
    """Put worked examples to the documents, and return what they answer."""
    results = []
    for example in examples:
        got = answer(example.question, library)
        results.append(ExampleResult(example, got, tuple(disagreements(example.expect, got))))
    return tuple(results)


def disagreements(expect: Mapping[str, Any], got: Mapping[str, Any]) -> Iterator[Disagreement]:
    """Yield what was expected and what came, for each key that does not agree."""
    for key, want in expect.items():
        if key == "findings_include":
            absent = [
                finding
                for finding in want
                if not any(agrees(finding, one) for one in got.get("findings", []))
            ]
            if absent:
                yield Disagreement(key, absent, got.get("findings"))
        elif not agrees(want, got.get(key, ABSENT)):
            yield Disagreement(key, want, got.get(key, got.get("error")))


def agrees(want: Any, got: Any) -> bool:
    """Say whether an answer's value agrees with what an example expects."""
    if isinstance(want, dict) and set(want) == {"any"}:
        return any(agrees(one, got) for one in want["any"])
    if isinstance(want, dict) and isinstance(got, dict):
        return all(agrees(value, got.get(name, ABSENT)) for name, value in want.items())
    if isinstance(want, Sequence) and isinstance(got, list) and not isinstance(want, str):
        return len(got) == len(want) and all(map(agrees, want, got))
    if want is None or isinstance(want, bool) or isinstance(got, bool):
        return want is got
    return bool(want == got)
