"""
Bringing open cases under the activation that governs their grid, set by set.

The sweep asks which open cases were last derived under another activation than the one in force,
plans each group of cases alike once, and writes what follows in chunks, each a transaction of its
own that takes only cases nobody has changed since they were read. So it may be killed at any
moment and started again, runs twice without harm, and what is edited meanwhile is taken by the
next pass. It closes no case and releases nobody.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Count, Model
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import Area
from common import clock, locks
from policy.activations.governing import Governing, governing
from policy.models import Activation
from quarantine.cases import standing
from quarantine.cases.plans import store_plans
from quarantine.models import Case, CaseQuerySet
from quarantine.switching.groups import (
    PICKED,
    GroupAnswers,
    GroupPlaces,
    LegalContexts,
    groups_in,
    legal_contexts_of,
)
from residents.register.models import Resident

# A rival edit of one of these cases waits as long as their update takes.
CHUNK = 5_000
# What the audit says of a chunk.
FOLLOWED = gettext_noop("brought cases under the document in force")
# Cases that are changed as often as they are read are left to the next run.
MOST_PASSES = 20


@dataclass(frozen=True)
class Progress:
    """How many open cases of an area are still to be derived anew, and how many there are."""

    left: int
    total: int

    @property
    def percent(self) -> int:
        """How much is done, rounded down: 100 means all."""
        return 100 * (self.total - self.left) // self.total if self.total else 100


def sweep(*, at: datetime, chunk: int = CHUNK) -> int:
    """
    Derive every outdated open case anew, and return how many were.

    Returns 0 while another sweep is at work. Costs two or three short queries where nothing is
    outdated.
    """
    if not outdated_grids(at=at):
        return 0
    with locks.held(locks.SWITCH, wait=False) as alone:
        return _sweep(at, chunk) if alone else 0


def _sweep(at: datetime, chunk: int) -> int:
    done = 0
    for _ in range(MOST_PASSES):
        governs = governing(at=at)
        grids = outdated_grids(at=at, governs=governs)
        if not grids:
            break
        passed = _pass(legal_contexts_of(grids, governs), today=clock.day_of(at), chunk=chunk)
        done += passed
    return done


def outdated_grids(*, at: datetime, governs: Governing | None = None) -> dict[int, Area]:
    """
    Return the grids with open cases that another activation governs than they were derived under.

    Looks at the ends of an index for each grid, so that it is cheap to ask often.
    """
    governs = governs or governing(at=at)
    grids = {grid.pk: grid for grid in Area.objects.filter(level=Area.Level.GRID)}
    activations = {pk: governs.at(grid.path) for pk, grid in grids.items()}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT g.grid FROM unnest(%s::bigint[], %s::bigint[]) AS g (grid, activation)
            WHERE EXISTS ({_OPEN} AND c.activation_id < g.activation)
                OR EXISTS ({_OPEN} AND c.activation_id > g.activation)
                OR g.activation IS NOT NULL AND EXISTS ({_OPEN} AND c.activation_id IS NULL)
                OR g.activation IS NULL AND EXISTS ({_OPEN} AND c.activation_id IS NOT NULL)
            """,  # noqa: S608 - a constant
            [
                list(activations),
                [activation.pk if activation else None for activation in activations.values()],
            ],
        )
        return {pk: grids[pk] for (pk,) in cursor.fetchall()}


_OPEN = "SELECT FROM quarantine_case c WHERE c.grid_id = g.grid AND c.closed_on IS NULL"


def progress(*, cases: CaseQuerySet, at: datetime) -> Progress:
    """Return how far the sweep has come among the open ones of `cases`."""
    governs = governing(at=at)
    counted = cases.open().values_list("grid", "grid__path", "activation")
    remaining = total = 0
    for _, path, activation, number in counted.annotate(Count("pk")).order_by():
        current = governs.at(path)
        total += number
        remaining += 0 if activation == (current.pk if current else None) else number
    return Progress(remaining, total)


class _Answer(NamedTuple):
    """What is written on the cases of a group."""

    activation_id: int | None
    law: str
    law_from: date | None
    freed_on: date | None
    transition: str
    plan_id: int
    next_test_on: date | None
    release_on: date | None


class _Picked(NamedTuple):
    """The cases of a chunk, in columns that only PostgreSQL reads; `groups` are numbers."""

    ids: str
    versions: str
    groups: str


def _pass(scopes: LegalContexts, *, today: date, chunk: int) -> int:
    """Derive the outdated cases of some grids, as they are read at one moment."""
    groups, chunks = _pick(scopes, chunk)
    answers = list(_planned(groups, today=today))
    return sum(_write(picked, answers, today=today) for picked in chunks)


