"""Clocks that jump, a scheduler that asks twice, and an hour in which nobody asked."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.apps import apps
from django.conf import settings as of_portal
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.auditing import audit
from accounts.tasks import check_audit
from common import clock
from portal.celery import app
from reminders.models import Message
from reminders.sweep import sweep
from tests.factories import make_grid, make_resident, make_user
from tests.reminders.cases import make_case, make_many

pytestmark = pytest.mark.django_db
NOON = datetime(2022, 11, 22, 12, tzinfo=ZoneInfo("Asia/Shanghai"))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
JUMPS = (HOUR, -2 * HOUR, DAY, -DAY, 3 * DAY, -HOUR, -2 * DAY, HOUR)
# What is written down anew each time: that it was looked, not what was found.
SIGNS_OF_LIFE = ("Heartbeat", "Audit")


@pytest.fixture(autouse=True)
def noon(settings: Settings, tmp_path: Path) -> Iterator[time_machine.Traveller]:
    """Let it be noon, and stay so."""
    settings.AUDIT_ANCHORS = tmp_path / "anchors.txt"
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def jump(traveller: time_machine.Traveller, by: timedelta) -> datetime:
    """Set the clock."""
    traveller.shift(by)
    return clock.now()


def ask_for_everything() -> None:
    """Ask for whatever the scheduler ever asks for."""
    app.loader.import_default_modules()
    entry: Any
    for entry in of_portal.CELERY_BEAT_SCHEDULE.values():
        task = app.tasks[entry["task"]]
        task.apply(kwargs=entry.get("kwargs", {}), throw=True)


def rows() -> dict[str, int]:
    """Return how many rows each table has."""
    return {
        model.__name__: model._base_manager.count()
        for model in apps.get_models()
        if not model.__name__.startswith(SIGNS_OF_LIFE)
    }


class TestAClockThatJumps:
    def test_tells_everybody_once(self, noon: time_machine.Traveller) -> None:
        grid, today = make_grid(), clock.today()
        cases = make_many(20, grid=grid, day_1=today - 3 * DAY, next_test_on=today - DAY)

        for by in JUMPS:
            sweep(at=jump(noon, by))
        told = Message.objects.filter(channel="in_app", day=today - DAY)
        for case in cases:
            kinds = list(told.filter(case=case).values_list("kind", flat=True))
            assert len(kinds) == len(set(kinds)) > 0

    def test_leaves_the_audit_whole(self, noon: time_machine.Traveller) -> None:
        by = make_user("supervisor")
        for shift in JUMPS:
            audit.record(by=by, did="read", to=f"resident:{shift}")
            jump(noon, shift)

        assert check_audit() == 0

    def test_back_leaves_no_session_open_for_longer(
        self, client: Client, noon: time_machine.Traveller
    ) -> None:
        grid = make_grid()
        make_resident(grid=grid)
        client.force_login(make_user("supervisor", grid))
        assert client.get(reverse("dashboard")).status_code == 200

        jump(noon, -DAY)
        assert client.get(reverse("dashboard")).status_code == 200
        jump(noon, HOUR)

        assert client.get(reverse("dashboard")).status_code == 302


class TestASchedulerThatAsksTwice:
    def test_changes_nothing_the_second_time(self) -> None:
        today = clock.today()
        for days in (0, 1, 2):
            make_case(day_1=today - 3 * DAY, next_test_on=today - days * DAY)
        ask_for_everything()
        once = rows()

        ask_for_everything()

        assert once["Message"] > 0
        assert rows() == once

    def test_catches_up_with_an_hour_in_which_nobody_asked(
        self, noon: time_machine.Traveller
    ) -> None:
        today = clock.today()
        late = make_case(day_1=today - 3 * DAY, next_test_on=today - DAY)
        ask_for_everything()
        jump(noon, HOUR)
        new = make_case(day_1=today - 3 * DAY, next_test_on=today - DAY)

        for _ in range(60):  # all that waited is asked at once
            sweep(at=clock.now())

        for case in (late, new):
            told = Message.objects.filter(case=case, channel="in_app")
            assert told.count() == told.values("kind", "day").distinct().count() > 0
