"""The models of this application, imported here for Django."""

from residents.closings.models import Closing, Frozen
from residents.duplicates.models import Merge, NotSame
from residents.keypeople.models import Contact, Dose, HealthFile, KeyStandard, Need
from residents.openings.models import Opening
from residents.register.models import Building, Household, Resident
from residents.relocation.models import Handover, Move
from residents.rosters.models import KnownColumns, Roster, RosterFile, RosterRow, StagedResident
from residents.whitelist.models import DutyEntry, GateCode, Worker

__all__ = [
    "Building",
    "Closing",
    "Contact",
    "Dose",
    "DutyEntry",
    "Frozen",
    "GateCode",
    "Handover",
    "HealthFile",
    "Household",
    "KeyStandard",
    "KnownColumns",
    "Merge",
    "Move",
    "Need",
    "NotSame",
    "Opening",
    "Resident",
    "Roster",
    "RosterFile",
    "RosterRow",
    "StagedResident",
    "Worker",
]
