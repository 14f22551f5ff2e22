"""Places that the form has to ask about again, because the law tells places within them apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from common import places
from common.errors import RefusedError
from policy import words
from policy.engine.decisions.borders import Coarse, too_coarse

if TYPE_CHECKING:
    from common.places import Place
    from policy.engine.decisions.facts import Person
    from policy.engine.documents.law import Law

NAMED = 3  # places told apart that the sentence names


@dataclass(frozen=True)
class UnclearPlace:
    """A place that is too coarse for the law, why, and the places within it to choose from."""

    code: str
    sentence: str
    within: list[Place] = field(default_factory=list)


class UnclearPlaceError(RefusedError):
    """A place within which the law in force tells places apart."""

    field = "origin"

    def __init__(self, unclear: list[UnclearPlace]) -> None:
        self.unclear = unclear
        super().__init__(unclear[0].sentence)


def unclear_places(law: Law, person: Person) -> list[UnclearPlace]:
    """Return the places of a journey that are too coarse for the law in force."""
    if person.start is None:
        return []
    coarse = too_coarse(law, person, person.start)
    return [UnclearPlace(each.area, _sentence(each), _within(each)) for each in coarse]


def refuse_unclear(law: Law, person: Person) -> None:
    """Raise UnclearPlaceError where a place of the journey is too coarse for the law."""
    if unclear := unclear_places(law, person):
        raise UnclearPlaceError(unclear)


def _sentence(coarse: Coarse) -> str:
    parts = [places.places()[part].name for part in coarse.parts if part in places.places()]
    named = pgettext("joins names", ", ").join(parts[:NAMED])
    by = words.clause_of(coarse.by.document, coarse.by.clause, short=True) if coarse.by else ""
    return _(
        "Within %(area)s the documents in force tell places apart (%(clause)s: %(parts)s):"
        " enter the city or county."
    ) % {"area": places.name_of(coarse.area), "clause": by, "parts": named}


def _within(coarse: Coarse) -> list[Place]:
    """Return the places told apart, then the others of the next level."""
    told = [places.places()[part] for part in coarse.parts if part in places.places()]
    return told + [place for place in places.within(coarse.area) if place not in told]
