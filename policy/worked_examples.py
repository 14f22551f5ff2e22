"""The worked examples that stand beside the documents: run as tests, shown to readers."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from policy.engine.text import Text

FOLDER = Path(__file__).resolve().parent / "examples"


@dataclass(frozen=True)
class WorkedExample:
    """A question to the law and the answer that it must give; the name says the rule."""

    name: Text
    question: dict[str, Any]
    expect: dict[str, Any]


@functools.cache
def of(document: str) -> tuple[WorkedExample, ...]:
    """Return the worked examples of a document, none where it has no file."""
    file = FOLDER / f"{document}.yaml"
    if not file.is_file():
        return ()
    return tuple(
        WorkedExample(
            Text(entry["name"]["zh"], entry["name"]["en"]), entry["question"], entry["expect"]
        )
        for entry in YAML(typ="safe", pure=True).load(file)
    )
