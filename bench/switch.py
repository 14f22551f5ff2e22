"""
Switching many open cases, compared with one bare UPDATE, with the ORM, and with more cases.

The ORM variant keeps a row for each future test, which a loop over the cases rewrites; its table
is created here. It is measured on a sample and scaled.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, models, transaction
from django.test import Client

from accounts.staff.models import Area, Role, User
from bench import Figure, figure
from bench.reminders import database
from common import clock
from policy.activations.governing import governing
from policy.models import Activation
from policy.services import load_documents
from quarantine.cases.calendars import calendar_of
from quarantine.cases.governing_law import Ruling, followed_under, ruling
from quarantine.cases.plans import store_plan
from quarantine.models import Case
from quarantine.switching.preview import preview
from quarantine.switching.sweep import sweep
from tests import crowd
from tests.factories import make_user, put_in_force

CASES = 100_000
MANY = 1_000_000
SAMPLE = 1_000
PAIRS = 3
PREVIEWS = 3
MOST_PREVIEW = 3.0
ALONE = 8.0  # seconds of load without a switch
WRITTEN = (
    *("activation_id", "law", "law_from", "freed_on", "transition", "plan_id"),
    *("governs", "next_test_on", "release_on", "version"),
)


def run() -> list[Figure]:
    """Return the figures, measured in a temporary database."""
    at = clock.now()  # noqa: TID251 - a bench is an edge, too
    with database():
        load_documents()
        grids = crowd.make_district()
        crowd.fill(CASES, grids, today=clock.day_of(at))
        sweep(at=at - timedelta(days=1))
        previewed, (switched, took) = _previewed(at), _switched(at)
        figures = [previewed, *switched, *_served(at)]
        crowd.fill(MANY - CASES, grids, today=clock.day_of(at), with_results=False)
        return [*figures, _many(at, took)]


def _previewed(at: datetime) -> Figure:
    proposed = Activation.objects.create(
        document=crowd.NOW_IN_FORCE,
        area=_district(),
        effective_from=at,
        reason="bench",
        proposed_by=make_user(Role.ADMINISTRATOR, employer="bench"),
        proposer_employer="bench",
        proposed_at=at,
    )
    took = median(_timed(lambda: preview(activation=proposed, at=at)) for _ in range(PREVIEWS))
    Activation.objects.filter(pk=proposed.pk).update(
        withdrawn_at=at, withdrawn_by=proposed.proposed_by, withdrawal_reason="bench"
    )
    return figure(
        f"switch: preview of {CASES:,} open cases, s",
        took,
        goal=f"below {MOST_PREVIEW:.0f} s",
        ok=took < MOST_PREVIEW,
    )


def _switched(at: datetime) -> tuple[list[Figure], float]:
    """Return the figures, and the median seconds of a switch."""
    portal, references = [], []
    _copy_cases("before")
    for pair in range(PAIRS):
        activation = _activate(at)
        _vacuum()
        portal.append(_timed(lambda: sweep(at=at)))
        if not pair:
            _copy_cases("after")
        equal = _cases_equal("after")
        _restore_cases("before")
        _vacuum()
        references.append(_timed(lambda: _restore_cases("after")))
        if not equal or not _cases_equal("after"):
            raise RuntimeError("The two sides end differently.")
        orm = _orm_rate(at) if pair == PAIRS - 1 else 0.0
        _restore_cases("before")
        _withdraw(activation, at)
        sweep(at=at)
        _restore_cases("before")
    # The pair with the median ratio, so that both were measured at the same time.
    took, reference = sorted(
        zip(portal, references, strict=True), key=lambda pair: pair[0] / pair[1]
    )[PAIRS // 2]
    beside_bare = figure(
        f"switch: {CASES:,} cases, s, beside one bare UPDATE",
        took,
        reference=reference,
        goal="at most 2 times",
        ok=took <= 2 * reference,
    )
    beside_usual = figure(
        "switch: cases a second, beside a loop with the ORM",
        CASES / took,
        reference=orm,
        goal="at least 40 times",
        ok=CASES / took >= 40 * orm,
    )
    return [beside_bare, beside_usual], median(portal)


def _many(at: datetime, took: float) -> Figure:
    activation = _activate(at)
    _vacuum()
    seconds = _timed(lambda: sweep(at=at))
    _withdraw(activation, at)
    return figure(
        f"switch: µs a case at {MANY:,}, beside {CASES:,}",
        seconds / MANY * 1e6,
        reference=took / CASES * 1e6,
        goal="at most 1.1 times",
        ok=seconds <= 1.1 * took * MANY / CASES,
    )


def _served(at: datetime) -> Iterator[Figure]:
    """Measure answers of the portal's server without and during a switch."""
    make_user(Role.GRID_STAFF, Area.objects.filter(level="grid")[0], username="staff")
    with _gunicorn() as port:
        sessions = {"supervisor": _session("supervisor"), "staff": _session("staff")}
        grid = User.objects.get(username="staff").areas.get().code
        options = json.dumps({"port": port, "sessions": sessions, "grid": grid})
        with _clients(options):
            time.sleep(2)  # the first answers of a worker are slow
        with _clients(options) as idle:
            time.sleep(ALONE)
        with _clients(options) as switching:
            time.sleep(0.3)
            activation = _activate(at)
            sweep(at=at)
    _withdraw(activation, at)
    sweep(at=at)
    for page, what in (("overview", "the overview"), ("arrival", "logging an arrival")):
        before, during = (quantiles(times[page], n=20)[-1] for times in (idle, switching))
        yield figure(
            f"switch: p95 of {what} meanwhile, ms",
            during * 1000,
            reference=before * 1000,
            goal="at most 3 times",
            ok=during <= 3 * before,
        )


