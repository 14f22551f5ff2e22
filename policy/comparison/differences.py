"""Where one document asks more or less than another, with the words of both clauses."""

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


def pairs(library: Library, policy: str, other: str) -> list[ClausePair]:
    """Return what a document says beside what another says, the stricter first."""
    law = library.law(policy)
    findings = compared(law, library.law(other))
    return [
        ClausePair(
            finding,
            side(library, Citation(law.documents[0].id, finding.clause), finding.subject),
            side(library, finding.parent, finding.subject) if finding.parent else None,
            described(finding.more_for),
            described(finding.less_for),
        )
        for finding in sorted(findings, key=lambda finding: ORDER.index(finding.verdict))
    ]


@functools.lru_cache(maxsize=256)
def compared(law: Law, other: Law) -> tuple[Finding, ...]:
    """Return the findings of a comparison; documents never change, so one is made once."""
    return compare(law, other)


def described(classes: tuple[Class, ...]) -> list[str]:
    """Return classes in words, each once."""
    return list(dict.fromkeys(words.class_named(about) for about in classes))
