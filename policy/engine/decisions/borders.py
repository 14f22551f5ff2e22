"""Places that are named too coarsely: the law asks something else of a part of them."""

from dataclasses import replace
from datetime import date
from typing import NamedTuple

from policy.engine import areas
from policy.engine.decisions.decide import decide
from policy.engine.decisions.facts import Person
from policy.engine.decisions.whatif import requirements
from policy.engine.documents.law import Citation, Law


class Coarse(NamedTuple):
    """An area that a person named, the parts of it told apart, and the clause that does it."""

    area: str
    parts: tuple[str, ...]
    by: Citation | None


def too_coarse(law: Law, person: Person, day: date) -> tuple[Coarse, ...]:
    """
    Return the places of a person's journey within which the law tells places apart.

    Those on whose parts its conditions stand, where somebody from that part would be asked
    something else: a listed city of a province, or the document's own area.
    """
    now = decide(law, person, day)
    found = []
    for area in _places_of(person):
        parts = []
        by: Citation | None = None
        for part in law.borders:
            if part == area or not areas.lies_in(part, area):
                continue
            there = decide(law, _in(person, area, part), day)
            if requirements(there) != requirements(now):
                parts.append(part)
                by = by or there.measure
        if parts:
            found.append(Coarse(area, tuple(parts), by or now.measure))
    return tuple(found)


def _places_of(person: Person) -> tuple[str, ...]:
    """Return the places of a journey, each once, without the nation, which is no place."""
    named = [person.arrived_from, *(stay.area for stay in person.stays)]
    if person.inbound:
        named.append(person.inbound.entered_via)
    return tuple(dict.fromkeys(code for code in named if code and code != areas.NATIONAL))


def _in(person: Person, area: str, part: str) -> Person:
    """Return a person who was in a part of an area wherever the area is named."""
    stays = tuple(replace(s, area=part) if s.area == area else s for s in person.stays)
    inbound = person.inbound
    if inbound and inbound.entered_via == area:
        inbound = replace(inbound, entered_via=part)
    arrived_from = part if person.arrived_from == area else person.arrived_from
    return replace(person, stays=stays, inbound=inbound, arrived_from=arrived_from)
