"""
PostgreSQL and Valkey for the tests, where no servers are given; and compiled translations.

An early plugin (`-p tests.engines` in pyproject.toml): it names the servers before
pytest-django reads the settings, and starts them once it is known that a test needs them. The
folder is kept between runs; a second run at the same time takes a second folder. With several
workers (`-n`) they share the PostgreSQL of the process that hands out the tests, where each has
a database of its own; and each has a Valkey of its own, where nothing else would keep their
queues apart.
"""

import gc
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import environ
import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from portal import engines

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
OURS = "WANGGE_TEST_VALKEY"  # said to the workers where no Redis is given

if sys.dont_write_bytecode:  # each process would compile Django and all tests anew
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(BUILD / "bytecode")

gc.disable()  # until all is imported and collected: none of that is ever garbage
_stack = ExitStack()


def _first_free() -> tuple[Path, Callable[[], None]]:
    for number in count(1):
        data = BUILD / f"engines-{number}"
        try:
            return data, engines.lock_data(data)
        except engines.EngineError:
            continue
    raise AssertionError


def _compile_texts() -> None:
    """Compile translations that are newer than their compiled form, before Django reads any."""
    for texts in ROOT.glob("locale/*/LC_MESSAGES/*.po"):
        compiled = texts.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < texts.stat().st_mtime:
            with texts.open("rb") as source, compiled.open("wb") as target:
                write_mo(target, read_po(source))


_compile_texts()
os.environ.setdefault("WANGGE_DATA", str(BUILD / "data"))
if os.environ.pop(OURS, ""):
    del os.environ["REDIS_URL"]
if not os.environ.get("REDIS_URL"):
    os.environ[OURS] = "yes"
_embedded = engines.embedded(environ.Env())
_data, _let_go = _first_free() if any(_embedded.values()) else (BUILD, lambda: None)
_, os.environ["REDIS_URL"] = engines.addresses(environ.Env(), _data)
# Tests make databases, and undo what triggers forbid: as the superuser.
os.environ["DATABASE_URL"] = engines.superuser_address(environ.Env(), _data)


def _start() -> None:
    if any(_embedded.values()):
        _stack.enter_context(engines.run_engines(_data, safe=False, **_embedded))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the PostgreSQL that workers share before there are any."""
    if session.config.getoption("numprocesses", None):
        gc.enable()
        _embedded["valkey"] = False
        _start()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start what is not given, where a test asks for it; keep what is there out of gc's way."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)  # each look at what a test made costs more than it frees
    gc.enable()
    if any(not item.get_closest_marker("pure") for item in session.items):
        _start()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Stop what was started."""
    _stack.close()
    _let_go()