@transaction.atomic  # a temporary table lasts no longer behind a pooler
def _pick(scopes: LegalContexts, chunk: int) -> tuple[list[GroupPlaces], list[_Picked]]:
    """Return the groups among the outdated cases, and these cases chunk by chunk."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE TEMPORARY TABLE picked AS {PICKED}
                AND c.activation_id IS DISTINCT FROM (%(activations)s::bigint[])[scope + 1]
                ORDER BY c.id;
            ANALYZE picked
            """,
            {
                **scopes.parameters,
                "activations": [
                    scope.ruling.activation if scope.ruling else None for scope in scopes.all
                ],
            },
        )
        groups = groups_in("SELECT * FROM pg_temp.picked", scopes)
        cursor.execute(
            """
            SELECT array_agg(id)::text, array_agg(version)::text, array_agg(number)::text FROM (
                SELECT id, version, number - 1 AS number,
                    (row_number() OVER (ORDER BY id) - 1) / %s AS chunk
                FROM pg_temp.picked
                JOIN unnest(%s::uuid[]) WITH ORDINALITY AS known (key, number) USING (key)
            ) numbered GROUP BY chunk ORDER BY min(id)
            """,
            [chunk, [places.key for places in groups]],
        )
        chunks = [_Picked(*row) for row in cursor.fetchall()]
        cursor.execute("DROP TABLE pg_temp.picked")
    return groups, chunks


def _planned(groups: Sequence[GroupPlaces], *, today: date) -> Iterator[_Answer]:
    """Return what is written on the cases of each group."""
    answers = GroupAnswers(today=today)
    followed = [(places, answers.followed(places.group)) for places in groups]
    rows = store_plans([outcome.plan for _, outcome in followed if outcome and outcome.plan])
    for places, outcome in followed:
        group, laid = places.group, answers.after(places.group)
        if outcome is None or outcome.plan is None:
            ruling = group.scope.ruling
            yield _Answer(
                *(ruling.activation if ruling else None, group.law, group.law_from),
                *(group.freed_on, Case.Transition.UNDECIDED, group.plan_id),
                *(laid.next_test_on, laid.release_on),
            )
        else:
            yield _Answer(
                *(outcome.activation, outcome.law, outcome.law_from, outcome.freed_on),
                *(outcome.transition, rows[outcome.plan.digest].pk),
                *(laid.next_test_on, laid.release_on),
            )


# The people of a chunk who are under several grounds: their days are not those of one case.
_OF_SEVERAL = """
    SELECT DISTINCT b.resident_id FROM quarantine_case b
    JOIN quarantine_case c ON c.resident_id = b.resident_id
    WHERE b.closed_on IS NULL AND NOT b.governs AND c.id = ANY(%s::bigint[])
"""


@transaction.atomic
def _write(picked: _Picked, answers: Sequence[_Answer], *, today: date) -> int:
    """Write a chunk: the cases that are as they were read, and the standing of their people."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_SEVERAL, [picked.ids])
        of_several = [resident for (resident,) in cursor.fetchall()]
        standing.hold_all(Resident.objects.filter(pk__in=of_several))
        cursor.execute(
            """
            WITH written AS (
                UPDATE quarantine_case c SET
                    activation_id = n.activation_id, law = n.law, law_from = n.law_from,
                    freed_on = n.freed_on, transition = n.transition, plan_id = n.plan_id,
                    next_test_on = n.next_test_on, release_on = n.release_on,
                    version = c.version + 1
                FROM unnest(%s::bigint[], %s::int[], %s::int[]) AS p (id, version, number)
                JOIN json_to_recordset(%s) AS n (
                    number int, activation_id bigint, law varchar, law_from date, freed_on date,
                    transition varchar, plan_id bigint, next_test_on date, release_on date
                ) USING (number)
                WHERE c.id = p.id AND c.version = p.version AND c.closed_on IS NULL
                RETURNING c.activation_id, c.transition
            )
            SELECT activation_id, transition, count(*) FROM written GROUP BY 1, 2
            """,
            [*picked, _as_json(picked, answers)],
        )
        counted = cursor.fetchall()
    standing.settle(of_several, today=today)
    _audit(counted)
    return sum(number for *_, number in counted)


def _as_json(picked: _Picked, answers: Sequence[_Answer]) -> str:
    """Return the answers that a chunk needs, each with its number."""
    numbers = set(map(int, picked.groups.strip("{}").split(",")))
    return json.dumps(
        [{"number": number, **answers[number]._asdict()} for number in numbers], default=str
    )


def _audit(counted: Iterable[tuple[int | None, str, int]]) -> None:
    """Write down how many cases a chunk brought under which activation, and with what result."""
    by_activation: dict[int | None, dict[str, int]] = {}
    for activation, result, number in counted:
        by_activation.setdefault(activation, {})[result or "opening"] = number
    for activation, results in by_activation.items():
        # Where nothing governs any more, the country stands for it.
        to: Model = Activation(pk=activation) if activation else Area.objects.filter(depth=1)[0]
        audit.record(by=None, did=FOLLOWED, to=to, cases=results)
