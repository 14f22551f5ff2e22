"""
PostgreSQL and Valkey for the tests, where no servers are given.

An early plugin (`-p tests.engines` in pyproject.toml): it names the servers before
pytest-django reads the settings, and starts them when the session begins. The folder is kept
between runs; a second run at the same time takes a second folder.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import environ
import pytest

from portal import engines

BUILD = Path(__file__).resolve().parent.parent / "build"

_stack = ExitStack()


def _first_free() -> tuple[Path, Callable[[], None]]:
    for number in count(1):
        data = BUILD / f"engines-{number}"
        try:
            return data, engines.hold(data)
        except engines.EngineError:
            continue
    raise AssertionError


os.environ.setdefault("WANGGE_DATA", str(BUILD / "data"))
_embedded = engines.embedded(environ.Env())
_data, _let_go = _first_free() if any(_embedded.values()) else (BUILD, lambda: None)
os.environ["DATABASE_URL"], os.environ["REDIS_URL"] = engines.addresses(environ.Env(), _data)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart() -> None:
    """Start what is not given."""
    if any(_embedded.values()):
        _stack.enter_context(engines.running(_data, safe=False, **_embedded))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Stop what was started."""
    _stack.close()
    _let_go()
