"""Two web hosts and two workers behind one address, of which one of each is killed."""

import random
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.test import Client

from accounts.staff.models import Area
from common import clock
from quarantine.models import Arrival, Case
from reminders.models import Message
from residents.register.models import Resident
from tests.factories import make_place, make_user
from tests.faults.stage import Stage, stage, wait_until
from tests.reminders.cases import make_many

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
TOKEN = "b" * 32


@pytest.fixture
def here() -> Iterator[Stage]:
    # Not below pytest's own folder: as root, each run of pytest closes it to the servers' user.
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        stage(Path(folder) / "data") as here,
    ):
        yield here


class Reporter:
    """A browser that logs arrivals, at the other host when one does not answer."""

    def __init__(self, here: Stage, grid: Area) -> None:
        client = Client()
        client.force_login(make_user("grid_staff", grid))
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        self._headers = {
            "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}; csrftoken={TOKEN}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self._here, self._grid = here, grid

    def log_arrival(self, number: int) -> uuid.UUID:
        """Log an arrival, as often as it takes to be told that it is saved; return its key."""
        key = uuid.UUID(int=number + 1)
        wait_until(lambda: self._is_saved(key, number), seconds=120)
        return key

    def _is_saved(self, key: uuid.UUID, number: int) -> bool:
        port = random.choice(self._here.ports)  # noqa: S311 - no secret
        browser = HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            browser.request("POST", "/arrivals/new/", self._form(key, number), self._headers)
            answer = browser.getresponse()
            answer.read()
        except (OSError, HTTPException):
            return False
        finally:
            browser.close()
        assert answer.status == 302, answer.status
        return True

    def _form(self, key: uuid.UUID, number: int) -> str:
        return urlencode(
            {
                "csrfmiddlewaretoken": TOKEN,
                "key": str(key),
                "document_type": "passport",
                "number": f"E{number:08}",
                "name": "王秀英",
                "phone": "13800138000",
                "grid": self._grid.code,
                "building": f"{number % 40}号楼",
                "door": f"{number % 30 + 101}",
                "arrived": f"{clock.today():%Y-%m-%d}",
                "coming": "home",
                "origin": "兰州",
                "home_fit": "yes",
                "stay-TOTAL_FORMS": "0",
                "stay-INITIAL_FORMS": "0",
            }
        )


def run_through_kills(here: Stage, *, arrivals: int, cases: int, kills: int) -> None:
    """Log arrivals and tell of cases while hosts and workers are killed and started again."""
    grid = make_place("cn-2022-113", "350104")
    day = clock.today()
    overdue = make_many(
        cases, grid=grid, day_1=day - timedelta(days=3), next_test_on=day - timedelta(days=1)
    )
    for _ in range(2):
        here.start_web()
        here.start_worker()
    here.start_beat()
    reporters = [Reporter(here, grid) for _ in range(4)]
    with ThreadPoolExecutor(len(reporters)) as pool:
        acknowledged = [pool.submit(reporters[n % 4].log_arrival, n) for n in range(arrivals)]
        for kill in range(1, kills + 1):
            acknowledged[kill * arrivals // (kills + 1)].result()
            here.kill_web()
            here.kill(here.workers[0])
            if kill < kills:
                here.start_web()
                here.start_worker()
        keys = [each.result() for each in acknowledged]

    wait_until(lambda: _all_told(overdue), seconds=120)
    logged = Arrival.objects.exclude(case__in=overdue).values_list("key", flat=True)
    assert Counter(logged) == Counter(keys)
    assert Resident.objects.filter(number_end__gt="").count() == arrivals
    sent = Message.objects.filter(channel="sms", state=Message.State.SENT)
    assert here.gateway.delivered == Counter(map(str, sent.values_list("key", flat=True)))
    told = Message.objects.filter(channel="in_app", case__in=overdue, kind="test_overdue")
    assert Counter(told.values_list("case", flat=True)) == Counter(case.pk for case in overdue)


def _all_told(cases: list[Case]) -> bool:
    told = Message.objects.filter(case__in=cases, channel="in_app").count()
    return told >= len(cases) and not Message.objects.waiting().exists()


class TestTwoHostsAndTwoWorkers:
    def test_lose_nothing_when_one_of_each_is_killed(self, here: Stage) -> None:
        run_through_kills(here, arrivals=24, cases=60, kills=1)

    @pytest.mark.attack
    def test_lose_nothing_through_20_kills_of_each(self, here: Stage) -> None:
        run_through_kills(here, arrivals=800, cases=2_000, kills=20)
