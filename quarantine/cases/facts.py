"""
The facts that a case stands on, packed without dates so that equal circumstances are equal JSON.

Beside what `policy.engine.decisions.facts.pack` keeps, a case keeps the days served elsewhere
before it opened, and how many days before the start of the facts its day 1 lies because those
days count.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from policy.engine.decisions import facts
from policy.engine.decisions.decide import Decision, decide
from policy.engine.decisions.facts import Person, Served
from policy.engine.documents.library import Law


def pack(person: Person, *, start: date, day_1: date) -> dict[str, Any]:
    """Return the facts of a person as JSON values relative to `start`."""
    packed = facts.pack(person, start)
    if person.served:
        packed["served"] = [
            [stage.setting, (stage.first_day - start).days, (stage.last_day - start).days]
            for stage in person.served
        ]
    if start != day_1:
        packed["shift"] = (start - day_1).days
    return packed


def unpack(packed: Mapping[str, Any], *, day_1: date) -> Person:
    """Return the person whom a case's facts describe; the inverse of `pack`."""
    start = day_1 + timedelta(days=packed.get("shift", 0))
    served = tuple(
        Served(setting, start + timedelta(days=first), start + timedelta(days=last))
        for setting, first, last in packed.get("served", ())
    )
    return replace(facts.unpack(packed, start), served=served)


def decide_on(law: Law, person: Person) -> Decision:
    """
    Return the answer of a law to a person's facts, assessed on the day they start.

    The plan is a function of law and facts alone: nightly the same question is asked again.
    """
    if person.start is None:
        raise ValueError("The facts of a case have a start.")
    return decide(law, person, person.start)


def knows_contacts(law: Law) -> bool:
    """Return whether a law says anything of close contacts, so that a household is proposed."""
    return bool(law.rows["close_contacts"])
