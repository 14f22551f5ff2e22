"""
What is due and not yet told.

The sweep asks the database this one question, set by set, and writes what it finds under the
unique keys of `Message`. It needs nothing that a broker or a scheduler remembers: after any
outage the next sweep does all that is left.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.db import connection, transaction
from django.db.models import (
    BigIntegerField,
    BooleanField,
    DateTimeField,
    Exists,
    Expression,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Value,
    Window,
)
from django.db.models.functions import RowNumber
from django.utils import timezone

from accounts.staff.models import Area
from common import clock, locks
from quarantine.models import Case
from reminders import changes, channels, health, kinds, workers
from reminders.hours import after_quiet
from reminders.models import Message

# So many messages in one transaction: a killed sweep repeats little.
CHUNK = 2_000
# One sweep at a time; any number that no other lock of the portal uses.
STUCK_SECONDS = 60

COLUMNS = (
    *(
        "key",
        "case_id",
        "worker_id",
        "grid_id",
        "kind",
        "day",
        "channel",
        "state",
        "late",
        "created_at",
    ),
    *("sent_at", "not_before", "turn", "fence", "attempts", "trouble", "perhaps_twice"),
)
InApp = Message.Channel.IN_APP
NONE = Value(None, output_field=BigIntegerField())


def sweep(*, at: datetime) -> int:
    """
    Write a message for everything that is due and not told; return how many.

    Messages of the inbox are delivered by the same insert. Returns 0, without a sign of life,
    while another sweep is at work.
    """
    made = 0
    while (some := _changes(at=at)) is not None:
        made += some
    while (some := _chunk(at=at)) is not None:
        made += some
        if not some:
            _settle(on=clock.day_of(at))
            health.beat()
            break
    return made


def sweep_digests(*, at: datetime) -> int:
    """Write one digest a grid with open cases and channel, once its hour has come."""
    if timezone.localtime(at).time() < settings.DIGEST_AT:
        return 0
    return sum(_insert_digests(channel, at=at) for channel in channels.for_grids())


def _changes(*, at: datetime) -> int | None:
    """Tell a chunk of those whose dates a change of policy moved; None when there are no more."""
    with transaction.atomic():
        if not _alone():
            return None
        return changes.tell_chunk(at=at, channels=channels.for_residents())


def _chunk(*, at: datetime) -> int | None:
    """Write up to a chunk of each kind; None when another sweep is at work."""
    with transaction.atomic():
        if not _alone():
            return None
        return sum(
            _insert(rule, channel, at=at)
            for rule in kinds.RULES
            for channel in (InApp, *(channels.for_residents() if rule.for_resident else ()))
        ) + sum(_insert_about_workers(what, at=at) for what in workers.due(at=at))


def _alone() -> bool:
    with connection.cursor() as cursor:
        # A stopped process must not keep the lock: the server ends its transaction.
        cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{STUCK_SECONDS}s'")
    return locks.hold_for_transaction(locks.REMINDERS, wait=False)


def _insert(rule: kinds.Rule, channel: Message.Channel, *, at: datetime) -> int:
    on = clock.day_of(at)
    told = Message.objects.filter(
        case=OuterRef("pk"), kind=rule.kind, day=OuterRef(rule.day), channel=channel
    )
    due: QuerySet[Any] = Case.objects.filter(rule.due(on)).filter(~Exists(told))
    if channel != InApp:
        due = due.exclude(resident__phone="")
    late = ExpressionWrapper(
        Q(**{f"{rule.day}__lt": on - rule.timely}), output_field=BooleanField()
    )
    rows = due.order_by("pk").values_list(
        *(RandomUUID(), "pk", NONE, "grid_id", Value(rule.kind), rule.day, Value(channel)),
        *_fresh(channel, late=late, at=at, turn_within=F("grid_id")),
    )
    return _insert_from(rows[:CHUNK])


def _insert_about_workers(what: workers.DueWorkers, *, at: datetime) -> int:
    rows = workers.untold(what).values_list(
        *(RandomUUID(), NONE, "pk", "resident__grid_id", Value(what.kind), "told_of"),
        Value(InApp),
        *_fresh(InApp, late=what.late, at=at, turn_within=F("resident__grid_id")),
    )
    return _insert_from(rows[:CHUNK])


def _insert_digests(channel: Message.Channel, *, at: datetime) -> int:
    on = clock.day_of(at)
    told = Message.objects.filter(
        grid=OuterRef("pk"), kind=Message.Kind.DIGEST, day=on, channel=channel
    )
    grids = (
        Area.objects.filter(channels.reaches(channel), level=Area.Level.GRID)
        .filter(Exists(Case.objects.open().filter(grid=OuterRef("pk"))))
        .filter(~Exists(told))
    )
    rows = grids.order_by("pk").values_list(
        *(RandomUUID(), NONE, NONE, "pk", Value(Message.Kind.DIGEST), Value(on), Value(channel)),
        *_fresh(channel, late=Value(False), at=at, turn_within=F("pk")),
    )
    return _insert_from(rows)


def _fresh(
    channel: Message.Channel, *, late: Expression, at: datetime, turn_within: F
) -> Iterable[Any]:
    """Return the values from `state` on of messages that were just made."""
    inside = channel == InApp
    return (
        Value(Message.State.SENT if inside else Message.State.DUE),
        late,
        Value(at),
        Value(at if inside else None, output_field=DateTimeField()),
        Value(at if inside else after_quiet(at)),
        Window(RowNumber(), partition_by=turn_within, order_by="pk"),
        *(Value(0), Value(0), Value(""), Value(False)),
    )


def _insert_from(rows: QuerySet[Any, Any]) -> int:
    """Insert what `rows` selects, in the order of COLUMNS, unless it stands there already."""
    select, parameters = rows.query.get_compiler(connection=connection).as_sql()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Message._meta.db_table} ({', '.join(COLUMNS)})"
            f" {select} ON CONFLICT DO NOTHING",
            parameters,
        )
        return int(cursor.rowcount)


def _settle(*, on: date) -> None:
    """Drop what failed, or waits for a channel that is gone, when nobody needs it any more."""
    gone = Message.objects.waiting().outside().exclude(channel__in=channels.configured())
    for stuck in (Message.objects.undelivered(), gone):
        stuck.exclude(kinds.still_holds(on)).update(state=Message.State.DROPPED)
