"""One subject in all documents, by the day they came into force."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from policy import services, words
from policy.engine.documents.library import Library
from policy.engine.documents.schema import SUBJECTS, Document
from policy.engine.wording.written import written
from policy.review import ReviewedProvision, reviewed


@dataclass(frozen=True)
class SubjectEntry:
    """What one document says on a subject; else `speaker` is the document that speaks for it."""

    document: Document
    provisions: tuple[ReviewedProvision, ...]
    speaker: Document | None


def history(library: Library, subject: str) -> Iterator[SubjectEntry]:
    """Return every document that speaks on a subject or inherits what another says, by day."""
    for document in sorted(
        library.documents.values(), key=lambda known: (known.in_force_from, known.id)
    ):
        own_provisions = tuple(
            reviewed(provision)
            for provision in written(document).provisions
            if provision.subject == subject
        )
        speaker = next(
            (
                candidate
                for candidate in library.law(document.id).documents
                if any(p.subject == subject for p in candidate.provisions)
            ),
            None,
        )
        if speaker is not None:
            yield SubjectEntry(document, own_provisions, None if own_provisions else speaker)


@require_GET
def subject_detail(request: HttpRequest, subject: str) -> HttpResponse:
    """Show what each document says on one subject, with its clause."""
    if subject not in SUBJECTS:
        raise Http404
    stations = list(history(services.library(), subject))
    context = {
        "subject": subject,
        "stations": stations,
        "subjects": [(name, words.SUBJECTS[name]) for name in SUBJECTS],
    }
    return render(request, "policy/subject_detail.html", context)
