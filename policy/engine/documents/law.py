"""A document with all it inherits, its conditions compiled to bits."""

import functools
import operator
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from policy.engine import areas
from policy.engine.decisions.facts import Inbound
from policy.engine.documents.schema import (
    MEASURE_SUBJECTS,
    BeenIn,
    Document,
    Entered,
    InboundResults,
    MeasureProvision,
    MeasureSubject,
    Origin,
    Provision,
    StayedIn,
    Who,
)

P = TypeVar("P", bound=Provision)


@dataclass(frozen=True, slots=True)
class Citation:
    """A clause of a document."""

    document: str
    clause: str


class PastStay(NamedTuple):
    """A stay by the days between its last day and the start."""

    area: str | None
    risk: str | None
    days_ago: int


class Situation(NamedTuple):
    """A person's facts as the conditions see them: nothing is dated, nothing else is read."""

    exposure: str | None
    clinical: str | None
    serious_underlying_disease: bool
    arrived_from: str | None
    # Where the person comes from as far as the facts tell, also where nobody has written it down.
    came_from: str | None
    spread_at_origin: bool
    stays: tuple[PastStay, ...]
    passed_through: tuple[str, ...]
    inbound: Inbound | None
    closed_loop_ended: bool
    freight_crew: bool


Test = Callable[[Situation], bool]
# The facts that a condition reads; what was found for equal facts is remembered.
Reads = Callable[[Situation], Hashable]
MOST_REMEMBERED = 100_000


def comes_from(origin: Origin, arrived_from: str | None, area: str, place: str) -> bool:
    """
    Say whether somebody has come from outside.

    Outside a document's area is outside the area itself; outside the province compares the first
    two digits with those of the place (101号 15, Yingkou 3).
    """
    if arrived_from is None:
        return False
    if origin == "anywhere":
        return True
    if origin == "outside_area":
        return not areas.lies_in(arrived_from, area) or area == areas.NATIONAL
    return not areas.same_province(arrived_from, place)


def _came(origin: Origin, area: str, place: str) -> Test:
    # Where no place is named, only those come from outside it who say so.
    if place == areas.NATIONAL:
        return lambda facts: comes_from(origin, facts.arrived_from, area, place)
    return lambda facts: comes_from(origin, facts.came_from, area, place)


def _stayed(condition: StayedIn, area: str) -> Test:
    risk, within, outside = condition.risk, condition.within_days, condition.outside_area

    def test(facts: Situation) -> bool:
        for stay in facts.stays:
            if stay.risk != risk or stay.days_ago > within:
                continue
            if outside and stay.area is not None and areas.lies_in(stay.area, area):
                continue
            return True
        return False

    return test


def _been(condition: BeenIn) -> Test:
    named = {area: areas.significant(area) for area in condition.areas}

    @functools.lru_cache(maxsize=MOST_REMEMBERED)
    def which(code: str | None) -> str | None:
        return next((area for area in named if code and code.startswith(named[area])), None)

    def test(facts: Situation) -> bool:
        visited = set()
        for stay in facts.stays:
            area = which(stay.area)
            if area is not None and stay.days_ago <= condition.within_days:
                return True
            visited.add(area)
        # Who only changed trains there has not been there, even as the last place.
        visited.update(which(passed) for passed in facts.passed_through)
        last = which(facts.arrived_from)
        return last is not None and last not in visited

    return test


def _entered(condition: Entered) -> Test:
    central, home = condition.central_days, condition.home_days
    return lambda facts: (
        facts.inbound is not None
        and facts.inbound.central_days in central
        and facts.inbound.home_days in home
    )


def _equals(name: str, expected: object) -> Test:
    value = operator.attrgetter(name)
    return lambda facts: value(facts) == expected


def _plain(facts: Situation) -> Hashable:
    return facts[:3], facts.spread_at_origin, facts.closed_loop_ended, facts.freight_crew


def _origin(facts: Situation) -> Hashable:
    return facts.arrived_from, facts.came_from


def _past(facts: Situation) -> Hashable:
    return facts.stays


def _path(facts: Situation) -> Hashable:
    return facts.stays, facts.passed_through, facts.arrived_from


def _abroad(facts: Situation) -> Hashable:
    inbound = facts.inbound
    return None if inbound is None else (inbound.central_days, inbound.home_days)


class Atom(NamedTuple):
    """One condition: its key with the area, its test function, and the facts that it reads."""

    says: Hashable
    test: Test
    reads: Reads


_PLAIN_NAMES = (
    "exposure",
    "serious_underlying_disease",
    "spread_at_origin",
    "closed_loop_ended",
    "freight_crew",
)


def _plain_atoms(who: Who) -> Iterator[Atom]:
    for name in _PLAIN_NAMES:
        if (value := getattr(who, name)) is not None:
            yield Atom((name, value), _equals(name, value), _plain)


def atoms_of(who: Who, area: str, place: str) -> Iterator[Atom]:
    """Return the conditions one by one; all must hold."""
    yield from _plain_atoms(who)
    if (clinical := who.clinical) is not None:
        yield Atom(("clinical", clinical), lambda facts: facts.clinical in clinical, _plain)
    if (origin := who.arrived_from) is not None:
        yield Atom((origin, area), _came(origin, area, place), _origin)
    if (stayed := who.stayed_in) is not None:
        yield Atom((stayed, area), _stayed(stayed, area), _past)
    if (been := who.been_in) is not None:
        yield Atom(been, _been(been), _path)
    if who.inbound == "none":
        yield Atom("none", lambda facts: facts.inbound is None, _abroad)
    elif who.inbound is not None:
        yield Atom(who.inbound, _entered(who.inbound), _abroad)


