"""The demo community, made once for all tests of a module."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from portal import demo
from tests import databases

AT = datetime(2026, 11, 22, 20, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.fixture(scope="module")
def seeded(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
    worker_id: str,
) -> Iterator[Path]:
    """Give the module's tests a database with the demo as of AT; return where its sign-ins lie."""
    data: Path = tmp_path_factory.mktemp("demo")
    with (
        override_settings(DATA_DIR=data),
        django_db_blocker.unblock(),
        databases.copied(f"test_wangge_{worker_id}_demo", demo_at=AT),
    ):
        assert not demo.seed(at=AT)  # here already: only the passwords are made
        connection.close()
        yield data
