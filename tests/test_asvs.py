"""The list of requirements (docs/asvs.md) is whole, and names what there is."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs/asvs.md").read_text(encoding="utf-8")
STATUS = r"met|n/a|\*\*not met\*\*"
LINE = re.compile(rf"^\| ([\d.]+) \| ([12]) \| (.+?) \| ({STATUS}) \| (.+) \|$", re.MULTILINE)
LINES = [match.groups() for match in LINE.finditer(TEXT)]
# The requirements of levels 1 and 2 in each chapter of the standard, version 5.0.
IN_CHAPTER = dict(
    enumerate((27, 11, 19, 10, 9, 35, 18, 7, 7, 29, 14, 9, 13, 9, 13, 16, 7), start=1)
)


def names_in(path: Path) -> set[str]:
    """Return the names of the tests and classes of a module, and of those of a folder."""
    files = [path] if path.is_file() else sorted(path.rglob("test_*.py"))
    kinds = ast.ClassDef | ast.FunctionDef
    return {
        node.name
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, kinds)
    }


class TestTheList:
    def test_holds_each_requirement_once(self) -> None:
        assert len(LINES) == len(set(LINES)) == TEXT.count("\n| ") - TEXT.count("\n| | level")
        numbers = [number for number, *_ in LINES]
        assert len(set(numbers)) == len(numbers) == 253
        assert Counter(int(number.split(".")[0]) for number in numbers) == IN_CHAPTER

    def test_says_how_many_are_met(self) -> None:
        by = Counter(status.strip("*") for _, _, _, status, _ in LINES)
        said = re.search(r"(\d+) are met, (\d+) not applicable, (\d+) not met", TEXT)
        assert said
        assert [int(each) for each in said.groups()] == [by["met"], by["n/a"], by["not met"]]

    @pytest.mark.parametrize(
        ("number", "by"),
        [(number, by) for number, _, _, status, by in LINES if status == "met"],
    )
    def test_names_what_is_there(self, number: str, by: str) -> None:
        named = re.findall(r"`([^`]+)`", by)
        assert named, number
        for each in named:
            path, _, names = each.partition("::")
            assert (ROOT / path).exists(), each
            if names:
                assert set(names.split("::")) <= names_in(ROOT / path), each

    def test_gives_a_reason_wherever_something_is_not_met_or_not_there(self) -> None:
        assert all(len(by) > 3 for _, _, _, status, by in LINES if status != "met")
