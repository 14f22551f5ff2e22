"""What a case's plan and days are called on pages; the law's own terms stand in `policy.words`."""

from __future__ import annotations

import functools
from datetime import date
from typing import TYPE_CHECKING

from django.utils.translation import get_language, gettext, gettext_lazy, ngettext, pgettext

from common import places
from policy.words import SETTINGS, document_title, named_day
from quarantine import models
from quarantine.cases.plans import plan_of
from quarantine.cases.readiness import Readiness

if TYPE_CHECKING:
    from policy.engine.calendars.laying import Calendar
    from policy.engine.calendars.plans import Plan


# How a tag of a person's readiness looks.
STATUS_TAGS = {
    Readiness.READY: "done",
    Readiness.FREED: "free",
    Readiness.BLOCKED: "overdue",
}


def measure_of(plan: Plan | models.Plan | None) -> str:
    """Return what a plan asks, in words: its mandatory stages, else its tests."""
    if not plan:
        return gettext("No measure")
    if isinstance(plan, models.Plan):
        plan = plan_of(plan)
    return _measure_in(get_language(), plan)


@functools.lru_cache(maxsize=2_000)
def _measure_in(_language: str | None, plan: Plan) -> str:
    must = [stage for stage in plan.stages if stage.force == "must"]
    if must:
        parts = [
            ngettext("%(setting)s, %(days)d day", "%(setting)s, %(days)d days", stage.days)
            % {"setting": SETTINGS[stage.setting], "days": stage.days}
            for stage in must
        ]
        return pgettext("joins stages of a measure", " + ").join(parts)
    count = len(plan.required_tests)
    if count:
        return ngettext("%d test, free to go", "%d tests, free to go", count) % count
    return gettext("Advice only") if plan.stages or plan.advised_tests else gettext("No measure")


def stage_now(calendar: Calendar, today: date) -> str:
    """Return the setting in which somebody is on `today`, "" for none."""
    return next((day.setting or "" for day in calendar.days if day.day == today), "")


def status_of(
    case: models.Case, readiness: Readiness | None, calendar: Calendar, today: date
) -> tuple[str, str]:
    """Return the status of a case, as a tag and in words: its end, its release or its setting."""
    if case.closed_on:
        return "done", case.get_closed_as_display()
    if readiness is not None and readiness != Readiness.WAITING:
        return STATUS_TAGS[readiness], str(readiness.label)
    if setting := stage_now(calendar, today):
        return setting, str(SETTINGS[setting])
    return "free", gettext("Tests only")


def began_by(case: models.Case) -> str:
    """Return what put somebody under a measure: a positive, whose contact, an arrival."""
    if case.positive:
        day = named_day(case.positive.sample.day)
        return gettext("positive sample of %(day)s") % {"day": day}
    if case.index_case:
        index = case.index_case.resident
        if index.grid_id != case.grid_id:  # whoever left is not named to those who stay
            return gettext("lived with somebody infected")
        return gettext("lives with %(name)s, infected") % {"name": index.masked_name}
    if not case.arrival:
        return ""
    day = named_day(case.arrival.arrived_on)
    came = gettext("arrived on %(day)s") % {"day": day}
    origin = places.name_of(case.arrival.origin) if case.arrival.origin else ""
    return " · ".join(filter(None, (came, origin)))


_SWITCHED = {
    "follows": gettext_lazy(
        "Opened under %(opened)s. From %(day)s on the dates come from %(law)s; days served count."
    ),
    "same": gettext_lazy(
        "Opened under %(opened)s. %(law)s, which holds here by now, asks the very same:"
        " no date moves."
    ),
    "freed": gettext_lazy(
        "Opened under %(opened)s. From %(day)s on %(law)s holds here, which asks nothing more:"
        " tests from then on are cancelled, and a human confirms the release."
    ),
    "excepted": gettext_lazy("Stays under %(opened)s by an exception; %(law)s holds here."),
    "stays": gettext_lazy(
        "Stays under %(opened)s: %(law)s, which holds here, asks more of this person, and what is"
        " stricter is for new cases only."
    ),
    "referred": gettext_lazy(
        "%(law)s, which holds here, passes this person to medical care. Until somebody decides,"
        " the dates of %(opened)s stay."
    ),
    "undecided": gettext_lazy(
        "%(law)s, which holds here, cannot be applied to what is known. Until somebody decides,"
        " the dates of %(opened)s stay."
    ),
}


def switched(case: models.Case) -> str:
    """Return what another document did to a case, "" where none came in between."""
    if not case.transition:
        return ""
    governing = case.activation.document if case.activation else case.law
    kind: str = case.transition
    if case.excepted == models.Case.Excepted.STAYS:
        kind = "excepted"
    elif kind == "follows" and case.law_from is None:
        kind = "same"
    return str(_SWITCHED[kind]) % {
        "opened": document_title(case.opened_under, short=True),
        "law": document_title(governing, short=True),
        "day": named_day(case.law_from) if case.law_from else "",
    }
