"""`migrate`, killed at any moment and started again, ends as one that nobody killed."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest
from django.conf import settings

from tests.databases import TEMPLATE
from tests.settings import DIRECT_URL

pytestmark = [
    pytest.mark.usefixtures("django_db_setup"),
    pytest.mark.processes,
    pytest.mark.attack,
]
NAME = "wangge_migrated_by_tests"
KILLS = 15
# Everything that a database is made of, in words.
MADE_OF = """
SELECT 'column', c.relname, attname,
        concat_ws(' ', format_type(atttypid, atttypmod), attnotnull, attidentity)
    FROM pg_attribute JOIN pg_class c ON attrelid = c.oid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND relkind IN ('r', 'p', 'S')
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'index', tablename, indexname, indexdef
    FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
    FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function', proname, '', md5(prosrc)
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'migration', app, name, '' FROM django_migrations
UNION ALL SELECT 'permission', codename, '', '' FROM auth_permission
ORDER BY 1, 2, 3, 4
"""


def address(database: str) -> str:
    return urlsplit(DIRECT_URL)._replace(path=f"/{database}").geturl()


def asked(database: str, question: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(address(database))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def empty() -> Iterator[str]:
    """Make an empty database."""
    asked("postgres", f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
    asked("postgres", f"CREATE DATABASE {NAME} TEMPLATE template1")
    yield NAME
    asked("postgres", f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")


def migrate(database: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "manage.py", "migrate", "--verbosity", "0"],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "DATABASE_URL": address(database),
            "REDIS_URL": settings.REDIS_URL,
            "FIELD_KEYS": ",".join(settings.FIELD_KEYS),
            "SEARCH_KEY": ",".join(settings.SEARCH_KEYS),
            "SECRET_KEY": settings.SECRET_KEY,
        },
        start_new_session=True,
    )


def done(database: str) -> int:
    """Return how many migrations are noted as done."""
    try:
        return int(asked(database, "SELECT count(*) FROM django_migrations")[0][0])
    except psycopg2.errors.UndefinedTable:
        return 0


def test_killed_migrations_end_as_ones_that_nobody_killed(empty: str) -> None:
    whole = asked(TEMPLATE, MADE_OF)
    wanted = sum(kind == "migration" for kind, *_ in whole)
    stops = sorted(random.sample(range(wanted), min(KILLS, wanted)))
    killed = 0
    for stop in stops:
        running = migrate(empty)
        while running.poll() is None and done(empty) < stop:
            time.sleep(0.02)
        time.sleep(random.uniform(0, 0.3))  # noqa: S311 - no secret
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            killed += 1
        assert running.wait() in (0, -signal.SIGKILL)
        assert done(empty) >= stop
    assert migrate(empty).wait() == 0

    assert killed
    assert asked(empty, MADE_OF) == whole
    print(f"\nmigrate killed {killed} times, {wanted} migrations: as one that nobody killed")  # noqa: T201
