"""
The classes of persons that documents distinguish, derived from their conditions.

For each field that a condition reads, the values on both sides of every bound and one for each
named place are enough: two persons between the same bounds are decided alike. A subject's classes
are the product of these values over the fields that its provisions read, those of the subjects
they except included.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from policy.engine import areas
from policy.engine.decisions.facts import CLINICALS, Inbound, Person, Proof, Stay
from policy.engine.documents.law import Law, TableRow
from policy.engine.documents.schema import Entered, MeasureSubject, Range, Who
from policy.engine.moments import start_of

Fragment = dict[str, Any]
DAY = date(2022, 12, 1)


def rows_about(laws: Iterable[Law], subject: MeasureSubject) -> list[TableRow]:
    """Return the provisions of a subject and of those that they except, in all the laws."""
    subjects, rows = [subject], list[TableRow]()
    laws = tuple(laws)
    for name in subjects:
        for law in laws:
            for row in itertools.chain(*law.rows[name]):
                rows.append(row)
                subjects += [
                    excepted for excepted in row.provision.unless if excepted not in subjects
                ]
    return rows


def persons(laws: Sequence[Law], subject: MeasureSubject) -> Iterator[Person]:
    """Return one person for each class that the laws can tell apart on a subject."""
    for fragments in itertools.product(*_axes(laws, subject)):
        merged: Fragment = {"start": DAY}
        for fragment in fragments:
            merged |= fragment
        yield Person(**merged)


def class_count(laws: Sequence[Law], subject: MeasureSubject) -> int:
    """Return how many classes the laws can tell apart on a subject."""
    return math.prod(len(axis) for axis in _axes(laws, subject))


def _axes(laws: Sequence[Law], subject: MeasureSubject) -> list[list[Fragment]]:
    rows = rows_about(laws, subject)
    conditions = [row.provision.who for row in rows]
    places = _places(laws, conditions)
    return [
        _exposures(conditions),
        _arrivals(conditions, places),
        _flags(conditions, "spread_at_origin"),
        _stays(conditions, laws, places),
        _inbounds(conditions),
        [{}, {"closed_loop_post_ended": DAY}]
        if any(who.closed_loop_ended is not None for who in conditions)
        else [{}],
        _flags(conditions, "freight_crew"),
        _proofs(rows),
    ]


def _flags(conditions: Sequence[Who], name: str) -> list[Fragment]:
    read = any(getattr(who, name) is not None for who in conditions)
    return [{}, {name: True}] if read else [{}]


def _exposures(conditions: Sequence[Who]) -> list[Fragment]:
    named = list(dict.fromkeys(who.exposure for who in conditions if who.exposure))
    fragments: list[Fragment] = [{}]
    for exposure in named:
        if exposure != "infected":
            fragments.append({"exposure": exposure})
            continue
        fragments += [
            {"exposure": exposure, "clinical": clinical, **flag}
            for clinical in CLINICALS
            for flag in _flags(conditions, "serious_underlying_disease")
        ]
    return fragments


def _places(laws: Sequence[Law], conditions: Sequence[Who]) -> list[str]:
    """Return a place inside each area, one beside it in its province, and one far away."""
    nearby: list[str] = []
    for law in laws:
        for area in (law.place, *(document.area for document in law.documents)):
            if area != areas.NATIONAL:
                nearby += [area, area[:2] + "0000"]
    named = [area for who in conditions if who.been_in for area in who.been_in.areas]
    taken = {place[:2] for place in (*nearby, *named)}
    far = next(code for code in ("110000", "310000", "500000", "460000") if code[:2] not in taken)
    return list(dict.fromkeys([*nearby, *named, far]))


def _arrivals(conditions: Sequence[Who], places: Sequence[str]) -> list[Fragment]:
    read = any(who.arrived_from or who.been_in for who in conditions)
    return [{}, *({"arrived_from": place} for place in places)] if read else [{}]


def _stays(
    conditions: Sequence[Who], laws: Sequence[Law], places: Sequence[str]
) -> list[Fragment]:
    stays: list[Stay] = []
    inside = [law.documents[0].area for law in laws if law.documents[0].area != areas.NATIONAL]
    for who in conditions:
        if (stayed := who.stayed_in) is not None:
            for place, days in itertools.product(
                (*inside, places[-1]), (stayed.within_days, stayed.within_days + 1)
            ):
                stays.append(Stay(place, stayed.risk, DAY - timedelta(days=days)))
        if (been := who.been_in) is not None:
            for area in been.areas:
                stays += [
                    Stay(area, None, DAY - timedelta(days=been.within_days)),
                    Stay(area, None, DAY - timedelta(days=been.within_days + 1)),
                    Stay(area, None, DAY, transit=True),
                ]
    return [{}, *({"stays": (stay,)} for stay in dict.fromkeys(stays))]


def _bounds(ranges: Iterable[Range]) -> list[int]:
    values = {0}
    for span in ranges:
        values |= {span.at_least, max(span.at_least - 1, 0)}
        if span.at_most is not None:
            values |= {span.at_most, span.at_most + 1}
    return sorted(values)


def _inbounds(conditions: Sequence[Who]) -> list[Fragment]:
    spans = [who.inbound for who in conditions if isinstance(who.inbound, Entered)]
    fragments: list[Fragment] = [{}]
    if any(who.inbound == "none" for who in conditions):
        fragments.append({"inbound": Inbound(60, 60)})
    if spans:
        fragments += [
            {"inbound": Inbound(central, home)}
            for central in _bounds(span.central_days for span in spans)
            for home in _bounds(span.home_days for span in spans)
        ]
    return fragments


def _proofs(rows: Sequence[TableRow]) -> list[Fragment]:
    hours = {
        row.provision.on_arrival.proof_hours
        for row in rows
        if row.provision.on_arrival and row.provision.on_arrival.proof_hours
    }
    return [
        {},
        *(
            {"proof": Proof(sampled_at=start_of(DAY) - timedelta(hours=number))}
            for number in sorted(hours)
        ),
    ]
