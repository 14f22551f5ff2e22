"""
What a decision on an activation would change for everybody under a measure, without writing it.

People are counted, each once. Who is under one ground is counted by that; who is under several by
what these make together, so that a ground that ends changes nothing where another holds longer.
The cases are grouped as the sweep groups them and planned by the same functions, so that applying
gives the very same numbers. What is behind a number is found again by the keys of its groups.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from accounts.staff.models import Area
from common import clock
from policy.activations.governing import Governing, governing
from policy.engine.calendars.laying import Calendar
from policy.models import Activation
from quarantine.cases.calendars import histories_of, lay
from quarantine.cases.governing_law import Followed, followed_under, freeing_clause_of
from quarantine.models import NEEDS_DECISION, Case, CaseQuerySet, Plan
from quarantine.switching.groups import (
    PEOPLE_SEVERAL,
    PICKED_ALONE,
    PICKED_SEVERAL,
    CalendarSummary,
    CaseGroup,
    GroupAnswers,
    LegalContexts,
    calendar_summary,
    groups_in,
    legal_contexts_of,
    people_in,
    together,
)

# The chart shows two weeks.
DAYS = 14


class SwitchOutcome(models.TextChoices):
    """What becomes of a case, in the order in which a page lists it."""

    LENGTHENED = "lengthened", _("Lengthened")
    DECISION = "decision", _("Needs a human")
    MOVED = "moved", _("Moved to another setting")
    TESTS = "tests", _("Other test days")
    SHORTENED = "shortened", _("Shortened")
    RELEASED = "released", _("May be released at once")
    KEPT = "kept", _("Unchanged")


@dataclass
class SwitchPreview:
    """
    The effect of a decision on the people under a measure in an area, counted.

    `keys` leads from an outcome to the groups of cases behind its number, for `people`, and
    `keys_of_several` to those of people under several grounds.
    """

    at: datetime
    day: date  # from which the law would be another
    scopes: LegalContexts
    total: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    in_grid: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    tests_before: Counter[date] = field(default_factory=Counter)
    tests_after: Counter[date] = field(default_factory=Counter)
    keys: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    keys_of_several: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    # The decision is applied already: the calendars as they stand are those after it.
    applied: bool = False
    # By subject: whom a stricter rule would reach if the proposer chose so.
    spared: Counter[str] = field(default_factory=Counter)

    @property
    def today(self) -> date:
        """The day on which what becomes of people is judged: of the change, once it is made."""
        return self.day if self.applied else clock.day_of(self.at)

    @property
    def days(self) -> list[date]:
        """The two weeks from the day of the switch on."""
        return [self.day + timedelta(days=number) for number in range(DAYS)]


@dataclass(frozen=True)
class AffectedCase:
    """One case behind a number, with its calendar before and after, and the law of each."""

    case: Case
    outcome: SwitchOutcome
    before: Calendar
    after: Calendar
    followed: Followed | None  # None where nothing follows from the facts


def preview(*, activation: Activation, at: datetime, withdrawn: bool = False) -> SwitchPreview:
    """
    Return what approving an activation would change in its area, or what withdrawing it would.

    Counted on live data as of now. The day of the switch is the activation's first day, or today
    where that has passed or it is withdrawn. Six queries.
    """
    day = clock.day_of(at if withdrawn else max(activation.effective_from, at))
    governs = _governing(activation, at=at, withdrawn=withdrawn)
    grids = Area.objects.filter(level=Area.Level.GRID, path__startswith=activation.area.path)
    scopes = legal_contexts_of({grid.pk: grid for grid in grids}, governs)
    return _counted(SwitchPreview(at, day, scopes))


def _counted(result: SwitchPreview) -> SwitchPreview:
    """Count everybody, each once."""
    scopes = result.scopes
    answers = GroupAnswers(today=result.today)
    for places in groups_in(PICKED_ALONE, scopes):
        group, in_grid = [places.group], places.in_grid
        result.keys[_count(result, group, in_grid, answers)].append(places.key)
    several = {places.key: places.group for places in groups_in(PICKED_SEVERAL, scopes)}
    for people in people_in(scopes):
        groups = [several[key] for key in people.keys.split() if key in several]
        if groups:  # else all were changed since
            outcome = _count(result, groups, {people.grid: people.number}, answers)
            result.keys_of_several[outcome].append(people.keys)
    return result


def effect_of(*, activation: Activation, at: datetime) -> SwitchPreview:
    """
    Return what a decision in force has changed for the people who are under a measure now.

    They are compared with what they would be under without it, by the functions that preview and
    sweep use: right after the sweep the numbers are those of the preview. Six queries.
    """
    began = max(activation.effective_from, activation.approved_at or activation.effective_from)
    grids = Area.objects.filter(level=Area.Level.GRID, path__startswith=activation.area.path)
    without = governing(at=at, without=activation)
    scopes = legal_contexts_of({grid.pk: grid for grid in grids}, without)
    return _counted(SwitchPreview(at, clock.day_of(began), scopes, applied=True))


def _governing(activation: Activation, *, at: datetime, withdrawn: bool) -> Governing:
    if withdrawn:
        return governing(at=at, without=activation)
    return governing(at=at, also=activation)


def _count(
    result: SwitchPreview,
    groups: Sequence[CaseGroup],
    in_grid: Mapping[int, int],
    answers: GroupAnswers,
) -> SwitchOutcome:
    """Count people who are under the same grounds, and return what becomes of them."""
    number = sum(in_grid.values())
    if result.applied:
        followed: list[Followed | None] = [_as_it_stands(group) for group in groups]
    else:
        followed = [answers.followed(group) for group in groups]
    laid = (
        together([answers.before(group) for group in groups]),
        together([answers.after(group) for group in groups]),
    )
    before, after = reversed(laid) if result.applied else laid
    decides = next((one for one in followed if _needs_decision(one)), followed[0])
    outcome = outcome_of(before, after, decides, day=result.day, today=answers.today)
    result.total += number
    for subject in {one.spared for one in followed if one is not None and one.spared}:
        result.spared[subject] += number
    result.counts[outcome] += number
    for grid, count in in_grid.items():
        result.in_grid[grid][outcome] += count
    for day in before.open_tests:
        result.tests_before[day] += number
    for day in after.open_tests:
        result.tests_after[day] += number
    return outcome


def _as_it_stands(case: CaseGroup | Case) -> Followed:
    """Return what a case follows by its columns."""
    return Followed(plan=None, activation=None, law=case.law, transition=case.transition)


def _needs_decision(followed: Followed | None) -> bool:
    return followed is None or followed.transition in NEEDS_DECISION


def outcome_of(
    before: CalendarSummary,
    after: CalendarSummary,
    followed: Followed | None,
    *,
    day: date,
    today: date,
) -> SwitchOutcome:
    """Return what becomes of a case whose calendar changes on a day."""
    if _needs_decision(followed):
        return SwitchOutcome.DECISION
    old, new = before.release_on, after.release_on
    if old is not None and old < day:
        # Over before the switch: overdue today, or still to be released in time.
        return SwitchOutcome.DECISION if old < today else SwitchOutcome.KEPT
    tests = [_cancellable_tests(laid, day, today) for laid in (before, after)]
    if new is None or new <= day:
        # Who may go by that day anyway is freed of tests at most.
        if old not in (new, day) or (tests[0] and not tests[1]):
            return SwitchOutcome.RELEASED
    elif old != new:
        return SwitchOutcome.LENGTHENED if old is None or new > old else SwitchOutcome.SHORTENED
    elif _held_settings(before, day) != _held_settings(after, day):
        return SwitchOutcome.MOVED
    return SwitchOutcome.KEPT if tests[0] == tests[1] else SwitchOutcome.TESTS


def _held_settings(laid: CalendarSummary, day: date) -> list[tuple[str, date]]:
    """Return the settings in which the person is held from a day on."""
    return [setting for setting in laid.settings if setting[1] >= day]


def _cancellable_tests(laid: CalendarSummary, day: date, today: date) -> list[date]:
    """Return the tests that a switch on a day may cancel: what is due until then will be done."""
    return [test for test in laid.open_tests if test >= day or test < today]


def affected_cases(
    *,
    switch_preview: SwitchPreview,
    outcome: str,
    cases: CaseQuerySet,
    after: int | None = None,
    size: int = 25,
) -> list[AffectedCase]:
    """
    Return a page of the cases behind a number, by primary key, following `after`.

    `cases` limits them to what the reader may see (`visible_to`). Of people under several grounds
    the calendars are those of the one that governs. At most seven queries.
    """
    pks = _affected_pks(switch_preview, outcome, cases, after, size)
    rows = cases.filter(pk__in=pks).select_related("plan", "grid", "resident").order_by("pk")
    page = with_both_calendars(cases=list(rows), switch_preview=switch_preview)
    people = [row.case.resident_id for row in page]
    of_several = set(
        Case.objects.beside().filter(resident__in=people).values_list("resident", flat=True)
    )
    return [
        replace(row, outcome=SwitchOutcome(outcome)) if row.case.resident_id in of_several else row
        for row in page
    ]


def _affected_pks(
    switch_preview: SwitchPreview, outcome: str, cases: CaseQuerySet, after: int | None, size: int
) -> list[int]:
    visible, parameters = cases.open().order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        visible_cases = cursor.mogrify(visible, parameters).decode()
        cursor.execute(
            f"""
            SELECT id FROM (
                SELECT id FROM ({PICKED_ALONE}) picked WHERE key = ANY(%(keys)s::uuid[])
                UNION ALL
                SELECT id FROM ({PEOPLE_SEVERAL}) people WHERE keys = ANY(%(keys_of_several)s)
            ) found
            WHERE id > %(after)s AND id IN ({visible_cases.replace("%", "%%")})
            ORDER BY id LIMIT %(size)s
            """,  # noqa: S608 - constants, and a query of Django's
            {
                **switch_preview.scopes.parameters,
                "keys": switch_preview.keys.get(outcome, []),
                "keys_of_several": switch_preview.keys_of_several.get(outcome, []),
                "after": after or 0,
                "size": size,
            },
        )
        return [pk for (pk,) in cursor.fetchall()]


def with_both_calendars(
    *, cases: Sequence[Case], switch_preview: SwitchPreview
) -> list[AffectedCase]:
    """Return cases with their calendars before and after. Three queries at most."""
    today = switch_preview.today
    histories = histories_of(cases)
    affected = []
    for case in cases:
        scope = switch_preview.scopes.all[switch_preview.scopes.of_grid[case.grid_id]]
        followed = followed_under(scope.ruling, case=case, place=scope.place)
        as_stored = lay(case, histories[case.pk], today)
        other = _as_followed(case, followed) if followed else case
        as_ruled = lay(other, histories[case.pk], today)
        before, after = as_stored, as_ruled
        if switch_preview.applied:
            before, after = as_ruled, as_stored
            followed = replace(_as_it_stands(case), freed_by=freeing_clause_of(case))
        outcome = outcome_of(
            calendar_summary(before),
            calendar_summary(after),
            followed,
            day=switch_preview.day,
            today=today,
        )
        affected.append(AffectedCase(case, outcome, before, after, followed))
    return affected


def _as_followed(case: Case, followed: Followed) -> Case:
    """Return a copy of a case as the sweep would leave it; never to be saved."""
    case_after = copy(case)
    case_after._state = copy(case._state)
    case_after._state.fields_cache = {**case._state.fields_cache}
    for name, value in followed.columns.items():
        setattr(case_after, name, value)
    plan = followed.plan
    if plan is not None:
        case_after.plan = Plan(digest=plan.digest, content=plan.to_json())
    return case_after
