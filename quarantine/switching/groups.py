"""
Groups of open cases that any law treats alike, found by one GROUP BY.

Two cases are alike in a county when their facts, law of opening, day 1, history and exception are
equal, and so is what was derived from them before. A hundred thousand cases are some thousand
groups; each is planned once, and what is found holds for all of its cases.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.db import connection

from accounts.staff.models import Area
from policy.activations.governing import Governing
from policy.engine.calendars.laying import Calendar
from policy.engine.calendars.plans import Plan as EnginePlan
from policy.services import library
from quarantine.cases.calendars import decode_history, lay_plan
from quarantine.cases.governing_law import Followed, Ruling, followed_or_none, ruling
from quarantine.cases.plans import all_plans
from quarantine.cases.standing import ground, standing_of

# The columns that `follow`, the calendar before and the calendar after depend on.
COLUMNS = (
    *("opened_under", "facts", "day_1", "history", "excepted"),
    *("plan_id", "law", "law_from", "freed_on", "transition"),
)
# The age of a proof in seconds matters only as far as some document asks for hours.
_AGE = "-COALESCE(c.facts->'proof'->>0, c.facts->'proof'->>1)::bigint"
_FACTS = f"""
    CASE WHEN c.facts ? 'proof'
        THEN (c.facts - 'proof')::text || COALESCE(width_bucket({_AGE}, %(ages)s::bigint[]), -1)
        ELSE c.facts::text END
"""
# Equal keys, equal groups: 128 bits of everything that matters.
_KEY = f"""
    md5(concat_ws('|', g.scope, c.opened_under, c.day_1, c.history, 'e' || c.excepted, c.plan_id,
        c.law, c.transition, COALESCE(c.law_from::text, '-'), COALESCE(c.freed_on::text, '-'),
        {_FACTS}))::uuid
"""
_OPEN_IN_GRIDS = """
    FROM quarantine_case c
    JOIN unnest(%(grids)s::bigint[], %(scopes)s::int[]) AS g (grid, scope) ON g.grid = c.grid_id
    WHERE c.closed_on IS NULL
"""
_OF_SEVERAL = "SELECT resident_id FROM quarantine_case WHERE closed_on IS NULL AND NOT governs"
# The open cases in some grids with their key; `g.scope` says what governs the grid, and where.
PICKED = f"""
    SELECT c.id, c.version, c.grid_id, g.scope, {_KEY} AS key {_OPEN_IN_GRIDS}
"""
# Of these the cases of people who are under one ground alone: one for each person.
PICKED_ALONE = f"{PICKED} AND c.resident_id NOT IN ({_OF_SEVERAL})"
# The cases of the other people.
PICKED_SEVERAL = f"""
    SELECT c.id, c.version, c.grid_id, g.scope, {_KEY} AS key, c.resident_id, c.governs
    {_OPEN_IN_GRIDS} AND c.resident_id IN ({_OF_SEVERAL})
"""
# One row for each of them: the case that governs, its grid, and the keys of all grounds.
PEOPLE_SEVERAL = f"""
    SELECT max(id) FILTER (WHERE governs) AS id, max(grid_id) FILTER (WHERE governs) AS grid_id,
        string_agg(key::text, ' ' ORDER BY key::text) AS keys
    FROM ({PICKED_SEVERAL}) several GROUP BY resident_id
"""  # noqa: S608 - constants


class LegalContext(NamedTuple):
    """What the law depends on besides the case: what governs a grid, and its county."""

    ruling: Ruling | None
    place: str


@dataclass(frozen=True)
class LegalContexts:
    """The legal contexts of some grids, numbered, and the context of each grid."""

    all: list[LegalContext]
    of_grid: Mapping[int, int]

    @property
    def parameters(self) -> dict[str, Any]:
        """What `PICKED` asks for."""
        return {
            "grids": list(self.of_grid),
            "scopes": list(self.of_grid.values()),
            "ages": _proof_ages(),
        }


def legal_contexts_of(grids: Mapping[int, Area], governing: Governing) -> LegalContexts:
    """Return the legal contexts of some grids, by primary key, under what governs them."""
    numbers: dict[LegalContext, int] = {}
    rulings: dict[int | None, Ruling | None] = {}
    of_grid = {}
    for pk, grid in grids.items():
        activation = governing.at(grid.path)
        key = activation.pk if activation else None
        if key not in rulings:
            rulings[key] = ruling(activation)
        of_grid[pk] = numbers.setdefault(
            LegalContext(rulings[key], grid.county_code), len(numbers)
        )
    return LegalContexts(list(numbers), of_grid)


def _proof_ages() -> list[int]:
    """Return the ages, in seconds, at which a proof begins to be good and ceases to be."""
    hours = {hours for document in library().documents for hours in _proof_hours(document)}
    return [-24 * 3600 + 1, *(limit * 3600 + 1 for limit in sorted(hours))]


def _proof_hours(document: str) -> tuple[int, ...]:
    return library().law(document).proof_hours


class CaseGroup(NamedTuple):
    """Cases that are alike: their columns, and what governs their grids."""

    scope: LegalContext
    opened_under: str
    facts: str  # JSON
    day_1: date
    history: str
    excepted: str
    plan_id: int
    law: str
    law_from: date | None
    freed_on: date | None
    transition: str


class CalendarSummary(NamedTuple):
    """The parts of a calendar that a switch needs; many calendars share one summary."""

    plan: EnginePlan
    start: date
    next_test_on: date | None
    release_on: date | None
    open_tests: tuple[date, ...]
    settings: tuple[tuple[str, date], ...]  # in which somebody is held, each with its last day


class GroupAnswers:
    """The law's answers for groups, each question put once."""

    def __init__(self, *, today: date) -> None:
        self.today = today
        self._plans = all_plans()
        self._followed: dict[tuple[object, ...], Followed | None] = {}
        self._laid: dict[tuple[object, ...], CalendarSummary] = {}

    def followed(self, group: CaseGroup) -> Followed | None:
        """
        Return which law these cases follow under what governs them, and what it asks.

        None where nothing follows from the facts: such cases keep their plan for a human.
        """
        scope, facts, day_1 = group.scope, group.facts, group.day_1
        key = (id(scope), facts, day_1, group.opened_under, group.excepted)
        if key not in self._followed:
            self._followed[key] = followed_or_none(
                facts=json.loads(facts),
                day_1=day_1,
                opened_under=group.opened_under,
                place=scope.place,
                ruling=scope.ruling,
                excepted=group.excepted,
            )
        return self._followed[key]

    def before(self, group: CaseGroup) -> CalendarSummary:
        """Return the calendar that these cases have now."""
        plan = self._plans[group.plan_id]
        return self._lay(plan, group, group.law_from, group.freed_on, group.transition)

    def after(self, group: CaseGroup) -> CalendarSummary:
        """Return the calendar that these cases will have."""
        followed = self.followed(group)
        if followed is None or followed.plan is None:
            return self.before(group)
        return self._lay(
            followed.plan, group, followed.law_from, followed.freed_on, followed.transition
        )

    def _lay(
        self,
        plan: EnginePlan,
        group: CaseGroup,
        law_from: date | None,
        freed_on: date | None,
        transition: str,
    ) -> CalendarSummary:
        key = (plan.digest, group.day_1, group.history, law_from, freed_on, transition)
        if key not in self._laid:
            laid = lay_plan(
                plan,
                group.day_1,
                decode_history(group.history, group.day_1),
                today=self.today,
                law_from=law_from,
                freed_on=freed_on,
                transition=transition,
            )
            self._laid[key] = calendar_summary(laid)
        return self._laid[key]


