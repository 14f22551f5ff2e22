"""A document written out: every value that will decide, beside the author's words."""

import functools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from policy.engine.documents.schema import Document, NoProvision, Provision
from policy.engine.text import Text
from policy.engine.wording import numbers, vocabulary
from policy.engine.wording.sentences import Line, lines_of, lines_of_head, lines_without


@dataclass(frozen=True)
class WrittenProvision:
    """
    A provision with what it says.

    `number` is its place among the `of` provisions of its subject, in the order in which they are
    read: the first that matches decides. `together` are the provisions that share its summary.
    """

    provision: Provision
    subject: str
    lines: tuple[Line, ...]
    number: int
    of: int
    together: tuple[Provision, ...]

    @functools.cached_property
    def warnings(self) -> tuple[Text, ...]:
        """Return a sentence where the summary and the values name different numbers."""
        return numbers.warnings(self.provision, self.together)

    @property
    def order(self) -> Text | None:
        """Return when it is read, None for the only one of its subject."""
        if self.of == 1:
            return None
        return Text(
            f"同类{self.of}条规定中第{self.number}条，先符合的先适用",
            f"read as number {self.number} of {self.of} on this subject; the first that fits"
            " decides",
        )


@dataclass(frozen=True)
class WrittenClause:
    """A numbered clause: its provisions, or whose duty it is where it has none."""

    number: str
    provisions: tuple[WrittenProvision, ...]
    without: tuple[tuple[NoProvision, tuple[Line, ...]], ...]


@dataclass(frozen=True)
class WrittenDocument:
    """A document with everything that it says."""

    document: Document
    head: tuple[Line, ...]
    clauses: tuple[WrittenClause, ...]

    @property
    def provisions(self) -> tuple[WrittenProvision, ...]:
        """Return its provisions, clause by clause."""
        return tuple(provision for clause in self.clauses for provision in clause.provisions)

    @property
    def warnings(self) -> int:
        """Return how often summaries and values name different numbers."""
        return sum(len(provision.warnings) for provision in self.provisions)

    @property
    def text(self) -> Text:
        """Return all of it in one text, as a file or a diff wants it; without the summaries."""
        sentences = tuple(self._sentences())
        return Text("\n".join(s.zh for s in sentences), "\n".join(s.en for s in sentences))

    def _sentences(self) -> Iterator[Text]:
        yield from (line.text for line in self.head)
        for clause in self.clauses:
            for provision in clause.provisions:
                name = vocabulary.SUBJECTS[provision.subject]
                yield Text(f"第{clause.number}条：{name.zh}", f"Clause {clause.number}: {name.en}")
                if provision.order:
                    yield provision.order
                yield from (line.text for line in provision.lines)
            for _, lines in clause.without:
                yield Text(f"第{clause.number}条", f"Clause {clause.number}")
                yield from (line.text for line in lines)


def written(document: Document) -> WrittenDocument:
    """Return a document written out, clause by clause in the order of its clauses."""
    provisions = tuple(_provisions(document))
    cited = [provision.clause for provision in (*document.provisions, *document.no_provision)]
    clauses = (
        WrittenClause(
            number,
            tuple(one for one in provisions if one.provision.clause == number),
            tuple(
                (line, lines_without(line))
                for line in document.no_provision
                if line.clause == number
            ),
        )
        for number in dict.fromkeys((*document.clauses, *cited))
    )
    return WrittenDocument(document, lines_of_head(document), tuple(clauses))


def _provisions(document: Document) -> Iterator[WrittenProvision]:
    total = Counter(provision.subject for provision in document.provisions)
    read: Counter[str] = Counter()
    for provision in document.provisions:
        read[provision.subject] += 1
        yield WrittenProvision(
            provision,
            provision.subject,
            lines_of(provision),
            read[provision.subject],
            total[provision.subject],
            tuple(other for other in document.provisions if other.summary == provision.summary),
        )
