"""A document with everything it inherits, its conditions ready to be asked."""

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from policy.engine import areas
from policy.engine.facts import Inbound
from policy.engine.schema import (
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
    spread_at_origin: bool
    stays: tuple[PastStay, ...]
    passed_through: tuple[str, ...]
    inbound: Inbound | None
    closed_loop_ended: bool
    freight_crew: bool


Test = Callable[[Situation], bool]


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
    return lambda facts: comes_from(origin, facts.arrived_from, area, place)


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
    def in_one(facts: Situation, area: str) -> bool:
        there = [s for s in facts.stays if s.area is not None and areas.lies_in(s.area, area)]
        if there:
            return any(stay.days_ago <= condition.within_days for stay in there)
        # Who only changed trains there has not been there, even as the last place.
        if any(areas.lies_in(passed, area) for passed in facts.passed_through):
            return False
        return facts.arrived_from is not None and areas.lies_in(facts.arrived_from, area)

    return lambda facts: any(in_one(facts, area) for area in condition.areas)


def _entered(condition: Entered) -> Test:
    central, home = condition.central_days, condition.home_days
    return lambda facts: (
        facts.inbound is not None
        and facts.inbound.central_days in central
        and facts.inbound.home_days in home
    )


def _equals(name: str, wanted: object) -> Test:
    value = operator.attrgetter(name)
    return lambda facts: value(facts) == wanted


def tests_of(who: Who, area: str, place: str) -> tuple[Test, ...]:
    """Return the conditions as functions of a situation; all must hold."""
    tests: list[Test] = [
        _equals(name, value)
        for name in (
            "exposure",
            "serious_underlying_disease",
            "spread_at_origin",
            "closed_loop_ended",
            "freight_crew",
        )
        if (value := getattr(who, name)) is not None
    ]
    if (clinical := who.clinical) is not None:
        tests.append(lambda facts: facts.clinical in clinical)
    if who.arrived_from is not None:
        tests.append(_came(who.arrived_from, area, place))
    if who.stayed_in is not None:
        tests.append(_stayed(who.stayed_in, area))
    if who.been_in is not None:
        tests.append(_been(who.been_in))
    if who.inbound == "none":
        tests.append(lambda facts: facts.inbound is None)
    elif who.inbound is not None:
        tests.append(_entered(who.inbound))
    return tuple(tests)


class Row(NamedTuple):
    """A provision of the chain with its conditions compiled and its plan resolved."""

    cited: Citation
    provision: MeasureProvision
    plan: MeasureProvision
    tests: tuple[Test, ...]

    def matches(self, facts: Situation) -> bool:
        """Say whether all conditions hold."""
        return all(test(facts) for test in self.tests)


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
        self.titles = {document.id: document.title for document in documents}
        self.rows: dict[MeasureSubject, tuple[tuple[Row, ...], ...]] = {
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
        self.inbound_results = next(self.provisions(InboundResults), None)
        # Outcomes by dateless facts; see decide.
        self.memory: dict[Any, Any] = {}

    def _table(self, subject: MeasureSubject) -> tuple[tuple[Row, ...], ...]:
        tables = []
        for place, document in enumerate(self.documents):
            rows = tuple(
                Row(
                    Citation(document.id, provision.clause),
                    provision,
                    self._plan_of(provision, place),
                    tests_of(provision.who, document.area, self.place),
                )
                for provision in document.provisions
                if isinstance(provision, MeasureProvision) and provision.subject == subject
            )
            if rows:
                tables.append(rows)
        return tuple(tables)

    def _plan_of(self, provision: MeasureProvision, place: int) -> MeasureProvision:
        """Return the provision whose stages are meant: a parent's where the clause refers to it."""
        if not provision.plan_of_parent:
            return provision
        for document in self.documents[place + 1 :]:
            for other in document.provisions:
                if (
                    isinstance(other, MeasureProvision)
                    and other.subject == provision.subject
                    and other.stages
                ):
                    return other
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
