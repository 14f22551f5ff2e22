"""
Record moves, departures, deaths and returns, and update the resident's address.

`quarantine.relocation.moves` does it for people under a measure, and moves the case, too.
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import User
from common import clock
from common.errors import RefusedError
from policy.words import named_day
from residents.register.models import Household, Resident
from residents.register.services import ChangedMeanwhileError, update
from residents.relocation.models import Move

DID = {
    Move.Kind.MOVED: gettext_noop("moved"),
    Move.Kind.LEFT: gettext_noop("recorded as moved away"),
    Move.Kind.DIED: gettext_noop("recorded as died"),
    Move.Kind.RETURNED: gettext_noop("recorded as come back"),
}
TOOK_BACK = {
    Move.Kind.MOVED: gettext_noop("undid a move"),
    Move.Kind.LEFT: gettext_noop("undid a move-out"),
    Move.Kind.DIED: gettext_noop("undid a recorded death"),
    Move.Kind.RETURNED: gettext_noop("undid a return"),
}


class MoveDayError(RefusedError):
    """The day is in the future, before the birth or before the last recorded move."""

    field = "day"


class SameDoorError(RefusedError):
    """The new address is the present one."""

    field = "door"


class GoneError(RefusedError):
    """The resident has left or died."""


class HereError(RefusedError):
    """The resident has not left."""


class FollowedError(RefusedError):
    """The move can no longer be undone."""


@dataclass(frozen=True)
class Home:
    """A former or present address; None for an unknown start, and for the present one's end."""

    household: Household
    since: date | None
    until: date | None
    ended: Move | None = None


@transaction.atomic
def move(
    *, resident: Resident, household: Household, version: int, day: date, at: datetime, by: User
) -> Move:
    """
    Record a move to another household on `day`, and update the resident's grid.

    Raise GoneError, SameDoorError, MoveDayError, or `services.ChangedMeanwhileError`.
    """
    refuse_gone(resident)
    if household.pk == resident.household_id:
        raise SameDoorError(_("Already registered at this address."))
    return _record(resident, version, Move.Kind.MOVED, day, at=at, by=by, entered=household)


@transaction.atomic
def leave(
    *, resident: Resident, version: int, day: date, place: str = "", at: datetime, by: User
) -> Move:
    """Record the departure of a resident, with the destination if known."""
    refuse_gone(resident)
    return _record(resident, version, Move.Kind.LEFT, day, at=at, by=by, place=place.strip())


@transaction.atomic
def die(*, resident: Resident, version: int, day: date, at: datetime, by: User) -> Move:
    """Record the death of a resident."""
    refuse_gone(resident)
    return _record(resident, version, Move.Kind.DIED, day, at=at, by=by)


@transaction.atomic
def come_back(
    *, resident: Resident, household: Household, version: int, day: date, at: datetime, by: User
) -> Move:
    """Record the return of a resident who had left; also corrects a death recorded in error."""
    if resident.gone_as not in {Resident.GoneAs.LEFT, Resident.GoneAs.DIED}:
        raise HereError(_("This person never left."))
    return _record(resident, version, Move.Kind.RETURNED, day, at=at, by=by, entered=household)


@transaction.atomic
def take_back(*, move: Move, at: datetime, by: User, late: bool = False) -> None:
    """
    Undo a move: restore the former address.

    Raise FollowedError if the resident was changed since; with `late`, only if they moved, left,
    died or came back again. The caller says who may, and until when.
    """
    resident = move.resident
    if late and resident.moves.valid().filter(pk__gt=move.pk).exists():
        raise FollowedError(
            _("Another move of this person is recorded since: take that one back first.")
        )
    if not Move.objects.valid().filter(pk=move.pk).update(withdrawn_at=at, withdrawn_by=by):
        raise FollowedError(_("This was taken back already."))
    before = _gone_before(move)
    try:
        update(
            resident,
            resident.version if late else move.version,
            household=move.left,
            grid=move.left.building.grid,
            gone_as=before.kind if before else "",
            gone_on=before.day if before else None,
        )
    except ChangedMeanwhileError as error:
        raise FollowedError(
            _("Something about this person was changed since: it can no longer be taken back.")
        ) from error
    audit.record(by=by, did=TOOK_BACK[Move.Kind(move.kind)], to=resident, move=str(move.key))


def homes_of(resident: Resident) -> list[Home]:
    """Return the addresses of a resident, the newest first; all ended if they have left."""
    moves = resident.moves.valid().select_related(
        "left__building__grid", "entered__building__grid"
    )
    homes: list[Home] = []
    since: date | None = None
    absent = False
    for past_move in moves.order_by("day", "pk"):
        if not absent:
            homes.append(Home(past_move.left, since, past_move.day, past_move))
        absent = past_move.entered is None
        since = past_move.day
    if not absent:
        homes.append(Home(resident.household, since, None))
    return homes[::-1]


def refuse_gone(resident: Resident) -> None:
    """Raise GoneError if the resident has left or died, or the entry was merged."""
    if resident.gone_as == Resident.GoneAs.DIED:
        raise GoneError(_("This person is recorded as died."))
    if resident.gone_as:
        raise GoneError(_("This person has moved away: record first that they came back."))


def _record(
    resident: Resident,
    version: int,
    kind: Move.Kind,
    day: date,
    *,
    at: datetime,
    by: User,
    entered: Household | None = None,
    place: str = "",
) -> Move:
    _refuse_day(resident, day, today=clock.day_of(at))
    former_household = resident.household
    if entered:
        new = {
            "household": entered,
            "grid": entered.building.grid,
            "gone_as": "",
            "gone_on": None,
        }
    else:
        new = {"gone_as": kind, "gone_on": day}
    update(resident, version, **new)
    made = Move.objects.create(
        resident=resident,
        kind=kind,
        day=day,
        left=former_household,
        entered=entered,
        place=place,
        at=at,
        by=by,
        version=resident.version,
    )
    audit.record(by=by, did=DID[kind], to=resident, move=str(made.key))
    return made


def _refuse_day(resident: Resident, day: date, *, today: date) -> None:
    if day > today:
        raise MoveDayError(_("This day is still to come: record it when it has happened."))
    if resident.birth_date and day < resident.birth_date:
        raise MoveDayError(_("This day lies before the birth of this person."))
    last = resident.moves.valid().order_by("-day").values_list("day", flat=True).first()
    if last and day < last:
        raise MoveDayError(
            _("A move of %(day)s is recorded already: this one cannot lie before it.")
            % {"day": named_day(last)}
        )


def _gone_before(move: Move) -> Move | None:
    """Return the departure or death that a return had ended."""
    if move.kind != Move.Kind.RETURNED:
        return None
    gone = move.resident.moves.valid().filter(entered=None, pk__lt=move.pk)
    return gone.order_by("-pk").first()
