"""
PostgreSQL and Valkey for the tests, where no servers are given; and compiled translations.

An early plugin (`-p tests.engines` in pyproject.toml): it names the servers before
pytest-django reads the settings, and starts them when the session begins. The folder is kept
between runs; a second run at the same time takes a second folder. With several workers (`-n`)
each has servers of its own, and the process that hands out the tests has none.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import environ
import pytest
from babel.messages.frontend import compile_catalog

from portal import engines

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
ADDRESSES = ("DATABASE_URL", "REDIS_URL")
OURS = "WANGGE_TEST_ENGINES"  # the addresses that were not given

_stack = ExitStack()


def _first_free() -> tuple[Path, Callable[[], None]]:
    for number in count(1):
        data = BUILD / f"engines-{number}"
        try:
            return data, engines.hold(data)
        except engines.EngineError:
            continue
    raise AssertionError


def _compile_texts() -> None:
    """Compile translations that are newer than their compiled form, before Django reads any."""
    for texts in ROOT.glob("locale/*/LC_MESSAGES/*.po"):
        compiled = texts.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < texts.stat().st_mtime:
            command = compile_catalog()
            command.input_file, command.output_file = str(texts), str(compiled)
            command.finalize_options()
            command.run()


_compile_texts()
os.environ.setdefault("WANGGE_DATA", str(BUILD / "data"))
for _name in os.environ.pop(OURS, "").split():  # workers inherit what was named for the first
    del os.environ[_name]
_given = [name for name in ADDRESSES if os.environ.get(name)]
os.environ[OURS] = " ".join(name for name in ADDRESSES if name not in _given)
_embedded = engines.embedded(environ.Env())
_data, _let_go = _first_free() if any(_embedded.values()) else (BUILD, lambda: None)
os.environ["DATABASE_URL"], os.environ["REDIS_URL"] = engines.addresses(environ.Env(), _data)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start what is not given, where tests are run."""
    if session.config.getoption("numprocesses", None):
        _let_go()
    elif any(_embedded.values()):
        _stack.enter_context(engines.running(_data, safe=False, **_embedded))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Stop what was started."""
    _stack.close()
    _let_go()
