"""Whose account lies below whose: all its areas and its role."""

from itertools import product

import pytest

from accounts.staff import authority
from accounts.staff.models import Area, Role, User
from tests.factories import make_community, make_grid, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def community() -> Area:
    return make_community()


@pytest.fixture
def grid(community: Area) -> Area:
    return make_grid(community)


def administrator(*areas: Area) -> User:
    return make_user(Role.ADMINISTRATOR, *areas)


def below(by: User, account: User) -> bool:
    """Return what the function and the query say; they must agree."""
    paths = list(account.areas.values_list("path", flat=True))
    said = account != by and authority.stands_below(role=account.role, paths=paths, by=by)
    assert said == authority.below(by).filter(pk=account.pk).exists()
    return said


class TestAnAccount:
    def test_lies_below_who_answers_for_all_its_areas(self, community: Area, grid: Area) -> None:
        other = make_grid()
        both = make_user(Role.SUPERVISOR, grid, other)

        assert below(administrator(community), make_user(Role.GRID_STAFF, grid))
        assert below(administrator(community), make_user(Role.SUPERVISOR, community))
        assert not below(administrator(community), both)
        assert not below(administrator(other), both)
        assert below(administrator(community, other), both)
        assert not below(administrator(grid), make_user(Role.SUPERVISOR, community))

    def test_of_an_administrator_lies_below_those_of_wider_areas_only(
        self, community: Area, grid: Area
    ) -> None:
        street = Area.objects.get_parent(community)
        one = administrator(community)

        assert below(administrator(street), one)
        assert not below(administrator(community), one)
        assert not below(administrator(grid), one)

    def test_without_an_area_and_of_an_auditor_belongs_to_the_top(
        self, community: Area, grid: Area
    ) -> None:
        make_community("210811")
        top = administrator(*Area.objects.filter(depth=1))
        for account in (
            make_user(Role.GRID_STAFF),
            make_user(Role.AUDITOR),
            make_user(Role.AUDITOR, grid),
            administrator(),
            administrator(*Area.objects.filter(depth=1)),
        ):
            assert below(top, account)
            assert not below(administrator(community), account)
            assert not below(administrator(Area.objects.filter(depth=1)[0]), account)

    def test_is_nobodys_but_an_open_administrators(self, community: Area, grid: Area) -> None:
        account = make_user(Role.GRID_STAFF, grid)
        for role in set(Role) - {Role.ADMINISTRATOR}:
            assert not below(make_user(role, community), account)
        assert not below(make_user(Role.ADMINISTRATOR, community, is_active=False), account)
        assert not below(administrator(), account)

    def test_is_found_as_the_function_says(self, community: Area, grid: Area) -> None:
        street, other = Area.objects.get_parent(community), make_grid()
        choices = [(), (grid,), (community,), (street,), (grid, other), (community, grid)]
        accounts = [make_user(role, *areas) for role, areas in product(Role, choices)]
        for areas in (*choices, tuple(Area.objects.filter(depth=1))):
            by = administrator(*areas)
            found = {account for account in accounts if below(by, account)}
            assert found == set(authority.below(by)) & set(accounts)


class TestTwoAdministrators:
    @pytest.mark.parametrize(
        ("before", "after", "two"),
        [
            (None, (Role.GRID_STAFF, "示例街道办"), False),
            (None, (Role.GRID_STAFF, ""), False),
            (None, (Role.SUPERVISOR, "示例虚构单位"), True),
            (None, (Role.ADMINISTRATOR, "示例街道办"), True),
            (None, (Role.AUDITOR, "示例街道办"), True),
            ((Role.GRID_STAFF, "示例街道办"), (Role.GRID_STAFF, "示例街道办"), False),
            ((Role.GRID_STAFF, "示例街道办"), (Role.SUPERVISOR, "示例街道办"), True),
            ((Role.GRID_STAFF, "示例街道办"), (Role.GRID_STAFF, "示例疾控"), True),
            ((Role.GRID_STAFF, ""), (Role.GRID_STAFF, "示例街道办"), True),
            ((Role.ADMINISTRATOR, "示例街道办"), (Role.ADMINISTRATOR, "示例街道办"), True),
            ((Role.AUDITOR, "示例街道办"), (Role.AUDITOR, "示例街道办"), True),
        ],
    )
    def test_are_needed_for_roles_employers_and_who_decides_or_audits(
        self, before: tuple[str, str] | None, after: tuple[str, str], two: bool
    ) -> None:
        make_user(employer="示例街道办")
        make_user(employer="示例疾控")
        account = make_user(before[0], employer=before[1]) if before else None

        needed = authority.needs_second(account=account, role=after[0], employer=after[1])

        assert needed == two
