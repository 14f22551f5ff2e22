"""The nightly check that every open case follows from its facts, its rows and the law."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import F, TextField
from django.db.models.functions import Cast, Left
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from policy.engine.calendars.plans import Plan as EnginePlan
from policy.models import Activation
from quarantine.cases.calendars import decode_history, lay_plan
from quarantine.cases.governing_law import Ruling, followed_or_none, ruling
from quarantine.cases.standing import Ground, ground, standing_of
from quarantine.models import Case, Event, Plan

# What the audit says of a case that does not follow from its facts.
UNEXPLAINED = gettext_noop("unexplained case")

# Open cases whose history is not what the rows say; as `calendars.History.encoded_from`.
OTHER_HISTORY = """
    SELECT c.id FROM quarantine_case c
    LEFT JOIN LATERAL (
        SELECT string_agg(number || what, ' ' ORDER BY number, what COLLATE "C") AS history FROM (
            SELECT DISTINCT day - c.day_1 + 1 AS number, sign || ct
                || CASE WHEN sign IN ('', '~') OR known - day <= slack THEN ''
                    ELSE '@' || known - c.day_1 + 1 END AS what
            FROM (
                SELECT s.day,
                    COALESCE(trim_scale(CASE WHEN pool.up THEN single.ct ELSE r.ct END)::text, '')
                        AS ct,
                    CASE WHEN r.id IS NULL THEN ''
                        WHEN pool.up AND single.id IS NULL THEN
                            CASE WHEN pool.checked THEN '~' ELSE '?' END
                        WHEN COALESCE(single.outcome, r.outcome) = 'negative' THEN '-'
                        WHEN COALESCE(single.outcome, r.outcome) = 'positive' THEN '+'
                        ELSE '!' END AS sign,
                    CASE WHEN r.outcome IN ('negative', 'positive') THEN 0 ELSE 1 END AS slack,
                    (CASE WHEN r.outcome IN ('negative', 'positive')
                        THEN COALESCE(single.reported_at, r.reported_at)
                        ELSE r.recorded_at END AT TIME ZONE 'Asia/Shanghai')::date AS known
                FROM testing_sample s
                LEFT JOIN testing_natresult r ON r.sample_id = s.id AND r.withdrawn_at IS NULL
                CROSS JOIN LATERAL (
                    SELECT s.pooled AND r.outcome = 'positive' AS up, s.pooled AND EXISTS (
                        SELECT FROM testing_sample o WHERE o.resident_id = s.resident_id
                            AND o.withdrawn_at IS NULL AND NOT o.pooled AND o.day >= s.day
                            AND NOT EXISTS (SELECT FROM testing_natresult f
                                WHERE f.sample_id = o.id AND f.withdrawn_at IS NULL)
                    ) AS checked
                ) pool
                LEFT JOIN LATERAL (
                    SELECT f.id, f.outcome, f.ct, f.reported_at
                    FROM testing_sample o
                    JOIN testing_natresult f ON f.sample_id = o.id AND f.withdrawn_at IS NULL
                    WHERE s.pooled AND o.resident_id = s.resident_id AND o.withdrawn_at IS NULL
                        AND NOT o.pooled AND o.day >= s.day
                        AND f.outcome IN ('negative', 'positive')
                    ORDER BY o.day LIMIT 1
                ) single ON pool.up
                WHERE s.resident_id = c.resident_id AND s.withdrawn_at IS NULL
                    AND s.day >= c.day_1
                UNION ALL
                SELECT e.day, '', '!', 1, (e.at AT TIME ZONE 'Asia/Shanghai')::date
                FROM quarantine_event e JOIN quarantine_case o ON o.id = e.case_id
                WHERE o.resident_id = c.resident_id AND e.day >= c.day_1
                    AND e.kind = 'test_missed' AND e.withdrawn_at IS NULL
            ) fact
        ) happened
    ) said ON true
    WHERE c.closed_on IS NULL AND c.history <> COALESCE(said.history, '')
