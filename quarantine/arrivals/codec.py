"""
The codec of arrival forms: from cleaned fields to facts, and from facts to initial values.

Each `read_…` takes the cleaned fields of a form; each `show_…` returns fields as initial values.
What is read from fields that were shown is the same again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common import places
from residents.register.models import Resident

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from accounts.staff.models import Area
    from common.places import Place
    from policy.engine.decisions.facts import Person
    from residents.register.models import Household

# Cleaned fields, or initial values.
Fields = dict[str, Any]


@dataclass(frozen=True)
class Newcomer:
    """A person not registered yet; sex and birth date count where no number gives them."""

    document_type: str
    number: str
    name: str
    phone: str
    sex: str = Resident.Sex.UNKNOWN
    birth_date: date | None = None


@dataclass(frozen=True)
class Entrance:
    """The entrance where a person lives or stays, as entered."""

    grid: Area
    building: str
    unit: str
    door: str


# Facts: how the law's question `measure` names them.


def read_facts(fields: Fields, stays: Iterable[Fields], *, today: date) -> dict[str, Any]:
    """
    Return the facts of the person, with `stays` beside the one at the origin.

    What is not (well) filled in is left out, so that a half-filled form can be asked about.
    """
    start: date = fields.get("arrived_on") or today
    facts: dict[str, Any] = {
        "start": start.isoformat(),
        "home_conditions_met": fields.get("home_fit") != "no",
        "chooses_central": bool(fields.get("chooses_central")),
        "freight_crew": bool(fields.get("freight")),
    }
    if read_from_abroad(fields):
        facts["inbound"] = inbound = _read_inbound(fields)
        # From the port of entry they come on like everybody else: proof and landing test.
        facts["arrived_from"] = inbound["entered_via"]
    elif origin := read_origin(fields):
        facts["arrived_from"] = origin
        facts["spread_at_origin"] = bool(fields.get("spread"))
    facts["stays"] = list(_read_stays(fields, stays, start))
    if fields.get("exposure"):
        facts["exposure"] = fields["exposure"]
    if fields.get("exposure") == "infected":
        facts["clinical"] = fields.get("clinical") or "asymptomatic"
        facts["serious_underlying_disease"] = bool(fields.get("serious"))
    if fields.get("post_ended"):
        facts["closed_loop_post_ended"] = fields["post_ended"].isoformat()
    if fields.get("proof") and (fields.get("sampled_at") or fields.get("reported_at")):
        facts["proof"] = {
            name: fields[name].isoformat() if fields.get(name) else None
            for name in ("sampled_at", "reported_at")
        }
    return facts


def read_from_abroad(fields: Fields) -> bool:
    """Return whether somebody came from abroad."""
    return fields.get("coming") == "abroad"


def read_origin(fields: Fields) -> str:
    """Return the code of the area somebody came from, "" from abroad or where none is known."""
    origin: Place | None = fields.get("origin")
    return origin.code if origin and fields.get("coming") == "home" else ""


def _read_inbound(fields: Fields) -> dict[str, Any]:
    via: Place | None = fields.get("entered_via")
    return {
        "central_days": fields.get("central_days") or 0,
        "home_days": fields.get("home_days") or 0,
        "entered_via": via.code if via else None,
    }


def _read_stays(fields: Fields, stays: Iterable[Fields], start: date) -> Iterator[dict[str, Any]]:
    """Yield the stay at the origin first, if any, then the others."""
    if read_origin(fields):
        yield _read_stay(fields["origin"], fields.get("left_on") or start, fields)
    for stay in stays:
        if stay.get("place") and stay.get("last_day"):
            yield _read_stay(stay["place"], stay["last_day"], stay)


def _read_stay(place: Place, last_day: date, fields: Fields) -> dict[str, Any]:
    return {
        "area": place.code,
        "risk": fields.get("risk") or None,
        "last_day": last_day.isoformat(),
        "transit": bool(fields.get("transit")),
    }


def show_journey(person: Person, *, start: date, origin: str, from_abroad: bool) -> Fields:
    """Return the fields of a journey that began at `origin`: those who came along share them."""
    fields: Fields = {
        "arrived": "other",
        "arrived_on": start,
        "coming": "abroad" if from_abroad else "home",
        "origin": places.name_of(origin) if origin else "",
        "spread": person.spread_at_origin,
        "home_fit": "yes" if person.home_conditions_met else "no",
    }
    if inbound := person.inbound:
        fields |= {
            "central_days": inbound.central_days,
            "home_days": inbound.home_days,
            "entered_via": places.name_of(inbound.entered_via) if inbound.entered_via else "",
        }
    if origin:
        stay = person.stays[0]
        fields |= {
            "risk": stay.risk or "",
            "left_on": stay.last_day if stay.last_day != start else None,
            "transit": stay.transit,
        }
    return fields


def show_stays(person: Person, *, origin: str) -> list[Fields]:
    """Return the rows of the stays beside the one at `origin`."""
    return [
        {
            "place": places.name_of(stay.area) if stay.area else "",
            "risk": stay.risk or "",
            "last_day": stay.last_day,
            "transit": stay.transit,
        }
        for stay in (person.stays[1:] if origin else person.stays)
    ]


def show_evidence(person: Person) -> Fields:
    """Return the fields that are about one person alone."""
    proof = person.proof
    return {
        "exposure": person.exposure or "",
        "clinical": person.clinical or "asymptomatic",
        "serious": person.serious_underlying_disease,
        "post_ended": person.closed_loop_post_ended,
        "freight": person.freight_crew,
        "chooses_central": person.chooses_central,
        "proof": "yes" if proof else "",
        "sampled_at": proof.sampled_at if proof else None,
        "reported_at": proof.reported_at if proof else None,
    }


# Who came, and their door.


def read_newcomer(fields: Fields) -> Newcomer:
    """Return somebody who is not registered yet."""
    return Newcomer(
        fields["document_type"],
        fields["number"],
        fields["name"],
        fields["phone"],
        sex=fields["sex"] or Resident.Sex.UNKNOWN,
        birth_date=fields["birth_date"],
    )


def show_newcomer(resident: Resident, *, housemate: Resident | None) -> Fields:
    """Return the fields of `resident`, without a phone that belongs to `housemate`."""
    names = ("document_type", "number", "name", "sex", "birth_date")
    fields = {
        name: getattr(resident, name) for name in (*names, "emergency_name", "emergency_phone")
    }
    if housemate is None or housemate.phone != resident.phone:
        fields["phone"] = resident.phone
    return fields


def read_entrance(fields: Fields) -> Entrance | None:
    """Return the door that was typed, None where a known person stays where they live."""
    if not (fields["building"] and fields["door"]):
        return None
    return Entrance(fields["grid"], fields["building"], fields["unit"], fields["door"])


def show_entrance(entrance: Entrance) -> Fields:
    """Return the fields of a door."""
    return {
        "grid": entrance.grid.code,
        "building": entrance.building,
        "unit": entrance.unit,
        "door": entrance.door,
    }


def show_household(household: Household) -> Fields:
    """Return the fields of the door of `household`."""
    building = household.building
    return show_entrance(Entrance(building.grid, building.name, household.unit, household.door))
