"""The page about questions does what it says."""

import json
import re
from pathlib import Path
from typing import Any

from django.conf import settings

from policy.engine.questions.ask import answer
from policy.engine.questions.contract import QUESTIONS

PAGE = (Path(settings.BASE_DIR) / "docs" / "questions.md").read_text()
BLOCK = re.compile(r"^```json (question|answer)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[dict[str, Any]]:
    """Return the questions or the answers of the page."""
    return [json.loads(text) for block, text in BLOCK.findall(PAGE) if block == kind]


class TestThePage:
    def test_shows_answers_that_are_given(self) -> None:
        for question, expected in zip(blocks("question"), blocks("answer"), strict=True):
            told = answer(question)
            assert {key: told[key] for key in expected} == expected

    def test_names_every_question(self) -> None:
        assert [name for name in QUESTIONS if f"| `{name}` |" not in PAGE] == []
