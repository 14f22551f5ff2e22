"""The calendar of a case: its plan laid on dates, with the tests and events that happened."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import TYPE_CHECKING

from quarantine.models import Case

if TYPE_CHECKING:
    from policy.engine.calendar import Calendar


def calendar_of(case: Case, *, today: date) -> Calendar:
    """Return the calendar of one case. Two queries when `case.plan` is at hand, else three."""
    return calendars_of([case], today=today)[case.pk]


def calendars_of(cases: Collection[Case], *, today: date) -> dict[int, Calendar]:
    """Return the calendars of many cases by primary key, in as many queries as for one."""
    raise NotImplementedError
