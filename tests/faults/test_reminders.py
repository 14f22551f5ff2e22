"""
What may happen to workers, schedulers and the broker, done to real ones.

The small tests belong to every run; those marked `faults` take minutes and run by `make attack`.
"""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from accounts.staff.models import Area
from common import clock
from reminders.models import Message
from tests.factories import make_grid, make_user
from tests.faults.stage import Stage, stage, wait_until
from tests.reminders.cases import make_many

pytestmark = pytest.mark.django_db(transaction=True)
State = Message.State


@pytest.fixture
def here() -> Iterator[Stage]:
    # Not below pytest's own folder: as root, each run of pytest closes it to the servers' user.
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        stage(Path(folder) / "data") as here,
    ):
        yield here


def make_overdue(number: int, grids: list[Area]) -> None:
    """Make cases that are told of today and tomorrow alike, so that midnight may pass."""
    today = clock.today()
    for grid in grids:
        make_many(
            number // len(grids),
            grid=grid,
            day_1=today - timedelta(days=3),
            next_test_on=today - timedelta(days=1),
        )


def make_grids(number: int) -> list[Area]:
    """Make grids whose staff can be reached by e-mail."""
    grids = [make_grid() for _ in range(number)]
    for grid in grids:
        make_user("grid_staff", grid, email=f"{grid.code}@example.org")
    return grids


def nothing_waits() -> bool:
    return not Message.objects.waiting().exists()


def all_told(number: int) -> bool:
    return Message.objects.filter(channel="in_app").count() >= number and nothing_waits()


def assert_told_once(here: Stage, number: int) -> None:
    """Say that nobody was left out and nobody was told twice."""
    inside = Message.objects.filter(channel="in_app", state=State.SENT)
    assert inside.count() == inside.values("case").distinct().count() == number
    sms = Message.objects.filter(channel="sms")
    assert Counter(sms.values_list("state", flat=True)) == {State.SENT: number}
    keys = {str(key) for key in sms.values_list("key", flat=True)}
    assert set(here.gateway.delivered) == keys
    assert set(here.gateway.delivered.values()) == {1}


def assert_no_mail_twice(here: Stage) -> None:
    """Say that no digest was mailed twice, and that those not known to be sent are shown."""
    mailed = Counter(_key_of(mail.content) for mail in here.mailbox.mails)
    assert all(count == 1 for count in mailed.values())
    digests = Message.objects.filter(channel="email")
    sent = {str(message.key) for message in digests.filter(state=State.SENT)}
    unsure = {str(message.key) for message in digests.undelivered()}
    assert sent <= set(mailed) <= sent | unsure
    assert len(sent | unsure) == digests.count()


def _key_of(content: bytes | str | None) -> str:
    assert isinstance(content, bytes)
    return str(message_from_bytes(content)["Message-ID"]).strip("<>").split("@")[0]


def kill_at_random(here: Stage, times: int, *, feed: Iterator[None], pause: float) -> None:
    """Kill processes that work, now and then a whole worker or a beat, while new work comes."""
    here.start_worker()
    for _ in range(2):  # two schedulers at once are no fault of the portal's
        here.start_beat()
    for number in range(times):
        next(feed, None)
        time.sleep(random.uniform(0, pause))  # noqa: S311 - no secret
        if number % 15 == 9:
            here.kill(here.workers[0])
            here.start_worker()
        elif number % 25 == 12:
            here.kill(here.beats[0])
            here.start_beat()
        else:
            here.kill_one_child()


@pytest.mark.processes
class TestKilledWorkers:
    def test_lose_nothing_and_tell_nothing_twice(self, here: Stage) -> None:
        grids = make_grids(5)

        def feed() -> Iterator[None]:
            for _ in range(5):
                make_overdue(100, grids)
                yield

        kill_at_random(here, 10, feed=feed(), pause=0.5)
        wait_until(lambda: all_told(500), seconds=60)

        assert_told_once(here, 500)
        assert_no_mail_twice(here)


@pytest.mark.faults
class TestAtFullSize:
    def test_300_kills_lose_none_of_15000_and_tell_none_twice(self, here: Stage) -> None:
        cases = 7_500  # one message in the inbox and one SMS each
        grids = make_grids(30)

        def feed() -> Iterator[None]:
            for number in range(250):
                make_overdue(cases // 250, grids[number % 5 :: 5])
                yield

        begun = time.monotonic()
        kill_at_random(here, 300, feed=feed(), pause=0.8)
        killed = time.monotonic()
        during = Message.objects.filter(state=State.SENT).count()
        wait_until(lambda: all_told(cases), seconds=600)

        mails = Message.objects.filter(channel="email").values_list("state", flat=True)
        print(  # noqa: T201 - the figures are the point
            f"\n300 kills in {killed - begun:.0f} s, {during} of 15,000 told by then, all told"
            f" {time.monotonic() - killed:.0f} s later; {len(here.gateway.requests)} requests for"
            f" {cases} SMS; e-mail {dict(Counter(mails))}"
        )
        assert_told_once(here, cases)
        assert_no_mail_twice(here)

    def test_ten_minutes_without_a_broker_lose_none(self, here: Stage) -> None:
        grids = make_grids(5)
        here.start_worker()
        here.start_beat()
        make_overdue(100, grids)
        wait_until(lambda: all_told(100), seconds=60)

        here.kill_broker()
        make_overdue(500, grids)
        time.sleep(600)
        told = Message.objects.filter(channel="in_app").count()
        here.start_broker()
        back = time.monotonic()

        wait_until(lambda: all_told(600), seconds=120)
        print(  # noqa: T201 - the figures are the point
            f"\n10 minutes without a broker, {told} of 600 told by then, all told"
            f" {time.monotonic() - back:.0f} s after it came back"
        )
        assert told == 100
        assert_told_once(here, 600)

    def test_workers_that_were_stopped_for_three_leases_send_no_copy(self, here: Stage) -> None:
        grids = make_grids(5)
        here.gateway.seconds = 0.02
        stopped, _ = here.start_worker(), here.start_worker()
        here.start_beat()
        for rounds in range(1, 6):
            make_overdue(100, grids)
            wait_until(lambda: Message.objects.filter(state=State.SENDING).exists(), seconds=60)
            os.killpg(stopped.pid, signal.SIGSTOP)
            time.sleep(9)
            os.killpg(stopped.pid, signal.SIGCONT)
            wait_until(lambda done=100 * rounds: all_told(done), seconds=60)  # type: ignore[misc]

        assert_told_once(here, 500)
        assert_no_mail_twice(here)
