"""The documents in the database, and which is in force where."""

import functools
from datetime import datetime
from time import monotonic

from accounts.staff.models import Area
from policy import worked_examples
from policy.engine.documents.library import DOCUMENTS, Law, Library, shipped
from policy.engine.documents.loader import read
from policy.models import Activation, Provision, StoredDocument
from policy.worked_examples import ExampleResult, WorkedExample

# How long a process may not know of a document that another one has approved.
FRESH_FOR_SECONDS = 1.0


class _Cache:
    """The library as this process has read it."""

    stored: tuple[tuple[int, str], ...] = ()
    library: Library | None = None
    asked_at = float("-inf")


def library() -> Library:
    """
    Return the documents that the portal ships with those that were uploaded and approved.

    Read once a process; whether more were approved is asked at most once a second.
    """
    if _Cache.library is None or monotonic() - _Cache.asked_at > FRESH_FOR_SECONDS:
        refresh_library()
    return _Cache.library or shipped()


def refresh_library() -> None:
    """Read the library again if other uploaded documents are approved by now."""
    approved = StoredDocument.objects.approved().order_by("approved_at", "pk")
    stored = tuple(approved.values_list("pk", "sha256"))
    if _Cache.library is None or stored != _Cache.stored:
        loaded = shipped()
        for row in approved if stored else ():
            loaded = loaded.with_document(
                read(bytes(row.content).decode(), f"{row.document}.yaml")
            )
        _Cache.library, _Cache.stored = loaded, stored
    _Cache.asked_at = monotonic()


def forget_library() -> None:
    """Empty the cache, so that the next question reads again."""
    _Cache.library, _Cache.stored = None, ()


def file_of(document: str) -> bytes | None:
    """Return the file of an approved or shipped document, None for an unknown one."""
    stored = StoredDocument.objects.approved().filter(document=document).first()
    if stored:
        return bytes(stored.content)
    if document in shipped().documents:
        return (DOCUMENTS / f"{document}.yaml").read_bytes()
    return None


def run_examples(document: str) -> tuple[ExampleResult, ...]:
    """Return what the documents answer now to the worked examples of one of them."""
    return _run(document, library())


@functools.lru_cache(maxsize=16)
def _run(document: str, known: Library) -> tuple[ExampleResult, ...]:
    return worked_examples.run(_examples_of(document), known)


def _examples_of(document: str) -> tuple[WorkedExample, ...]:
    stored = StoredDocument.objects.approved().filter(document=document).first()
    if stored is None:
        return worked_examples.of(document)
    text = bytes(stored.examples).decode()
    return worked_examples.read(text, f"{document}.yaml") if text else ()


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
    """Return the law that holds in `area` at a moment, None where no document is in force."""
    activation = activation_in_force(area=area, at=at)
    return law_of(document=activation.document, area=area) if activation else None


def activation_in_force(*, area: Area, at: datetime) -> Activation | None:
    """
    Return the activation that governs `area` at a moment, None where no document is in force.

    The most local area with an activation in force decides, there the latest one. One query.
    For many areas at once ask `policy.activations.governing`.
    """
    return (
        Activation.objects.in_force(at)
        .over(area)
        .order_by("-area__depth", "-effective_from", "-approved_at", "-pk")
        .first()
    )


def law_of(*, document: str, area: Area) -> Law:
    """Return a document with its inheritance, as it applies in `area`."""
    return law_at(document, area.county_code)


def law_at(document: str, place: str) -> Law:
    """Return a document with its inheritance, as it applies in a county."""
    if document not in library().documents:
        refresh_library()
    return library().law(document, place)
