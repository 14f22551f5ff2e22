"""Which acts make sense on a case now."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from quarantine.acts.outings import terms_of
from quarantine.models import Case, Event
from testing.models import Sample

if TYPE_CHECKING:
    from collections.abc import Collection

    from policy.engine.calendars.laying import Calendar
    from policy.engine.decisions.facts import Person


class Act(models.TextChoices):
    """An act that can be done on a case's page, the most usual first."""

    RELEASE = "release", _("Release from the measure")
    CONTACTS = "contacts", _("Household members as close contacts")
    NO_CONTACT = "no_contact", _("Household members who are no close contacts")
    SAMPLE = "sample", _("Sample taken")
    RESULT = "result", _("Enter a result")
    MISSED = "missed", _("Test missed")
    CHECK = "check", _("Check of the day")
    ANSWER = "answer", _("Decide on leave to go out")
    OUTING = "outing", _("Ask for leave to go out")
    HOME = "home", _("Home conditions changed")
    MOVE = "move", _("Moved to another setting")
    CENTRAL = "central", _("Asks for central isolation")
    CLINICAL = "clinical", _("Clinical class changed")
    EXCEPTION = "exception", _("Exception from a change of document")
    CORRECT = "correct", _("Correct a result")
    NOTE = "note", _("Note")


# Who asked for an outing does not decide on it: a supervisor does, and on exceptions.
SUPERVISORS_ONLY = frozenset({Act.ANSWER, Act.EXCEPTION})


def outings_waiting(events: Collection[Event]) -> list[Event]:
    """Return the outings that were asked for and not decided on."""
    answered = {event.about_id for event in events if event.about_id}
    return [
        event
        for event in events
        if event.kind == Event.Kind.OUTING_ASKED and event.pk not in answered
    ]


def overdue_days(calendar: Calendar) -> list[date]:
    """Return the past days whose required test has neither a sample nor a recorded reason."""
    return [day.day for day in calendar.days if day.overdue]


def available_acts(
    *,
    case: Case,
    calendar: Calendar,
    releasable: bool,
    person: Person,
    events: Collection[Event],
    samples: Collection[Sample],
    waiting: Collection[Sample],
    correctable: bool,
    proposed: bool,
    another_document: bool,
    today: date,
) -> list[Act]:
    """Return the acts that make sense on a case; on a closed one only a few."""
    if case.closed_on:
        still = {
            Act.CONTACTS: proposed,
            Act.NO_CONTACT: proposed,
            Act.RESULT: bool(waiting),
            Act.CORRECT: correctable,
            Act.NOTE: True,
        }
        return [act for act in Act if still.get(act)]
    sampled = {sample.day for sample in samples}
    held = next((day for day in calendar.days if day.day == today and day.setting), None)
    sense = {
        Act.RELEASE: releasable,
        Act.CONTACTS: proposed,
        Act.NO_CONTACT: proposed,
        Act.SAMPLE: today not in sampled or bool(calendar.checks),
        Act.RESULT: bool(waiting),
        Act.CORRECT: correctable,
        Act.MISSED: bool(overdue_days(calendar)),
        Act.CHECK: True,
        Act.ANSWER: bool(outings_waiting(events)),
        Act.OUTING: terms_of(case, laid=calendar, day=today) is not None,
        # Unfit homes may become fit again: then the person is in central isolation.
        Act.HOME: held is not None and (held.setting == "home" or not person.home_conditions_met),
        Act.MOVE: held is not None and held.setting != "monitoring",
        Act.CENTRAL: held is not None and held.setting == "home" and not person.chooses_central,
        Act.CLINICAL: person.exposure == "infected",
        Act.EXCEPTION: another_document,
        Act.NOTE: True,
    }
    return [act for act in Act if sense[act]]
