"""The worked examples of each document, the malformed questions, and what both promise."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from ruamel.yaml import YAML

from policy.engine.questions.ask import answer
from policy.worked_examples import disagreements
from tests import patience

ROOT = Path(settings.BASE_DIR)
FOLDER = ROOT / "policy" / "examples"
DOCUMENTS = {path.stem for path in (ROOT / "policy" / "documents").glob("*.yaml")}
MALFORMED = [
    json.loads(line)
    for line in (Path(__file__).parent / "malformed.jsonl").read_text().splitlines()
]
SOUND = {
    "ask": "registration",
    "policy": "bayannur-2022-71",
    "arrival": "2022-12-01",
    "registered": "2022-11-28",
}
ABSENT = object()


def load() -> dict[str, list[dict[str, Any]]]:
    """Return the examples of each document."""
    yaml = YAML(typ="safe")
    return {path.stem: yaml.load(path) for path in sorted(FOLDER.glob("*.yaml"))}


EXAMPLES = load()
EVERY = [example for examples in EXAMPLES.values() for example in examples]


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, Any]]:
    """Yield each scalar or empty value of a question with its place."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, number))
    else:
        yield path, value if isinstance(value, int | str | float | None) else str(value)


def is_boundary_pair(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Say whether two questions differ in one fact only, and their answers differ too."""
    first, second = dict(leaves(one["question"])), dict(leaves(other["question"]))
    if first.keys() != second.keys():
        return False
    changed = [place for place in first if first[place] != second[place]]
    shared = one["expect"].keys() & other["expect"].keys()
    return len(changed) == 1 and any(one["expect"][key] != other["expect"][key] for key in shared)


@pytest.mark.parametrize("example", EVERY, ids=[each["name"]["en"] for each in EVERY])
def test_the_engine_answers_as_the_example_says(example: dict[str, Any]) -> None:
    assert list(disagreements(example["expect"], answer(example["question"]))) == []


class TestTheExamples:
    def test_cover_every_document(self) -> None:
        assert set(EXAMPLES) == DOCUMENTS

    @pytest.mark.parametrize("document", EXAMPLES)
    def test_hold_a_boundary_pair_for_each_document(self, document: str) -> None:
        assert any(is_boundary_pair(*pair) for pair in combinations(EXAMPLES[document], 2))

    @pytest.mark.parametrize("language", ["en", "zh"])
    def test_have_a_name_of_their_own(self, language: str) -> None:
        counted = Counter(
            (document if language == "zh" else "", each["name"][language])
            for document, examples in EXAMPLES.items()
            for each in examples
        )

        assert [name for name, times in counted.items() if times > 1] == []

    def test_expect_something_each(self) -> None:
        assert all(
            set(each) == {"name", "question", "expect"} and each["expect"] for each in EVERY
        )


def line_of(case: dict[str, Any]) -> bytes:
    """Return the bytes that a malformed case puts on its line."""
    if "raw" in case:
        return str(case["raw"]).encode()
    if "raw_hex" in case:
        return bytes.fromhex(case["raw_hex"])
    if "raw_parts" in case:
        return b"".join(text.encode() * times for text, times in case["raw_parts"])
    return json.dumps(case["question"], ensure_ascii=False).encode()


def fault(case: dict[str, Any], refusal: dict[str, Any]) -> str | None:
    """Say what is wrong with the answer to a malformed question, if anything."""
    sentence = refusal.get("error")
    if set(refusal) != {"error"} or not isinstance(sentence, str) or not sentence.strip():
        return "answered instead of refused"
    if "\n" in sentence or len(sentence) > 1000 or "Traceback" in sentence:
        return "more than one short sentence"
    names = case.get("error_names", [])
    return (
        None if not names or any(name in sentence for name in names) else f"does not name {names}"
    )


class TestTheCommandAsk:
    def test_refuses_each_malformed_line_and_answers_the_next(self) -> None:
        sound = json.dumps(SOUND).encode()
        lines = [line for case in MALFORMED for line in (line_of(case), sound)]

        run = subprocess.run(
            [sys.executable, "manage.py", "ask"],
            cwd=ROOT,
            input=b"".join(line + b"\n" for line in lines),
            capture_output=True,
            timeout=patience.SECONDS,
            check=False,
        )

        answers = [json.loads(line) for line in run.stdout.decode().splitlines()]
        assert run.returncode == 1
        assert len(answers) == len(lines)
        faults = {
            line_of(case)[:200]: (problem, refusal)
            for case, refusal in zip(MALFORMED, answers[::2], strict=True)
            if (problem := fault(case, refusal))
        }
        assert faults == {}
        assert all(each.get("on_time") is True for each in answers[1::2])
