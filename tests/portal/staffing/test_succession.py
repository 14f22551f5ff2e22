"""Nobody leaves a grid without a successor: what is open moves along in the same step."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, Role, User
from portal.staffing import succession
from portal.staffing.succession import NobodyTakesOverError
from quarantine.models import Case, Event
from quarantine.todo.models import Todo
from quarantine.todo.services import open_todo
from residents.keypeople.models import Need
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Case:
    """Return an open case in a grid."""
    return factories.make_case()


@pytest.fixture
def grid(case: Case) -> Area:
    """Return the grid of the case."""
    return case.grid


@pytest.fixture
def last(grid: Area) -> User:
    """Return the only grid worker of the grid."""
    User.objects.filter(areas=grid).update(is_active=False)
    return factories.make_user(Role.GRID_STAFF, grid)


@pytest.fixture
def other(grid: Area) -> User:
    """Return a grid worker of another grid of the community."""
    return factories.make_user(Role.GRID_STAFF, factories.make_grid(Area.objects.get_parent(grid)))


@pytest.fixture
def admin(client: Client, grid: Area) -> User:
    """Return the administrator of the community, signed in."""
    user = factories.make_user(Role.ADMINISTRATOR, Area.objects.get_parent(grid))
    client.force_login(user)
    return user


@pytest.fixture
def need(case: Case, last: User) -> Need:
    """Return an open need that the last grid worker looks after."""
    return factories.make_need(case.resident, by=last)


def change(user: User, areas: list[Area], *, taker: User | None, by: User) -> None:
    succession.change_account(
        user=user,
        name=user.name,
        role=user.role,
        areas=areas,
        employer=user.employer,
        email="",
        taker=taker,
        at=factories.NOW,
        by=by,
    )


class TestTakingTheLastPersonFromAGrid:
    def test_is_refused_while_a_danger_asks_something_there(
        self, last: User, admin: User, case: Case
    ) -> None:
        opened = case.events.get(kind=Event.Kind.OPENED)
        kind = Todo.Kind.REFER
        open_todo(kind=kind, resident=case.resident, cause=opened, at=factories.NOW, by=None)
        Case.objects.filter(pk=case.pk).update(closed_on=case.day_1, closed_as="referred")

        with pytest.raises(NobodyTakesOverError) as refused:
            change(last, [], taker=None, by=admin)

        assert (refused.value.left.open_cases, refused.value.left.todos) == (0, 1)

    def test_is_refused_with_what_would_be_left(
        self, last: User, admin: User, grid: Area, need: Need
    ) -> None:
        with pytest.raises(NobodyTakesOverError) as refused:
            change(last, [], taker=None, by=admin)

        left = refused.value.left
        assert (left.grids, left.open_cases, left.needs) == ([grid], 1, [need])
        assert list(last.areas.all()) == [grid]

    def test_gives_grid_and_needs_to_who_takes_over(
        self, last: User, other: User, admin: User, grid: Area, need: Need
    ) -> None:
        change(last, [], taker=other, by=admin)

        need.refresh_from_db()
        assert need.responsible == other
        assert grid in other.areas.all()
        assert not last.areas.exists()
        assert AuditEntry.objects.get(did="gave open work to").detail["grids"] == [grid.code]

    def test_asks_nobody_where_another_works_there_too(
        self, last: User, admin: User, grid: Area
    ) -> None:
        factories.make_user(Role.GRID_STAFF, grid)

        change(last, [], taker=None, by=admin)

        assert not last.areas.exists()

    @pytest.mark.parametrize("given", [{"role": Role.SUPERVISOR}, {"is_active": False}])
    def test_counts_no_supervisor_and_no_closed_account(
        self, given: dict[str, Any], last: User, admin: User, grid: Area
    ) -> None:
        there = factories.make_user(Role.GRID_STAFF, Area.objects.get_parent(grid))
        User.objects.filter(pk=there.pk).update(**given)

        with pytest.raises(NobodyTakesOverError):
            change(last, [], taker=None, by=admin)

    def test_asks_nobody_where_nothing_is_open(
        self, last: User, admin: User, case: Case, grid: Area
    ) -> None:
        Case.objects.filter(pk=case.pk).update(closed_on=case.day_1, closed_as="released")

        change(last, [], taker=None, by=admin)

        assert not last.areas.exists()

    def test_asks_who_takes_needs_even_where_others_work_in_the_grid(
        self, last: User, other: User, admin: User, grid: Area, need: Need
    ) -> None:
        factories.make_user(Role.GRID_STAFF, grid)
        with pytest.raises(NobodyTakesOverError):
            change(last, [], taker=None, by=admin)

        change(last, [], taker=other, by=admin)

        need.refresh_from_db()
        assert need.responsible == other
        assert grid in other.areas.all()

    def test_leaves_alone_who_keeps_the_grid(
        self, last: User, admin: User, grid: Area, need: Need
    ) -> None:
        change(last, [grid], taker=None, by=admin)

        need.refresh_from_db()
        assert need.responsible == last

    def test_happens_by_a_change_of_role_as_well(
        self, last: User, admin: User, grid: Area
    ) -> None:
        with pytest.raises(NobodyTakesOverError):
            succession.change_account(
                user=last,
                name=last.name,
                role=Role.AUDITOR,
                areas=[grid],
                employer=last.employer,
                email="",
                taker=None,
                at=factories.NOW,
                by=admin,
            )


class TestClosingAnAccount:
    def test_asks_who_takes_over_and_closes_nothing_before(
        self, client: Client, last: User, admin: User, grid: Area
    ) -> None:
        page = client.post(reverse("person_deactivate", args=[last.key])).content.decode()

        assert grid.name in page
        assert "由谁接手" in page
        last.refresh_from_db()
        assert last.is_active

    def test_hands_over_in_the_same_step(
        self, client: Client, last: User, other: User, admin: User, need: Need
    ) -> None:
        client.post(reverse("person_deactivate", args=[last.key]), {"taker": str(other.key)})

        last.refresh_from_db()
        need.refresh_from_db()
        assert not last.is_active
        assert need.responsible == other
        assert need.resident.grid in other.areas.all()

    def test_takes_nobody_from_elsewhere(self, client: Client, last: User, admin: User) -> None:
        stranger = factories.make_user(Role.GRID_STAFF, factories.make_grid())

        client.post(reverse("person_deactivate", args=[last.key]), {"taker": str(stranger.key)})

        last.refresh_from_db()
        assert last.is_active


class TestThePageOfAnAccount:
    def test_asks_who_takes_over_and_keeps_what_was_typed(
        self, client: Client, last: User, other: User, admin: User, grid: Area
    ) -> None:
        url = reverse("person_change", args=[last.key])
        data = {"name": "王五", "role": "grid_staff", "employer": last.employer, "areas": []}

        page = client.post(url, data).content.decode()

        assert "由谁接手" in page
        assert 'value="王五"' in page
        answer = client.post(url, {**data, "taker": str(other.key)})
        assert answer.status_code == 302
        assert grid in other.areas.all()
