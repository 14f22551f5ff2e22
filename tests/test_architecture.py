"""What docs/architecture.md says of the house is true of it."""

import re
from pathlib import Path
from typing import Any

import pytest
from celery.schedules import crontab
from django.conf import settings

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs/architecture.md").read_text()
ROW = re.compile(r"^\| ([^|]+) \| `([a-z_.]+\.tasks\.[a-z_]+)` \|", re.MULTILINE)


def _said() -> dict[str, str]:
    return {task: when.split(",")[0] for when, task in ROW.findall(TEXT)}


def _in_words(schedule: Any) -> str:
    if isinstance(schedule, crontab):
        at: Any = schedule
        (hour,), (minute,) = at.hour, at.minute
        return f"{hour:02}:{minute:02}"
    if schedule < 60:
        return f"every {schedule:.0f} s"
    return "every minute" if schedule == 60 else f"every {schedule / 60:.0f} min"


class TestWhatHappensByItself:
    def test_is_what_the_schedule_asks(self) -> None:
        entries = settings.CELERY_BEAT_SCHEDULE.values()

        assert _said() == {entry["task"]: _in_words(entry["schedule"]) for entry in entries}


class TestWhereToOpen:
    @pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:[a-z_]+/)+[a-z_.]*)`", TEXT))))
    def test_exists(self, path: str) -> None:
        assert (ROOT / path).exists()

    def test_names_every_folder_of_the_house(self) -> None:
        packages = {path.parent for path in ROOT.glob("quarantine/*/__init__.py")}
        rooms = {path.name for path in packages} - {"migrations", "templatetags"}

        assert rooms <= set(re.findall(r"`quarantine/(\w+)/`", TEXT))
