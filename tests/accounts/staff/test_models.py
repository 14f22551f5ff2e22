"""What follows from the areas somebody answers for."""

import pytest
from django.contrib.auth.models import AnonymousUser

from accounts.scope import people_within, within
from accounts.staff.models import SEES_PEOPLE, Area, Role
from tests.factories import make_community, make_grid, make_user

pytestmark = pytest.mark.django_db


def codes(user: object) -> set[str]:
    return set(Area.objects.filter(within(user, "path")).values_list("code", flat=True))


class TestSomebodyWithoutAreas:
    @pytest.mark.parametrize("role", Role)
    def test_answers_for_nothing(self, role: Role) -> None:
        make_grid()
        nobody = make_user(role)

        assert codes(nobody) == set()
        assert not Area.objects.below(nobody).exists()
        assert not Area.objects.filter(people_within(nobody, "path")).exists()

    def test_is_also_who_is_not_signed_in(self) -> None:
        make_grid()

        assert codes(AnonymousUser()) == set()
        assert not Area.objects.filter(people_within(AnonymousUser(), "path")).exists()


class TestSomebodyWithAreas:
    def test_answers_for_them_with_all_below_and_for_nothing_beside_or_above(self) -> None:
        community, beside = make_community(), make_community()
        below, other = make_grid(community), make_grid(beside)
        grid = make_grid(beside)

        assert codes(make_user(Role.SUPERVISOR, community, grid)) == {
            community.code,
            below.code,
            grid.code,
        }
        assert codes(make_user(Role.GRID_STAFF, other)) == {other.code}

    @pytest.mark.parametrize("role", Role)
    def test_sees_people_there_only_where_that_is_their_work(self, role: Role) -> None:
        grid = make_grid()
        user = make_user(role, grid)

        seen = Area.objects.filter(people_within(user, "path")).exists()

        assert seen == (role in SEES_PEOPLE)

    def test_sees_nobody_any_more_once_the_account_is_closed(self) -> None:
        grid = make_grid()
        user = make_user(Role.GRID_STAFF, grid, is_active=False)

        assert not Area.objects.filter(people_within(user, "path")).exists()
