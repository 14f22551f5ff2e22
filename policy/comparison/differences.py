"""Where one document asks more or less than another, with the text of both clauses."""

import functools
from dataclasses import dataclass
from typing import Any

from policy import words
from policy.engine.comparison.compare import Class, Finding, Verdict, compare
from policy.engine.documents.law import Citation, Law
from policy.engine.documents.library import Library

# Kinds of provisions that the comparison takes as one subject.
_TOGETHER = {"inbound": ("inbound", "inbound_results"), "freight": ("freight", "freight_entry")}
ORDER: tuple[Verdict, ...] = ("stricter", "looser", "equal", "silent")


@dataclass(frozen=True)
class Side:
    """A clause with its provisions on a subject."""

    document: str
    clause: str
    provisions: tuple[Any, ...]


@dataclass(frozen=True)
class ClausePair:
    """A finding with the two clauses that it is about, and for whom they differ."""

    finding: Finding
    mine: Side
    theirs: Side | None
    more_for: list[str]
    less_for: list[str]


def side(library: Library, cited: Citation, subject: str) -> Side:
    """Return a clause with what it says on a subject."""
    kinds = _TOGETHER.get(subject, (subject,))
    return Side(
        cited.document,
        cited.clause,
        tuple(
            provision
            for provision in library.documents[cited.document].provisions
            if provision.clause == cited.clause and provision.subject in kinds
        ),
    )


def clause_pairs(library: Library, policy: str, other: str) -> list[ClausePair]:
    """Return the clauses of a document paired with those of another, the stricter first."""
    law = library.law(policy)
    findings = cached_findings(law, library.law(other))
    return [
        ClausePair(
            finding,
            side(library, Citation(law.documents[0].id, finding.clause), finding.subject),
            side(library, finding.parent, finding.subject) if finding.parent else None,
            class_names(finding.more_for),
            class_names(finding.less_for),
        )
        for finding in sorted(findings, key=lambda finding: ORDER.index(finding.verdict))
    ]


@functools.lru_cache(maxsize=256)
def cached_findings(law: Law, other: Law) -> tuple[Finding, ...]:
    """Return the findings of a comparison, cached: documents never change."""
    return compare(law, other)


def class_names(classes: tuple[Class, ...]) -> list[str]:
    """Return the names of classes, each once."""
    return list(dict.fromkeys(words.class_named(about) for about in classes))
