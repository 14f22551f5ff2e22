"""
How much of each package the tests go through, beside the least that `pyproject.toml` asks.

`python -m tests.floors build/coverage.json` prints a line for each package, and fails below.
"""

import json
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def floors() -> dict[str, float]:
    """Return the least share of each package, in percent."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return dict(settings["tool"]["wangge"]["coverage"])


def shares(files: Mapping[str, Any], packages: Mapping[str, float]) -> dict[str, float]:
    """Return the share of lines of each package that tests went through, an inner one apart."""
    covered, asked = Counter[str](), Counter[str]()
    for path, file in files.items():
        inside = [package for package in packages if path.startswith(f"{package}/")]
        package, summary = max(inside, key=len, default=""), file["summary"]
        covered[package] += summary["covered_lines"]
        asked[package] += summary["covered_lines"] + summary["missing_lines"]
    return {one: 100 * covered[one] / asked[one] if asked[one] else 0.0 for one in packages}


def below(measured: Mapping[str, float], least: Mapping[str, float]) -> Iterator[str]:
    """Yield the packages that are tested less than is asked."""
    return (package for package, share in measured.items() if share < least[package])


def main(report: Path) -> int:
    """Print each package with its share and its floor, and return 1 where one is below."""
    least = floors()
    measured = shares(json.loads(report.read_text())["files"], least)
    wrong = set(below(measured, least))
    for package, share in measured.items():
        mark = "  below the floor" if package in wrong else ""
        print(f"{package:15} {share:6.2f} %  {least[package]:5.1f} %{mark}")  # noqa: T201
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
