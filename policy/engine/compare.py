"""Does a document go further than another."""

from dataclasses import dataclass
from typing import Literal

from policy.engine.law import Law
from policy.engine.plans import Force
from policy.engine.text import Text

Verdict = Literal["stricter", "equal", "looser", "silent"]


@dataclass(frozen=True, slots=True)
class Finding:
    """How one clause of a document stands to the other document on one subject."""

    subject: str
    verdict: Verdict
    clause: str
    parent_clause: str | None
    force: Force
    because: Text


def compare(law: Law, other: Law) -> tuple[Finding, ...]:
    """Return one finding for each clause and subject of the law's own document."""
    return ()
