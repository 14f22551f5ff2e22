"""Short ways to make what the engine's tests need."""

from datetime import date, datetime, timedelta
from typing import Any

from policy.engine.calendars.laying import Calendar, lay
from policy.engine.decisions.decide import Decision, decide
from policy.engine.decisions.facts import NATResult, Person, Proof, Stay
from policy.engine.documents.library import shipped
from policy.engine.moments import start_of

START = date(2022, 11, 28)


def day(number: int, start: date = START) -> date:
    """Return day `number` counted from day 1."""
    return start + timedelta(days=number - 1)


def decided(document: str, on: date = START, **facts: Any) -> Decision:
    """Return the decision on a person who starts on `START`."""
    return decide(shipped().law(document), Person(**{"start": START, **facts}), on)


def calendar(document: str, **facts: Any) -> Calendar:
    """Return the calendar of a person who starts on `START`."""
    person = Person(**{"start": START, **facts})
    decision = decide(shipped().law(document), person, START)
    assert decision.plan is not None
    return lay(
        decision.plan, decision.start, today=START, tests=person.tests, missed=person.missed
    )


def stay(days_ago: int, risk: Any = "high", area: str | None = "410105", **more: Any) -> Stay:
    """Return a stay that ended so many days before `START`."""
    return Stay(area, risk, START - timedelta(days=days_ago), **more)


def proof(hours: int, minutes: int = 0) -> Proof:
    """Return a proof sampled so long before the start of `START`."""
    return Proof(sampled_at=start_of(START) - timedelta(hours=hours, minutes=minutes))


def result(number: int, ct: float | None = None, **more: Any) -> NATResult:
    """Return a negative result of day `number`, unless more says otherwise."""
    return NATResult(**{"day": day(number), "result": "negative", "ct": ct, **more})


def noon(number: int) -> datetime:
    """Return noon of day `number`."""
    return start_of(day(number)) + timedelta(hours=12)
