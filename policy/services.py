"""The documents in the database, and who put which in force."""

from datetime import datetime
from time import monotonic

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts import audit
from accounts.errors import RefusedError
from accounts.models import Area, User
from policy.engine import areas
from policy.engine.library import DOCUMENTS, Law, Library, shipped
from policy.engine.loader import read
from policy.models import Activation, Provision, StoredDocument


class UnknownDocumentError(RefusedError):
    """A document that the portal does not hold."""

    field = "document"


class OutsideJurisdictionError(RefusedError):
    """A document put in force where its issuer has no say."""

    field = "area"


class SamePersonError(RefusedError):
    """Somebody approves what they proposed."""


class NotWaitingError(RefusedError):
    """An activation that was approved or withdrawn before."""


# How long a process may not know of a document that another one has approved.
FRESH_FOR_SECONDS = 1.0


class _Known:
    """What this process knows of the uploaded documents."""

    stored: tuple[tuple[int, str], ...] = ()
    library: Library | None = None
    asked_at = float("-inf")


def library() -> Library:
    """
    Return the documents that the portal ships with those that were uploaded and approved.

    Read once a process; whether more were approved is asked at most once a second.
    """
    if _Known.library is None or monotonic() - _Known.asked_at > FRESH_FOR_SECONDS:
        refresh_library()
    return _Known.library or shipped()


def refresh_library() -> None:
    """Look now which uploaded documents are approved."""
    approved = StoredDocument.objects.approved().order_by("approved_at", "pk")
    stored = tuple(approved.values_list("pk", "sha256"))
    if _Known.library is None or stored != _Known.stored:
        found = shipped()
        for row in approved if stored else ():
            found = found.with_document(read(bytes(row.content).decode(), f"{row.document}.yaml"))
        _Known.library, _Known.stored = found, stored
    _Known.asked_at = monotonic()


def forget_library() -> None:
    """Forget what was read, so that the next question reads again."""
    _Known.library, _Known.stored = None, ()


def file_of(document: str) -> bytes | None:
    """Return the file of an approved or shipped document, None for an unknown one."""
    stored = StoredDocument.objects.approved().filter(document=document).first()
    if stored:
        return bytes(stored.content)
    if document in shipped().documents:
        return (DOCUMENTS / f"{document}.yaml").read_bytes()
    return None


def load_documents() -> int:
    """
    Bring `Provision` level with the library, and return how many rows were new.

    Rows are never removed: plans of the past rest on them.
    """
    before = Provision.objects.count()
    Provision.objects.bulk_create(
        [
            Provision(document=document.id, clause=provision.clause, subject=provision.subject)
            for document in library().documents.values()
            for provision in document.provisions
        ],
        ignore_conflicts=True,
    )
    return Provision.objects.count() - before


def in_force(*, area: Area, at: datetime) -> Law | None:
    """
    Return the law that holds in `area` at a moment, None where no document is in force.

    The most local area with an activation in force decides, there the latest one. One query.
    """
    document = (
        Activation.objects.in_force(at)
        .over(area)
        .order_by("-area__depth", "-effective_from", "-approved_at")
        .values_list("document", flat=True)
        .first()
    )
    return law_of(document=document, area=area) if document else None


def law_of(*, document: str, area: Area) -> Law:
    """Return a document with its inheritance, as it applies in `area`."""
    if document not in library().documents:
        refresh_library()
    return library().law(document, area.county_code)


@transaction.atomic
def propose_activation(
    *,
    document: str,
    area: Area,
    effective_from: datetime,
    reason: str,
    at: datetime,
    by: User,
) -> Activation:
    """Propose that a document be in force in an area from a moment on."""
    known = library().documents.get(document)
    if known is None:
        raise UnknownDocumentError(_("The portal holds no such document."))
    if not areas.lies_in(area.code, known.area):
        raise OutsideJurisdictionError(_("The issuer of this document has no say in this area."))
    activation = Activation.objects.create(
        document=document,
        area=area,
        effective_from=effective_from,
        reason=reason,
        proposed_by=by,
        proposed_at=at,
    )
    audit.record(by=by, did=gettext_noop("proposed activation"), to=activation, document=document)
    return activation


@transaction.atomic
def approve_activation(*, activation: Activation, at: datetime, by: User) -> None:
    """Approve a proposed activation; somebody else than its proposer must."""
    if activation.proposed_by_id == by.pk:
        raise SamePersonError(_("Somebody else than the one who proposed it must approve."))
    waiting = Activation.objects.valid().filter(pk=activation.pk, approved_at=None)
    if not waiting.update(approved_by=by, approved_at=at):
        raise NotWaitingError(_("This was approved or withdrawn by somebody else meanwhile."))
    audit.record(by=by, did=gettext_noop("approved activation"), to=activation)


@transaction.atomic
def withdraw_activation(*, activation: Activation, at: datetime, by: User, reason: str) -> None:
    """Withdraw an activation: from `at` on the law before it holds again."""
    if (
        not Activation.objects.valid()
        .filter(pk=activation.pk)
        .update(withdrawn_by=by, withdrawn_at=at)
    ):
        raise NotWaitingError(_("This was withdrawn by somebody else meanwhile."))
    audit.record(by=by, did=gettext_noop("withdrew activation"), to=activation, reason=reason)
