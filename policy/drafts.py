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
from policy import services, words
from policy.engine.comparison.compare import Finding, compare
from policy.engine.documents.checks import silent_subjects
from policy.engine.documents.library import Library
from policy.engine.documents.loader import LONGEST_DOCUMENT, read
from policy.engine.documents.schema import Document
from policy.engine.errors import LawError
from policy.models import StoredDocument

LARGEST_FILE = LONGEST_DOCUMENT


class BadDocumentError(RefusedError):
    """A file that is not a valid document; the sentence names the line."""

    field = "file"


class IdTakenError(RefusedError):
    """A document of this id exists already."""

    field = "file"


class OwnDraftError(RefusedError):
    """The approver is the uploader."""


class SettledDraftError(RefusedError):
    """A draft that was approved or discarded meanwhile."""


@dataclass(frozen=True)
class DraftPreview:
    """A draft's content, and how each of its clauses compares with its parent."""

    document: Document
    parent: Document | None
    findings: tuple[Finding, ...]
    library: Library
    silent: tuple[str, ...]


def preview(content: bytes, name: str) -> DraftPreview:
    """Return what a file would add. Raise BadDocumentError with the line for an invalid one."""
    if len(content) > LARGEST_FILE:
        raise BadDocumentError(_("The file is larger than any notice: 64 KiB at most."))
    try:
        document = read(content.decode(), name, services.library().documents)
    except UnicodeDecodeError as error:
        raise BadDocumentError(_("The file is not UTF-8 text: save it as UTF-8.")) from error
    except LawError as error:
        raise BadDocumentError(
            _("Line %(line)d: %(sentence)s")
            % {"line": error.line, "sentence": words.say(error.text)}
        ) from error
    library = services.library().with_document(document)
    parent = library.documents.get(document.parent or "")
    findings = compare(library.law(document.id), library.law(parent.id)) if parent else ()
    silent = silent_subjects(library.law(document.id))
    return DraftPreview(document, parent, findings, library, silent)


def upload(*, content: bytes, name: str, at: datetime, by: User) -> StoredDocument:
    """Store a valid file as a draft. Raise BadDocumentError or IdTakenError."""
    document = preview(content, name).document
    try:
        with transaction.atomic():
            draft = StoredDocument.objects.create(
                document=document.id,
                content=content,
                sha256=hashlib.sha256(content).hexdigest(),
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


@transaction.atomic
def approve(*, draft: StoredDocument, at: datetime, by: User) -> None:
    """
    Approve a draft, which then counts like a shipped document; its uploader may not.

    Raise NoSecondVoiceError for who is not independent of the uploader.
    """
    if draft.uploaded_by_id == by.pk:
        raise OwnDraftError(_("Somebody else than the one who uploaded it must approve."))
    refuse_one_voice(first=draft.uploaded_by, second=by)
    preview(bytes(draft.content), f"{draft.document}.yaml")
    approved = StoredDocument.objects.waiting().filter(pk=draft.pk)
    if not approved.update(approved_by=by, approved_at=at):
        raise SettledDraftError(_("This draft was approved or discarded meanwhile."))
    services.refresh_library()
    services.load_documents()
    audit.record(by=by, did=gettext_noop("approved a document"), to=draft, document=draft.document)


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
