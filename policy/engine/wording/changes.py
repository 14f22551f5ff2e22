"""Where a document that is written out differs from another: its parent, or the one before it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policy.engine.documents.schema import Document
from policy.engine.text import Text
from policy.engine.wording.sentences import Line
from policy.engine.wording.written import WrittenDocument, WrittenProvision

# Who or what a provision is about; two that agree here are the same rule with other values.
_ABOUT = ("who", "venues", "roles", "posts", "kinds", "group", "category", "levels", "outings")
_WEIGHT = 10

Key = tuple[str, int]


@dataclass(frozen=True)
class Part:
    """A part of a line, and whether the other document does not have it."""

    text: Text
    new: bool


@dataclass(frozen=True)
class ComparedLine:
    """
    A line of a provision beside the same line of another document's.

    `was` is what the other says where they differ, None for nothing. A line that only the other
    has is without parts.
    """

    label: Text
    parts: tuple[Part, ...]
    differs: bool
    was: Line | None


@dataclass(frozen=True)
class ComparedProvision:
    """A provision beside its counterpart in another document, None where it has none."""

    written: WrittenProvision
    other: WrittenProvision | None
    lines: tuple[ComparedLine, ...]

    @property
    def differs(self) -> bool:
        """Say whether any of its lines differs."""
        return self.other is None or any(line.differs for line in self.lines)


@dataclass(frozen=True)
class Comparison:
    """A document beside another one; `gone` are the provisions that only the other has."""

    document: Document
    other: Document
    provisions: tuple[ComparedProvision, ...]
    gone: tuple[WrittenProvision, ...]


def compared(document: WrittenDocument, other: WrittenDocument) -> Comparison:
    """Return a document beside another, provision by provision."""
    pairs = _pairs(document.provisions, other.provisions)
    paired = {id(match) for match in pairs.values()}
    return Comparison(
        document.document,
        other.document,
        tuple(
            ComparedProvision(mine, match, tuple(_lines(mine, match)))
            for mine in document.provisions
            for match in (pairs.get(id(mine)),)
        ),
        tuple(theirs for theirs in other.provisions if id(theirs) not in paired),
    )


def _pairs(
    mine: tuple[WrittenProvision, ...], theirs: tuple[WrittenProvision, ...]
) -> dict[int, WrittenProvision]:
    """Return the counterpart of each provision, the most alike of its subject first."""
    ranked = sorted(
        (
            (-_alike(one, other), abs(one.number - other.number), first, second)
            for first, one in enumerate(mine)
            for second, other in enumerate(theirs)
            if one.subject == other.subject
        ),
    )
    pairs: dict[int, WrittenProvision] = {}
    taken: set[int] = set()
    for _, _, first, second in ranked:
        if id(mine[first]) not in pairs and second not in taken:
            pairs[id(mine[first])] = theirs[second]
            taken.add(second)
    return pairs


def _alike(one: WrittenProvision, other: WrittenProvision) -> int:
    mine, theirs = _parts(one), _parts(other)
    same = sum(_WEIGHT if field in _ABOUT else 1 for field, _ in mine & theirs)
    # Of two that share as much, the one that says less besides is nearer.
    return same * _WEIGHT - len(theirs - mine)


def _parts(provision: WrittenProvision) -> set[tuple[str, Text]]:
    return {(line.field, part) for line in provision.lines for part in line.parts}


def _by_key(provision: WrittenProvision) -> dict[Key, Line]:
    """Return the lines by their field, and by their number where a field has several."""
    lines: dict[Key, Line] = {}
    for line in provision.lines:
        lines[line.field, sum(1 for field, _ in lines if field == line.field)] = line
    return lines


def _lines(mine: WrittenProvision, other: WrittenProvision | None) -> Iterator[ComparedLine]:
    theirs = _by_key(other) if other else {}
    own = _by_key(mine)
    for key, line in own.items():
        was = theirs.get(key)
        known = set(was.parts) if was else set()
        differs = other is not None and (was is None or was.parts != line.parts)
        yield ComparedLine(
            line.label,
            tuple(Part(part, differs and part not in known) for part in line.parts),
            differs,
            was if differs else None,
        )
    for key, was in theirs.items():
        if key not in own:
            yield ComparedLine(was.label, (), differs=True, was=was)


def predecessor(document: Document, others: Mapping[str, Document]) -> Document | None:
    """
    Return the document that one takes the place of: the issuer's last before it.

    Where the issuer has none, the last one for the same area.
    """
    before = [
        other
        for other in others.values()
        if other.id != document.id
        and other.in_force_from <= document.in_force_from
        and (other.issuer == document.issuer or other.area == document.area)
        and not _descends(other, document.id, others)
    ]
    return max(
        before,
        key=lambda other: (other.issuer == document.issuer, other.in_force_from, other.id),
        default=None,
    )


def _descends(document: Document, ancestor: str, others: Mapping[str, Document]) -> bool:
    """Say whether a document inherits from another, which then cannot come after it."""
    parent = document.parent
    while parent is not None and parent != ancestor:
        parent = others[parent].parent if parent in others else None
    return parent == ancestor


def speaking(document: Document, others: Mapping[str, Document]) -> Document:
    """Return the document whose clauses hold: what a forwarding notice forwards, else itself."""
    while document.forwards is not None and document.forwards in others:
        document = others[document.forwards]
    return document
