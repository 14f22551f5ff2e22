"""Which provision governs a person, and what it asks."""

from dataclasses import dataclass
from datetime import date

from policy.engine.calendar import Refer
from policy.engine.facts import Person
from policy.engine.library import Law
from policy.engine.plans import Movement, Plan
from policy.engine.text import Text


@dataclass(frozen=True, slots=True)
class Citation:
    """A clause of a document."""

    document: str
    clause: str


@dataclass(frozen=True, slots=True)
class Decision:
    """
    What applies to a person on a day.

    `measure` is the clause that decided; it may be set although `plan` is None, when a clause says
    that nothing is asked. `start` is day 1 of the plan. `also` names the other clauses that match.
    """

    measure: Citation | None
    subject: str | None
    plan: Plan | None
    start: date
    landing_test: bool
    proof_hours: int | None
    movement: Movement
    coded: bool
    door_sensor: bool
    refer: Refer | None
    because: tuple[Text, ...]
    also: tuple[Citation, ...]


def decide(law: Law, person: Person, day: date) -> Decision:
    """Return what the law asks of a person assessed on a day."""
    raise NotImplementedError
