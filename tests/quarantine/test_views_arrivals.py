"""Logging an arrival through the page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.models import Area, AuditEntry, User
from quarantine.arrivals import Logged
from quarantine.models import Arrival, Case
from residents.models import Resident
from tests import factories
from tests.factories import NOW

Arrive = Callable[..., Logged]


@pytest.fixture
def typed(grid: Area) -> dict[str, Any]:
    """Return what a grid worker types for somebody from Lanzhou."""
    return {
        "key": str(uuid4()),
        "document_type": "mainland_id",
        "number": factories.id_number(),
        "name": "王秀英",
        "phone": "13800138000",
        "grid": grid.code,
        "building": "3号楼",
        "unit": "2单元",
        "door": "502",
        "arrived": "0",
        "coming": "home",
        "origin": "兰州",
        "home_fit": "yes",
        "stay-TOTAL_FORMS": "2",
        "stay-INITIAL_FORMS": "0",
    }


def post(client: Client, data: dict[str, Any]) -> Any:
    with translation.override("en"):
        return client.post(reverse("arrival_new"), data, headers={"accept-language": "en"})


class TestArrivalNew:
    def test_writes_resident_household_arrival_and_case(
        self, as_staff: Client, typed: dict[str, Any]
    ) -> None:
        answer = post(as_staff, typed)
        arrival = Arrival.objects.get(key=typed["key"])
        assert answer.url == reverse("arrival_saved", args=[arrival.key])
        assert arrival.resident.household.address == "3号楼-2单元-502"
        assert arrival.case.plan.provision.clause == "4"
        assert arrival.case.release_on == NOW.date() + timedelta(days=6)

    def test_opens_no_case_where_the_law_asks_for_nothing(
        self, as_staff: Client, typed: dict[str, Any]
    ) -> None:
        post(as_staff, {**typed, "origin": "巴彦淖尔"})
        arrival = Arrival.objects.get(key=typed["key"])
        assert not hasattr(arrival, "case")
        saved = as_staff.get(reverse("arrival_saved", args=[arrival.key]))
        assert saved.status_code == 200

    def test_makes_a_double_tap_one_arrival(self, as_staff: Client, typed: dict[str, Any]) -> None:
        first, second = post(as_staff, typed), post(as_staff, typed)
        assert first.url == second.url
        assert (Arrival.objects.count(), Resident.objects.count()) == (1, 1)

    def test_finds_a_known_person_by_the_number(
        self, as_staff: Client, staff: User, grid: Area, typed: dict[str, Any]
    ) -> None:
        known = factories.make_resident(grid=grid, by=staff, number=typed["number"])
        post(as_staff, typed)
        assert Arrival.objects.get(key=typed["key"]).resident == known
        known.refresh_from_db()
        assert known.household.door == "502"  # moved to the door on the form

    def test_logs_a_known_person_chosen_from_the_household(
        self, as_staff: Client, staff: User, grid: Area, typed: dict[str, Any]
    ) -> None:
        known = factories.make_resident(grid=grid, by=staff)
        chosen = {"resident": str(known.key), "number": "", "name": "", "document_type": ""}
        post(as_staff, {**typed, **chosen, "building": "", "door": "", "unit": ""})
        assert Arrival.objects.get(key=typed["key"]).resident == known

    def test_refuses_the_same_person_twice_and_links_the_open_case(
        self, as_staff: Client, typed: dict[str, Any]
    ) -> None:
        post(as_staff, typed)
        again = post(as_staff, {**typed, "key": str(uuid4())})
        page = again.content.decode()
        assert Arrival.objects.count() == 1
        assert "under a measure since 2022-11-22" in page
        assert reverse("case_detail", args=[Case.objects.get().key]) in page
        assert 'value="王秀英"' in page

    def test_loses_nothing_when_the_check_digit_is_wrong(
        self, as_staff: Client, typed: dict[str, Any]
    ) -> None:
        page = post(as_staff, {**typed, "number": "110105194912310021"}).content.decode()
        assert 'href="#id_number"' in page
        assert "check digit" in page
        assert 'value="3号楼"' in page
        assert "Home isolation, 7 days" in page  # the decision stays

    def test_tells_nothing_of_somebody_registered_elsewhere(
        self, as_staff: Client, typed: dict[str, Any]
    ) -> None:
        factories.make_resident(number=typed["number"], name="赵敏敏")
        page = post(as_staff, typed).content.decode()
        assert "not yours" in page
        assert "赵敏敏" not in page
        assert not Arrival.objects.exists()

    def test_offers_the_areas_of_an_ambiguous_name(
        self, as_staff: Client, typed: dict[str, Any]
    ) -> None:
        page = post(as_staff, {**typed, "origin": "朝阳"}).content.decode()
        assert 'name="origin" value="北京市朝阳区"' in page

    def test_goes_on_with_the_household(self, as_staff: Client, typed: dict[str, Any]) -> None:
        answer = post(as_staff, {**typed, "and_household": "1"})
        form = as_staff.get(answer.url).context["form"]
        assert form["door"].value() == "502"
        assert form["origin"].value() == "甘肃省兰州市"
        assert not form["name"].value()
        assert typed["name"] not in answer.url

    def test_is_closed_to_those_whose_work_is_not_people(
        self, client: Client, grid: Area, today: None
    ) -> None:
        client.force_login(factories.make_user("auditor", grid))
        assert client.get(reverse("arrival_new")).status_code == 403


class TestArrivalDecision:
    def ask(self, client: Client, **typed: str) -> str:
        data = {"arrived": "0", "coming": "home", "home_fit": "yes", **typed}
        answer = client.post(
            reverse("arrival_decision"),
            {**data, "stay-TOTAL_FORMS": "0", "stay-INITIAL_FORMS": "0"},
            headers={"hx-request": "true", "accept-language": "en"},
        )
        return answer.content.decode()

    def test_shows_measure_clause_and_dates_of_a_half_filled_form(
        self, as_staff: Client, grid: Area
    ) -> None:
        page = self.ask(as_staff, origin="lanzhou", grid=grid.code)
        assert "Home isolation, 7 days" in page
        assert "clause 4" in page
        assert "11-28" in page
        assert "What would change it" in page

    def test_asks_for_the_origin_first(self, as_staff: Client, grid: Area) -> None:
        assert "where they came from" in self.ask(as_staff, grid=grid.code)

    def test_says_that_no_document_is_in_force(
        self, client: Client, db: None, today: None
    ) -> None:
        grid = factories.make_grid()
        client.force_login(factories.make_user("grid_staff", grid))
        page = self.ask(client, origin="lanzhou", grid=grid.code)
        assert "No document is in force" in page


class TestArrivalLookup:
    def test_fills_in_whom_the_number_names_and_writes_it_down(
        self, as_staff: Client, grid: Area, staff: User
    ) -> None:
        known = factories.make_resident(grid=grid, by=staff, name="欧阳晓红")
        sent = {"document_type": "mainland_id", "number": known.number}
        page = as_staff.post(reverse("arrival_lookup"), sent).content.decode()
        assert str(known.key) in page
        assert "欧阳晓红" not in page
        assert AuditEntry.objects.filter(did="read", subject=f"resident:{known.key}").exists()

    def test_keeps_what_is_typed_when_the_number_is_new(self, as_staff: Client) -> None:
        sent = {"document_type": "mainland_id", "number": factories.id_number()}
        answer = as_staff.post(reverse("arrival_lookup"), sent)
        assert answer["HX-Retarget"] == "#number-says"
        assert answer.content.strip() == b""


class TestArrivalUndo:
    def test_takes_the_arrival_and_its_case_back(
        self, as_staff: Client, typed: dict[str, Any]
    ) -> None:
        post(as_staff, typed)
        answer: Any = as_staff.post(reverse("arrival_undo", args=[typed["key"]]))
        assert not Arrival.objects.valid().exists()
        assert Case.objects.get().closed_as == "withdrawn"
        form = as_staff.get(answer.url).context["form"]
        assert form["door"].value() == "502"

    def test_is_refused_after_a_while(self, as_staff: Client, arrive: Arrive) -> None:
        logged = arrive(days=1)
        as_staff.post(reverse("arrival_undo", args=[logged.arrival.key]))
        assert Arrival.objects.valid().exists()
