"""Outings under a measure: the terms on which the law allows them."""

from typing import NamedTuple

from policy.engine.calendars.plans import Movement
from policy.engine.documents.law import Citation, Law
from policy.engine.documents.schema import (
    MeasureProvision,
    OutingMask,
    OutingPurpose,
    OutingsProvision,
    OutingTerms,
    OutingVehicle,
    words_of,
)


class Terms(NamedTuple):
    """The terms of an outing: purposes, vehicles, masks, and the clause that sets them."""

    cited: Citation | None
    purposes: tuple[OutingPurpose, ...]
    vehicles: tuple[OutingVehicle, ...]
    masks: tuple[OutingMask, ...]


# Who only should not go out without need is bound to nothing else (非必要不外出).
_IF_NECESSARY = Terms(None, words_of(OutingPurpose), words_of(OutingVehicle), words_of(OutingMask))
# Stands in no text: where none speaks, an illness is a reason, and what spreads least is asked.
_DEFAULT = Terms(None, ("medical",), ("escorted", "ambulance"), ("n95",))


def terms(law: Law, decided: Citation, subject: str, movement: Movement) -> Terms | None:
    """
    Return the terms for somebody held under a clause, None where none need to be asked for.

    The deciding clause speaks first; then the law's general word on outings (101号 17: nobody is
    kept from a doctor).
    """
    if movement in ("free", "low_contact"):
        return None
    for cited, provision in law.cited(MeasureProvision):
        if (cited, provision.subject) == (decided, subject) and provision.outings is not None:
            return _terms(cited, provision.outings)
    if movement == "non_essential_no":
        return _IF_NECESSARY._replace(cited=decided)
    for cited, general in law.cited(OutingsProvision):
        return _terms(cited, general.outings)
    return _DEFAULT


def _terms(cited: Citation, asked: OutingTerms) -> Terms:
    return Terms(cited, asked.purposes, asked.vehicles, asked.masks)
