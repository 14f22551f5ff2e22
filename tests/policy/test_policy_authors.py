"""The walk-through for policy authors does what it says."""

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from policy.engine.documents.library import Library, shipped
from policy.engine.documents.loader import read
from policy.engine.questions.ask import answer
from policy.engine.wording.sentences import lines_of
from policy.engine.wording.written import written

PAGE = (Path(settings.BASE_DIR) / "docs" / "policy-authors.md").read_text()
BLOCK = re.compile(r"^```([a-z ]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAME = "pingan-2022-1.yaml"


def blocks(kind: str) -> list[str]:
    """Return the blocks of one kind."""
    return [text for found, text in BLOCK.findall(PAGE) if found == kind]


DOCUMENT = "\n".join(blocks("yaml"))


def library(text: str) -> Library:
    """Return the shipped documents and this one."""
    return shipped().with_document(read(text, NAME))


def agrees(want: dict[str, Any], got: dict[str, Any]) -> bool:
    """Say whether an answer holds what is expected."""
    return all(got[key] == value for key, value in want.items())


class TestTheWalkThrough:
    def test_ends_in_worked_examples_that_pass(self) -> None:
        documents = library(DOCUMENT)
        pairs = list(zip(blocks("json question"), blocks("json answer"), strict=True))

        assert len(pairs) == 4
        for question, expected in pairs:
            told = answer(json.loads(question), documents)
            assert agrees(json.loads(expected), told), told

    def test_changes_a_number_by_one_line(self) -> None:
        text = DOCUMENT.replace("days: 6, tests: [1, 3, 6]", "days: 5, tests: [1, 3, 5]")
        told = answer(json.loads(blocks("json question")[0]), library(text))

        assert told["earliest_release"] == "2022-12-02"

    def test_shows_what_the_second_person_sees(self) -> None:
        document = read(DOCUMENT, NAME)
        [zh, en] = "".join(blocks("text said")).splitlines()
        longer = read(DOCUMENT.replace("days: 6", "days: 40"), NAME)

        texts = [line.text for line in lines_of(document.provisions[0])]
        assert zh in {text.zh for text in texts}
        assert en in {text.en for text in texts}
        assert not any(provision.warnings for provision in written(document).provisions)
        [warning] = written(longer).provisions[0].warnings
        assert warning.zh in PAGE

    def test_is_checked_by_the_command(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LC_ALL", "C.UTF-8")
        (tmp_path / NAME).write_text(DOCUMENT)
        said = StringIO()
        call_command("policy", "check", str(tmp_path / NAME), stdout=said)

        assert "4 clauses, 3 provisions, sound." in said.getvalue()
        assert "clause 1, high_risk_stay: looser." in said.getvalue()

    def test_is_refused_in_the_words_it_shows(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LC_ALL", "C.UTF-8")
        (tmp_path / NAME).write_text(DOCUMENT.replace("tests: [1, 3, 6]", "tests: [1, 3, 7]"))
        with pytest.raises(CommandError) as refused:
            call_command("policy", "check", str(tmp_path / NAME))

        assert str(refused.value) == blocks("text")[0].strip()

    def test_is_told_by_the_command_where_its_summary_names_other_numbers(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LC_ALL", "C.UTF-8")
        (tmp_path / NAME).write_text(DOCUMENT.replace("proof_hours: 24", "proof_hours: 12"))
        said = StringIO()
        call_command("policy", "check", str(tmp_path / NAME), stdout=said)

        assert "clause 3, entry: the summary says 24 hours, the values say 12 hours." in (
            said.getvalue()
        )

    def test_is_checked_in_the_language_of_the_terminal(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
        (tmp_path / NAME).write_text(DOCUMENT.replace("tests: [1, 3, 6]", "tests: [1, 3, 7]"))
        with pytest.raises(CommandError) as refused:
            call_command("policy", "check", str(tmp_path / NAME))

        assert "第18行：stages：第7天的核酸不在6天的阶段之内。" in str(refused.value)

    def test_is_refused_when_a_clause_is_left_behind(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LC_ALL", "C.UTF-8")
        (tmp_path / NAME).write_text(DOCUMENT.split("no_provision:")[0])
        with pytest.raises(CommandError, match="clause 4 has neither a provision nor a line"):
            call_command("policy", "check", str(tmp_path / NAME))
