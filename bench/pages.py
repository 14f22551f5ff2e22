"""Server time of pages of the demo, compared with their queries alone."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.staff.models import User
from bench import Figure, figure
from common import clock
from portal import demo
from quarantine.models import Case

ROUNDS = 30
MOST_SECONDS = 0.050
MOST_QUERIES = 12
GOAL = f"below {MOST_SECONDS * 1000:.0f} ms, {MOST_QUERIES} queries"


def run() -> list[Figure]:
    """Return the figures of the pages that are open all day."""
    with _demo():
        gc.freeze()  # as portal.wsgi does
        case = Case.objects.open().filter(grid__people__username="grid.bayannur").earliest("pk")
        pages = (
            ("today", "grid.bayannur", "/today/"),
            ("arrival form", "grid.bayannur", "/arrivals/new/"),
            ("case", "grid.bayannur", f"/cases/{case.key}/"),
            ("case list", "supervisor", "/cases/"),
            ("overview", "supervisor", "/overview/"),
            ("overview of a community", "supervisor", "/overview/?area=150802900001"),
        )
        return [_measured(*page) for page in pages]


@contextmanager
def _demo() -> Iterator[None]:
    """Seed the demo in a temporary database."""
    before = settings.DATABASES["default"]["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    (settings.DATA_DIR / "demo-sign-ins.json").unlink(missing_ok=True)
    try:
        demo.seed(at=clock.now())  # noqa: TID251 - a bench is an edge, too
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        yield
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)


def _measured(name: str, username: str, address: str) -> Figure:
    client = Client()
    client.force_login(User.objects.get(username=username))

    def page() -> None:
        if client.get(address).status_code != 200:
            raise RuntimeError(f"{address} does not answer.")

    page()  # the first page of a session also saves it
    with CaptureQueriesContext(connection) as captured:
        page()
    queries = [query["sql"] for query in captured.captured_queries]
    took = _median(page)
    return figure(
        f"page: {name}, {len(queries)} queries, ms",
        took * 1000,
        reference=_median(lambda: _ask(queries)) * 1000,
        goal=GOAL,
        ok=took < MOST_SECONDS and len(queries) <= MOST_QUERIES,
    )


def _ask(queries: list[str]) -> None:
    with connection.cursor() as cursor:
        for query in queries:
            cursor.execute(query)
            if cursor.description:
                cursor.fetchall()


def _median(do: Callable[[], None]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = perf_counter()
        do()
        times.append(perf_counter() - began)
    return median(times)
