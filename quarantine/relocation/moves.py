"""
Moving, leaving, dying and coming back of somebody who may be under a measure.

Open cases go where the person goes; they end here where they leave or die.
"""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.staff.models import User
from common import clock
from common.errors import RefusedError
from quarantine.cases.lifecycle import close_all, open_cases_of, record, replan
from quarantine.models import Case, Event
from residents.register.models import Household, Resident
from residents.relocation import handovers, moves
from residents.relocation.models import Handover, Move


class OpenCaseLeavesError(RefusedError):
    """A person under a measure leaves the area without a confirmed handover of the case."""

    field = "case_told"


@transaction.atomic
def move_resident(
    *,
    resident: Resident,
    household: Household,
    version: int,
    at: datetime,
    by: User,
    day: date | None = None,
) -> Move:
    """
    Move a resident to another household since `day` (today); open cases follow.

    Raise what `residents.relocation.moves.move` raises.
    """
    made = moves.move(
        resident=resident,
        household=household,
        version=version,
        day=day or clock.day_of(at),
        at=at,
        by=by,
    )
    _cases_follow(made, at=at, by=by)
    return made


@transaction.atomic
def leave(
    *,
    resident: Resident,
    version: int,
    day: date,
    place: str,
    case_told: bool,
    at: datetime,
    by: User,
) -> Move:
    """
    Record that a resident has left the area; open cases are closed as handed over.

    `case_told` says that somebody told the place they went to: without it, an open case raises
    OpenCaseLeavesError. A measure binds wherever the person is; only its keeping ends here.
    """
    made = moves.leave(resident=resident, version=version, day=day, place=place, at=at, by=by)
    cases = open_cases_of(resident)
    if cases and not case_told:
        raise OpenCaseLeavesError(
            _(
                "This person is under a measure. Tell the place they went to, then tick"
                " “The place they went to was told”: the case is closed here."
            )
        )
    _close(cases, Case.ClosedAs.HANDED_OVER, made, at=at, by=by)
    return made


@transaction.atomic
def die(*, resident: Resident, version: int, day: date, at: datetime, by: User) -> Move:
    """Record that a resident has died; open cases are closed with that, and reminders stop."""
    made = moves.die(resident=resident, version=version, day=day, at=at, by=by)
    _close(open_cases_of(resident), Case.ClosedAs.DIED, made, at=at, by=by)
    return made


@transaction.atomic
def take_over(
    *, handover: Handover, household: Household, day: date, at: datetime, by: User
) -> Move:
    """Accept somebody from another community at an address here; open cases come along."""
    handovers.accept(handover=handover, at=at, by=by)
    resident = handover.resident
    return move_resident(
        resident=resident,
        household=household,
        version=resident.version,
        day=day,
        at=at,
        by=by,
    )


def _cases_follow(made: Move, *, at: datetime, by: User) -> None:
    resident = made.resident
    for case in open_cases_of(resident):
        if case.grid_id == resident.grid_id:
            continue
        record(
            case=case,
            kind=Event.Kind.GRID,
            at=at,
            by=by,
            detail={
                "left": case.grid.name,
                "entered": resident.grid.name,
                "grid": case.grid_id,
                "move": str(made.key),
            },
        )
        replan(case=case, at=at, grid=resident.grid)


def _close(
    cases: list[Case], closed_as: Case.ClosedAs, made: Move, *, at: datetime, by: User
) -> None:
    close_all(
        cases=cases,
        closed_as=closed_as,
        kind=Event.Kind.CLOSED,
        at=at,
        by=by,
        detail={"move": str(made.key)},
    )
