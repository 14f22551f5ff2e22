"""Two documents side by side."""

from collections import Counter

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from policy import services
from policy.comparison.differences import ORDER, clause_pairs
from policy.engine.documents.library import Library
from policy.engine.documents.schema import Document


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
    shown = clause_pairs(library, policy, other) if known and policy != other else []
    counts = Counter(pair.finding.verdict for pair in shown)
    context = {
        "documents": by_day(library),
        "policy": policy,
        "other": other,
        "asked": known and policy != other,
        "pairs": shown,
        "counts": [(verdict, counts[verdict]) for verdict in ORDER if counts[verdict]],
    }
    return render(request, "policy/comparison.html", context)
