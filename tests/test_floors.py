"""The least that the tests of each package must go through."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import floors

LEAST = {"policy": 90.0, "policy/engine": 95.0}


def file(covered: int, lines: int) -> dict[str, Any]:
    return {"summary": {"covered_lines": covered, "missing_lines": lines - covered}}


class TestAShare:
    def test_counts_an_inner_package_apart(self) -> None:
        files = {"policy/models.py": file(9, 10), "policy/engine/text.py": file(1, 4)}

        assert floors.shares(files, LEAST) == {"policy": 90.0, "policy/engine": 25.0}

    def test_of_what_was_not_measured_is_nothing(self) -> None:
        assert floors.shares({}, LEAST) == {"policy": 0.0, "policy/engine": 0.0}


class TestAFloor:
    def test_is_kept_by_exactly_as_much(self) -> None:
        assert list(floors.below({"policy": 90.0, "policy/engine": 94.9}, LEAST)) == [
            "policy/engine"
        ]

    def test_is_asked_of_every_package(self) -> None:
        source = {path.parent.name for path in floors.ROOT.glob("*/__init__.py")}

        assert set(floors.floors()) == source - {"bench", "tests"} | {"policy/engine"}

    def test_fails_the_check_with_a_line_for_the_package(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(floors, "floors", lambda: LEAST)
        report = tmp_path / "coverage.json"
        report.write_text(
            json.dumps({"files": {"policy/a.py": file(9, 10), "policy/engine/b.py": file(9, 10)}})
        )

        assert floors.main(report) == 1
        assert [line for line in capsys.readouterr().out.splitlines() if "below" in line] == [
            "policy/engine    90.00 %   95.0 %  below the floor"
        ]
