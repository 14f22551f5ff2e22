"""Thousands of requests at one web host: all answered, in memory that stays as it is."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import psutil
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.staff.models import Area, User
from residents.register.models import Resident
from tests import crowd
from tests.factories import make_grid, make_place, make_user
from tests.faults.stage import Stage, stage
from tests.reminders.cases import make_many

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.processes,
    pytest.mark.attack,
]
AT_ONCE = 4
REQUESTS = 20_000
PEOPLE, GRIDS = 100_000, 50
DAY = timedelta(days=1)
MOST_GROWTH = 60 << 20  # bytes in each process, from when it is warm
ODD = (
    *("", "0", "-1", "9" * 40, "%00", "../../etc/passwd", "' OR 1=1 --", "<script>", "9999-12-31"),
    *("2022-02-30", "nan", "赵一", "\ud7ff", "a" * 2_000, "[]", "null", "true", "1e9"),
)
PAGES = (
    *(
        "/overview/",
        "/residents/",
        "/cases/",
        "/arrivals/",
        "/key-people/",
        "/workers/",
        "/today/",
    ),
    *("/todos/", "/inbox/", "/releases/", "/healthz"),
)
FIELDS = ("area", "day", "after", "below", "grid", "kind", "release", "q", "next", "page", "show")


@pytest.fixture
def here() -> Iterator[Stage]:
    # Not below pytest's own folder: as root, each run of pytest closes it to the servers' user.
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        stage(Path(folder) / "data") as here,
    ):
        here.start_web()
        yield here


class Visitor:
    """A browser of somebody signed in, who asks for pages with odd questions."""

    def __init__(self, port: int, user: User, number: int) -> None:
        client = Client()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        self._headers = {"Cookie": f"{name}={client.cookies[name].value}"}
        self._port, self._chance = port, random.Random(number)  # noqa: S311 - no secret

    def visit(self, times: int, *, odd: float) -> list[tuple[str, int, float]]:
        """Ask so many times; return which page, the status, and the seconds."""
        return [self._ask(odd) for _ in range(times)]

    def _ask(self, odd: float) -> tuple[str, int, float]:
        page = self._chance.choice(PAGES)
        question = ""
        if self._chance.random() < odd:
            field, value = self._chance.choice(FIELDS), self._chance.choice(ODD)
            question = f"?{field}={value if value == '%00' else quote(value, errors='replace')}"
        begun = time.perf_counter()
        connection = HTTPConnection("127.0.0.1", self._port, timeout=120)
        connection.request("GET", page + question, headers=self._headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return page + question, answer.status, time.perf_counter() - begun


def visits(here: Stage, user: User, number: int, *, odd: float) -> list[tuple[str, int, float]]:
    """Let several visitors ask at the same time."""
    visitors = [Visitor(here.ports[0], user, each + number) for each in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        share = number // AT_ONCE
        asked = list(pool.map(lambda each: each.visit(share, odd=odd), visitors))
    return [answer for answers in asked for answer in answers]


def memory(here: Stage) -> list[int]:
    """Return what each process of the host holds for itself."""
    (host,) = here.hosts.values()
    processes = psutil.Process(host.pid).children()
    return [process.memory_full_info().uss for process in processes]


def assert_answered(answers: list[tuple[str, int, float]]) -> None:
    wrong = Counter((page, status) for page, status, _ in answers if status >= 500)
    assert not wrong, wrong.most_common(10)


def flat(here: Stage, requests: int) -> None:
    """Ask and ask, and compare the memory of the processes before and after."""
    grid = make_place("cn-2022-113", crowd.COUNTY)
    make_many(200, grid=grid, day_1=crowd.TODAY)
    user = make_user("supervisor", Area.objects.get(code=crowd.COUNTY))
    assert_answered(visits(here, user, requests // 5, odd=0.5))
    warm = memory(here)

    answers = visits(here, user, requests, odd=0.5)

    assert_answered(answers)
    grown = [after - before for before, after in zip(warm, memory(here), strict=True)]
    print(  # noqa: T201 - the figures are the point
        f"\n{len(answers)} requests, {dict(Counter(status for _, status, _ in answers))};"
        f" {[each >> 20 for each in warm]} MB when warm, grown by"
        f" {[round(each / 2**20, 1) for each in grown]} MB"
    )
    assert max(grown) < MOST_GROWTH


def crowded(here: Stage, people: int, requests: int) -> None:
    """Ask for pages of a county with very many residents, all under a measure."""
    grids = [make_place("cn-2022-113", crowd.COUNTY)]
    grids += [make_grid(Area.objects.get_parent(grids[0])) for _ in range(GRIDS - 1)]
    for grid in grids:
        make_many(people // GRIDS, grid=grid, day_1=crowd.TODAY, next_test_on=crowd.TODAY + DAY)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    user = make_user("supervisor", Area.objects.get(code=crowd.COUNTY))
    assert Resident.objects.count() == people

    answers = visits(here, user, requests, odd=0.2)

    assert_answered(answers)
    seconds = sorted(took for *_, took in answers)
    half, most = seconds[len(seconds) // 2], seconds[len(seconds) * 95 // 100]
    print(  # noqa: T201 - the figures are the point
        f"\n{people} residents, {len(answers)} requests, {AT_ONCE} at once: half within"
        f" {half:.2f} s, 95 % within {most:.2f} s"
    )


def test_20000_requests_leave_memory_as_it_was(here: Stage) -> None:
    flat(here, REQUESTS)


def test_100000_residents_are_served_to_several_at_once(here: Stage) -> None:
    crowded(here, PEOPLE, 1_000)
