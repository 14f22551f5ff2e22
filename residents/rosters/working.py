"""Processing of rosters by workers, according to their state; one worker for each roster."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from common import locks
from residents.rosters import applying, dry_run, services, undoing
from residents.rosters.models import Roster, RosterRow
from residents.rosters.sheets.reading import UnreadableFileError

State = Roster.State
ATTEMPTS = 3


def work(*, key: UUID, at: datetime) -> bool:
    """
    Process a roster according to its state; return whether there was anything to do.

    PostgreSQL releases the lock when the worker's connection ends.
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
        dry_run.inspect_file(roster, at=at)
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
    """Count the attempts to read a file; one that crashes workers is refused after ATTEMPTS."""
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
    """Return the keys of the rosters that a worker should be processing."""
    return list(Roster.objects.filter(state__in=Roster.AT_WORK).values_list("key", flat=True))


def expire(*, at: datetime) -> int:
    """Delete the personal data of rosters too old to import or undo; return their number."""
    old = at - services.KEPT
    waiting = Roster.objects.filter(state__in=[State.CHOOSING, State.CHECKED], uploaded_at__lt=old)
    for roster in waiting:
        services.discard(roster=roster, at=at, by=None)
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
