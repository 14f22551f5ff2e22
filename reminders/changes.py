"""
Messages about dates that a change of policy moved.

A switch moves plans and dates, and leaves the `told_` columns, which hold what people were last
told (`Case.untold`). Each difference is stored here as a change, with one message to the staff of
the grid and one to the resident, and then counts as told: all in one transaction, so that a killed
run repeats nothing. A switch withdrawn before anybody was told leaves no difference, and so no
message; later it is a new difference, and the message says that it corrects. A waiting message
that a later change overtakes is dropped; the later message covers both.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q

from accounts.staff.models import Area, User
from common import clock
from policy.engine.calendars.plans import Plan as EnginePlan
from policy.engine.moments import nth_day
from quarantine.cases.calendars import decode_history
from quarantine.cases.plans import plan_of
from quarantine.models import Case, Plan
from reminders.hours import after_quiet
from reminders.keys import KEY_OF_CHANGE
from reminders.models import Change, ChangeQuerySet, Message

# Cases in one transaction.
CHUNK = 2_000
FREED = Case.Transition.FREED
# States of messages that were certainly not sent.
UNSENT = (Message.State.DUE, Message.State.FAILED)
# UNSENT, or dropped.
NEVER_SENT = (*UNSENT, Message.State.DROPPED)


class Untold(NamedTuple):
    """A case that differs from what people were last told."""

    case: int
    told_plan: int
    plan: int
    told_release_on: date | None
    release_on: date | None
    told_freed: bool
    told_day_1: date | None
    transition: str
    day_1: date
    history: str


NEW_CHANGES = """
    INSERT INTO reminders_change (key, case_id, grid_id, at, law, transition, before_plan_id,
        before_release_on, before_freed, before_day_1, after_plan_id, after_release_on,
        after_day_1, correction)
    SELECT gen_random_uuid(), c.id, c.grid_id, %(at)s, c.law, c.transition, c.told_plan_id,
        c.told_release_on, c.told_freed, c.told_day_1, c.plan_id, c.release_on, c.day_1,
        EXISTS (
            SELECT FROM reminders_change e
            WHERE e.case_id = c.id AND e.before_plan_id = c.plan_id
                AND e.before_release_on IS NOT DISTINCT FROM c.release_on
                AND e.before_freed = (c.transition = 'freed')
                AND (e.before_day_1 IS NULL OR e.before_day_1 = c.day_1)
        )
    FROM quarantine_case c WHERE c.id = ANY(%(cases)s) ORDER BY c.id
    RETURNING id
"""
# `since` covers earlier changes whose messages were never sent.
NEW_MESSAGES = f"""
    INSERT INTO reminders_message (key, case_id, grid_id, kind, day, channel, state, late,
        created_at, sent_at, not_before, turn, fence, attempts, trouble, perhaps_twice,
        change_id, since_id)
    SELECT {KEY_OF_CHANGE}, n.case_id, n.grid_id, 'changed', %(day)s, %(channel)s, %(state)s,
        false, %(at)s, %(sent_at)s, %(not_before)s,
        row_number() OVER (PARTITION BY n.grid_id ORDER BY n.id), 0, 0, '', false, n.id, s.id
    FROM reminders_change n
    JOIN quarantine_case c ON c.id = n.case_id
    JOIN residents_resident r ON r.id = c.resident_id
    JOIN quarantine_plan p ON p.id = n.after_plan_id
    LEFT JOIN LATERAL (
        SELECT m.since_id FROM reminders_message m
        WHERE m.case_id = n.case_id AND m.kind = 'changed' AND m.channel = %(channel)s
            AND m.state = ANY(%(unsent)s)
        ORDER BY m.id DESC LIMIT 1
    ) unsent ON true
    JOIN reminders_change s ON s.id = COALESCE(unsent.since_id, n.id)
    WHERE n.id = ANY(%(changes)s) AND (r.phone <> '' OR %(channel)s = 'in_app')
        AND (s.before_plan_id, s.before_release_on, s.before_freed, s.before_day_1)
            IS DISTINCT FROM
            (n.after_plan_id, n.after_release_on, n.transition = 'freed', n.after_day_1)
    ORDER BY n.id
    ON CONFLICT DO NOTHING
