"""What workers do with rosters: whatever their state asks for, one worker at a time for each."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from common import locks
from residents.rosters import applying, desk, dry_run, undoing
from residents.rosters.models import Roster, RosterRow
from residents.rosters.sheets.reading import UnreadableFileError

State = Roster.State
ATTEMPTS = 3


def work(*, key: UUID, at: datetime) -> bool:
    """
    Do what a roster's state asks for, from where it stood; return whether anything was to do.

    The lock goes with the worker's connection: whoever is killed holds nothing.
    """
    roster = Roster.objects.select_related("area", "applied_by", "undone_by").get(key=key)
    with locks.held(locks.roster(roster.pk), wait=False) as is_held:
        if not is_held:
            return False
        roster.refresh_from_db(fields=["state", "done", "counts", "findings", "refusal"])
        return _work(roster, at)


def _work(roster: Roster, at: datetime) -> bool:
    if roster.state in {State.READING, State.CHECKING} and _tried_too_often(roster):
        dry_run.refuse(roster, UnreadableFileError("too_large"), at)
    elif roster.state == State.READING:
        dry_run.look(roster, at=at)
    elif roster.state == State.CHECKING:
        dry_run.check(roster, at=at)
    elif roster.state == State.APPLYING:
        with locks.held(locks.REGISTER):
            _apply(roster, at)
    elif roster.state == State.UNDOING:
        with locks.held(locks.REGISTER):
            undoing.undo(roster, at=at)
    else:
        return False
    return True


def _tried_too_often(roster: Roster) -> bool:
    """Count the attempts to read a file: one that takes a worker along is not tried for ever."""
    attempts = roster.refusal.get("attempts", 0) + 1
    roster.refusal = {"attempts": attempts}
    roster.save(update_fields=["refusal"])
    return bool(attempts > ATTEMPTS)


def _apply(roster: Roster, at: datetime) -> None:
    try:
        applying.apply(roster, at=at)
    except applying.SealedUnderAnotherKeyError:
        roster.state = State.CHECKING
        roster.save(update_fields=["state"])
        dry_run.check(roster, at=at)


def at_work() -> list[UUID]:
    """Return the rosters that a worker has, or should have."""
    return list(Roster.objects.filter(state__in=Roster.AT_WORK).values_list("key", flat=True))


def expire(*, at: datetime) -> int:
    """Delete what is personal in rosters that are too old to be taken over or undone."""
    old = at - desk.KEPT
    waiting = Roster.objects.filter(state__in=[State.CHOOSING, State.CHECKED], uploaded_at__lt=old)
    for roster in waiting:
        desk.discard(roster=roster, at=at, by=None)
    over = Roster.objects.filter(
        Q(state=State.APPLIED, applied_at__lt=old) | Q(state=State.UNDONE, undone_at__lt=old),
        purged=False,
    )
    purged = 0
    for roster in over:
        with transaction.atomic():
            RosterRow.objects.filter(roster=roster).exclude(note=b"").update(note="")
            Roster.objects.filter(pk=roster.pk).update(purged=True, file_name="")
        purged += 1
    return len(waiting) + purged
