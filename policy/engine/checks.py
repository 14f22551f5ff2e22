"""What is wrong with a document although each of its values is of the right type."""

from collections.abc import Iterator
from typing import NamedTuple

from policy.engine.schema import Document


class Fault(NamedTuple):
    """A place in the document and a sentence about it."""

    place: tuple[int | str, ...]
    sentence: str


def faults(document: Document) -> Iterator[Fault]:
    """Return what is wrong with a document, most serious first."""
    yield from _clauses(document)


def _clauses(document: Document) -> Iterator[Fault]:
    """Every numbered clause is carried by a provision or by a line that says why not."""
    known = set(document.clauses)
    for field, items in (
        ("provisions", document.provisions),
        ("no_provision", document.no_provision),
    ):
        for number, item in enumerate(items):
            if item.clause not in known:
                yield Fault(
                    (field, number, "clause"),
                    f"clause {item.clause} is not among the document's clauses.",
                )
    told = {item.clause for item in (*document.provisions, *document.no_provision)}
    for number, clause in enumerate(document.clauses):
        if clause not in told:
            yield Fault(
                ("clauses", number),
                f"clause {clause} has neither a provision nor a line under no_provision.",
            )
