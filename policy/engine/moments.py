"""
Days and moments.

Legal days are `date`s in Asia/Shanghai; China keeps one offset all year, so the zone is fixed.
Day 1 is the day on which a stage starts; day N is N - 1 days later.
"""

import functools
from datetime import UTC, date, datetime, time, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


def day_number(day: date, start: date) -> int:
    """Return the number of a day counted from day 1, which is `start`."""
    return day.toordinal() - start.toordinal() + 1


def nth_day(start: date, number: int) -> date:
    """Return day `number`, where `start` is day 1."""
    return date.fromordinal(start.toordinal() + number - 1)


def local_day(moment: datetime) -> date:
    """Return the local calendar day of a moment."""
    return moment.astimezone(SHANGHAI).date()


@functools.lru_cache(maxsize=10_000)
def start_of(day: date) -> datetime:
    """Return the first moment of a local day."""
    return datetime.combine(day, time(), SHANGHAI)


def seconds_between(earlier: datetime, later: datetime) -> int:
    """Return the whole seconds from one moment to a later one."""
    return int(((later.astimezone(UTC)) - earlier.astimezone(UTC)).total_seconds())
