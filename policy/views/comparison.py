"""Two documents side by side."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from policy import services, words
from policy.engine.compare import Class, Finding, Verdict, compare
from policy.engine.law import Citation
from policy.engine.library import Library
from policy.engine.schema import Document

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
class Pair:
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


def pairs(library: Library, policy: str, other: str) -> list[Pair]:
    """Return what a document says beside what another says, the stricter first."""
    law = library.law(policy)
    findings = compare(law, library.law(other))
    return [
        Pair(
            finding,
            side(library, Citation(law.documents[0].id, finding.clause), finding.subject),
            side(library, finding.parent, finding.subject) if finding.parent else None,
            described(finding.more_for),
            described(finding.less_for),
        )
        for finding in sorted(findings, key=lambda finding: ORDER.index(finding.verdict))
    ]


def described(classes: tuple[Class, ...]) -> list[str]:
    """Return classes in words, each once."""
    return list(dict.fromkeys(words.class_named(one) for one in classes))


def by_day(library: Library) -> list[Document]:
    """Return the documents of a library, oldest first."""
    return sorted(library.documents.values(), key=lambda known: (known.in_force_from, known.id))


@require_GET
def comparison(request: HttpRequest) -> HttpResponse:
    """Show where one document asks more or less than another, clause by clause."""
    library = services.library()
    policy, other = request.GET.get("policy", ""), request.GET.get("with", "")
    if policy in library.documents and not other:
        other = library.documents[policy].parent or ""
    known = policy in library.documents and other in library.documents
    found = pairs(library, policy, other) if known and policy != other else []
    counts = Counter(pair.finding.verdict for pair in found)
    context = {
        "documents": by_day(library),
        "policy": policy,
        "other": other,
        "asked": known and policy != other,
        "pairs": found,
        "counts": [(verdict, counts[verdict]) for verdict in ORDER if counts[verdict]],
    }
    return render(request, "policy/comparison.html", context)
