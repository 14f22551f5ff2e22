"""Whoever moves to another grid takes the open case along."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, Role, User
from policy.engine.decisions.facts import Person
from policy.services import in_force
from quarantine.arrivals.intake import take_in
from quarantine.arrivals.services import Logged
from quarantine.models import Case, Event
from quarantine.relocation.moves import leave, move_resident
from residents.register.models import Resident
from residents.relocation.models import Handover, Move
from tests import factories
from tests.factories import NOW

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
    return {
        "grid": resident.grid_id,
        "building": "9号楼",
        "door": "101",
        "version": version,
        "day": page.context["today"].isoformat(),
    }


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
        assert event.by == supervisor
        assert (event.detail["left"], event.detail["entered"]) == (grid.name, other.name)
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
        move_resident(
            resident=resident, household=home, version=resident.version, at=NOW, by=supervisor
        )

        page = send(as_supervisor, resident, data)

        assert page.status_code == 200
        assert "Somebody else changed this person" in page.content.decode()
        assert Resident.objects.get().household == home
        again = data | {"version": page.context["address"]["version"].value()}
        assert send(as_supervisor, resident, again).status_code == 302
        assert Resident.objects.get().household.building.name == "9号楼"


class TestLeaving:
    def test_with_an_open_case_asks_that_the_other_place_was_told(
        self, as_supervisor: Client, case: Case
    ) -> None:
        url = reverse("resident_leave", args=[case.resident.key])
        data = {"day": NOW.date().isoformat(), "version": case.resident.version, "place": "兰州"}

        refused = as_supervisor.post(url, data)
        assert "case_told" in refused.context["form"].errors
        assert not Resident.objects.get().gone_as

        as_supervisor.post(url, data | {"case_told": "on"})
        case.refresh_from_db()
        assert (case.closed_as, case.closed_on) == ("handed_over", NOW.date())
        assert Resident.objects.get().gone_as == "left"

    def test_of_a_household_says_who_could_not(self, as_supervisor: Client, case: Case) -> None:
        """The one on the page has no case, a housemate has: she stays, and is named."""
        mate = factories.make_resident(household=case.resident.household, name="李四")
        url = reverse("resident_leave", args=[mate.key])
        choice = f"{case.resident.key}:{case.resident.version}"
        data = {"day": NOW.date().isoformat(), "version": mate.version, "also": [choice]}

        page = as_supervisor.post(url, data, follow=True)

        assert set(Resident.objects.here()) == {case.resident}
        said = [str(message) for message in page.context["messages"]]
        assert any(sentence.startswith("张*：") for sentence in said)

    def test_taken_back_opens_the_case_again(self, as_supervisor: Client, case: Case) -> None:
        url = reverse("resident_leave", args=[case.resident.key])
        data = {"day": NOW.date().isoformat(), "version": case.resident.version}
        page = as_supervisor.post(url, data | {"case_told": "on"}, follow=True)
        (said,) = page.context["messages"]

        as_supervisor.post(said.extra_tags.removeprefix("undo:"))

        case.refresh_from_db()
        assert case.closed_on is None
        assert not Resident.objects.get().gone_as
        kinds = set(Event.objects.valid().filter(case=case).values_list("kind", flat=True))
        assert kinds == {"opened"}


class TestADeath:
    def test_closes_the_case_and_ends_what_is_due(self, as_supervisor: Client, case: Case) -> None:
        url = reverse("resident_death", args=[case.resident.key])
        data = {"day": NOW.date().isoformat(), "version": case.resident.version}

        as_supervisor.post(url, data)

        case.refresh_from_db()
        assert case.closed_as == "died"
        assert not Case.objects.open().filter(next_test_on__lte=NOW.date()).exists()


class TestAMoveTakenBack:
    def test_brings_the_case_back(
        self, as_supervisor: Client, case: Case, other: Area, grid: Area
    ) -> None:
        data = form(as_supervisor, case.resident) | {"grid": other.pk}
        page = as_supervisor.post(
            reverse("resident_move", args=[case.resident.key]), data, follow=True
        )
        (said,) = page.context["messages"]
        as_supervisor.post(said.extra_tags.removeprefix("undo:"))

        case.refresh_from_db()
        assert case.grid == Resident.objects.get().grid == grid
        assert not Event.objects.valid().filter(kind=Event.Kind.GRID).exists()

    def test_is_refused_after_a_while(
        self, as_supervisor: Client, case: Case, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        send(as_supervisor, case.resident, form(as_supervisor, case.resident))
        made = Move.objects.get()
        later = NOW + timedelta(minutes=11)
        monkeypatch.setattr("common.clock.now", lambda: later)

        as_supervisor.post(reverse("undo_moves", args=[made.key]))

        assert Move.objects.valid().exists()


class TestAHandover:
    def test_brings_the_person_and_the_case_to_the_other_side(
        self, as_supervisor: Client, case: Case, client: Client
    ) -> None:
        there = factories.make_grid(factories.make_community("350104"))
        community = Area.objects.get_parent(there)
        as_supervisor.post(
            reverse("resident_handover", args=[case.resident.key]),
            {
                "area": community.code,
                "day": NOW.date().isoformat(),
                "version": case.resident.version,
            },
        )
        handover = Handover.objects.get()
        client.force_login(factories.make_user(Role.SUPERVISOR, community))
        assert "张*" in client.get(reverse("handover_list")).content.decode()

        client.post(
            reverse("handover_accept", args=[handover.key]),
            {
                "grid": there.pk,
                "building": "1号楼",
                "door": "101",
                "day": NOW.date().isoformat(),
            },
        )

        case.refresh_from_db()
        assert case.grid == Resident.objects.get().grid == there
        handover.refresh_from_db()
        assert handover.accepted


def test_somebody_who_left_and_arrives_again_lives_here_again(
    arrive: Arrive, as_supervisor: Client, case: Case, grid: Area, staff: User
) -> None:
    resident = case.resident
    leave(
        resident=resident,
        version=resident.version,
        day=case.day_1,
        place="",
        case_told=True,
        at=NOW,
        by=staff,
    )
    law = in_force(area=grid, at=NOW)
    assert law
    arrival = take_in(
        key=uuid4(),
        who=resident,
        door=None,
        phone="",
        facts=Person(start=NOW.date(), arrived_from="620100"),
        origin="620100",
        from_abroad=False,
        law=law,
        at=NOW,
        by=staff,
    )

    resident.refresh_from_db()
    assert resident.gone_as == ""
    assert arrival.resident == resident
