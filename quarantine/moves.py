"""Moving somebody to another door: whoever is under a measure takes the case along."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from quarantine.cases import record, replan
from quarantine.models import Event
from quarantine.results import open_case_of
from residents import services as residents
from residents.models import Household, Resident


@transaction.atomic
def move_resident(
    *, resident: Resident, household: Household, version: int, at: datetime, by: User
) -> None:
    """
    Move a resident to another household; an open case follows into the new grid.

    Raise `residents.services.ChangedMeanwhileError` when the resident changed since `version`.
    """
    residents.move(resident=resident, household=household, version=version, by=by)
    case = open_case_of(resident)
    if case is None or case.grid_id == resident.grid_id:
        return
    names = {"left": case.grid.name, "entered": resident.grid.name}
    record(case=case, kind=Event.Kind.GRID, at=at, by=by, detail=names)
    replan(case=case, at=at, grid=resident.grid)
