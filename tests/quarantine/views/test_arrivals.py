"""Logging an arrival through the page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, User
from quarantine.arrivals.services import Logged
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.models import Arrival, Case
from quarantine.relocation import moves
from residents.register import services as residents
from residents.register.models import Resident
from residents.search.people import search
from testing import services as testing
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
        "arrived": NOW.date().isoformat(),
        "coming": "home",
        "origin": "兰州",
        "home_fit": "yes",
        "stay-TOTAL_FORMS": "2",
        "stay-INITIAL_FORMS": "0",
    }


SERVED = {
    "served-TOTAL_FORMS": "1",
    "served-INITIAL_FORMS": "0",
    "served-0-setting": "central",
    "served-0-first_day": "2022-11-19",
    "served-0-last_day": "2022-11-21",
}
EVIDENCE = {
    "risk": "low",
    "left_on": (NOW.date() - timedelta(days=1)).isoformat(),
    "transit": "on",
    "spread": "on",
    "exposure": "infected",
    "clinical": "mild",
    "serious": "on",
    "proof": "yes",
    "sampled_at": "2022-11-21T08:00",
    "reported_at": "2022-11-21T20:00",
    "post_ended": "2022-11-19",
    "freight": "on",
    "chooses_central": "on",
    "stay-TOTAL_FORMS": "6",
    "stay-0-place": "河南省郑州市",
    "stay-0-risk": "high",
    "stay-0-last_day": "2022-11-18",
    "stay-1-place": "上海市",
    "stay-1-last_day": "2022-11-17",
    "stay-2-place": "北京市朝阳区",
    "stay-2-last_day": "2022-11-16",
    "stay-2-transit": "on",
}


def post(client: Client, data: dict[str, Any]) -> Any:
    with translation.override("en"):
        return client.post(reverse("arrival_new"), data, headers={"accept-language": "en"})


def english(client: Client, name: str, data: dict[str, Any], **headers: str) -> str:
    headers = {"accept-language": "en", **headers}
    with translation.override("en"):
        return client.post(reverse(name), data, headers=headers).content.decode()


def sent_by(form: Any) -> dict[str, str]:
    """Return what a browser sends of a form that nobody touched."""
    parts = [form, form.stays.management_form, *form.stays.forms]
    parts += [form.served.management_form, *form.served.forms]
    sent = {}
    for field in (field for part in parts for field in part):
        value = field.value()
        shown = "on" if value is True else field.field.widget.format_value(value)
        sent[field.html_name] = (shown or [None])[0] if isinstance(shown, list) else shown
    return {name: str(value) for name, value in sent.items() if value not in (None, "")}


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

    def test_offers_one_more_row_for_a_stay_without_scripts(
        self, as_staff: Client, typed: dict[str, Any]
    ) -> None:
        sent = {**typed, "stay-TOTAL_FORMS": "1", "another_stay": "1"}
        form = as_staff.post(f"{reverse('arrival_new')}?choose", sent).context["form"]
        assert len(form.stays.forms) == 2
        assert not Arrival.objects.exists()

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

    def test_refuses_the_same_person_twice_on_one_day(
        self, as_staff: Client, typed: dict[str, Any]
    ) -> None:
        post(as_staff, typed)
        again = post(as_staff, {**typed, "key": str(uuid4())})
        page = again.content.decode()
        assert Arrival.objects.count() == 1
        assert "on this day is logged already" in page
        assert 'value="王秀英"' in page

    def test_loses_nothing_when_the_check_digit_is_wrong(
        self, as_staff: Client, typed: dict[str, Any]
    ) -> None:
        page = post(as_staff, {**typed, "number": "110105194912310021"}).content.decode()
        assert 'href="#id_number"' in page
        assert "check digit" in page
        assert 'value="3号楼"' in page
        assert "Home isolation, 7 days" in page  # the decision stays

    def test_asks_again_after_midnight_and_loses_nothing(
        self, as_staff: Client, typed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        form = as_staff.get(reverse("arrival_new")).context["form"]
        sent = {**typed, "shown_on": form["shown_on"].value()}
        midnight = factories.moment(NOW.date() + timedelta(days=1), 0, 10)
        monkeypatch.setattr("common.clock.now", lambda: midnight)

        page = post(as_staff, sent)

        assert not Arrival.objects.exists()
        assert "opened on another day" in page.content.decode()
        assert "Yesterday 22 Nov" in page.content.decode()
        shown = sent_by(page.context["form"])
        assert shown["name"] == typed["name"]
        assert shown["arrived"] == NOW.date().isoformat()
        post(as_staff, shown)
        assert Arrival.objects.get().arrived_on == NOW.date()

    def test_asks_which_city_before_anything_is_logged(
        self, as_staff: Client, typed: dict[str, Any]
    ) -> None:
        page = post(as_staff, {**typed, "origin": "甘肃"}).content.decode()
        assert not Resident.objects.exists()
        assert 'name="origin" value="甘肃省兰州市"' in page
        assert 'href="#id_origin"' in page

    def test_logs_somebody_whose_papers_are_elsewhere(
        self, as_staff: Client, typed: dict[str, Any]
    ) -> None:
        post(as_staff, {**typed, "document_type": "to_follow", "number": ""})
        saved = as_staff.get(reverse("arrival_saved", args=[typed["key"]])).content.decode()
        assert "证件后补" in saved
        today = as_staff.get(reverse("today")).content.decode()
        assert f"{reverse('resident_list')}?to_follow" in today

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

    def test_counts_days_served_for_nobody_else_of_the_household(
        self, as_staff: Client, typed: dict[str, Any]
    ) -> None:
        answer = post(as_staff, {**typed, **SERVED, "and_household": "1"})
        assert Case.objects.get().day_1 == NOW.date() - timedelta(days=3)
        form = as_staff.get(answer.url).context["form"]
        assert not form.served.forms[0]["last_day"].value()

    def test_asks_a_household_for_its_phone_once(
        self, as_staff: Client, staff: User, typed: dict[str, Any]
    ) -> None:
        page = as_staff.get(post(as_staff, {**typed, "and_household": "1"}).url)
        assert "138****8000" in page.content.decode()
        mother = Resident.objects.get()
        child = {**sent_by(page.context["form"]), "name": "李小明", "document_type": "none"}
        answer = post(as_staff, {**child, "and_household": "1"})
        father = {**sent_by(as_staff.get(answer.url).context["form"]), "name": "李明"}
        post(as_staff, {**father, "document_type": "none", "phone": "13900139000"})

        phones = {each.name: each.phone for each in Resident.objects.all()}
        assert phones == {
            "王秀英": "+8613800138000",
            "李小明": "+8613800138000",
            "李明": "+8613900139000",
        }
        assert AuditEntry.objects.filter(did="read", subject=f"resident:{mother.key}").exists()
        saved = as_staff.get(reverse("arrival_saved", args=[child["key"]])).content.decode()
        assert "138****8000" in saved

    def test_shares_no_phone_of_somebody_who_has_died(
        self, as_staff: Client, staff: User, typed: dict[str, Any]
    ) -> None:
        post(as_staff, typed)
        mother = Resident.objects.get()
        factories.make_resident(household=mother.household, by=staff, at=NOW)
        moves.die(
            resident=mother,
            version=mother.version,
            day=NOW.date(),
            at=NOW + timedelta(hours=1),
            by=staff,
        )

        page = as_staff.get(f"{reverse('arrival_new')}?after={typed['key']}&keep=household")

        assert page.context["form"].housemate is None

    def test_shares_no_phone_with_another_door(
        self, as_staff: Client, typed: dict[str, Any]
    ) -> None:
        answer = post(as_staff, {**typed, "and_household": "1"})
        child = {**sent_by(as_staff.get(answer.url).context["form"]), "document_type": "none"}
        post(as_staff, {**child, "name": "李小明", "door": "503"})
        assert factories.named("李小明").phone == ""

    def test_gives_somebody_registered_without_a_phone_that_of_the_household(
        self, as_staff: Client, staff: User, typed: dict[str, Any]
    ) -> None:
        post(as_staff, typed)
        mother = Resident.objects.get()
        child = factories.make_resident(household=mother.household, by=staff, phone="")
        other = factories.make_resident(household=mother.household, by=staff, phone="13900139000")
        for who in (child, other):
            address = f"{reverse('arrival_new')}?after={typed['key']}&keep=household&who={who.key}"
            post(as_staff, sent_by(as_staff.get(address).context["form"]))
            who.refresh_from_db()
        assert (child.phone, other.phone) == ("+8613800138000", "+8613900139000")
        assert Arrival.objects.count() == 3

    def test_refuses_a_stay_that_has_not_ended_and_keeps_what_was_typed(
        self, as_staff: Client, typed: dict[str, Any]
    ) -> None:
        later = (NOW.date() + timedelta(days=20)).isoformat()
        page = post(as_staff, {**typed, "stay-0-place": "上海", "stay-0-last_day": later})
        assert not Arrival.objects.exists()
        assert "after the arrival" in page.content.decode()
        assert f'value="{later}"' in page.content.decode()

    def test_keeps_sex_birth_date_and_emergency_contact_of_a_newborn(
        self, as_staff: Client, typed: dict[str, Any]
    ) -> None:
        more = {
            "document_type": "none",
            "number": "",
            "sex": "female",
            "birth_date": "2022-11-01",
            "emergency_name": "王小明",
            "emergency_phone": "13900139000",
        }
        post(as_staff, {**typed, **more})
        resident = Arrival.objects.get(key=typed["key"]).resident
        assert (resident.sex, str(resident.birth_date)) == ("female", "2022-11-01")
        assert resident.emergency_name == "王小明"
        assert resident.emergency_phone == "+8613900139000"

    def test_keeps_the_emergency_contact_of_a_known_person(
        self, as_staff: Client, staff: User, grid: Area, typed: dict[str, Any]
    ) -> None:
        known = factories.make_resident(grid=grid, by=staff, number=typed["number"])
        post(as_staff, {**typed, "emergency_name": "王小明"})
        known.refresh_from_db()
        assert known.emergency_name == "王小明"

    def test_goes_on_with_the_journey_but_not_with_what_is_one_persons_own(
        self, as_staff: Client, typed: dict[str, Any]
    ) -> None:
        answer = post(as_staff, {**typed, **EVIDENCE, "and_household": "1"})
        form = as_staff.get(answer.url).context["form"]
        assert form.stays.forms[0]["place"].value() == "河南省郑州市"
        assert not form["exposure"].value()
        assert not form["proof"].value()
        assert not form["chooses_central"].value()

    def test_is_closed_to_those_whose_work_is_not_people(
        self, client: Client, grid: Area, today: None
    ) -> None:
        client.force_login(factories.make_user("auditor", grid))
        assert client.get(reverse("arrival_new")).status_code == 403


class TestArrivalOfAKnownPerson:
    def test_fills_in_the_person_and_the_door_and_writes_the_look_down(
        self, as_staff: Client, staff: User, grid: Area
    ) -> None:
        known = factories.make_resident(grid=grid, by=staff)
        own = as_staff.get(reverse("resident_detail", args=[known.key])).content.decode()
        address = f"{reverse('arrival_new')}?who={known.key}"
        assert f'href="{address}"' in own
        looks = AuditEntry.objects.filter(did="read", subject=f"resident:{known.key}")
        before = looks.count()
        page = as_staff.get(address)
        assert page.context["form"]["door"].value() == known.household.door
        assert f'name="resident" value="{known.key}"' in page.content.decode()
        assert looks.count() == before + 1

    def test_shows_nothing_of_somebody_who_lives_elsewhere(self, as_staff: Client) -> None:
        other = factories.make_resident()
        page = as_staff.get(f"{reverse('arrival_new')}?who={other.key}")
        assert page.context["form"].known is None
        assert not AuditEntry.objects.filter(did="read").exists()


class TestArrivalDecision:
    def ask(self, client: Client, **typed: str) -> str:
        data = {"arrived": NOW.date().isoformat(), "coming": "home", "home_fit": "yes", **typed}
        rows = {"stay-TOTAL_FORMS": "0", "stay-INITIAL_FORMS": "0"}
        return english(client, "arrival_decision", {**rows, **data}, **{"hx-request": "true"})

    def test_shows_measure_clause_and_dates_of_a_half_filled_form(
        self, as_staff: Client, grid: Area
    ) -> None:
        page = self.ask(as_staff, origin="lanzhou", grid=grid.code)
        assert "Home isolation, 7 days" in page
        assert "clause 4" in page
        assert "November 28" in page
        assert "What would change it" in page

    def test_counts_somebody_from_hong_kong_as_coming_in(
        self, as_staff: Client, grid: Area
    ) -> None:
        asked = {"origin": "香港", "grid": grid.code}
        for coming in ("home", "hmt"):
            page = self.ask(as_staff, coming=coming, **asked)
            assert "Central isolation, 5 days" in page

    def test_asks_which_city_of_a_province_and_says_why(
        self, as_staff: Client, grid: Area
    ) -> None:
        page = self.ask(as_staff, origin="甘肃", grid=grid.code)
        assert "Which city or county?" in page
        assert "clause 4: 兰州市" in page
        assert "free to go" not in page
        assert 'value="甘肃省天水市"' in page
        assert "free to go" in self.ask(as_staff, origin="天水", grid=grid.code)

    def test_asks_beside_each_place_which_city_it_was(self, as_staff: Client, grid: Area) -> None:
        day = (NOW.date() - timedelta(days=2)).isoformat()
        stay = {"stay-TOTAL_FORMS": "1", "stay-0-place": "甘肃", "stay-0-last_day": day}
        page = self.ask(as_staff, origin="天水", grid=grid.code, **stay)
        beside = page.split('hx-swap-oob="innerHTML:#which-id_')
        asked = {part.split('"')[0] for part in beside[1:] if "data-choose" in part}
        assert asked == {"stay-0-place"}

    def test_says_that_a_day_lies_in_the_future(self, as_staff: Client, grid: Area) -> None:
        tomorrow = (NOW.date() + timedelta(days=1)).isoformat()
        for wrong in ({"arrived": "other", "arrived_on": tomorrow}, {"left_on": tomorrow}):
            page = self.ask(as_staff, origin="lanzhou", grid=grid.code, **wrong)
            assert "future" in page
            assert "7 days" not in page

    def test_counts_days_served_elsewhere(self, as_staff: Client, grid: Area) -> None:
        page = self.ask(as_staff, exposure="close_contact", grid=grid.code, **SERVED)
        assert "3 days served before the start count" in page

    def test_says_what_an_entry_adds_to_an_open_measure(
        self, as_staff: Client, grid: Area, arrive: Arrive
    ) -> None:
        case = arrive(days=3).case
        assert case
        who = {"resident": str(case.resident.key), "grid": grid.code, "origin": "lanzhou"}
        assert "to November 28 instead of November 25" in self.ask(as_staff, **who)
        at_home = self.ask(as_staff, **{**who, "origin": "天水"})
        assert "the open measure stays as it is" in at_home

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

    def test_says_at_once_who_is_under_a_measure(self, as_staff: Client, arrive: Arrive) -> None:
        case = arrive(days=3).case
        assert case
        sent = {"document_type": "mainland_id", "number": case.resident.number}
        page = english(as_staff, "arrival_lookup", sent)
        assert "Under a measure since November 19, until November 25" in page
        assert "clause 4" in page
        assert reverse("case_detail", args=[case.key]) in page

    def test_offers_the_days_served_here_before_somebody_left(
        self, as_staff: Client, staff: User, grid: Area, arrive: Arrive, typed: dict[str, Any]
    ) -> None:
        case = arrive(days=5).case
        assert case
        left_on = NOW.date() - timedelta(days=2)
        moves.leave(
            resident=case.resident,
            version=case.resident.version,
            day=left_on,
            place="",
            case_told=True,
            at=factories.moment(left_on),
            by=staff,
        )
        who = {"resident": str(case.resident.key), "number": case.resident.number}
        page = english(as_staff, "arrival_lookup", {"document_type": "mainland_id", **who})
        assert "Home isolation, November 17 to November 19" in page

        post(as_staff, {**typed, **who, "served_here": "home.2022-11-17.2022-11-19"})

        back = Arrival.objects.get(key=typed["key"])
        assert unexplained_cases() == []
        assert back.case.day_1 == NOW.date() - timedelta(days=3)
        assert back.case.release_on == NOW.date() + timedelta(days=3)

    def test_needs_few_queries_for_somebody_who_left_came_back_and_is_held(
        self,
        as_staff: Client,
        staff: User,
        arrive: Arrive,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        case = arrive(days=5).case
        assert case
        moves.leave(
            resident=case.resident,
            version=case.resident.version,
            day=NOW.date() - timedelta(days=2),
            place="",
            case_told=True,
            at=NOW - timedelta(days=2),
            by=staff,
        )
        case.resident.refresh_from_db()
        arrive(days=1, resident=case.resident)
        as_staff.get(reverse("arrival_new"))  # the first page of a session also saves it
        who = {"resident": str(case.resident.key), "number": case.resident.number}

        with django_assert_max_num_queries(12):
            page = as_staff.get(f"{reverse('arrival_new')}?who={case.resident.key}")
        with django_assert_max_num_queries(12):
            as_staff.post(reverse("arrival_lookup"), {"document_type": "mainland_id", **who})
        with django_assert_max_num_queries(12):
            as_staff.post(reverse("arrival_decision"), {**sent_by(page.context["form"]), **who})

    def test_counts_no_days_that_nobody_has_confirmed(
        self, as_staff: Client, staff: User, arrive: Arrive, typed: dict[str, Any]
    ) -> None:
        case = arrive(days=5).case
        assert case
        moves.leave(
            resident=case.resident,
            version=case.resident.version,
            day=NOW.date() - timedelta(days=2),
            place="",
            case_told=True,
            at=NOW - timedelta(days=2),
            by=staff,
        )
        post(as_staff, {**typed, "resident": str(case.resident.key)})
        assert Arrival.objects.get(key=typed["key"]).case.day_1 == NOW.date()


class TestArrivalSaved:
    def test_names_no_origin_of_a_contact_who_came_from_nowhere(
        self, as_staff: Client, typed: dict[str, Any]
    ) -> None:
        post(as_staff, {**typed, "origin": "", "exposure": "close_contact"})
        arrival = Arrival.objects.get(key=typed["key"])
        assert not arrival.from_abroad
        saved = as_staff.get(reverse("arrival_saved", args=[arrival.key]))
        assert saved.context["origin"] == ""


class TestArrivalUndo:
    def test_takes_the_arrival_and_its_case_back(
        self, as_staff: Client, typed: dict[str, Any]
    ) -> None:
        post(as_staff, typed)
        answer: Any = as_staff.post(reverse("arrival_undo", args=[typed["key"]]))
        assert not Arrival.objects.valid().exists()
        assert Case.objects.get().closed_as == "withdrawn"
        form = as_staff.get(answer.url).context["form"]
        assert (form["door"].value(), form["name"].value()) == ("502", "王秀英")

    def test_leaves_no_newcomer_behind(self, as_staff: Client, typed: dict[str, Any]) -> None:
        post(as_staff, typed)
        as_staff.post(reverse("arrival_undo", args=[typed["key"]]))
        assert not Resident.objects.here().exists()
        assert "3号楼" not in as_staff.get(reverse("arrival_new")).context["form"].buildings
        found = as_staff.get(reverse("resident_list"), {"q": "王秀英"}).content.decode()
        assert "王*英" not in found
        again = post(as_staff, {**typed, "key": str(uuid4()), "name": "王秀兰"})
        assert again.status_code == 302
        assert [resident.name for resident in Resident.objects.here()] == ["王秀兰"]

    def test_keeps_a_newcomer_to_whom_something_else_points(
        self, as_staff: Client, typed: dict[str, Any], staff: User
    ) -> None:
        post(as_staff, {**typed, "origin": "巴彦淖尔"})
        resident = Resident.objects.get()
        testing.take_sample(resident=resident, taken_at=NOW, at=NOW, by=staff)
        as_staff.post(reverse("arrival_undo", args=[typed["key"]]))
        assert not Arrival.objects.valid().exists()
        assert Resident.objects.here().get() == resident

    def test_takes_somebody_known_back_to_their_door_and_phone(
        self, as_staff: Client, typed: dict[str, Any], grid: Area, staff: User
    ) -> None:
        known = factories.make_resident(grid=grid, by=staff, phone="13912345678")
        home = known.household_id
        post(as_staff, {**typed, "resident": str(known.key), "emergency_name": "王秀兰"})
        known.refresh_from_db()
        assert (known.household.door, known.phone) == ("502", "+8613800138000")
        moved_to = known.household_id

        answer: Any = as_staff.post(reverse("arrival_undo", args=[typed["key"]]))

        known.refresh_from_db()
        assert (known.household_id, known.phone) == (home, "+8613912345678")
        assert known.emergency_name == ""
        assert not Resident.objects.filter(household=moved_to).exists()
        by_phone = search(text="13912345678", today=NOW.date(), by=staff)
        assert by_phone.page.rows == [known]
        form = as_staff.get(answer.url).context["form"]
        assert (form["door"].value(), form["phone"].value()) == ("502", "+8613800138000")

    def test_is_refused_once_somebody_changed_the_person(
        self, as_staff: Client, typed: dict[str, Any], grid: Area, staff: User
    ) -> None:
        known = factories.make_resident(grid=grid, by=staff, phone="13912345678")
        post(as_staff, {**typed, "resident": str(known.key)})
        known.refresh_from_db()
        residents.change(
            resident=known, version=known.version, phone="13512345678", at=NOW, by=staff
        )
        as_staff.post(reverse("arrival_undo", args=[typed["key"]]))
        known.refresh_from_db()
        assert (known.household.door, known.phone) == ("502", "+8613512345678")
        assert Arrival.objects.valid().exists()

    @pytest.mark.parametrize(
        "journey",
        [
            {},
            {"coming": "abroad", "central_days": "5", "home_days": "2", "entered_via": "上海市"},
            {"coming": "hmt", "origin": "香港", "central_days": "2"},
        ],
    )
    def test_leaves_a_form_that_says_the_same_when_it_is_sent_again(
        self, journey: dict[str, str], as_staff: Client, typed: dict[str, Any]
    ) -> None:
        post(as_staff, {**typed, **EVIDENCE, **SERVED, **journey})
        answer: Any = as_staff.post(reverse("arrival_undo", args=[typed["key"]]))
        form = as_staff.get(answer.url).context["form"]
        again = sent_by(form)
        assert again["key"] != typed["key"]
        post(as_staff, again)
        first, second = Arrival.objects.order_by("pk")
        assert second.facts == first.facts
        assert len(first.facts["stays"]) == (3 if journey.get("coming") == "abroad" else 4)
        assert first.facts["served"] == [["central", -3, -1]]
        assert (second.origin, second.arrived_on) == (first.origin, first.arrived_on)

    def test_is_refused_after_a_while(self, as_staff: Client, arrive: Arrive) -> None:
        logged = arrive(days=1)
        as_staff.post(reverse("arrival_undo", args=[logged.arrival.key]))
        assert Arrival.objects.valid().exists()
