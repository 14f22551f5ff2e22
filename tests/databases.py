"""
A database for each process of tests, copied from one that is migrated and knows the provisions.

So is one with the demo. Both stay on the server, and are made anew only when something changed
of which they are made.
"""

import gc
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from portal import demo
from tests.settings import DIRECT

ROOT = Path(settings.BASE_DIR)
MADE_OF = (
    *("accounts", "common", "policy", "portal", "quarantine", "reminders", "residents", "testing"),
)
TEMPLATE = "wangge_template_of_tests"
WITH_DEMO = "wangge_demo_of_tests"
LOCK = 20_221_207  # one process at a time makes or copies it

# What a new database holds is kept beside it, so that it can be brought back. Deleting and
# filling without triggers is much quicker than truncating every table, and asks no lock on them.
RESTORE = """
CREATE SCHEMA fresh;
CREATE FUNCTION fresh.keep() RETURNS void LANGUAGE plpgsql AS $$
DECLARE name text; filled boolean;
BEGIN
  FOR name IN SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
  LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO filled;
    IF filled THEN EXECUTE format('CREATE TABLE fresh.%1$I AS TABLE public.%1$I', name); END IF;
  END LOOP;
END $$;
CREATE FUNCTION fresh.restore() RETURNS void LANGUAGE plpgsql
SET session_replication_role = replica AS $$
DECLARE name text; kept boolean; changed boolean;
BEGIN
  FOR name, kept IN SELECT relname, to_regclass(format('fresh.%I', relname)) IS NOT NULL
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
  LOOP
    IF kept THEN
      EXECUTE format('SELECT EXISTS (SELECT t::text FROM public.%1$I t EXCEPT ALL'
        ' SELECT t::text FROM fresh.%1$I t) OR (SELECT count(*) FROM public.%1$I)'
        ' <> (SELECT count(*) FROM fresh.%1$I)', name) INTO changed;
    ELSE
      EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO changed;
    END IF;
    CONTINUE WHEN NOT changed;
    EXECUTE format('DELETE FROM public.%I', name);
    IF kept THEN
      EXECUTE format('INSERT INTO public.%1$I OVERRIDING SYSTEM VALUE TABLE fresh.%1$I', name);
    END IF;
  END LOOP;
END $$;
SELECT fresh.keep();
"""


@contextmanager
def copied(name: str, *, demo_at: datetime | None = None) -> Iterator[None]:
    """Let Django use a new database of this name, with the demo as of a moment where asked."""
    before = connection.settings_dict["NAME"]
    with _directly(), connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        template = _migrated(cursor)
        if demo_at:
            template = _with_demo(cursor, demo_at)
        _create(cursor, name, template)
    _use(name)
    yield
    _use(before)
    with _directly(), connection._nodb_cursor() as cursor:
        _drop(cursor, name)


@contextmanager
def _directly() -> Iterator[None]:
    """Go past the pooler, where there is one: it keeps databases open that are to be copied."""
    pooled = dict(connection.settings_dict)
    direct = {key: DIRECT[key] for key in ("HOST", "PORT", "USER", "PASSWORD", "OPTIONS")}
    connection.close()
    connection.settings_dict.update(direct)
    yield
    connection.close()
    connection.settings_dict.update({key: pooled[key] for key in direct})


def restore(_test: object = None) -> None:
    """Leave nothing of what was committed in the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT fresh.restore()")


def _migrated(cursor: Any) -> str:
    """Return the template that knows the provisions, made where there is none."""
    from policy.services import load_documents

    made_of = _digest()
    if _noted(cursor, TEMPLATE) != made_of:
        _create(cursor, TEMPLATE, "template1")
        _use(TEMPLATE)
        gc.disable()  # a state of all models for each migration, and all of them kept
        call_command("migrate", verbosity=0)
        gc.enable()
        load_documents()
        with connection.cursor() as inside:
            inside.execute(RESTORE)
            inside.execute("ANALYZE")
        connection.close()
        _note(cursor, TEMPLATE, made_of)
    return TEMPLATE


def _with_demo(cursor: Any, at: datetime) -> str:
    """Return the template that holds the demo, too, made where there is none."""
    keys = (settings.FIELD_KEYS, settings.SEARCH_KEYS)
    made_of = hashlib.sha256(f"{_digest()} {at} {keys}".encode()).hexdigest()
    if _noted(cursor, WITH_DEMO) != made_of:
        _create(cursor, WITH_DEMO, TEMPLATE)
        _use(WITH_DEMO)
        assert demo.seed(at=at)
        connection.close()
        _note(cursor, WITH_DEMO, made_of)
    return WITH_DEMO


def _noted(cursor: Any, template: str) -> str | None:
    """Return of what a template was made; nothing is noted before it is whole."""
    cursor.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
        [template],
    )
    row = cursor.fetchone()
    return str(row[0]) if row else None


def _note(cursor: Any, template: str, made_of: str) -> None:
    cursor.execute(f"COMMENT ON DATABASE {template} IS '{made_of}'")


def _digest() -> str:
    """Return what is different whenever a new database would be."""
    digest = hashlib.sha256(RESTORE.encode())
    files = [ROOT / "requirements.txt", *(f for app in MADE_OF for f in (ROOT / app).rglob("*"))]
    for file in sorted(files):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(f"{file}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _create(cursor: Any, name: str, template: str) -> None:
    _drop(cursor, name)
    cursor.execute(f"CREATE DATABASE {name} TEMPLATE {template}")


def _drop(cursor: Any, name: str) -> None:
    cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _use(name: str) -> None:
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


@contextmanager
def backed_up(name: str) -> Iterator[Callable[[], None]]:
    """Keep a copy of the database as it is; give a function that restores it: use it instead."""
    before = connection.settings_dict["NAME"]
    connection.close()
    with connection._nodb_cursor() as cursor:
        # What a thread of an earlier test left open would stand in the way of a copy.
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [before]
        )
        _create(cursor, name, before)
    try:
        yield lambda: _use(name)
    finally:
        _use(before)
        with connection._nodb_cursor() as cursor:
            _drop(cursor, name)