@contextmanager
def _gunicorn() -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    database = urlsplit(settings.DATABASE_URL)._replace(
        path=f"/{connection.settings_dict['NAME']}"
    )
    with subprocess.Popen(  # noqa: S603 - constants
        [
            *(sys.executable, "-m", "gunicorn", "portal.wsgi", "--workers", "2"),
            *("--bind", f"127.0.0.1:{port}", "--log-level", "error"),
        ],
        env={
            **os.environ,
            "DATABASE_URL": database.geturl(),
            "REDIS_URL": settings.REDIS_URL,
            "FIELD_KEYS": ",".join(settings.FIELD_KEYS),
            "SEARCH_KEY": ",".join(settings.SEARCH_KEYS),
            "SECRET_KEY": settings.SECRET_KEY,
            "ALLOWED_HOSTS": "127.0.0.1",
            "LOG_LEVEL": "ERROR",
        },
    ) as server:
        try:
            _wait_for(port)
            yield port
        finally:
            server.terminate()


def _wait_for(port: int) -> None:
    for _ in range(300):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("gunicorn does not answer.")


@contextmanager
def _clients(options: str) -> Iterator[dict[str, list[float]]]:
    """Run four clients during the block; afterwards fill the dict with their seconds."""
    took: dict[str, list[float]] = {}
    with subprocess.Popen(  # noqa: S603 - constants
        [sys.executable, "-m", "bench._clients", options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as clients:
        yield took
        output, _ = clients.communicate()
    answer: dict[str, Any] = json.loads(output)
    if answer["wrong"]:
        raise RuntimeError(f"wrong answers: {answer['wrong'][:5]}")
    took.update(answer["took"])


def _session(username: str) -> str:
    client = Client()
    client.force_login(User.objects.get(username=username))
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def _orm_rate(at: datetime) -> float:
    """
    Return the cases a second that a loop switches by rewriting rows of future tests.

    The loop is optimised: it looks the law up once, writes the rows of a case together, and uses
    one transaction.
    """
    today, governs = clock.day_of(at), governing(at=at)
    task = _make_table()
    cases = list(Case.objects.open().select_related("plan", "grid").order_by("pk")[:SAMPLE])
    for case in cases:
        _write_tasks(task, case, today)
    rulings = {case.grid_id: ruling(governs.at(case.grid.path)) for case in cases}
    begun = time.perf_counter()
    with transaction.atomic():
        for case in cases:
            _rewrite(task, case, rulings[case.grid_id], today)
    took = time.perf_counter() - begun
    with connection.schema_editor() as editor:
        editor.delete_model(task)
    return SAMPLE / took


def _make_table() -> Any:
    class FutureTest(models.Model):
        """A row for each future test."""

        case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
        day = models.DateField()

        class Meta:
            app_label = "bench"

        def __str__(self) -> str:
            return f"{self.day}"

    with connection.schema_editor() as editor:
        editor.create_model(FutureTest)
    return FutureTest


def _rewrite(task: Any, case: Case, ruling: Ruling | None, today: date) -> None:
    if followed := followed_under(ruling, case=case, place=case.grid.county_code):
        for column, value in followed.columns.items():
            setattr(case, column, value)
        case.plan = store_plan(followed.plan) if followed.plan else case.plan
    task.objects.filter(case=case, day__gte=today).delete()
    _write_tasks(task, case, today)
    case.save()


def _write_tasks(task: Any, case: Case, today: date) -> None:
    laid = calendar_of(case, today=today)
    case.next_test_on, case.release_on = laid.next_test_on, laid.earliest_release
    days = [day for day in laid.required_tests if day >= today]
    task.objects.bulk_create(task(case=case, day=day) for day in days)


def _district() -> Area:
    district: Area = Area.objects.get(code=crowd.COUNTY)
    return district


def _activate(at: datetime) -> Activation:
    return put_in_force(crowd.NOW_IN_FORCE, _district(), effective_from=at)


def _withdraw(activation: Activation, at: datetime) -> None:
    Activation.objects.filter(pk=activation.pk).update(
        withdrawn_at=at, withdrawn_by=activation.approved_by, withdrawal_reason="bench"
    )


def _copy_cases(name: str) -> None:
    """Copy the switched columns of the open cases to a temporary table."""
    _execute(
        f"CREATE TEMPORARY TABLE kept_{name} AS SELECT id, {', '.join(WRITTEN)}"  # noqa: S608
        " FROM quarantine_case WHERE closed_on IS NULL ORDER BY id",
        f"ALTER TABLE kept_{name} ADD PRIMARY KEY (id)",
        f"ANALYZE kept_{name}",
    )


def _restore_cases(name: str) -> None:
    """Write the copied columns back, in one bare UPDATE."""
    columns = ", ".join(f"{column} = k.{column}" for column in WRITTEN)
    _execute(f"UPDATE quarantine_case c SET {columns} FROM kept_{name} k WHERE k.id = c.id")  # noqa: S608


def _cases_equal(name: str) -> bool:
    """Return whether the open cases equal their copies, apart from activation and version."""
    columns = ", ".join(column for column in WRITTEN if column not in ("activation_id", "version"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT id, {columns} FROM kept_{name} EXCEPT"  # noqa: S608
            f" SELECT id, {columns} FROM quarantine_case) differing"
        )
        return bool(cursor.fetchone()[0] == 0)


def _vacuum() -> None:
    _execute("VACUUM ANALYZE quarantine_case", "CHECKPOINT")


def _execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
