"""What an arrival meets: the measure that somebody is under, and the days they served here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext as _

from policy.engine.calendars.laying import Calendar
from policy.engine.calendars.plans import Plan
from policy.engine.decisions.facts import Served
from policy.words import named_day
from quarantine.arrivals.codec import LOOK_BACK
from quarantine.cases.calendars import lay_as_others
from quarantine.cases.lifecycle import open_cases_of
from quarantine.cases.standing import ground, ground_of, standing_of
from quarantine.models import Case
from residents.register.models import Resident
from residents.relocation.models import Move

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Held:
    """The measure that somebody is under: their open cases, the one that governs first."""

    cases: list[Case]

    @property
    def case(self) -> Case:
        """Return the case that governs."""
        return self.cases[0]

    @property
    def since(self) -> date:
        """Return the first day of the earliest of them."""
        return min(case.day_1 for case in self.cases)

    @property
    def until(self) -> date | None:
        """Return the day of release, None for tests only and after a positive."""
        return self.case.release_on

    def with_entry(self, plan: Plan | None, calendar: Calendar | None, *, today: date) -> str:
        """Return in words what an entry with this plan and calendar does to the end."""
        if plan is None or calendar is None:
            return _("A new entry adds no ground; the open measure stays as it is.")
        added = ground(plan, calendar.next_test_on, calendar.earliest_release, calendar.start)
        open_now = [ground_of(case, lay_as_others(case, today=today)) for case in self.cases]
        until, now = standing_of([*open_now, added]).release_on, self.until
        if until == now or until is None:
            return _("A new entry adds a ground; the open measure stays as it is.")
        days = {"until": named_day(until), "now": named_day(now) if now else ""}
        if now is None:
            return _("A new entry adds a ground: to %(until)s.") % days
        return _("A new entry adds a ground: to %(until)s instead of %(now)s.") % days


def held(resident: Resident) -> Held | None:
    """Return the measure that a resident is under, None for nobody's. One query."""
    cases = open_cases_of(resident)
    return Held(cases) if cases else None


def days_served_here(resident: Resident, *, today: date) -> list[Served]:
    """
    Return the days that somebody served here before they left, by setting, for a human to confirm.

    Full days under a duty, of cases that went along within LOOK_BACK; on the day of leaving
    somebody was not at home all day.
    """
    cases = Case.objects.filter(
        resident=resident,
        closed_as=Case.ClosedAs.HANDED_OVER,
        closed_on__gte=today - LOOK_BACK,
    )
    found = list(cases.select_related("plan").order_by("day_1", "pk"))
    if not found:
        return []
    departures = Move.objects.valid().filter(resident=resident, kind=Move.Kind.LEFT)
    days = list(departures.values_list("day", flat=True))
    served = []
    for case in found:
        closed = case.closed_on or today
        left = max((day for day in days if day <= closed), default=closed)
        served += [
            Served(stage.setting, stage.first_day, min(stage.last_day, left - _DAY))
            for stage in lay_as_others(case, today=today).stages
            if stage.force == "must" and stage.first_day < left
        ]
    return served
