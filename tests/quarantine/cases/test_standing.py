"""Several grounds, one standing: what governs, and that it follows from the open grounds alone."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.staff.models import Area
from policy.engine.decisions.facts import Stay
from quarantine.acts.release import release
from quarantine.acts.results import mark_missed, take_sample
from quarantine.arrivals.services import withdraw_case
from quarantine.cases.lifecycle import open_cases_of, write_person
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.cases.standing import Ground, standing_of
from quarantine.corrections.withdrawals import take_back_event
from quarantine.models import Case, Event
from quarantine.relocation.moves import die, move_resident
from quarantine.switching.sweep import sweep
from residents.register.models import Resident
from testing import services as testing
from testing.models import NATResult
from tests.factories import (
    make_arrival,
    make_case,
    make_household,
    make_place,
    make_resident,
    make_result,
    make_user,
    moment,
    put_in_force,
)
from tests.quarantine.switching.test_transition_properties import BOUNDED
from tests.tries import tried

pytestmark = pytest.mark.django_db

DAY_1 = date(2022, 11, 20)
NOW = moment(DAY_1 + timedelta(days=12))


def nth(number: int) -> date:
    return DAY_1 + timedelta(days=number - 1)


def a_ground(pk: int = 1, until: int | None = 5, test: int | None = None, **said: bool) -> Ground:
    return Ground(
        infected=said.get("infected", False),
        holds=said.get("holds", True),
        central=said.get("central", False),
        next_test_on=nth(test) if test else None,
        release_on=nth(until) if until else None,
        day_1=DAY_1,
        pk=pk,
    )


class TestWhatGoverns:
    def test_is_the_ground_that_holds_longest(self) -> None:
        short, long = a_ground(1, until=5), a_ground(2, until=7)

        standing = standing_of([short, long])

        assert (standing.governing, standing.release_on) == (long, nth(7))

    def test_is_an_infection_before_what_holds_longer_and_keeps_the_later_day(self) -> None:
        infected, long = a_ground(1, until=5, infected=True), a_ground(2, until=7)

        standing = standing_of([long, infected])

        assert (standing.governing, standing.release_on) == (infected, nth(7))

    def test_holds_without_a_day_whom_a_positive_stopped(self) -> None:
        stopped, other = a_ground(1, until=None), a_ground(2, until=7)

        standing = standing_of([other, stopped])

        assert (standing.governing, standing.release_on) == (stopped, None)

    def test_holds_no_longer_than_the_infection_that_stopped_the_others(self) -> None:
        stopped, infected = a_ground(1, until=None), a_ground(2, until=7, infected=True)

        assert standing_of([stopped, infected]).release_on == nth(7)

    def test_is_tests_only_where_nothing_else_is_open(self) -> None:
        tests = a_ground(1, until=None, holds=False, test=3)
        home = a_ground(2, until=5, test=4)

        assert standing_of([tests]).governing == tests
        both = standing_of([tests, home])
        assert (both.governing, both.next_test_on) == (home, nth(3))

    @given(st.permutations([a_ground(1), a_ground(2), a_ground(3, central=True)]))
    def test_does_not_depend_on_the_order(self, grounds: Sequence[Ground]) -> None:
        assert standing_of(grounds).governing.pk == 3


@pytest.fixture
def grid() -> Area:
    return make_place("cangshan-2022-324", "350104")


@pytest.fixture
def resident(grid: Area) -> Resident:
    return make_resident(grid=grid)


def contact(resident: Resident, on: date) -> Case:
    case = make_arrival(
        resident.grid, on=on, at=moment(on), resident=resident, exposure="close_contact"
    ).case
    assert case
    return case


class TestSomebodyUnderTwoGrounds:
    @pytest.fixture
    def earlier(self, resident: Resident) -> Case:
        return contact(resident, nth(1))

    @pytest.fixture
    def later(self, earlier: Case) -> Case:
        return contact(earlier.resident, nth(3))

    def test_is_held_by_the_later_one_and_asked_the_test_of_the_earlier(
        self, earlier: Case, later: Case
    ) -> None:
        assert list(Case.objects.governing()) == [later]
        later.refresh_from_db()
        assert (later.next_test_on, later.release_on) == (nth(5), nth(7))
        earlier.refresh_from_db()
        assert (earlier.governs, earlier.release_on) == (False, nth(5))
        assert unexplained_cases() == []

    def test_gives_one_sample_for_both(self, earlier: Case, later: Case) -> None:
        take_sample(case=later, taken_at=moment(nth(5)), at=moment(nth(5)), by=make_user())

        for case, history in ((earlier, "5"), (later, "3")):
            case.refresh_from_db()
            assert case.history == history

    def test_misses_one_test_for_both(self, earlier: Case, later: Case) -> None:
        earlier.refresh_from_db()
        event = mark_missed(case=earlier, day=nth(5), reason="", at=moment(nth(6)), by=make_user())

        for case, history in ((earlier, "5!"), (later, "3!")):
            case.refresh_from_db()
            assert case.history == history
        assert unexplained_cases() == []

        take_back_event(event=event, at=moment(nth(6)), by=make_user())
        assert set(Case.objects.values_list("history", flat=True)) == {""}

    def test_is_released_from_both_at_once_and_back_under_both(
        self, earlier: Case, later: Case
    ) -> None:
        make_result(earlier, nth(5))
        make_result(later, nth(7))
        then = moment(nth(7), 16)

        assert not release(cases=[earlier], at=moment(nth(6)), by=make_user()).released
        assert release(cases=[later], at=then, by=make_user()).released

        for case, closed_as in ((earlier, "superseded"), (later, "released")):
            case.refresh_from_db()
            assert case.closed_as == closed_as
        assert later.governs

        event = Event.objects.get(kind=Event.Kind.RELEASED)
        take_back_event(event=event, at=then, by=make_user())
        assert set(Case.objects.open()) == {earlier, later}
        assert list(Case.objects.governing()) == [later]

    def test_is_not_released_while_one_of_them_misses_a_test(
        self, earlier: Case, later: Case
    ) -> None:
        make_result(earlier, nth(5))

        outcome = release(cases=[later], at=moment(nth(7), 16), by=make_user())

        ((_case, sentence),) = outcome.refused
        assert "11月26日" in sentence  # the test of day 7, which the earlier one does not ask

    def test_makes_up_for_the_test_of_one_by_that_of_the_other(
        self, earlier: Case, later: Case
    ) -> None:
        make_result(later, nth(7))

        assert release(cases=[later], at=moment(nth(7), 16), by=make_user()).released

    def test_dies_once_and_is_back_under_both_when_that_was_wrong(
        self, earlier: Case, later: Case, resident: Resident
    ) -> None:
        resident.refresh_from_db()
        die(
            resident=resident,
            version=resident.version,
            day=nth(4),
            at=moment(nth(4)),
            by=make_user(),
        )

        assert set(Case.objects.values_list("closed_as", flat=True)) == {"died"}
        assert list(Case.objects.filter(governs=True)) == [later]

    def test_takes_both_along_to_another_grid(
        self, earlier: Case, later: Case, resident: Resident
    ) -> None:
        home = make_household(grid=make_place("cangshan-2022-324", "350104"))
        resident.refresh_from_db()
        move_resident(
            resident=resident,
            household=home,
            version=resident.version,
            at=moment(nth(4)),
            by=make_user(),
        )

        assert {case.grid for case in Case.objects.open()} == {home.building.grid}
        assert unexplained_cases() == []

    def test_is_under_the_other_alone_when_one_is_withdrawn(
        self, earlier: Case, later: Case
    ) -> None:
        later.refresh_from_db()
        withdraw_case(case=later, at=moment(nth(3)), by=make_user())

        earlier.refresh_from_db()
        assert (earlier.governs, earlier.release_on) == (True, nth(5))
        assert unexplained_cases() == []

    def test_is_never_governed_by_two(self, earlier: Case, later: Case) -> None:
        with pytest.raises(IntegrityError, match="case_one_governs"), transaction.atomic():
            Case.objects.update(governs=True)

    def test_is_reported_at_night_when_the_standing_is_forged(
        self, earlier: Case, later: Case
    ) -> None:
        Case.objects.filter(pk=later.pk).update(release_on=nth(6))
        assert unexplained_cases() == [later]

        Case.objects.filter(pk=later.pk).update(release_on=nth(7), governs=False)
        Case.objects.filter(pk=earlier.pk).update(governs=True)
        assert set(unexplained_cases()) == {earlier, later}


class TestAnInfection:
    def test_opens_beside_what_it_stopped_and_ends_with_it(
        self, grid: Area, resident: Resident
    ) -> None:
        case = contact(resident, nth(1))
        infected = make_result(case, nth(2), outcome="positive", ct="22").opened
        assert infected
        case.refresh_from_db()
        assert (case.closed_on, case.release_on, case.governs) == (None, None, False)

        for number in (7, 8):
            make_result(infected, nth(number), ct="36")
        assert release(cases=[infected], at=moment(nth(8), 16), by=make_user()).released
        assert not open_cases_of(resident)


class TestSomebodyAskedForTestsOnly:
    def test_is_asked_for_them_still_when_released_from_the_rest(self) -> None:
        grid = make_place("bayannur-2022-71", "150802")
        held = make_arrival(grid, exposure="close_contact").case
        assert held
        tests = make_arrival(grid, on=nth(5), resident=held.resident, arrived_from="150200").case
        assert tests
        assert tests.release_on is None
        assert list(Case.objects.governing()) == [held]


class Entered(NamedTuple):
    """A ground as somebody enters it: the day, and what is known."""

    day: int
    kind: str


def enter(resident: Resident, ground: Entered) -> Case | None:
    """Log the arrival; of what is asked nothing there is no case."""
    on = nth(ground.day)
    facts = {
        "contact": {"exposure": "close_contact"},
        "infected": {"exposure": "infected", "clinical": "mild"},
        "lanzhou": {"arrived_from": "620100", "stays": (Stay("620100", None, on),)},
        "baotou": {"arrived_from": "150200", "stays": (Stay("150200", None, on),)},
    }[ground.kind]
    return make_arrival(resident.grid, on=on, at=NOW, resident=resident, **facts).case  # type: ignore[arg-type]


def live(resident: Resident, days: Sequence[tuple[int, bool]]) -> None:
    """Let somebody be sampled on some days, with a negative result or none yet."""
    by = make_user()
    for number, found in days:
        at = moment(nth(number))
        sample = testing.take_sample(resident=resident, taken_at=at, at=at, by=by)
        if found:
            testing.record_result(
                sample=sample,
                outcome=NATResult.Outcome.NEGATIVE,
                ct=None,
                reported_at=at,
                at=at,
                by=by,
            )
    write_person(resident=resident, today=NOW.date())


def columns(resident: Resident) -> list[tuple[object, ...]]:
    names = ("day_1", "plan__digest", "governs", "next_test_on", "release_on", "history")
    told = ("told_plan__digest", "told_release_on", "told_freed")
    cases = Case.objects.open().filter(resident=resident)
    of_person = cases.governing().values_list(*names, *told)
    return sorted([*cases.beside().values_list(*names), *of_person], key=str)


GROUNDS = st.lists(
    st.builds(
        Entered, st.integers(1, 10), st.sampled_from(["contact", "infected", "lanzhou", "baotou"])
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda ground: ground.day,
)
SAMPLED = st.dictionaries(st.integers(1, 12), st.booleans(), max_size=4)


class TestGroundsEnteredAndWithdrawnInAnyOrder:
    @BOUNDED
    @given(GROUNDS, st.data())
    @pytest.mark.parametrize(
        ("document", "county"), [("cangshan-2022-324", "350104"), ("bayannur-2022-71", "150802")]
    )
    def test_end_as_if_only_those_that_are_left_had_been_entered(
        self, document: str, county: str, grounds: list[Entered], data: st.DataObject
    ) -> None:
        withdrawn = data.draw(st.sets(st.sampled_from(grounds)), label="withdrawn")
        again = data.draw(st.permutations(grounds), label="order of the right ones")
        sampled = sorted(data.draw(SAMPLED, label="samples").items())
        cut = data.draw(st.integers(0, len(sampled)), label="samples before")
        with tried():
            grid = make_place(document, county)
            one, other = make_resident(grid=grid), make_resident(grid=grid)
            live(one, sampled[:cut])
            for ground in grounds:
                case = enter(one, ground)
                if case and ground in withdrawn and data.draw(st.booleans(), label="at once"):
                    withdraw_case(case=case, at=NOW, by=make_user(), whatever_happened=True)
            live(one, sampled[cut:])
            wrong = Case.objects.open().filter(
                resident=one, arrival__arrived_on__in=[nth(each.day) for each in withdrawn]
            )
            for case in wrong.select_related("plan", "resident"):
                withdraw_case(case=case, at=NOW, by=make_user(), whatever_happened=True)

            live(other, sampled)
            for ground in again:
                if ground not in withdrawn:
                    enter(other, ground)

            assert columns(one) == columns(other)
            assert unexplained_cases() == []


class TestASwitch:
    def test_leaves_people_with_several_grounds_their_standing(self) -> None:
        grid = make_place("cn-2022-101", "350104")
        case = make_arrival(grid, exposure="close_contact").case
        assert case
        contact(case.resident, nth(3))
        alone = make_case(grid, exposure="close_contact", arrived_from=None)
        put_in_force(
            "cn-2022-113",
            Area.objects.get(code="350104"),
            effective_from=moment(nth(4), 0),
        )

        assert sweep(at=moment(nth(4))) == 3

        assert unexplained_cases() == []
        assert Case.objects.governing().filter(resident=case.resident).count() == 1
        assert Case.objects.governing().count() == 2
        assert alone.resident_id != case.resident_id
