"""Run all benchmarks, or those named, print them as a table, and write build/bench.json."""

import importlib
import json
import os
import pkgutil
import sys
from pathlib import Path

import django
import environ
from django.core.management import call_command

import bench
from portal import engines

BUILD = Path(__file__).resolve().parent.parent / "build"
COLUMNS = {"name": 52, "value": -12, "reference": -12, "ratio": -8, "goal": 28, "": 5}


def main() -> int:
    """Return 0 when every figure reaches its goal."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    os.environ["WANGGE_DATA"] = str(BUILD / "bench")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    release = engines.lock_data(BUILD / "bench")
    try:
        embedded = engines.embedded(environ.Env())
        os.environ["DATABASE_URL"] = engines.superuser_address(environ.Env(), BUILD / "bench")
        if embedded["valkey"]:
            os.environ["REDIS_URL"] = engines.addresses(environ.Env(), BUILD / "bench")[1]
        with engines.run_engines(BUILD / "bench", **embedded):
            django.setup()
            call_command("migrate", verbosity=0)
            _print_row(*COLUMNS)
            figures = [figure for name in _modules() for figure in _measured(name)]
    finally:
        release()
    (BUILD / "bench.json").write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n")
    return 0 if all(figure["ok"] for figure in figures) else 1


def _modules() -> list[str]:
    names = sorted(module.name for module in pkgutil.iter_modules(bench.__path__))
    return sys.argv[1:] or [name for name in names if not name.startswith("_")]


def _measured(name: str) -> list[bench.Figure]:
    figures: list[bench.Figure] = importlib.import_module(f"bench.{name}").run()
    for figure in figures:
        numbers = (
            _number(value) for value in (figure["value"], figure["reference"], figure["ratio"])
        )
        _print_row(figure["name"], *numbers, figure["goal"], "ok" if figure["ok"] else "short")
    return figures


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _print_row(*cells: str) -> None:
    widths = COLUMNS.values()
    row = (
        cell.ljust(width) if width > 0 else cell.rjust(-width)
        for cell, width in zip(cells, widths, strict=True)
    )
    print("  ".join(row).rstrip(), flush=True)  # noqa: T201 - its purpose


if __name__ == "__main__":
    sys.exit(main())
