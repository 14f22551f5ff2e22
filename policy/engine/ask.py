"""The questions of the contract: a JSON object in, a JSON object out."""

from collections.abc import Mapping
from typing import Any

from policy.engine.library import Library


def answer(question: object, library: Library | None = None) -> dict[str, Any]:
    """
    Return the answer to one question, or `{"error": sentence}` for one that is not understood.

    Never raises. `because` is given in Chinese, errors in English.
    """
    raise NotImplementedError


def answer_line(line: bytes, library: Library | None = None) -> dict[str, Any]:
    """Return the answer to one line of JSON in UTF-8; a line that is none gets its error."""
    raise NotImplementedError


__all__ = ["Mapping", "answer", "answer_line"]
