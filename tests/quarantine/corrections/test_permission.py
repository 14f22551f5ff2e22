"""Who may put a fact right."""

from datetime import timedelta

import pytest

from accounts.staff.models import Area, Role
from common.undo_window import UNDO
from quarantine.corrections.permission import NotYoursError, may_correct, who_can
from tests.factories import NOW, make_community, make_grid, make_user

pytestmark = pytest.mark.django_db

LATE = NOW + UNDO + timedelta(seconds=1)


@pytest.fixture
def grid() -> Area:
    return make_grid(make_community())


class TestWhoMay:
    def test_is_anybody_there_within_the_time(self, grid: Area) -> None:
        staff = make_user(Role.GRID_STAFF, grid)
        assert not may_correct(recorded_at=NOW, area=grid, at=NOW + UNDO, by=staff)

    def test_is_a_supervisor_of_any_area_above_with_a_reason(self, grid: Area) -> None:
        for above in (grid, *Area.objects.get_ancestors(grid)):
            by = make_user(Role.SUPERVISOR, above)
            assert may_correct(recorded_at=NOW, area=grid, at=LATE, by=by, reason="示例")

    @pytest.mark.parametrize("role", sorted(set(Role) - {Role.SUPERVISOR}))
    def test_is_nobody_else_later(self, grid: Area, role: Role) -> None:
        by = make_user(role, grid)
        with pytest.raises(NotYoursError):
            may_correct(recorded_at=NOW, area=grid, at=LATE, by=by, reason="示例")


class TestTheSentence:
    def test_names_the_nearest_supervisors(self, grid: Area) -> None:
        community = Area.objects.get_parent(grid)
        far = make_user(Role.SUPERVISOR, *Area.objects.get_ancestors(grid)[:1], name="远远")
        near = make_user(Role.SUPERVISOR, community, name="近近")
        make_user(Role.SUPERVISOR, make_community("150802"), name="别别")
        make_user(Role.SUPERVISOR, community, name="停停", is_active=False)
        sentence = who_can(grid)
        assert sentence.index(near.name) < sentence.index(far.name)
        assert "别别" not in sentence
        assert "停停" not in sentence

    def test_says_so_where_nobody_supervises(self, grid: Area) -> None:
        assert "10" in who_can(grid)
