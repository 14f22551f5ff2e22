"""Documents that administrators upload: checked, previewed, approved by a second person."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import User
from accounts.voices.independence import refuse_one_voice
from common.errors import RefusedError
from policy import services, words, worked_examples
from policy.engine.comparison.compare import Finding, compare
from policy.engine.documents.checks import silent_subjects
from policy.engine.documents.library import Library
from policy.engine.documents.loader import LONGEST_DOCUMENT, LONGEST_EXAMPLES, read
from policy.engine.documents.schema import Document
from policy.engine.errors import LawError
from policy.models import StoredDocument
from policy.review import Review, review
from policy.worked_examples import ExampleResult, WorkedExample

LARGEST_FILE = LONGEST_DOCUMENT


class BadDocumentError(RefusedError):
    """A file that is not a valid document; the sentence names the line."""

    field = "file"


class BadExamplesError(RefusedError):
    """A file of worked examples that is none, or whose answers the document does not give."""

    field = "examples"


class IdTakenError(RefusedError):
    """A document of this id exists already."""

    field = "file"


class OwnDraftError(RefusedError):
    """The approver is the uploader."""


class WarningsError(RefusedError):
    """The approver has not confirmed that summary and values name different numbers."""


class SettledDraftError(RefusedError):
    """A draft that was approved or discarded meanwhile."""


@dataclass(frozen=True)
class DraftPreview:
    """A draft's content written out, its examples, and how its clauses compare with its parent."""

    document: Document
    review: Review
    parent: Document | None
    findings: tuple[Finding, ...]
    library: Library
    silent: tuple[str, ...]
    examples: tuple[ExampleResult, ...]


def preview(content: bytes, name: str, examples: bytes = b"") -> DraftPreview:
    """
    Return what a file would add, with its worked examples run.

    Raise BadDocumentError, or BadExamplesError for the examples, with the line of what is wrong.
    """
    if len(content) > LARGEST_FILE:
        raise BadDocumentError(_("The file is larger than any notice: 64 KiB at most."))
    try:
        document = read(content.decode(), name, services.library().documents)
    except UnicodeDecodeError as error:
        raise BadDocumentError(_("The file is not UTF-8 text: save it as UTF-8.")) from error
    except LawError as error:
        raise BadDocumentError(_line(error)) from error
    library = services.library().with_document(document)
    parent = library.documents.get(document.parent or "")
    findings = compare(library.law(document.id), library.law(parent.id)) if parent else ()
    return DraftPreview(
        document,
        review(document, library, content),
        parent,
        findings,
        library,
        silent_subjects(library.law(document.id)),
        _run(examples, document, library),
    )


def _run(content: bytes, document: Document, library: Library) -> tuple[ExampleResult, ...]:
    """Return the answers to a draft's worked examples; raise BadExamplesError for another one."""
    examples = _examples(content, document)
    for example in examples:
        if document.id not in example.question.values():
            raise BadExamplesError(
                _("Line %(line)d: this example does not ask about %(document)s.")
                % {"line": example.line, "document": document.id}
            )
    results = worked_examples.run(examples, library)
    wrong = next((result for result in results if result.disagreements), None)
    if wrong is not None:
        one = wrong.disagreements[0]
        raise BadExamplesError(
            _("Line %(line)d: the law answers %(key)s: %(got)s, not %(expected)s.")
            % {
                "line": wrong.example.line,
                "key": one.key,
                "got": f"{one.got!r:.80}",
                "expected": f"{one.expected!r:.80}",
            }
        )
    return results


def _examples(content: bytes, document: Document) -> tuple[WorkedExample, ...]:
    if not content:
        return ()
    if len(content) > LONGEST_EXAMPLES:
        raise BadExamplesError(_("The file of worked examples is too large: 256 KiB at most."))
    try:
        return worked_examples.read(content.decode(), f"{document.id}.yaml")
    except UnicodeDecodeError as error:
        raise BadExamplesError(_("The file is not UTF-8 text: save it as UTF-8.")) from error
    except LawError as error:
        raise BadExamplesError(_line(error)) from error


def _line(error: LawError) -> str:
    return _("Line %(line)d: %(sentence)s") % {
        "line": error.line,
        "sentence": words.say(error.text),
    }


def upload(
    *, content: bytes, name: str, at: datetime, by: User, examples: bytes = b""
) -> StoredDocument:
    """
    Store a valid file as a draft, with its worked examples.

    Raise BadDocumentError, BadExamplesError or IdTakenError.
    """
    document = preview(content, name, examples).document
    try:
        with transaction.atomic():
            draft = StoredDocument.objects.create(
                document=document.id,
                content=content,
                sha256=hashlib.sha256(content).hexdigest(),
                examples=examples,
                uploaded_by=by,
                uploaded_at=at,
            )
            audit.record(
                by=by, did=gettext_noop("uploaded a document"), to=draft, document=document.id
            )
    except IntegrityError as error:
        raise IdTakenError(
            _("A draft with the id %(id)s waits already: discard it first, or change the id.")
            % {"id": document.id}
        ) from error
    return draft


def preview_of(draft: StoredDocument) -> DraftPreview:
    """Return what a draft would add."""
    return preview(bytes(draft.content), f"{draft.document}.yaml", bytes(draft.examples))


@transaction.atomic
def approve(
    *, draft: StoredDocument, at: datetime, by: User, despite_warnings: bool = False
) -> None:
    """
    Approve a draft, which then counts like a shipped document; its uploader may not.

    Raise NoSecondVoiceError for who is not independent of the uploader, and WarningsError where
    summaries and values name different numbers, unless the approver confirms to have seen that.
    """
    if draft.uploaded_by_id == by.pk:
        raise OwnDraftError(_("Somebody else than the one who uploaded it must approve."))
    refuse_one_voice(first=draft.uploaded_by, second=by)
    seen = preview_of(draft)
    if seen.review.warned and not despite_warnings:
        raise WarningsError(
            _("Summaries and values name different numbers: confirm that you have compared them.")
        )
    approved = StoredDocument.objects.waiting().filter(pk=draft.pk)
    if not approved.update(approved_by=by, approved_at=at):
        raise SettledDraftError(_("This draft was approved or discarded meanwhile."))
    services.refresh_library()
    services.load_documents()
    audit.record(
        by=by,
        did=gettext_noop("approved a document"),
        to=draft,
        document=draft.document,
        warnings=seen.review.written.warnings,
    )


@transaction.atomic
def discard(*, draft: StoredDocument, at: datetime, by: User) -> None:
    """Discard a draft that was not approved."""
    if not (
        StoredDocument.objects.waiting()
        .filter(pk=draft.pk)
        .update(discarded_by=by, discarded_at=at)
    ):
        raise SettledDraftError(_("This draft was approved or discarded meanwhile."))
    audit.record(
        by=by, did=gettext_noop("discarded a document"), to=draft, document=draft.document
    )
