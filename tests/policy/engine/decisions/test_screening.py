"""Occupational testing."""

from datetime import date, timedelta

import pytest

from policy.engine.decisions.screening import screen
from policy.engine.documents.library import shipped

LAW = shipped().law("yingkou-2022-11")
MONDAY = date(2022, 11, 21)


def days(*numbers: int) -> list[date]:
    """Return days of the week, Monday being 1."""
    return [MONDAY + timedelta(days=number - 1) for number in numbers]


class TestTwiceAWeek:
    @pytest.mark.parametrize(
        ("done", "day", "overdue", "following"),
        [
            ((), 1, False, 1),
            ((), 2, True, 2),
            ((1,), 2, False, 4),
            ((1,), 4, False, 4),
            ((1,), 5, True, 5),
            ((2,), 4, False, 4),
            ((2, 5), 6, False, 8),
            ((1, 4), 4, False, 8),
            ((4,), 4, False, 6),
        ],
    )
    def test_is_due_until_it_is_done(
        self, done: tuple[int, ...], day: int, overdue: bool, following: int
    ) -> None:
        told = screen(LAW, "courier", MONDAY, days(day)[0], done=days(*done))

        assert told.due == tuple(days(1, 4))
        assert told.overdue is overdue
        assert told.next_on == days(following)[0]


class TestDaily:
    def test_is_not_doubled_up_after_a_missed_day(self) -> None:
        told = screen(LAW, "sea_fisher", MONDAY, days(3)[0], done=days(1, 3))

        assert told.overdue is False
        assert told.next_on == days(4)[0]
        assert screen(LAW, "sea_fisher", MONDAY, days(3)[0], done=days(1)).overdue


class TestAResident:
    def test_is_encouraged_and_never_overdue(self) -> None:
        told = screen(LAW, "resident", MONDAY, days(7)[0])

        assert (told.due, told.overdue, told.next_on) == ((), False, None)

    def test_tests_as_they_like_after_the_ten_measures(self) -> None:
        told = screen(shipped().law("cn-2022-113"), "resident", MONDAY, days(7)[0])

        assert (told.frequency, told.due) == (None, ())