"""


class CaseRow(NamedTuple):
    """The columns of a case, and the place of its grid."""

    pk: int
    resident_id: int
    governs: bool
    packed: str
    day_1: date
    opened_under: str
    activation_id: int | None
    excepted: str
    history: str
    place: str
    plan_id: int
    law: str
    law_from: date | None
    freed_on: date | None
    transition: str
    next_test_on: date | None
    release_on: date | None


# What follows from the facts and the law: plan, document, days.
Answer = tuple[object, ...]


@transaction.atomic
def report_unexplained() -> int:
    """Write every unexplained case into the audit, for the auditor, and return how many."""
    unexplained = unexplained_cases()
    for case in unexplained:
        audit.record(by=None, did=UNEXPLAINED, to=case, law=case.law)
    return len(unexplained)


@transaction.atomic  # what is too much to be read at once is read by cursors
def unexplained_cases() -> list[Case]:
    """
    Return the open cases that do not follow from their stored facts under the law they name.

    Facts are relative to day 1, so cases with equal facts at one place share one decision. What
    a plan's row says is read anew: whoever can switch the triggers off can also change it. That
    the activation of a case is the one in force is for the sweep to see to.
    """
    check = _Check()
    with connection.cursor() as cursor:
        cursor.execute(OTHER_HISTORY)
        wrong = {pk for (pk,) in cursor.fetchall()}
    wrong.update(row.pk for row in _rows() if not check.holds(row))
    wrong.update(check.without_their_standing())
    return list(Case.objects.filter(pk__in=wrong).order_by("pk")) if wrong else []


def _rows() -> Iterator[CaseRow]:
    cases = Case.objects.open().annotate(
        packed=Cast("facts", TextField()), place=Left(F("grid__code"), 6)
    )
    return map(CaseRow._make, cases.values_list(*CaseRow._fields).iterator(chunk_size=5000))


class _Check:
    """The check of cases; each question is put to the law once."""

    def __init__(self) -> None:
        self.plans = {row.pk: plan for row in _plans() if (plan := _checked_plan(row))}
        activations = Activation.objects.prefetch_related("choices")
        self.rulings = {activation.pk: ruling(activation) for activation in activations}
        exceptions = Event.objects.valid().filter(kind=Event.Kind.EXCEPTION, case__closed_on=None)
        self.excepted: Mapping[int, str] = dict(
            exceptions.order_by("pk").values_list("case", "detail__excepted")
        )
        self._of_several = set(Case.objects.beside().values_list("resident", flat=True))
        # Of people with several grounds: each row with what its own calendar says.
        self._grounds: dict[int, list[tuple[CaseRow, Ground]]] = defaultdict(list)
        self._answers: dict[tuple[object, ...], Answer | None] = {}
        self._days: dict[tuple[object, ...], tuple[date | None, date | None]] = {}

    def holds(self, row: CaseRow) -> bool:
        """
        Say whether everything on a case follows from its facts and its history.

        The standing of people with several grounds is left for `without_their_standing`.
        """
        plan = self.plans.get(row.plan_id)
        if plan is None or row.excepted != self.excepted.get(row.pk, ""):
            return False
        columns = (plan.digest, row.law, row.law_from, row.freed_on, row.transition)
        days = self._laid(row, plan)
        if row.resident_id in self._of_several:
            own = ground(plan, *days, row.day_1, row.pk)
            self._grounds[row.resident_id].append((row, own))
            return columns == self._answer(row)
        return columns == self._answer(row) and (True, *days) == _standing_columns(row)

    def without_their_standing(self) -> Iterator[int]:
        """Yield the cases of people with several grounds that do not follow from all of these."""
        for rows in self._grounds.values():
            standing = standing_of([own for _row, own in rows])
            for row, own in rows:
                governs = own == standing.governing
                days = standing[1:] if governs else (own.next_test_on, own.release_on)
                if _standing_columns(row) != (governs, *days):
                    yield row.pk

    def _answer(self, row: CaseRow) -> Answer | None:
        ruling = self.rulings.get(row.activation_id or 0)
        # Day 1 matters where another law came in between.
        day_1 = row.day_1 if ruling and ruling.document != row.opened_under else None
        key = (row.packed, day_1, row.opened_under, row.place, ruling, row.excepted)
        if key not in self._answers:
            self._answers[key] = _followed(row, ruling)
        return self._answers[key]

    def _laid(self, row: CaseRow, plan: EnginePlan) -> tuple[date | None, date | None]:
        key = (row.plan_id, row.day_1, row.history, row.law_from, row.freed_on, row.transition)
        if key not in self._days:
            laid = lay_plan(
                plan,
                row.day_1,
                decode_history(row.history, row.day_1),
                today=row.day_1,  # neither day depends on it
                law_from=row.law_from,
                freed_on=row.freed_on,
                transition=row.transition,
            )
            self._days[key] = (laid.next_test_on, laid.earliest_release)
        return self._days[key]


def _standing_columns(row: CaseRow) -> tuple[object, ...]:
    return row.governs, row.next_test_on, row.release_on


def _plans() -> Iterator[Plan]:
    return Plan.objects.select_related("provision").iterator()


def _checked_plan(row: Plan) -> EnginePlan | None:
    """Return the plan of a row that has its digest and rests on its provision."""
    try:
        plan = EnginePlan.from_json(row.content)
    except (KeyError, TypeError, ValueError):
        return None
    provision = row.provision
    cites = (provision.document, provision.clause, provision.subject)
    agrees = plan.digest == row.digest and (plan.document, plan.clause, plan.subject) == cites
    return plan if agrees else None


def _followed(row: CaseRow, ruling: Ruling | None) -> Answer | None:
    followed = followed_or_none(
        facts=json.loads(row.packed),
        day_1=row.day_1,
        opened_under=row.opened_under,
        place=row.place,
        ruling=ruling,
        excepted=row.excepted,
    )
    if followed is None or followed.plan is None:
        return None
    return (
        followed.plan.digest,
        followed.law,
        followed.law_from,
        followed.freed_on,
        followed.transition,
    )
