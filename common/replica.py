"""
Reading lists and overviews from a copy of the database that follows it by streaming.

What is asked of the copy may be some seconds old, and the page says of when it is. The copy is
asked only while it is less behind than `REPLICA_LAG_SECONDS` and holds everything that the
browser was answered from the database itself (the cookie `MARK`, a position in PostgreSQL's
write-ahead log): nobody misses what they just did or saw. Where the copy is away, breaks off, or
is a copy no longer, the database itself is asked.
"""

import re
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

import structlog
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connection, connections
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

ALIAS = "replica"
MARK = "position"
# Law, accounts and messages are always asked of the database itself.
REPLICATED = {"residents", "testing", "quarantine"}
LEFT_ALONE = 10.0  # seconds for which a process does not try a copy that failed
POSITION = re.compile(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}")

log = structlog.get_logger(__name__)
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


@dataclass
class _Reading:
    as_of: datetime
    is_on: bool = True


_reading: ContextVar[_Reading | None] = ContextVar("reading", default=None)
_away_until = 0.0


class Router:
    """Sends the reading of a view that `may_lag` to the copy, until it writes."""

    def db_for_read(self, model: type[Model], **_: Any) -> str:
        """Return where to read; never the copy because an instance came from there."""
        reading = _reading.get()
        replicated = model._meta.app_label in REPLICATED
        return ALIAS if reading and reading.is_on and replicated else DEFAULT_DB_ALIAS

    def db_for_write(self, model: type[Model], **_: Any) -> str:
        """Return where to write, and let what follows be read there."""
        reading = _reading.get()
        if reading and model._meta.app_label in REPLICATED:
            reading.is_on = False
        return DEFAULT_DB_ALIAS

    def allow_relation(self, *_: Model, **__: Any) -> bool:
        """Let what was read here point to what was read there: it is one database."""
        return True

    def allow_migrate(self, db: str, *_: Any, **__: Any) -> bool:
        """Migrate the database itself only."""
        return db == DEFAULT_DB_ALIAS


def may_lag(view: View[P]) -> View[P]:
    """Let a view that only shows read from the copy, where there is one and it is near enough."""

    @wraps(view)
    def reading_view(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if as_of := _usable_as_of(request):
            reading = _Reading(as_of)
            token = _reading.set(reading)
            try:
                response = view(request, *args, **kwargs)
            except (DatabaseError, InterfaceError) as error:
                if not reading.is_on:
                    raise
                _leave_alone(error)
            else:
                request.read_as_of = as_of  # type: ignore[attr-defined]
                return response
            finally:
                _reading.reset(token)
        return view(request, *args, **kwargs)

    return cast(View[P], reading_view)


def as_of() -> datetime | None:
    """Return of when the view's data are, if they come from the copy."""
    reading = _reading.get()
    return reading.as_of if reading else None


def _usable_as_of(request: HttpRequest) -> datetime | None:
    """Return of when the copy is; None where it may not be asked."""
    if ALIAS not in settings.DATABASES or request.method != "GET":
        return None
    if connection.in_atomic_block or time.monotonic() < _away_until:
        return None
    now, position = _position()
    seen = request.COOKIES.get(_mark(), "")
    try:
        of = _copied(now, position, seen if POSITION.fullmatch(seen) else "0/0")
    except (DatabaseError, InterfaceError) as error:
        _leave_alone(error)
        return None
    near = of and now - of <= timedelta(seconds=settings.REPLICA_LAG_SECONDS)
    return of if near else None


def _position() -> tuple[datetime, str]:
    """Return the time and the end of the write-ahead log, by the database itself."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp(), pg_current_wal_insert_lsn()")
        now, position = cursor.fetchone()
        return now, position


def _copied(now: datetime, position: str, seen: str) -> datetime | None:
    """
    Return up to when the copy holds all; None where it lacks what was seen, or copies no longer.

    Clocks are those of the database itself: the time of the last transaction that was copied is.
    """
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(
            """
            SELECT CASE WHEN replayed >= %s::pg_lsn THEN %s::timestamptz
                ELSE pg_last_xact_replay_timestamp() END
            FROM pg_last_wal_replay_lsn() AS replayed
            WHERE pg_is_in_recovery() AND replayed >= %s::pg_lsn
            """,
            [position, now, seen],
        )
        row = cursor.fetchone()
        return row[0] if row else None


def _mark() -> str:
    return f"__Host-{MARK}" if settings.SESSION_COOKIE_SECURE else MARK


def _leave_alone(error: Exception) -> None:
    global _away_until
    _away_until = time.monotonic() + LEFT_ALONE
    log.warning("replica_away", error=type(error).__name__)
    connections[ALIAS].close()


class ReadYourWrites:
    """Mark in the browser how far the database was that answered it; see the module."""

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        """Add the mark to what the database itself answered."""
        response = self.get_response(request)
        if ALIAS not in settings.DATABASES or hasattr(request, "read_as_of"):
            return response
        try:
            _, position = _position()
        except (DatabaseError, InterfaceError):
            return response  # what it says does not come from the database
        response.set_cookie(
            _mark(),
            position,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        return response
