"""
A document as a second person has to see it: written out, beside others, with its file.

The same stands on the page of a draft, of an activation, and of the document itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from policy.engine.documents.law import Law
from policy.engine.documents.library import Library
from policy.engine.documents.loader import provision_lines
from policy.engine.documents.schema import Document
from policy.engine.text import Text
from policy.engine.wording.changes import (
    ComparedLine,
    ComparedProvision,
    Comparison,
    Part,
    compared,
    predecessor,
    speaking,
)
from policy.engine.wording.written import WrittenClause, WrittenDocument, WrittenProvision, written

# What another document is to the one that is looked at.
Relation = Literal["before", "parent", "in_force"]


@dataclass(frozen=True)
class Was:
    """What another document says instead; None for nothing."""

    relation: Relation
    document: str
    clause: str
    text: Text | None


@dataclass(frozen=True)
class Row:
    """A line of a provision with what is marked in it, and what others say instead."""

    label: Text
    parts: tuple[Part, ...]
    was: tuple[Was, ...]


@dataclass(frozen=True)
class ReviewedProvision:
    """A provision written out, its line in the file, and which others have none like it."""

    written: WrittenProvision
    rows: tuple[Row, ...]
    new_beside: tuple[tuple[Relation, str], ...]
    line: int | None


@dataclass(frozen=True)
class ReviewedClause:
    """A clause with its provisions, or with whose duty it is."""

    clause: WrittenClause
    provisions: tuple[ReviewedProvision, ...]


@dataclass(frozen=True)
class Beside:
    """Another document with which one was compared."""

    relation: Relation
    comparison: Comparison

    @property
    def changed(self) -> int:
        """Return how many provisions differ from it."""
        return sum(provision.differs for provision in self.comparison.provisions)


@dataclass(frozen=True)
class Review:
    """All that a document says, for whoever has to answer for it."""

    document: Document
    written: WrittenDocument
    clauses: tuple[ReviewedClause, ...]
    beside: tuple[Beside, ...]
    inherited: tuple["Review", ...]
    file: tuple[str, ...]

    @property
    def warned(self) -> list[WrittenProvision]:
        """Return the provisions whose summaries and values name different numbers."""
        return [provision for provision in self.written.provisions if provision.warnings]


def review(
    document: Document, library: Library, file: bytes | None, *, in_force: str | None = None
) -> Review:
    """
    Return a document written out, beside its parent and the one before it.

    `in_force` is what it would take the place of, where that is known better.
    """
    others = library.documents
    whole = written(document)
    beside = tuple(_beside(document, whole, others, in_force))
    law = library.law(document.id)
    return Review(
        document,
        whole,
        _clauses(whole, beside, file),
        beside,
        tuple(_inherited(law, document)),
        tuple(file.decode().splitlines()) if file else (),
    )


def plain(document: Document) -> tuple[ReviewedClause, ...]:
    """Return the clauses of a document written out, beside no other."""
    return _clauses(written(document), (), None)


def reviewed(provision: WrittenProvision) -> ReviewedProvision:
    """Return a provision written out, beside no other."""
    return _provision(provision, (), None)


def _beside(
    document: Document,
    whole: WrittenDocument,
    others: Mapping[str, Document],
    in_force: str | None,
) -> list[Beside]:
    before = predecessor(document, others)
    known: dict[str, Relation] = {}
    if in_force in others and in_force != document.id:
        known[str(in_force)] = "in_force"
    if before is not None:
        known.setdefault(before.id, "before")
    if document.parent in others:
        known.setdefault(str(document.parent), "parent")
    return [
        Beside(relation, compared(whole, written(speaking(others[other], others))))
        for other, relation in known.items()
        if document.provisions
    ]


def _inherited(law: Law, document: Document) -> list[Review]:
    """Return the documents that speak where one is silent, the most local first."""
    return [
        Review(parent, one := written(parent), _clauses(one, (), None), (), (), ())
        for parent in law.documents
        if parent.id != document.id
    ]


def _clauses(
    whole: WrittenDocument, beside: tuple[Beside, ...], file: bytes | None
) -> tuple[ReviewedClause, ...]:
    lines = provision_lines(file.decode(), whole.document.id) if file else ()
    starts = {
        id(provision): line
        for provision, line in zip(whole.document.provisions, lines, strict=False)
    }
    return tuple(
        ReviewedClause(
            clause,
            tuple(
                _provision(provision, beside, starts.get(id(provision.provision)))
                for provision in clause.provisions
            ),
        )
        for clause in whole.clauses
    )


def _provision(
    provision: WrittenProvision, beside: tuple[Beside, ...], line: int | None
) -> ReviewedProvision:
    sides = [
        (one, compared_provision)
        for one in beside
        for compared_provision in one.comparison.provisions
        if compared_provision.written is provision
    ]
    new = tuple(
        (one.relation, one.comparison.other.id) for one, side in sides if side.other is None
    )
    return ReviewedProvision(provision, tuple(_rows(provision, sides)), new, line)


def _rows(provision: WrittenProvision, sides: list[tuple[Beside, ComparedProvision]]) -> list[Row]:
    rows = [
        Row(line.label, tuple(Part(part, new=False) for part in line.parts), ())
        for line in provision.lines
    ]
    # Lines that only others have, those of one label together.
    gone: dict[Text, Row] = {}
    for one, side in sides:
        if side.other is None:
            continue
        for number, line in enumerate(side.lines):
            was = _was(one, side, line)
            if number < len(provision.lines):
                rows[number] = _marked(rows[number], line, was)
            else:
                known = gone.get(line.label, Row(line.label, (), ()))
                gone[line.label] = Row(line.label, (), (*known.was, *was))
    return [*rows, *gone.values()]


def _marked(row: Row, line: ComparedLine, was: tuple[Was, ...]) -> Row:
    parts = tuple(
        Part(mine.text, new=mine.new or theirs.new)
        for mine, theirs in zip(row.parts, line.parts, strict=True)
    )
    return Row(row.label, parts, (*row.was, *was))


def _was(one: Beside, side: ComparedProvision, line: ComparedLine) -> tuple[Was, ...]:
    if not line.differs or side.other is None:
        return ()
    text = line.was.text if line.was else None
    return (Was(one.relation, one.comparison.other.id, side.other.provision.clause, text),)
