"""The documents, for everyone signed in: what is in force where, and what each clause says."""

from collections import defaultdict

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access import member
from common import clock
from policy import services, words
from policy.engine.documents.library import Law
from policy.engine.documents.schema import SUBJECTS, Document
from policy.models import Activation
from policy.questions import example_results
from policy.questions.tries import tries
from policy.review import review


def inherited(law: Law, document: Document) -> list[tuple[Document, list[str]]]:
    """Return the parents that speak where a document is silent, each with its subjects."""
    covered = {provision.subject for provision in document.provisions}
    parents = []
    for parent in law.documents:
        subjects = list(dict.fromkeys(provision.subject for provision in parent.provisions))
        if new := [str(subject) for subject in subjects if subject not in covered]:
            covered.update(subjects)
            parents.append((parent, new))
    return parents


@require_GET
def document_list(request: HttpRequest) -> HttpResponse:
    """Show which document is in force where, and all documents by day."""
    at = clock.now()
    mine = [
        (area, services.in_force(area=area, at=at)) for area in member(request).areas.all()[:10]
    ]
    places: dict[str, list[Activation]] = defaultdict(list)
    in_force = Activation.objects.not_replaced(at).select_related("area")
    for activation in in_force.order_by("area__path"):
        places[activation.document].append(activation)
    documents = sorted(
        services.library().documents.values(), key=lambda known: (known.in_force_from, known.id)
    )
    return render(
        request,
        "policy/document_list.html",
        {
            "mine": mine,
            "subjects": [(name, words.SUBJECTS[name]) for name in SUBJECTS],
            "documents": [(document, places[document.id]) for document in documents],
        },
    )


@require_GET
def document_detail(request: HttpRequest, document: str) -> HttpResponse:
    """Show one document clause by clause, what it inherits and its worked examples."""
    library = services.library()
    known = library.documents.get(document)
    if known is None:
        raise Http404
    parent = library.documents.get(known.parent or "")
    return render(
        request,
        "policy/document_detail.html",
        {
            "document": known,
            "parent": parent,
            "forwarded": library.documents.get(known.forwards or ""),
            "children": [
                child for child in library.documents.values() if child.parent == known.id
            ],
            "review": review(known, library, services.file_of(document)),
            "inherited": inherited(library.law(document), known),
            "activations": Activation.objects.not_replaced(clock.now())
            .filter(document=document)
            .select_related("area"),
        },
    )


@require_GET
def document_examples(request: HttpRequest, document: str) -> HttpResponse:
    """Run the worked examples of a document now, and show what the law answers."""
    library = services.library()
    known = library.documents.get(document)
    if known is None:
        raise Http404
    context = {
        "document": document,
        "tries": tries(known, library),
        "results": example_results.rows(services.run_examples(document)),
    }
    page = "_examples" if request.htmx else "document_examples"  # type: ignore[attr-defined]
    return render(request, f"policy/{page}.html", context)


@require_GET
def document_file(request: HttpRequest, document: str) -> HttpResponse:
    """Give a document's file back, byte for byte."""
    content = services.file_of(document)
    if content is None:
        raise Http404
    return as_file(content, document)


def as_file(content: bytes, document: str) -> HttpResponse:
    """Return a document's file to be kept."""
    return HttpResponse(
        content,
        content_type="application/yaml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{document}.yaml"'},
    )
