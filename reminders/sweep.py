"""
The sweep: write the messages that are due and not yet written.

The sweep queries the database, chunk by chunk, and inserts under the unique keys of `Message`. It
needs no state of a broker or scheduler: after any outage the next sweep does all that is left.
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
from reminders import changes, channels, health, kinds, todos, workers
from reminders.hours import after_quiet
from reminders.keys import MessageKey
from reminders.models import Message

# Messages in one transaction: a killed sweep repeats little.
CHUNK = 2_000
# How long a stopped process may keep its transaction, and with it the lock.
STUCK_SECONDS = 60

COLUMNS = (
    *(
        "key",
        "case_id",
        "worker_id",
        "todo_id",
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
IN_APP = Message.Channel.IN_APP
NULL_ID = Value(None, output_field=BigIntegerField())


def sweep(*, at: datetime) -> int:
    """
    Write all messages that are due and not yet written; return their number.

    Messages of the inbox are delivered by the same insert. Returns 0, without a heartbeat, while
    another sweep is running.
    """
    written = 0
    while (count := _write_changes(at=at)) is not None:
        written += count
    while (count := _write_chunk(at=at)) is not None:
        written += count
        if not count:
            _drop_obsolete(on=clock.day_of(at))
            health.record_heartbeat()
            break
    return written


def sweep_digests(*, at: datetime) -> int:
    """Write one digest for each grid with open cases and each channel, from DIGEST_AT on."""
    if timezone.localtime(at).time() < settings.DIGEST_AT:
        return 0
    return sum(_insert_digests(channel, at=at) for channel in channels.for_grids())


def _write_changes(*, at: datetime) -> int | None:
    """Write a chunk of changes; return the number of messages, None if none is left."""
    with transaction.atomic():
        if not _hold_sweep_lock():
            return None
        return changes.tell_chunk(at=at, channels=channels.for_residents())


def _write_chunk(*, at: datetime) -> int | None:
    """Write up to a chunk of each kind; return None if another sweep is running."""
    with transaction.atomic():
        if not _hold_sweep_lock():
            return None
        return sum(
            _insert(rule, channel, at=at)
            for rule in kinds.RULES
            for channel in (IN_APP, *(channels.for_residents() if rule.for_resident else ()))
        ) + (
            sum(_insert_about_workers(due, at=at) for due in workers.due(at=at))
            + sum(_insert_about_todos(due, at=at) for due in todos.untold())
        )


def _hold_sweep_lock() -> bool:
    with connection.cursor() as cursor:
        # PostgreSQL ends the transaction of a stopped process, and so releases the lock.
        cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{STUCK_SECONDS}s'")
    return locks.hold_for_transaction(locks.REMINDERS, wait=False)


def _insert(rule: kinds.Rule, channel: Message.Channel, *, at: datetime) -> int:
    on = clock.day_of(at)
    existing = Message.objects.filter(
        case=OuterRef("pk"), kind=rule.kind, day=OuterRef(rule.day), channel=channel
    )
    due: QuerySet[Any] = Case.objects.filter(rule.due(on)).filter(~Exists(existing))
    if channel != IN_APP:
        due = due.exclude(resident__phone="")
    late = ExpressionWrapper(
        Q(**{f"{rule.day}__lt": on - rule.timely}), output_field=BooleanField()
    )
    key = MessageKey("key", kind=Value(rule.kind), day=rule.day, channel=Value(channel))
    rows = due.order_by("pk").values_list(
        *(key, "pk", NULL_ID, NULL_ID, "grid_id"),
        *(Value(rule.kind), rule.day, Value(channel)),
        *_initial_values(channel, late=late, at=at, turn_within=F("grid_id")),
    )
    return _insert_from(rows[:CHUNK])


def _insert_about_workers(due: workers.DueWorkers, *, at: datetime) -> int:
    rows = workers.untold(due).values_list(
        *(RandomUUID(), NULL_ID, "pk", NULL_ID, "resident__grid_id", Value(due.kind), "told_of"),
        Value(IN_APP),
        *_initial_values(IN_APP, late=due.late, at=at, turn_within=F("resident__grid_id")),
    )
    return _insert_from(rows[:CHUNK])


def _insert_about_todos(due: todos.DueTodos, *, at: datetime) -> int:
    rows = due.todos.values_list(
        *(RandomUUID(), NULL_ID, NULL_ID, "pk", "resident__grid_id", Value(due.kind), "told_of"),
        Value(IN_APP),
        *_initial_values(IN_APP, late=Value(False), at=at, turn_within=F("resident__grid_id")),
    )
    return _insert_from(rows[:CHUNK])


def _insert_digests(channel: Message.Channel, *, at: datetime) -> int:
    on = clock.day_of(at)
    existing = Message.objects.filter(
        grid=OuterRef("pk"), kind=Message.Kind.DIGEST, day=on, channel=channel
    )
    grids = (
        Area.objects.filter(channels.reaches(channel), level=Area.Level.GRID)
        .filter(Exists(Case.objects.open().filter(grid=OuterRef("pk"))))
        .filter(~Exists(existing))
    )
    kind = Value(Message.Kind.DIGEST)
    rows = grids.order_by("pk").values_list(
        *(
            MessageKey("code", kind=kind, day=Value(on), channel=Value(channel)),
            NULL_ID,
            NULL_ID,
            NULL_ID,
            "pk",
            kind,
            Value(on),
            Value(channel),
        ),
        *_initial_values(channel, late=Value(False), at=at, turn_within=F("pk")),
    )
    return _insert_from(rows)


def _initial_values(
    channel: Message.Channel, *, late: Expression, at: datetime, turn_within: F
) -> Iterable[Any]:
    """Return the values of new messages for the columns from `state` on."""
    in_app = channel == IN_APP
    return (
        Value(Message.State.SENT if in_app else Message.State.DUE),
        late,
        Value(at),
        Value(at if in_app else None, output_field=DateTimeField()),
        Value(at if in_app else after_quiet(at)),
        Window(RowNumber(), partition_by=turn_within, order_by="pk"),
        *(Value(0), Value(0), Value(""), Value(False)),
    )


def _insert_from(rows: QuerySet[Any, Any]) -> int:
    """Insert the selected rows, in the order of COLUMNS, unless they exist already."""
    select, parameters = rows.query.get_compiler(connection=connection).as_sql()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Message._meta.db_table} ({', '.join(COLUMNS)})"
            f" {select} ON CONFLICT DO NOTHING",
            parameters,
        )
        return int(cursor.rowcount)


def _drop_obsolete(*, on: date) -> None:
    """Drop undelivered messages, and those of removed channels, that are no longer needed."""
    unreachable = Message.objects.waiting().outside().exclude(channel__in=channels.configured())
    for messages in (Message.objects.undelivered(), unreachable):
        messages.exclude(kinds.still_holds(on)).update(state=Message.State.DROPPED)
