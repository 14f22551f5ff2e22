"""The documents that are known, and which of them speaks where and when."""

import functools
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from policy.engine.schema import Document

DOCUMENTS = Path(__file__).resolve().parent.parent / "documents"


class Law:
    """
    A document with everything it inherits, ready to decide.

    `id` is the document asked for, `documents` the chain that speaks, most local first: a
    forwarding notice is replaced by what it forwards. `place` is the area code of the place where
    it is applied: the document's own area unless a more local one was asked for.
    """

    id: str
    place: str
    documents: tuple[Document, ...]


class Library:
    """All documents, by id."""

    def __init__(self, documents: Mapping[str, Document]) -> None:
        self.documents = dict(documents)

    def law(self, document_id: str, place: str | None = None) -> Law:
        """Return a document with its inheritance, as applied in a place."""
        raise NotImplementedError

    def in_force(self, area_code: str, day: date) -> str:
        """
        Return the id of the most local document in force in an area on a day.

        Raises `BadQuestionError` for a day before the first document.
        """
        raise NotImplementedError

    def with_document(self, document: Document) -> "Library":
        """Return a library that holds one more document (an uploaded one)."""
        raise NotImplementedError


@functools.cache
def shipped() -> Library:
    """Return the library of the documents that come with the portal."""
    raise NotImplementedError
