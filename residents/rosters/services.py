"""Acts of supervisors on a roster: upload, choose columns, import, undo, discard."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import Area, User
from common.encryption import hasher
from common.errors import RefusedError
from residents.rosters import dry_run
from residents.rosters.models import Roster, RosterFile
from residents.rosters.sheets import columns

State = Roster.State
# How long a file can be imported, and an import undone.
KEPT = timedelta(days=30)


class NotNowError(RefusedError):
    """The roster is in another state meanwhile, or too old."""

    def __init__(self) -> None:
        super().__init__(_("Meanwhile this roster has gone on. This is how it stands now."))


@transaction.atomic
def upload(
    *, content: bytes, name: str, area: Area, sender: str, at: datetime, by: User
) -> Roster:
    """Store a file, sealed, until it is imported, discarded or thirty days old."""
    roster = Roster.objects.create(
        area=area,
        sender=sender,
        file_name=name[:100],
        file_hash=hasher(context="roster")(hashlib.sha256(content).hexdigest()),
        uploaded_by=by,
        uploaded_at=at,
        touched_at=at,
    )
    RosterFile.objects.create(roster=roster, content=base64.b64encode(content).decode())
    audit.record(
        by=by, did=gettext_noop("uploaded a roster"), to=roster, size=len(content), area=area.code
    )
    return roster


def rosters_with_same_file(roster: Roster) -> Any:
    """Return the rosters of the area with the same file that were imported."""
    same_file = Roster.objects.filter(file_hash=roster.file_hash, area=roster.area)
    return same_file.filter(state__in=[State.APPLIED, State.APPLYING]).exclude(pk=roster.pk)


@transaction.atomic
def choose_columns(
    *,
    roster: Roster,
    sheet: int,
    heading: columns.Heading,
    fields: Mapping[int, str],
    at: datetime,
    by: User,
) -> None:
    """Set the fields of the columns; a worker checks the rows then."""
    locked = _locked_in_state(roster, State.CHOOSING, State.CHECKED)
    locked.done, locked.counts, locked.touched_at = 0, {}, at
    dry_run.choose(locked, sheet=sheet, heading=heading, fields=fields)
    locked.save(update_fields=["done", "counts", "touched_at"])
    audit.record(by=by, did=gettext_noop("said the columns of a roster"), to=roster)


@transaction.atomic
def take_over(*, roster: Roster, at: datetime, by: User) -> None:
    """Start the import of a roster; a worker does it."""
    locked = _locked_in_state(roster, State.CHECKED)
    locked.state, locked.done, locked.touched_at = State.APPLYING, 0, at
    locked.total = locked.counts["new"] + locked.counts["update"]
    locked.applied_by, locked.applied_at = by, at
    locked.save()
    audit.record(by=by, did=gettext_noop("decided to import a roster"), to=roster)


def may_be_undone(roster: Roster, *, at: datetime) -> bool:
    """Return whether a roster can still be undone."""
    return bool(
        roster.state == State.APPLIED
        and not roster.purged
        and roster.applied_at
        and at - roster.applied_at < KEPT
    )


@transaction.atomic
def take_back(*, roster: Roster, at: datetime, by: User) -> None:
    """Start undoing a roster; a worker does it."""
    locked = _locked_in_state(roster, State.APPLIED)
    if not may_be_undone(locked, at=at):
        raise NotNowError
    locked.state, locked.done, locked.touched_at = State.UNDOING, 0, at
    locked.total = locked.counts["new"] + locked.counts["update"]
    locked.undone_by, locked.undone_at = by, at
    locked.save()
    audit.record(by=by, did=gettext_noop("decided to undo a roster"), to=roster)


@transaction.atomic
def discard(*, roster: Roster, at: datetime, by: User | None) -> None:
    """Delete a file that will not be imported, with all data read from it."""
    locked = _locked_in_state(roster, State.CHOOSING, State.CHECKED)
    dry_run.delete_contents(locked)
    locked.state, locked.purged, locked.touched_at = State.DISCARDED, True, at
    locked.file_name = ""
    locked.save()
    audit.record(by=by, did=gettext_noop("discarded a roster"), to=roster)


def _locked_in_state(roster: Roster, *states: str) -> Roster:
    locked = Roster.objects.select_for_update(of=["self"]).get(pk=roster.pk)
    if locked.state not in states:
        raise NotNowError
    return locked
