"""The demo community, made once for all tests of a module."""

from collections.abc import Awaitable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import transaction
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from portal import demo

AT = datetime(2026, 11, 22, 20, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the checks of health take as long as they need: a busy machine is not ill."""

    async def to_the_end(check: Awaitable[Any], _seconds: float) -> Any:
        return await check

    monkeypatch.setattr("health_check.base.asyncio.wait_for", to_the_end)


@pytest.fixture(scope="module")
def seeded(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Path]:
    """
    Seed the demo as of AT around the transactions of the module's tests.

    Not for a module with tests in a browser: their server would wait for this transaction.
    """
    data: Path = tmp_path_factory.mktemp("demo")
    assert settings.DEMO
    with (
        override_settings(DATA_DIR=data),
        django_db_blocker.unblock(),
        transaction.atomic(),
    ):
        assert demo.seed(at=AT)
        yield data
        transaction.set_rollback(True)
