"""Intake of an arrival: resident, door, arrival and case in one transaction."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.staff.models import User
from common import clock, locks
from common.errors import RefusedError
from quarantine.arrivals.codec import Entrance, Newcomer, show_entrance
from quarantine.arrivals.services import ChangedByArrival, log_arrival
from quarantine.arrivals.unclear import refuse_unclear
from quarantine.models import Arrival
from quarantine.relocation.moves import move_resident
from residents.register import elsewhere
from residents.register import services as residents
from residents.register.models import Household, Resident
from residents.relocation import moves

if TYPE_CHECKING:
    from policy.engine.decisions.facts import Person
    from policy.engine.documents.library import Law


class NoDoorError(RefusedError):
    """A newcomer whose door is not known."""

    field = "door"


def take_in(
    *,
    key: uuid.UUID,
    who: Resident | Newcomer,
    door: Entrance | None,
    phone: str,
    housemate: Resident | None = None,
    emergency_name: str = "",
    emergency_phone: str = "",
    facts: Person,
    origin: str,
    from_abroad: bool,
    law: Law,
    at: datetime,
    by: User,
) -> Arrival:
    """
    Register or move the person where needed, log the arrival and open its case; all or nothing.

    `door` is None for a registered resident who stays where they live. Who has no phone of their
    own is reached under that of `housemate`, where both live behind one door. Requests with one
    `key` wait for each other, so that a double tap is one arrival and one resident. Raise
    UnclearPlaceError where the law asks more exactly where somebody was, NoDoorError, and what
    `residents.register.services` and `quarantine.arrivals.services.log_arrival` raise.
    """
    asks = isinstance(who, Newcomer) and bool(who.number)
    with elsewhere.asking(by=by, when=asks), transaction.atomic():
        locks.hold_for_transaction(locks.entry(key))
        if logged := Arrival.objects.visible_to(by).filter(key=key).first():
            return logged
        refuse_unclear(law, facts)
        entry: ChangedByArrival | None = None
        household = _household(door) if door else None
        if isinstance(who, Newcomer) and household is None:
            raise NoDoorError(_("Enter the building and the door."))
        if isinstance(who, Newcomer) and household:
            resident = residents.register(
                household=household,
                name=who.name,
                document_type=who.document_type,
                number=who.number,
                phone=who.phone or _shared_phone(housemate, household),
                sex=who.sex,
                birth_date=who.birth_date,
                emergency_name=emergency_name,
                emergency_phone=emergency_phone,
                at=at,
                by=by,
            )
            entry = ChangedByArrival(None, resident.version, {}, phone)
        elif isinstance(who, Resident):
            resident, version, before = who, who.version, residents.snapshot_of(who)
            _house(resident, household or resident.household, day=facts.start, at=at, by=by)
            reached = phone or resident.phone or _shared_phone(housemate, resident.household)
            if reached != resident.phone or emergency_name or emergency_phone:
                residents.change(
                    resident=resident,
                    version=resident.version,
                    phone=reached,
                    emergency_name=emergency_name,
                    emergency_phone=emergency_phone,
                    at=at,
                    by=by,
                )
            if resident.version != version:
                typed_door = show_entrance(door) if door else {}
                entry = ChangedByArrival(before, resident.version, typed_door, phone)
        return log_arrival(
            key=key,
            resident=resident,
            grid=resident.grid,
            facts=facts,
            origin=origin,
            from_abroad=from_abroad,
            law=law,
            at=at,
            by=by,
            entry=entry,
        ).arrival


def _house(
    resident: Resident, household: Household, *, day: date | None, at: datetime, by: User
) -> None:
    """Move a registered resident to `household`; one who had left returns with the arrival."""
    version = resident.version
    if resident.gone_as:
        moves.come_back(
            resident=resident,
            household=household,
            version=version,
            day=day or clock.day_of(at),
            at=at,
            by=by,
        )
    elif household.pk != resident.household_id:
        move_resident(resident=resident, household=household, version=version, at=at, by=by)


def _shared_phone(housemate: Resident | None, household: Household) -> str:
    return housemate.phone if housemate and housemate.household_id == household.pk else ""


def _household(door: Entrance) -> Household:
    building = residents.building_at(grid=door.grid, name=door.building)
    return residents.household_at(building=building, unit=door.unit, door=door.door)
