"""The documents that are known, and which of them speaks where and when."""

import functools
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path

from policy.engine import areas
from policy.engine.documents.law import Law
from policy.engine.documents.loader import read_folder, refuse_family
from policy.engine.documents.schema import Document
from policy.engine.errors import ContradictionError
from policy.engine.questions.reading import refuse, short_repr

__all__ = ["Law", "Library", "shipped"]

# From an area and a day to the id of the document in force, None for none.
InForce = Callable[[str, date], str | None]
DOCUMENTS = Path(__file__).resolve().parents[2] / "documents"


class Library:
    """All documents, by id."""

    def __init__(self, documents: Mapping[str, Document]) -> None:
        self.documents = dict(documents)
        self._laws: dict[tuple[str, str], Law] = {}
        self._rule: InForce = self._by_own_days

    def law(self, document_id: str, place: str | None = None) -> Law:
        """
        Return a document with its inheritance, as applied in a place.

        Raises `BadQuestionError` for an id that is not known.
        """
        if document_id not in self.documents:
            refuse(
                "policy",
                f"未知政策文件：{short_repr(document_id)}",
                f"{short_repr(document_id)} is not known.",
            )
        applied_in = place or self.documents[document_id].area
        law = self._laws.get((document_id, applied_in))
        if law is None:
            law = Law(document_id, tuple(self._chain(document_id)), applied_in)
            self._laws[document_id, applied_in] = law
        return law

    def _chain(self, document_id: str) -> Iterator[Document]:
        current: str | None = document_id
        while current is not None:
            document = self.documents[current]
            if document.forwards is None:
                yield document
            current = document.parent

    def in_force(self, area_code: str, day: date) -> str:
        """
        Return the id of the most local document in force in an area on a day.

        Raises `ContradictionError` for a day on which none is.
        """
        document = self._rule(area_code, day)
        if document is None:
            refuse(
                "day",
                f"{day:%Y-%m-%d}没有现行政策文件",
                f"no document is in force on {day:%Y-%m-%d}.",
                error=ContradictionError,
            )
        return document

    def _by_own_days(self, area_code: str, day: date) -> str | None:
        """Return the most local document that is in force by the days it names itself."""
        speaking = [
            document
            for document in self.documents.values()
            if areas.lies_in(area_code, document.area)
            and document.in_force_from <= day
            and (document.in_force_until is None or day <= document.in_force_until)
        ]
        governing = max(
            speaking,
            key=lambda d: (len(areas.significant(d.area)), d.in_force_from, d.id),
            default=None,
        )
        return governing.id if governing else None

    def governed_by(self, rule: InForce) -> "Library":
        """Return the same documents, of which a rule says which is in force where and when."""
        governed = Library({})
        governed.documents, governed._laws, governed._rule = self.documents, self._laws, rule
        return governed

    def with_document(self, document: Document) -> "Library":
        """Return a library that holds one more document (an uploaded one)."""
        refuse_family(document, self.documents)
        return Library({**self.documents, document.id: document})


@functools.cache
def shipped() -> Library:
    """Return the library of the documents that come with the portal."""
    return Library(read_folder(DOCUMENTS))