"""  # noqa: S608 - a part of our own


def tell_chunk(*, at: datetime, channels: Iterable[str]) -> int | None:
    """
    Write the changes of up to CHUNK cases with their messages.

    Return the number of messages, None if no case is left. The caller holds the transaction and
    the lock of sweeps.
    """
    untold = _lock_untold()
    if not untold:
        return None
    changed_cases = _with_other_dates(untold, today=clock.day_of(at))
    written = _write_changes(changed_cases, at=at, channels=channels) if changed_cases else 0
    Case.objects.filter(pk__in=[case.case for case in untold]).update(
        told_plan=F("plan"),
        told_release_on=F("release_on"),
        told_freed=Q(transition=FREED),
        told_day_1=F("day_1"),
    )
    return written


def _lock_untold() -> list[Untold]:
    """Lock and return untold cases; the next sweep takes those that are locked now."""
    cases = Case.objects.untold().order_by("pk").select_for_update(skip_locked=True, no_key=True)
    return [Untold(*row) for row in cases.values_list("pk", *Untold._fields[1:])[:CHUNK]]


def _with_other_dates(untold: Collection[Untold], *, today: date) -> list[int]:
    """Return the cases whose requirements from today on have changed."""
    rows = Plan.objects.in_bulk({pk for case in untold for pk in (case.told_plan, case.plan)})
    return [
        case.case
        for case in untold
        if case.told_release_on != case.release_on
        or case.told_day_1 is None
        or _still_asked(
            plan_of(rows[case.told_plan]), case, case.told_day_1, today, freed=case.told_freed
        )
        != _still_asked(
            plan_of(rows[case.plan]), case, case.day_1, today, freed=case.transition == FREED
        )
    ]


def _still_asked(
    plan: EnginePlan, case: Untold, day_1: date, today: date, *, freed: bool
) -> tuple[object, ...]:
    """
    Return what a plan from a day 1 on still requires, by date.

    Stages, tests, advised tests, and the condition of release. The day of release is the same,
    before and after. A stage ends on that day under either law, and a freed person owes no test
    any more.
    """
    held_until = case.release_on - timedelta(days=1) if case.release_on else date.max
    stages = []
    for stage, first_number, last_number in plan.spans():
        first, last = nth_day(day_1, first_number), nth_day(day_1, last_number)
        if stage.force == "must":
            last = min(last, held_until)
        if last >= today:
            requirement = replace(stage, days=0, tests=(), served=0)
            stages.append((requirement, max(first, today), last))
    if freed:
        return stages, [], [], None
    taken = set(decode_history(case.history, case.day_1).sampled)
    tests = [day for day in _days(plan.days_asked("must"), day_1) if day not in taken]
    advised = [day for day in _days(plan.days_asked("advise"), day_1) if day >= today]
    return stages, tests, advised, plan.release


def _days(numbers: Iterable[int], day_1: date) -> list[date]:
    return [nth_day(day_1, number) for number in numbers]


def _write_changes(cases: list[int], *, at: datetime, channels: Iterable[str]) -> int:
    overtaken = Message.objects.filter(case__in=cases, kind=Message.Kind.CHANGED, state__in=UNSENT)
    # Locked, so that no worker begins to send them; those already begun count as sent.
    list(overtaken.select_for_update(no_key=True).values_list("pk"))
    Change.objects.filter(case__in=cases).unticked().update(replaced_at=at)
    with connection.cursor() as cursor:
        cursor.execute(NEW_CHANGES, {"at": at, "cases": cases})
        changes = [pk for (pk,) in cursor.fetchall()]
        written = 0
        for channel in (Message.Channel.IN_APP, *channels):
            in_app = channel == Message.Channel.IN_APP
            cursor.execute(
                NEW_MESSAGES,
                {
                    "at": at,
                    "day": clock.day_of(at),
                    "channel": channel,
                    "state": Message.State.SENT if in_app else Message.State.DUE,
                    "sent_at": at if in_app else None,
                    "not_before": at if in_app else after_quiet(at),
                    "unsent": list(UNSENT),
                    "changes": changes,
                },
            )
            written += cursor.rowcount
    overtaken.exclude(change__in=changes).update(state=Message.State.DROPPED)
    return written


def change_still_holds() -> Q:
    """Return the condition that a message's change was not replaced and its case is open."""
    still_open = Case.objects.filter(pk=OuterRef("case_id"), closed_on=None)
    return Q(Exists(still_open), change__replaced_at=None)


def by_grid(changes: ChangeQuerySet) -> list[tuple[Area, int]]:
    """Return the number of `changes` of each grid, in the order of the tree. Two queries."""
    counts = dict(changes.order_by().values_list("grid").annotate(Count("pk")))
    grids = Area.objects.filter(pk__in=counts).order_by("path")
    return [(grid, counts[grid.pk]) for grid in grids]


@transaction.atomic
def tick(*, changes: ChangeQuerySet, at: datetime, by: User) -> int:
    """Tick off the `changes` that nobody has ticked; return their number."""
    return changes.unticked().update(ticked_at=at, ticked_by=by)
