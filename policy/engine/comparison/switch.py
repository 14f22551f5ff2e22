"""The contract's question about a switch; open cases follow `quarantine.cases.governing_law`."""

from dataclasses import dataclass
from datetime import date

from policy.engine.calendars.laying import Calendar, lay
from policy.engine.comparison.transition import transition
from policy.engine.decisions.decide import Decision, decide
from policy.engine.decisions.facts import Person
from policy.engine.documents.law import Law


@dataclass(frozen=True, slots=True)
class Switched:
    """The decision and calendar under the new law, and the tests it no longer requires."""

    decision: Decision
    calendar: Calendar | None
    cancelled_tests: tuple[date, ...]
    already_released: bool


def switch(old: Law, new: Law, person: Person, day: date) -> Switched:
    """
    Return the state of a case opened under one law when another takes effect on a day.

    It is answered as if a stricter law had been decided to reach open cases; nobody
    is released before the switch, and no law reaches back to people already released.
    """
    before, after = decide(old, person, day), decide(new, person, day)
    planned = calendar_of(before, person, day)
    laid = calendar_of(after, person, day, not_before=day)
    release_day = planned.earliest_release if planned is not None else None
    already_released = release_day is not None and (
        transition(before, after, day=day, reaches_open=True, release_day=release_day).why
        == "over"
    )
    kept = set(laid.required_tests) if laid is not None and not already_released else set()
    cancelled = tuple(
        test
        for test in (planned.required_tests if planned is not None else ())
        if test >= day and test not in kept
    )
    return Switched(after, laid, cancelled, already_released=already_released)


def calendar_of(
    decision: Decision, person: Person, day: date, not_before: date | None = None
) -> Calendar | None:
    """Return the calendar of a decision with what is known of the person's tests."""
    if decision.plan is None:
        return None
    return lay(
        decision.plan,
        decision.start,
        today=day,
        tests=person.tests,
        missed=person.missed,
        not_before=not_before,
    )
