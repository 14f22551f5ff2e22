"""A calendar as it is drawn: a cell a day, a week a row, each test with a symbol and a word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

if TYPE_CHECKING:
    from policy.engine.calendars.laying import Calendar, CalendarDay


@dataclass(frozen=True)
class Cell:
    """A day as it is drawn."""

    day: CalendarDay
    mark: str
    word: str
    look: str
    is_today: bool
    is_release: bool


def weeks(calendar: Calendar, today: date, *, until: date | None = None) -> list[Cell | None]:
    """
    Return the days of a calendar from a Monday on; None before the first.

    None lies after `until`, the day on which what it is about has ended.
    """
    days = [day for day in calendar.days if until is None or day.day <= until]
    if not days:
        return []
    cells = [
        Cell(
            day,
            *_mark(day),
            is_today=day.day == today,
            is_release=day.day == calendar.earliest_release,
        )
        for day in days
    ]
    return [*([None] * days[0].day.weekday()), *cells]


def _mark(day: CalendarDay) -> tuple[str, str, str]:
    """Return the symbol of a day's test, the word for it, and its colour's name."""
    if day.result:
        if day.result.result == "positive":
            return "✚", _("positive"), "positive"
        return "✓", _("negative"), "negative"
    if day.test == "to_check":
        return "?", _("to be checked"), "overdue"
    if day.test == "taken":
        return "◐", _("awaited"), "waiting"
    if day.overdue:
        return "!", pgettext("a test", "overdue"), "overdue"
    marks = {
        "due": ("○", _("test"), "due"),
        "make_up": ("↻", _("make-up"), "due"),
        "missed": ("✕", _("missed"), "missed"),
        "advised": ("◇", _("advised"), "advised"),
        "cancelled": ("–", _("cancelled"), "cancelled"),
    }
    return marks.get(day.test or "", ("", "", ""))
