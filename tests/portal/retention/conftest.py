"""A grid, and two people who may agree on a purge there."""

import pytest

from accounts.staff.models import Area, Role, User
from tests.factories import make_place, make_user
from tests.portal.retention.outbreaks import community_of


@pytest.fixture
def grid() -> Area:
    return make_place("yingkou-2022-11", "210800")


@pytest.fixture
def first(grid: Area) -> User:
    return make_user(Role.SUPERVISOR, community_of(grid), employer="示例街道办")


@pytest.fixture
def second(grid: Area) -> User:
    return make_user(Role.ADMINISTRATOR, community_of(grid), employer="示例疾控")
