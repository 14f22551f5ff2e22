"""Whether the portal is well: what a load balancer asks, and what an administrator asks."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, InterfaceError, connection, transaction
from kombu.exceptions import OperationalError as NoBrokerError
from redis.exceptions import RedisError

LEAST_FREE = 256 << 20  # bytes; below, logs and the audit's anchors are not certain any more
WORKER_SECONDS = 1.0  # for which workers are waited for
NO_ROOM = "53"  # PostgreSQL's class of "insufficient resources": a full disk, too few connections

# Rows that do not fit into memory are written to PostgreSQL's disk; nothing else changes.
_WRITES = "SELECT count(*) FROM generate_series(1, 50000)"


@dataclass(frozen=True)
class Answer:
    """Whether all that is needed is there, and a line for each thing that was asked."""

    well: bool
    lines: tuple[str, ...]


@dataclass
class Remembered:
    """An answer that this process keeps for some seconds, however often it is asked for."""

    ask: Callable[[], Answer]
    seconds: float
    answer: Answer | None = None
    until: float = field(default=0.0)

    def __call__(self) -> Answer:
        """Return the answer, at most `seconds` old."""
        if self.answer is None or time.monotonic() >= self.until:
            self.answer = self.ask()
            self.until = time.monotonic() + self.seconds
        return self.answer


def _of_web() -> Answer:
    database, disk = _database(), _disk()
    cached = "ok" if _cache_keeps() else "away, or full; pages do without it"
    lines = (f"database: {database}", f"disk: {disk}", f"cache: {cached}")
    return Answer(database == disk == "ok", lines)


def _of_workers() -> Answer:
    web, workers = of_web(), _workers()
    return Answer(web.well and workers == "ok", (*web.lines, f"workers: {workers}"))


def _database() -> str:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL work_mem = '64kB'")
            cursor.execute(_WRITES)
    except (DatabaseError, InterfaceError) as error:
        code = getattr(error.__cause__, "pgcode", None) or ""
        return "full" if code.startswith(NO_ROOM) else "away"
    return "ok"


def _disk() -> str:
    places = (settings.DATA_DIR, *settings.DATA_DIR.parents)
    there = next((place for place in places if place.exists()), Path("/"))
    return "ok" if shutil.disk_usage(there).free >= LEAST_FREE else "full"


def _cache_keeps() -> bool:
    cache.set("healthz", 1, timeout=60)
    return bool(cache.get("healthz") == 1)


def _workers() -> str:
    """Return "ok" if each queue has a worker, else what is missing."""
    try:
        answers = current_app.control.inspect(timeout=WORKER_SECONDS).active_queues() or {}
    except (NoBrokerError, RedisError, OSError):
        return "the broker is away"
    worked = {queue["name"] for queues in answers.values() for queue in queues or ()}
    missing = {current_app.conf.task_default_queue, settings.NIGHTLY_QUEUE} - worked
    return f"nobody works on {', '.join(sorted(missing))}" if missing else "ok"


of_web = Remembered(_of_web, seconds=2.0)
of_workers = Remembered(_of_workers, seconds=15.0)