def calendar_summary(laid: Calendar) -> CalendarSummary:
    """Return the summary of a calendar."""
    return CalendarSummary(
        laid.plan,
        laid.start,
        laid.next_test_on,
        laid.earliest_release,
        tuple(laid.open_tests),
        tuple(_settings(laid)),
    )


def together(grounds: Sequence[CalendarSummary]) -> CalendarSummary:
    """Return what several grounds ask of one person: all tests, and the standing's day."""
    standing = standing_of(
        [
            ground(one.plan, one.next_test_on, one.release_on, one.start, place)
            for place, one in enumerate(grounds)
        ]
    )
    tests = sorted({day for one in grounds for day in one.open_tests})
    return grounds[standing.governing.pk]._replace(
        next_test_on=standing.next_test_on,
        release_on=standing.release_on,
        open_tests=tuple(tests),
    )


def _settings(laid: Calendar) -> Iterator[tuple[str, date]]:
    held = [stage for stage in laid.stages if stage.force == "must"]
    for place, stage in enumerate(held):
        if place + 1 == len(held) or held[place + 1].setting != stage.setting:
            yield stage.setting, stage.last_day


class GroupPlaces(NamedTuple):
    """One group with its key, and how many of its cases lie in which grid."""

    key: str
    group: CaseGroup
    in_grid: dict[int, int]

    @property
    def number(self) -> int:
        """How many cases are alike."""
        return sum(self.in_grid.values())


def groups_in(picked: str, scopes: LegalContexts) -> list[GroupPlaces]:
    """
    Return the groups among what `picked` selects, as of one moment. One query.

    A group whose first case was changed since is left out.
    """
    columns = ", ".join(f"c.{name}" for name in COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH picked AS MATERIALIZED ({picked}), counted AS (
                SELECT key, scope, grid_id, count(*) AS number, min(id) AS id
                FROM picked GROUP BY key, scope, grid_id
            ), firsts AS (
                SELECT key, min(id) AS id FROM counted GROUP BY key
            )
            SELECT counted.key::text, counted.scope, counted.grid_id, counted.number, {columns}
            FROM counted
            LEFT JOIN firsts USING (key, id)
            LEFT JOIN picked ON picked.id = firsts.id
            LEFT JOIN quarantine_case c ON c.id = firsts.id AND c.version = picked.version
            """,  # noqa: S608 - constants
            scopes.parameters,
        )
        rows = cursor.fetchall()
    groups: dict[str, CaseGroup] = {}
    in_grid: dict[str, dict[int, int]] = {}
    for key, scope, grid, number, *columns_of_first in rows:
        in_grid.setdefault(key, {})[grid] = number
        if columns_of_first[0] is not None:
            groups[key] = CaseGroup(scopes.all[scope], *columns_of_first)
    return [GroupPlaces(key, group, in_grid[key]) for key, group in groups.items()]


class PeopleAlike(NamedTuple):
    """How many people in a grid are under the same several grounds."""

    keys: str  # of the grounds' groups, with spaces between
    grid: int
    number: int


def people_in(scopes: LegalContexts) -> list[PeopleAlike]:
    """Return the people under several grounds in some grids, those alike counted. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT keys, grid_id, count(*) FROM ({PEOPLE_SEVERAL}) people GROUP BY 1, 2",  # noqa: S608
            scopes.parameters,
        )
        return [PeopleAlike(*row) for row in cursor.fetchall()]
