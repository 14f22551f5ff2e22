"""Whoever moves to another grid takes the open case along."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Area, AuditEntry, Role, User
from quarantine.arrivals import Logged
from quarantine.models import Case, Event
from residents import services as residents
from residents.models import Resident
from tests import factories

Arrive = Callable[..., Logged]


@pytest.fixture
def other(grid: Area) -> Area:
    """Return another grid of the same community."""
    return factories.make_grid(Area.objects.get_parent(grid))


@pytest.fixture
def case(arrive: Arrive) -> Case:
    """Return a case on its third day."""
    case = arrive(days=2).case
    assert case
    return case


@pytest.fixture
def as_supervisor(client: Client, supervisor: User, today: None) -> Client:
    client.force_login(supervisor)
    return client


def form(client: Client, resident: Resident) -> dict[str, Any]:
    """Return what the page of the move would send for a door of the resident's own grid."""
    page = client.get(reverse("resident_move", args=[resident.key]))
    version = page.context["address"]["version"].value()
    return {"grid": resident.grid_id, "building": "9号楼", "door": "101", "version": version}


def send(client: Client, resident: Resident, data: dict[str, Any]) -> Any:
    url = reverse("resident_move", args=[resident.key])
    return client.post(url, data, headers={"accept-language": "en"})


class TestAMove:
    def test_takes_the_open_case_to_the_new_grid(
        self, as_supervisor: Client, case: Case, other: Area, staff: User
    ) -> None:
        data = form(as_supervisor, case.resident) | {"grid": other.pk}
        assert send(as_supervisor, case.resident, data).status_code == 302

        case.refresh_from_db()
        assert case.grid == other
        assert Case.objects.visible_to(factories.make_user(Role.GRID_STAFF, other)).get() == case
        assert not Case.objects.visible_to(staff).exists()

    def test_lets_the_new_grid_enter_a_result(
        self, as_supervisor: Client, case: Case, other: Area, client: Client
    ) -> None:
        data = form(as_supervisor, case.resident) | {"grid": other.pk}
        send(as_supervisor, case.resident, data)
        client.force_login(factories.make_user(Role.GRID_STAFF, other))

        answer = client.post(reverse("case_act", args=[case.key, "sample"]), {})

        assert answer.status_code == 302

    def test_is_told_in_the_history_and_written_down(
        self, as_supervisor: Client, case: Case, other: Area, grid: Area, supervisor: User
    ) -> None:
        data = form(as_supervisor, case.resident) | {"grid": other.pk}
        send(as_supervisor, case.resident, data)

        event = Event.objects.get(case=case, kind=Event.Kind.GRID)
        assert (event.by, event.detail) == (
            supervisor,
            {"left": grid.name, "entered": other.name},
        )
        assert AuditEntry.objects.filter(
            did="moved a case to another grid", actor=supervisor.key
        ).exists()
        page = as_supervisor.get(reverse("case_detail", args=[case.key]))
        assert f"{grid.name} → {other.name}" in page.content.decode()

    def test_within_the_grid_changes_no_case(self, as_supervisor: Client, case: Case) -> None:
        case.refresh_from_db()
        send(as_supervisor, case.resident, form(as_supervisor, case.resident))

        assert Resident.objects.get().household.building.name == "9号楼"
        assert Case.objects.get().version == case.version
        assert not Event.objects.filter(kind=Event.Kind.GRID).exists()

    def test_leaves_a_closed_case_where_it_was(
        self, as_supervisor: Client, case: Case, other: Area, grid: Area
    ) -> None:
        Case.objects.update(closed_on=case.day_1, closed_as="released")
        data = form(as_supervisor, case.resident) | {"grid": other.pk}
        send(as_supervisor, case.resident, data)

        assert Case.objects.get().grid == grid

    def test_from_a_stale_page_is_refused_and_may_be_sent_again(
        self, as_supervisor: Client, case: Case, supervisor: User, other: Area
    ) -> None:
        resident = Resident.objects.get()
        data = form(as_supervisor, resident)
        home = factories.make_household(grid=other)
        residents.move(resident=resident, household=home, version=resident.version, by=supervisor)

        page = send(as_supervisor, resident, data)

        assert page.status_code == 200
        assert "Somebody else changed this person" in page.content.decode()
        assert Resident.objects.get().household == home
        again = data | {"version": page.context["address"]["version"].value()}
        assert send(as_supervisor, resident, again).status_code == 302
        assert Resident.objects.get().household.building.name == "9号楼"
