"""What nobody did in time is the supervisor's."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, Role, User
from quarantine.arrivals.services import Logged, take_back_arrival
from quarantine.todo import services
from quarantine.todo.escalation import escalate_overdue
from quarantine.todo.models import Todo
from tests.factories import NOW, make_arrival

pytestmark = pytest.mark.django_db
Arrive = Callable[..., Logged]
DUE = NOW + timedelta(hours=2)


@pytest.fixture
def logged(grid: Area, staff: User) -> Logged:
    """Return the arrival of somebody infected, who is to be referred within two hours."""
    return make_arrival(grid, on=NOW.date(), at=NOW, by=staff, exposure="infected")


class TestEscalateOverdue:
    def test_hands_over_at_the_due_moment_and_not_before(self, logged: Logged) -> None:
        assert escalate_overdue(at=DUE - timedelta(seconds=1)) == 0
        assert escalate_overdue(at=DUE) == 1

        todo = Todo.objects.get()
        assert (todo.owner, todo.escalated_at, todo.done_at) == (Role.SUPERVISOR, DUE, None)

    def test_does_so_once_however_late_and_often_it_runs(self, logged: Logged) -> None:
        late = [escalate_overdue(at=DUE + timedelta(days=days)) for days in (3, 3, 4)]

        assert late == [1, 0, 0]
        assert AuditEntry.objects.filter(did="escalated a to-do").count() == 1

    @pytest.mark.parametrize("how", ["moved", "account closed"])
    def test_hands_over_at_once_where_a_grid_has_nobody(
        self, logged: Logged, grid: Area, how: str
    ) -> None:
        if how == "moved":
            grid.people.clear()
        else:
            User.objects.filter(areas=grid).update(is_active=False)

        assert escalate_overdue(at=NOW) == 1

    def test_leaves_what_is_done(self, logged: Logged, staff: User) -> None:
        how: Any = {"to": "市医院", "handed_over_at": NOW, "vehicle": "ambulance"}
        services.hand_over(todo=Todo.objects.get(), **how, at=NOW, by=staff)

        assert escalate_overdue(at=DUE) == 0

    def test_leaves_what_was_taken_back(self, logged: Logged, staff: User) -> None:
        take_back_arrival(arrival=logged.arrival, at=NOW, by=staff)

        assert escalate_overdue(at=DUE) == 0

    def test_can_still_be_done_by_grid_staff_at_the_door(
        self, logged: Logged, staff: User
    ) -> None:
        escalate_overdue(at=DUE)
        how: Any = {"to": "市医院", "handed_over_at": DUE, "vehicle": "ambulance"}

        services.hand_over(todo=Todo.objects.get(), **how, at=DUE, by=staff)

        assert not Todo.objects.open().exists()
