"""Grids that nobody holds, and staff with more than they can do."""

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.staff.models import Area, Role, User
from portal.staffing.load import MOST_OPEN_CASES, MOST_SHOWN, staffing_of
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def grids() -> list[Area]:
    """Return two grids of one community."""
    community = factories.make_community()
    return [factories.make_grid(community), factories.make_grid(community)]


class TestStaffing:
    def test_names_grids_without_anybody_those_with_most_cases_first(
        self, grids: list[Area]
    ) -> None:
        factories.make_user(Role.SUPERVISOR, Area.objects.get_parent(grids[0]))
        closed = factories.make_user(Role.GRID_STAFF, grids[0])
        User.objects.filter(pk=closed.pk).update(is_active=False)

        found = staffing_of(grids, {grids[1].pk: 3})

        assert found.without == [(grids[1], 3), (grids[0], 0)]

    def test_names_no_more_grids_than_a_page_holds(self) -> None:
        community = factories.make_community()
        many = [factories.make_grid(community) for _ in range(MOST_SHOWN + 2)]

        found = staffing_of(many, {})

        assert (len(found.shown), found.more) == (MOST_SHOWN, 2)

    @pytest.mark.parametrize(("cases", "too_many"), [(48, False), (49, True)])
    def test_names_who_has_more_open_cases_than_one_person_can_do(
        self, cases: int, too_many: bool, grids: list[Area]
    ) -> None:
        assert MOST_OPEN_CASES == 48
        person = factories.make_user(Role.GRID_STAFF, *grids)

        found = staffing_of(grids, {grids[0].pk: cases - 8, grids[1].pk: 8})

        assert [loaded.person for loaded in found.overloaded] == [person] * too_many
        assert found.without == []

    def test_shares_the_cases_of_a_grid_among_those_who_hold_it(self, grids: list[Area]) -> None:
        both = [factories.make_user(Role.GRID_STAFF, grids[0]) for _ in range(2)]
        factories.make_user(Role.GRID_STAFF, Area.objects.get_parent(grids[0]))

        assert staffing_of(grids, {grids[0].pk: 144}).overloaded == []
        found = staffing_of(grids, {grids[0].pk: 145})
        assert {loaded.open_cases for loaded in found.overloaded} == {49}
        assert set(both) <= {loaded.person for loaded in found.overloaded}

    def test_needs_one_query(
        self, grids: list[Area], django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        factories.make_user(Role.GRID_STAFF, *grids)

        with django_assert_num_queries(1):
            staffing_of(grids, {})
