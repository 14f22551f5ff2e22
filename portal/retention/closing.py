"""
Closing an outbreak in an area: nothing is left open, and what was recorded is frozen.

Whoever lives in the area, or lived there last, is frozen with all that was recorded of them; who
was handed over belongs to where they live now.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, connection, models, transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext

from accounts.auditing import audit
from accounts.staff.models import Area, User
from common import clock
from common.errors import RefusedError
from portal.retention import inventory
from portal.retention.terms import term_over
from quarantine.models import Arrival, Case, Event
from quarantine.todo.models import OPEN, Todo
from reminders.models import Change, Message
from residents.closings.models import Closing, Frozen, frozen_rows
from residents.register.models import Resident
from residents.relocation.models import Handover
from testing.models import NATResult, Sample

AT_ONCE = 5_000
LONGEST_REASON = 200
# What a closing numbers, by its column; nobody writes to these and to what hangs on them
# while it counts.
NUMBERED: dict[str, type[models.Model]] = {
    "last_case": Case,
    "last_arrival": Arrival,
    "last_sample": Sample,
    "last_todo": Todo,
}
# In the order in which acts write to them, so that nobody waits for another in a circle.
HELD_STILL: tuple[type[models.Model], ...] = (
    *(Arrival, Sample, NATResult, Case, Event, Todo, Change, Message),
)
ATTEMPTS = 20  # each of half a second, which is shorter than PostgreSQL lets two wait in a circle


class StillOpenError(RefusedError):
    """Something is still open in the area, so that its outbreak is not over."""


class NothingToCloseError(RefusedError):
    """No data of an outbreak in the area, or all of them are frozen already."""


class OthersWriteError(RefusedError):
    """Others write without a pause, so that nothing can be counted."""

    def __init__(self) -> None:
        super().__init__(_("Others are saving at this moment. Try again in a minute."))


class ClosingReasonError(RefusedError):
    """No reason, or one that is too long."""

    field = "reason"


class ClosingHasGoneOnError(RefusedError):
    """The closing was taken back, or its data are being purged."""

    def __init__(self) -> None:
        super().__init__(_("Meanwhile this closing has gone on. This is how it stands now."))


@dataclass(frozen=True)
class Blocker:
    """A kind of thing that must end before an outbreak does, and how many there are."""

    words: str
    number: int


def blockers(area: Area) -> list[Blocker]:
    """Return what is still open in an area."""
    here = Q(resident__grid__path__startswith=area.path)
    asked = [
        (
            _("people under a measure"),
            Case.objects.open().filter(here | Q(grid__path__startswith=area.path)),
        ),
        (_("samples without a result"), Sample.objects.awaited().filter(here)),
        (_("to-dos"), Todo.objects.open().filter(here)),
        (
            _("handovers that wait for an answer"),
            Handover.objects.waiting().filter(here | Q(to__path__startswith=area.path)),
        ),
        (
            _("messages that are still to be sent"),
            Message.objects.waiting().filter(
                Q(case__resident__grid__path__startswith=area.path)
                | Q(todo__resident__grid__path__startswith=area.path)
            ),
        ),
    ]
    counted = [Blocker(words, rows.count()) for words, rows in asked]
    return [blocker for blocker in counted if blocker.number]


def people_of(area: Area) -> QuerySet[Resident]:
    """Return the people of an area of whom something of an outbreak is not frozen yet."""
    something = Q(pk__in=[])
    for last, model in NUMBERED.items():
        rows: QuerySet[Any] = model._base_manager.filter(
            ~Exists(frozen_rows(last)), resident=OuterRef("pk")
        )
        something |= Q(Exists(rows))
    return Resident.objects.filter(something, grid__path__startswith=area.path)


@transaction.atomic
def close(*, area: Area, reason: str, at: datetime, by: User) -> Closing:
    """
    Close the outbreak in an area: freeze and count its data.

    Waits for those who are writing. Raise StillOpenError, NothingToCloseError or
    ClosingReasonError.
    """
    reason = _reason(reason)
    _hold_still()
    if still := blockers(area):
        raise StillOpenError(
            _("Not over yet: %(what)s.")
            % {
                "what": pgettext("joins details", "; ").join(
                    f"{each.words} {each.number}" for each in still
                )
            }
        )
    people = list(people_of(area).order_by("pk").values_list("pk", flat=True))
    if not people:
        raise NothingToCloseError(
            _("There are no data of an outbreak here that are not frozen already.")
        )
    _end_what_lapsed(area, at=at, by=by)
    term = term_over(area)
    closing = Closing.objects.create(
        area=area,
        reason=reason,
        closed_at=at,
        closed_by=by,
        people=len(people),
        days=term.days,
        said_by=term.said_by,
        purge_from=clock.day_of(at) + timedelta(days=term.days),
        **{last: _last_number(model) for last, model in NUMBERED.items()},
    )
    for some in _chunks(people):
        Frozen.objects.bulk_create(
            [Frozen(closing=closing, resident_id=resident) for resident in some]
        )
    closing.counts = inventory.counts(closing)
    closing.save(update_fields=["counts"])
    audit.record(
        by=by,
        did=gettext_noop("closed an outbreak"),
        to=closing,
        reason=reason,
        area=area.code,
        people=len(people),
        rows=sum(closing.counts.values()),
    )
    return closing


@transaction.atomic
def reopen(*, closing: Closing, reason: str, at: datetime, by: User) -> None:
    """
    Take a closing back that was a mistake: nothing is frozen by it.

    Raise ClosingHasGoneOnError once a purge was asked for, ClosingReasonError without a reason.
    """
    reason = _reason(reason)
    closing = Closing.objects.select_for_update().get(pk=closing.pk)
    if closing.withdrawn_at or closing.purges.filter(refused_at=None).exists():
        raise ClosingHasGoneOnError
    Closing.objects.filter(pk=closing.pk).update(withdrawn_at=at, withdrawn_by=by)
    Frozen.objects.filter(closing=closing).delete()
    audit.record(by=by, did=gettext_noop("took a closing back"), to=closing, reason=reason)


def _hold_still() -> None:
    """Let nobody write to the tables of an outbreak until the transaction ends."""
    tables = ", ".join(f'"{model._meta.db_table}"' for model in HELD_STILL)
    for _attempt in range(ATTEMPTS):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '500ms'")
                cursor.execute(f"LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE")
                cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
        except OperationalError:
            continue  # what was held is free again, and whoever waited goes on
        return
    raise OthersWriteError


def _last_number(model: type[models.Model]) -> int:
    return int(model._base_manager.aggregate(last=Max("pk"))["last"] or 0)


def _end_what_lapsed(area: Area, *, at: datetime, by: User) -> None:
    """End what asks nothing of anybody any more, so that no task comes back to it."""
    here = Todo.objects.filter(OPEN, resident__grid__path__startswith=area.path)
    here.update(withdrawn_at=at, withdrawn_by=by)
    untold = Change.objects.unticked().filter(case__resident__grid__path__startswith=area.path)
    untold.update(replaced_at=at)


def _chunks(people: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(people), AT_ONCE):
        yield people[start : start + AT_ONCE]


def _reason(text: str) -> str:
    text = text.strip()
    if not 2 <= len(text) <= LONGEST_REASON:
        raise ClosingReasonError(_("Say why, in at most 200 characters: it is kept."))
    return text