def _borders_of(who: Who, area: str) -> Iterator[str]:
    """Yield the areas whose borders conditions ask about, but provinces: everybody names one."""
    if who.been_in is not None:
        yield from who.been_in.areas
    if who.arrived_from == "outside_area" or (who.stayed_in and who.stayed_in.outside_area):
        yield area


class TableRow(NamedTuple):
    """A provision of the chain; `mask` has one bit for each condition that must hold."""

    cited: Citation
    provision: MeasureProvision
    plan: MeasureProvision
    mask: int


class _Conditions:
    """All conditions of a chain, each a bit; equal conditions share theirs."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._bits: dict[Hashable, int] = {}
        self._tests: dict[Reads, list[tuple[int, Test]]] = {}
        self._known: dict[Reads, dict[Hashable, int]] = {}

    def mask_of(self, who: Who, area: str) -> int:
        """Return the bits of the conditions, which are added where they are new."""
        mask = 0
        for atom in atoms_of(who, area, self._place):
            bit = self._bits.get(atom.says)
            if bit is None:
                bit = 1 << len(self._bits)
                self._bits[atom.says] = bit
                self._tests.setdefault(atom.reads, []).append((bit, atom.test))
                self._known.setdefault(atom.reads, {})
            mask |= bit
        return mask

    def that_hold(self, facts: Situation) -> int:
        """Return the bits of all conditions that hold."""
        mask = 0
        for reads, known in self._known.items():
            key = reads(facts)
            bits = known.get(key)
            if bits is None:
                bits = sum(bit for bit, test in self._tests[reads] if test(facts))
                if len(known) >= MOST_REMEMBERED:
                    known.clear()
                known[key] = bits
            mask |= bits
        return mask


class Law:
    """
    A document with everything it inherits, ready to decide.

    `id` is the document asked for, `documents` the chain that speaks, most local first: a
    forwarding notice gives way to what it forwards. `place` is the area code of the place where it
    is applied: the document's own area unless a more local one was asked for.
    """

    def __init__(self, document_id: str, documents: Sequence[Document], place: str) -> None:
        self.id = document_id
        self.documents = tuple(documents)
        self.place = place
        self.names = {document.id: document.cited_as for document in documents}
        self._conditions = _Conditions(place)
        self.rows: dict[MeasureSubject, tuple[tuple[TableRow, ...], ...]] = {
            subject: self._table(subject) for subject in MEASURE_SUBJECTS
        }
        self.proof_hours = tuple(
            sorted(
                {
                    row.provision.on_arrival.proof_hours
                    for tables in self.rows.values()
                    for rows in tables
                    for row in rows
                    if row.provision.on_arrival and row.provision.on_arrival.proof_hours
                }
            )
        )
        self.unproven = (False,) * len(self.proof_hours)
        self.inbound_results = next(self.provisions(InboundResults), None)
        # Outcomes by what holds, without dates; see decide.
        self.memory: dict[Any, Any] = {}

    @functools.cached_property
    def borders(self) -> tuple[str, ...]:
        """Return the areas whose borders the conditions on people ask about, by their codes."""
        own = {document.id: document.area for document in self.documents}
        return tuple(
            sorted(
                {
                    area
                    for tables in self.rows.values()
                    for rows in tables
                    for row in rows
                    for area in _borders_of(row.provision.who, own[row.cited.document])
                }
            )
        )

    def at(self, place: str) -> "Law":
        """Return the same law as applied in another place."""
        if place == self.place:
            return self
        return Law(self.id, self.documents, place)

    def conditions_that_hold(self, facts: Situation) -> int:
        """Return one bit for each condition of the law that holds."""
        return self._conditions.that_hold(facts)

    def _table(self, subject: MeasureSubject) -> tuple[tuple[TableRow, ...], ...]:
        tables = []
        for place, document in enumerate(self.documents):
            rows = tuple(
                TableRow(
                    Citation(document.id, provision.clause),
                    provision,
                    self._plan_of(provision, place),
                    self._conditions.mask_of(provision.who, document.area),
                )
                for provision in document.provisions
                if isinstance(provision, MeasureProvision) and provision.subject == subject
            )
            if rows:
                tables.append(rows)
        return tuple(tables)

    def _plan_of(self, provision: MeasureProvision, place: int) -> MeasureProvision:
        """Return the provision whose stages are meant: a parent's where the clause says so."""
        if not provision.plan_of_parent:
            return provision
        for document in self.documents[place + 1 :]:
            for candidate in document.provisions:
                if (
                    isinstance(candidate, MeasureProvision)
                    and candidate.subject == provision.subject
                    and candidate.stages
                ):
                    return candidate
        return provision

    def provisions(self, kind: type[P]) -> "Iterator[P]":
        """Return the provisions of one kind through the chain, most local first."""
        for document in self.documents:
            for provision in document.provisions:
                if isinstance(provision, kind):
                    yield provision

    def cited(self, kind: type[P]) -> "Iterator[tuple[Citation, P]]":
        """Return the provisions of one kind through the chain with their citations."""
        for document in self.documents:
            for provision in document.provisions:
                if isinstance(provision, kind):
                    yield Citation(document.id, provision.clause), provision
