"""Acts that meet: whatever comes first, nothing is lost and nobody goes who tested positive."""

import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.staff.models import Area
from common.errors import RefusedError
from quarantine.acts.release import Released, release
from quarantine.acts.results import record_result, take_sample
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.duplicates import merging
from quarantine.models import Case, Event
from quarantine.todo.models import Todo
from residents.register.models import Resident
from residents.rosters import services
from residents.rosters.models import Roster, RosterRow
from testing.models import NATResult
from tests.concurrency import at_once
from tests.factories import (
    NOW,
    make_case,
    make_grid,
    make_household,
    make_resident,
    make_result,
    make_user,
    moment,
)
from tests.residents.rosters import steps

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 100
LAST = moment(date(2022, 11, 24), 16)
THEN = moment(date(2022, 11, 25), 16)


def release_while_a_positive_arrives() -> str:
    """Release somebody in the moment in which the laboratory reports them; say what was first."""
    case, by = make_case(), make_user()
    for day in (20, 22, 24):
        make_result(case, date(2022, 11, day))
    taken = moment(THEN.date(), 12)
    sample = take_sample(case=case, taken_at=taken, at=taken, by=by)

    released, recorded = at_once(
        a_moment_later(lambda: release(cases=[Case.objects.get(pk=case.pk)], at=THEN, by=by)),
        a_moment_later(
            lambda: record_result(
                sample=sample,
                outcome=NATResult.Outcome.POSITIVE,
                ct=None,
                reported_at=THEN,
                at=THEN,
                by=by,
                confirmed=True,
            )
        ),
    )

    assert isinstance(released, Released)
    assert not isinstance(recorded, RefusedError), recorded
    assert NATResult.objects.filter(sample=sample, outcome="positive").count() == 1
    case.refresh_from_db()
    alarmed = Todo.objects.filter(resident=case.resident).exists()
    noted = Event.objects.filter(case__resident=case.resident, kind=Event.Kind.POSITIVE).exists()
    opened = Case.objects.open().filter(resident=case.resident).exclude(pk=case.pk).exists()
    assert alarmed or noted or opened
    if released.released:
        assert alarmed, "gone, and nobody was told"
    else:
        assert case.closed_as != Case.ClosedAs.RELEASED
    return "released" if released.released else "kept"


def release_while_the_last_negative_arrives() -> str:
    """Release somebody in the moment in which what they wait for comes; say what was first."""
    case, by = make_case(), make_user()
    for day in (20, 22):
        make_result(case, date(2022, 11, day))
    taken = moment(LAST.date(), 12)
    sample = take_sample(case=case, taken_at=taken, at=taken, by=by)

    def record() -> Any:
        return record_result(
            sample=sample,
            outcome=NATResult.Outcome.NEGATIVE,
            ct=None,
            reported_at=LAST,
            at=LAST,
            by=by,
        )

    released, recorded = at_once(
        a_moment_later(lambda: release(cases=[Case.objects.get(pk=case.pk)], at=LAST, by=by)),
        a_moment_later(record),
    )

    assert not isinstance(recorded, RefusedError), recorded
    case.refresh_from_db()
    assert (case.closed_as == Case.ClosedAs.RELEASED) == bool(released.released)
    if not released.released:
        assert release(cases=[case], at=LAST, by=by).released
    return "released" if released.released else "told to wait"


def merge_while_a_roster_is_imported() -> str:
    """Merge two entries of which a roster in work changes one; say what became of the row."""
    grid = make_grid()
    community = Area.objects.get_parent(grid)
    home = make_household(grid=grid)
    kept, merged = (make_resident(household=home, name="李小明") for _ in range(2))
    door = (grid.name, home.building.name, "1", home.door)
    rows = [
        ["李小明", each.number, f"139001390{number:02}", *door]
        for number, each in enumerate((kept, merged))
    ]
    by = make_user("supervisor", community)
    roster = steps.checked(steps.workbook(*rows), community, by)
    assert roster.state == Roster.State.CHECKED
    for resident in (kept, merged):
        resident.refresh_from_db()

    def join() -> Any:
        try:
            return merging.merge(
                kept=kept,
                merged=merged,
                versions=(kept.version, merged.version),
                take=[],
                at=NOW,
                by=by,
            )
        except ValidationError as changed:
            return changed

    answers = at_once(a_moment_later(join), lambda: _imported(roster, by))

    roster = answers[1]
    assert roster.state == Roster.State.APPLIED
    assert steps.in_balance(roster)
    kept.refresh_from_db()
    joined = not isinstance(answers[0], ValidationError)
    assert Resident.objects.here().filter(household=home).count() == (1 if joined else 2)
    outcomes = RosterRow.objects.filter(roster=roster).values_list("outcome", flat=True)
    return f"{'merged' if joined else 'not merged'}, {dict(Counter(outcomes))}"


def a_moment_later(act: Callable[[], Any]) -> Callable[[], Any]:
    """Let now this act be first and now the other."""

    def later() -> Any:
        time.sleep(random.uniform(0, 1))  # noqa: S311 - no secret
        return act()

    return later


def _imported(roster: Roster, by: Any) -> Roster:
    services.take_over(roster=roster, at=NOW, by=by)
    return steps.worked_on(roster)


RACES: list[Callable[[], str]] = [
    release_while_a_positive_arrives,
    release_while_the_last_negative_arrives,
    merge_while_a_roster_is_imported,
]


@pytest.mark.parametrize("race", RACES)
def test_a_race_has_a_winner_and_no_loser(race: Callable[[], str]) -> None:
    for _ in range(3):
        race()
    assert unexplained_cases() == []


@pytest.mark.attack
@pytest.mark.parametrize("race", RACES)
def test_many_races_have_winners_and_no_loser(race: Callable[[], str]) -> None:
    ends = Counter(race() for _ in range(TIMES))

    assert unexplained_cases() == []
    print(f"\n{TIMES} times {race.__name__}: {dict(ends)}")  # noqa: T201 - the figures are the point
