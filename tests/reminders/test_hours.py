from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from pytest_django import Settings

from reminders.hours import after_quiet, is_quiet

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2022, 11, day, hour, minute, tzinfo=SHANGHAI)


class TestIsQuiet:
    @pytest.mark.parametrize(
        ("hour", "minute", "quiet"),
        [(20, 59, False), (21, 0, True), (0, 0, True), (7, 29, True), (7, 30, False)],
    )
    def test_begins_and_ends_on_the_minute(self, hour: int, minute: int, quiet: bool) -> None:
        assert is_quiet(at(22, hour, minute)) is quiet

    def test_may_lie_within_one_day(self, settings: Settings) -> None:
        settings.QUIET_HOURS = (time(12), time(14))

        hours = [(11, 59), (12, 0), (13, 59), (14, 0), (23, 0)]
        assert [is_quiet(at(22, *hour)) for hour in hours] == [False, True, True, False, False]
        assert after_quiet(at(22, 12)) == at(22, 14)

    def test_is_never_where_it_ends_as_it_begins(self, settings: Settings) -> None:
        settings.QUIET_HOURS = (time(7), time(7))

        assert not any(is_quiet(at(22, hour)) for hour in range(24))


class TestAfterQuiet:
    def test_waits_for_the_next_morning(self) -> None:
        assert after_quiet(at(22, 21, 5)) == at(23, 7, 30)

    def test_waits_for_this_morning_after_midnight(self) -> None:
        assert after_quiet(at(23, 0, 5)) == at(23, 7, 30)

    def test_is_now_by_day(self) -> None:
        assert after_quiet(at(22, 9)) == at(22, 9)
