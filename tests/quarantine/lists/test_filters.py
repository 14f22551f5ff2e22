"""The filters behind numbers and lists."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from accounts.staff.models import Area, User
from quarantine.arrivals.services import Logged
from quarantine.lists.filters import ArrivalFilter, CaseFilter
from tests import factories
from tests.factories import NOW

TODAY = NOW.date()
Arrive = Callable[..., Logged]


@pytest.fixture
def logged(arrive: Arrive) -> list[Logged]:
    """Return arrivals from Lanzhou of today, two and seven days ago, and one without a case."""
    home = arrive(arrived_from="150200", stays=[])
    return [*(arrive(days=days) for days in (0, 2, 7)), home]


def days(user: User, **chosen: str) -> set[date]:
    return {case.day_1 for case in CaseFilter(chosen, user=user, today=TODAY).qs}


NEW, MIDDLE, OLD = date(2022, 11, 22), date(2022, 11, 20), date(2022, 11, 15)


class TestCaseFilter:
    @pytest.mark.parametrize(
        ("chosen", "found"),
        [
            ({"measure": "listed_areas"}, {NEW, MIDDLE, OLD}),
            ({"measure": "infected"}, set()),
            ({"stage": "home", "measure": "listed_areas"}, {NEW, MIDDLE, OLD}),
            ({"stage": "central"}, set()),
            ({"test": "today", "measure": "listed_areas"}, {NEW, MIDDLE}),
            ({"test": "overdue"}, {MIDDLE, OLD}),
            ({"release": "due"}, {OLD}),
            ({"release": "ready"}, set()),
            ({"release": "blocked"}, {OLD}),
            ({"state": "closed"}, set()),
        ],
    )
    def test_keeps_what_was_chosen(
        self, chosen: dict[str, str], found: set[date], logged: list[Logged], staff: User
    ) -> None:
        assert days(staff, **chosen) == found

    def test_knows_tests_without_a_stage(self, logged: list[Logged], staff: User) -> None:
        tests_only = CaseFilter({"stage": "none"}, user=staff, today=TODAY).qs
        assert {case.plan.provision.subject for case in tests_only} <= {
            "arrivals",
            "low_risk_stay",
        }

    def test_narrows_to_an_area_of_the_user(
        self, logged: list[Logged], supervisor: User, grid: Area
    ) -> None:
        assert OLD in days(supervisor, area=grid.code)
        assert days(supervisor, area=factories.make_grid().code) == set()

    def test_shows_nothing_of_another_grid(self, logged: list[Logged]) -> None:
        other = factories.make_user("grid_staff", factories.make_grid())
        assert days(other, state="all") == set()


class TestArrivalFilter:
    def arrivals(self, user: User, **chosen: Any) -> int:
        return int(ArrivalFilter(chosen, user=user, today=TODAY).qs.count())

    def test_keeps_a_day_and_a_measure(self, logged: list[Logged], staff: User) -> None:
        assert self.arrivals(staff) == 4
        assert self.arrivals(staff, day="2022-11-22") == 2
        assert self.arrivals(staff, measure="listed_areas") == 3

    def test_counts_each_arrival_once(self, logged: list[Logged], staff: User) -> None:
        kinds = ArrivalFilter.base_filters["measure"].extra["choices"]
        assert sum(self.arrivals(staff, measure=kind) for kind, _ in kinds) == 4
