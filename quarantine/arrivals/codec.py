"""
The codec of arrival forms: from cleaned fields to facts, and from facts to initial values.

Each `read_…` takes the cleaned fields of a form; each `show_…` returns fields as initial values.
What is read from fields that were shown is the same again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from common import places
from policy.engine.areas import is_beyond_border
from policy.engine.decisions.facts import Inbound
from residents.register.models import Resident

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from accounts.staff.models import Area
    from common.places import Place
    from policy.engine.decisions.facts import Person, Served
    from residents.register.models import Household

# How far back a stay, a proof, days served or an arrival may lie and still be worth asking about.
LOOK_BACK = timedelta(days=30)

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


def read_facts(
    fields: Fields, stays: Iterable[Fields], served: Iterable[Fields] = (), *, today: date
) -> dict[str, Any]:
    """
    Return the facts of the person, with `stays` beside the one at the origin.

    `served` are rows of days under a measure elsewhere; those here that a human has confirmed
    stand in the field `served_here`. What is not (well) filled in is left out, so that a
    half-filled form can be asked about.
    """
    start: date = fields.get("arrived_on") or today
    facts: dict[str, Any] = {
        "start": start.isoformat(),
        "home_conditions_met": fields.get("home_fit") != "no",
        "chooses_central": bool(fields.get("chooses_central")),
        "freight_crew": bool(fields.get("freight")),
    }
    facts |= _read_origin(fields)
    facts["stays"] = list(_read_stays(fields, stays, start))
    if days := [*_read_served(served), *map(_written, fields.get("served_here") or ())]:
        facts["served"] = days
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


def _read_origin(fields: Fields) -> dict[str, Any]:
    """Return where somebody came from: abroad, or a place with what is known of it."""
    inbound = _read_inbound(fields)
    if read_from_abroad(fields):
        # From the port of entry they come on like everybody else: proof and landing test.
        return {"inbound": inbound, "arrived_from": inbound["entered_via"]}
    if not (origin := read_origin(fields)):
        return {}
    facts: dict[str, Any] = {
        "arrived_from": origin,
        "spread_at_origin": bool(fields.get("spread")),
    }
    # From Hong Kong, Macao or Taiwan people enter as well; the engine knows it by the code.
    if is_beyond_border(origin) and inbound != _NOTHING_SERVED:
        facts["inbound"] = inbound
    return facts


def read_from_abroad(fields: Fields) -> bool:
    """Return whether somebody came from abroad."""
    return fields.get("coming") == "abroad"


def read_origin(fields: Fields) -> str:
    """Return the code of the area somebody came from, "" from abroad or where none is known."""
    origin: Place | None = fields.get("origin")
    return origin.code if origin and not read_from_abroad(fields) else ""


_NOTHING_SERVED = {"central_days": 0, "home_days": 0, "entered_via": None}


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


def _read_served(rows: Iterable[Fields]) -> Iterator[dict[str, str]]:
    """Yield the days served that are filled in whole and in order."""
    for row in rows:
        setting, first, last = (row.get(name) for name in ("setting", "first_day", "last_day"))
        if setting and first and last and first <= last:
            yield {
                "setting": setting,
                "first_day": first.isoformat(),
                "last_day": last.isoformat(),
            }


def _written(served: Served) -> dict[str, str]:
    return {
        "setting": served.setting,
        "first_day": served.first_day.isoformat(),
        "last_day": served.last_day.isoformat(),
    }


def show_served(person: Person) -> list[Fields]:
    """Return the rows of the days served."""
    return [
        {
            "setting": served.setting,
            "first_day": served.first_day,
            "last_day": served.last_day,
        }
        for served in person.served
    ]


def show_journey(person: Person, *, start: date, origin: str, from_abroad: bool) -> Fields:
    """Return the fields of a journey that began at `origin`: those who came along share them."""
    fields: Fields = {
        "arrived": start.isoformat(),
        "coming": _shown_as(origin, from_abroad=from_abroad),
        "origin": places.name_of(origin) if origin else "",
        "spread": person.spread_at_origin,
        "home_fit": "yes" if person.home_conditions_met else "no",
    }
    inbound = person.inbound or (Inbound() if is_beyond_border(origin) else None)
    if inbound:
        fields |= {
            "central_days": inbound.central_days,
            "home_days": inbound.home_days,
            "entered_via": places.name_of(inbound.entered_via) if inbound.entered_via else "",
        }
    if origin and person.stays:
        stay = person.stays[0]
        fields |= {
            "risk": stay.risk or "",
            "left_on": stay.last_day if stay.last_day != start else None,
            "transit": stay.transit,
        }
    return fields


def _shown_as(origin: str, *, from_abroad: bool) -> str:
    if from_abroad:
        return "abroad"
    return "hmt" if is_beyond_border(origin) else "home"


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
