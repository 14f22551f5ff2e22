"""What would change a decision: single facts turned round, one at a time."""

from dataclasses import dataclass
from datetime import date

from policy.engine.decide import Decision
from policy.engine.facts import Person
from policy.engine.library import Law
from policy.engine.text import Text


@dataclass(frozen=True, slots=True)
class Alternative:
    """One other fact, the sentence that tells it, and the decision it would lead to."""

    key: str
    text: Text
    person: Person
    decision: Decision


def what_would_change(law: Law, person: Person, day: date) -> tuple[Alternative, ...]:
    """Return the single facts that, were they otherwise, would change the decision."""
    raise NotImplementedError
