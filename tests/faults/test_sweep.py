"""
The sweep of open cases, killed at any moment and looked at meanwhile.

The small test belongs to every run, the one of 10,000 cases to `make attack`.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from django.conf import settings
from django.db import connection
from django.db.models import F

from accounts.staff.models import Area
from policy.models import Activation
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.models import Case
from quarantine.switching.sweep import outdated_grids, progress, sweep
from tests import crowd
from tests.factories import put_in_force

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parent.parent.parent
State = dict[int, tuple[Any, ...]]


class Sweeper:
    """A process that sweeps on demand and can be killed at it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def sweep(self, *, chunk: int, until: Callable[[], object] | None = None) -> bool:
        """Sweep; kill it once something is so, where asked, and say whether it was in time."""
        assert self.process.stdin
        self.process.stdin.write(f"{crowd.SWITCH.isoformat()} {chunk}\n")
        self.process.stdin.flush()
        child = self._heard()
        if until is not None:
            while psutil.pid_exists(child) and not until():
                time.sleep(0.005)
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        ended = self._heard()
        assert ended in (0, signal.SIGKILL), "it ended by itself"
        return ended == signal.SIGKILL

    def _heard(self) -> int:
        assert self.process.stdout
        return int(self.process.stdout.readline())


@contextmanager
def sweeper() -> Iterator[Sweeper]:
    """Give a sweeper on the database of the test."""
    name = connection.settings_dict["NAME"]
    database = urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl()
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.faults.sweeper"],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": database,
            "FIELD_KEYS": ",".join(settings.FIELD_KEYS),
            "SEARCH_KEY": ",".join(settings.SEARCH_KEYS),
            "SECRET_KEY": settings.SECRET_KEY,
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Sweeper(process)
        finally:
            process.kill()


def state() -> State:
    """Return what the sweep writes on each open case, but for how often and by which decision."""
    rows = Case.objects.open().annotate(digest=F("plan__digest")).order_by("pk")
    columns = ("digest", "law", "law_from", "freed_on", "transition", "next_test_on", "release_on")
    return {pk: tuple(rest) for pk, *rest in rows.values_list("pk", *columns)}


def put_ten_measures_in_force() -> Activation:
    area = Area.objects.get(code=crowd.COUNTY)
    return put_in_force(crowd.NOW_IN_FORCE, area, effective_from=crowd.SWITCH)


def withdraw(activation: Activation) -> None:
    Activation.objects.filter(pk=activation.pk).update(
        withdrawn_at=crowd.SWITCH, withdrawn_by=activation.approved_by, withdrawal_reason="示例"
    )


def at_random(
    chance: random.Random, cases: int, look: Callable[[], object]
) -> Callable[[], object]:
    """Return what is so after some time, looking meanwhile, or once so many cases are left."""
    if chance.random() < 0.3:
        ends = time.monotonic() + chance.uniform(0, 0.3)
        return lambda: look() and time.monotonic() > ends
    left = chance.randrange(cases)
    return lambda: progress(cases=Case.objects.all(), at=crowd.SWITCH).left <= left


def kill_sweeps(cases: int, kills: int) -> None:
    """Switch there and back, again and again, while sweeps are killed; look at every stop."""
    chance = random.Random(cases)  # noqa: S311 - no secret
    crowd.fill(cases, crowd.make_district(20))
    before = state()
    activation = put_ten_measures_in_force()
    sweep(at=crowd.SWITCH)
    after = state()
    assert sum(before[pk] != after[pk] for pk in before) > cases // 4

    def look() -> State:
        """Find every case under one plan, that of before or that of after, however far it is."""
        now = state()
        assert now.keys() == before.keys()
        assert all(now[pk] in (before[pk], after[pk]) for pk in now)
        return now

    killed = half_done = 0
    with sweeper() as it:
        while killed < kills:
            if not outdated_grids(at=crowd.SWITCH):
                # All done: the other way.
                in_force = Activation.objects.in_force(crowd.SWITCH)
                if in_force.filter(document=crowd.NOW_IN_FORCE).exists():
                    withdraw(activation)
                else:
                    activation = put_ten_measures_in_force()
            killed += it.sweep(chunk=cases // 100, until=at_random(chance, cases, look))
            half_done += before != look() != after
        assert half_done, "no kill came in between"
        if not Activation.objects.in_force(crowd.SWITCH).filter(document=crowd.NOW_IN_FORCE):
            put_ten_measures_in_force()
        it.sweep(chunk=cases // 100)

    assert state() == after
    assert not outdated_grids(at=crowd.SWITCH)
    assert unexplained_cases() == []
    print(f"\n{kills} kills, {half_done} of them half-way through {cases} cases")  # noqa: T201


@pytest.mark.processes
class TestKilledSweeps:
    def test_leave_each_case_whole_and_end_as_one_that_nobody_killed(self) -> None:
        kill_sweeps(cases=400, kills=5)


@pytest.mark.faults
class TestAtFullSize:
    def test_50_kills_change_nothing_for_10000_cases(self) -> None:
        kill_sweeps(cases=10_000, kills=50)
