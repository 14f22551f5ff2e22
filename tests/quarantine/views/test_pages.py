"""Every page of arrivals and cases opens, in few queries."""

import math
import re
from collections.abc import Callable
from datetime import date

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.staff.models import Area, User
from policy.services import forget_library
from quarantine.acts import daily_checks, outings
from quarantine.acts.contacts import open_contacts
from quarantine.acts.daily_checks import Symptom
from quarantine.acts.outings import Mask, OutingPurpose, Vehicle
from quarantine.arrivals.services import Logged
from quarantine.cases import lifecycle
from quarantine.models import Case
from tests import factories
from tests.factories import NOW

ENGLISH = {"accept-language": "en"}
TEMPLATES = settings.BASE_DIR / "templates" / "quarantine"
MOST_QUERIES = 12
# Of the page of somebody infected, which proposes the household.
MOST_WITH_CONTACTS = MOST_QUERIES + 1  # the documents are asked for anew once a second

Arrive = Callable[..., Logged]


@pytest.fixture
def logged(arrive: Arrive) -> Logged:
    """Return one of three arrivals: with tests due, overdue, and a release that is blocked."""
    arrive()
    arrive(days=7)
    return arrive(days=2)


class TestDays:
    def test_are_short_in_tables_only(self) -> None:
        short = re.compile(r'\|short_day|date:"m-d')
        in_cell = re.compile(r"<t[dh]\b[^>]*>(?:(?!</t[dh]>).)*$")
        wrong = [
            f"{template.name}: {line.strip()}"
            for template in sorted(TEMPLATES.glob("*.html"))
            for line in template.read_text().splitlines()
            for found in short.finditer(line)
            if not in_cell.search(line[: found.start()])
        ]

        assert wrong == []


class TestPages:
    @pytest.mark.parametrize(
        "name", ["today", "arrival_new", "case_list", "release_list", "origin_search"]
    )
    def test_open(
        self,
        name: str,
        logged: Logged,
        as_staff: Client,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        as_staff.get(reverse(name))
        with django_assert_max_num_queries(MOST_QUERIES):
            assert as_staff.get(reverse(name)).status_code == 200

    @pytest.mark.parametrize("after", ["²", "٣", "-1", "x", "9" * 30])
    @pytest.mark.parametrize("name", ["case_list", "arrival_list", "inbox"])
    def test_begin_again_at_a_key_that_is_none(
        self, name: str, after: str, logged: Logged, as_staff: Client
    ) -> None:
        address = reverse(name)
        page = as_staff.get(address, {"after": after, "below": after})
        assert page.status_code == 200
        assert page.content.count(b"<tr>") == as_staff.get(address).content.count(b"<tr>")

    def test_show_a_case(
        self,
        logged: Logged,
        as_staff: Client,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        assert logged.case
        as_staff.get(reverse("case_detail", args=[logged.case.key]))
        with django_assert_max_num_queries(MOST_QUERIES):
            page = as_staff.get(reverse("case_detail", args=[logged.case.key]))
        assert "（71号）第4条" in page.content.decode()

    def test_show_what_was_logged(
        self,
        logged: Logged,
        as_staff: Client,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        as_staff.get(reverse("arrival_saved", args=[logged.arrival.key]))
        with django_assert_max_num_queries(MOST_QUERIES):
            page = as_staff.get(reverse("arrival_saved", args=[logged.arrival.key]))
        assert "11月26日" in page.content.decode()

    def test_answer_a_filter_in_few_queries(
        self,
        logged: Logged,
        as_staff: Client,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        chosen = {"stage": "home", "test": "overdue", "release": "blocked"}
        with django_assert_max_num_queries(MOST_QUERIES):
            page = as_staff.get(reverse("case_list"), chosen)
        assert [case.day_1 for case, _near in page.context["rows"]] == [date(2022, 11, 15)]

    def test_hide_the_cases_of_another_grid(self, logged: Logged, client: Client) -> None:
        assert logged.case
        client.force_login(factories.make_user("grid_staff", factories.make_grid()))
        page = client.get(reverse("case_detail", args=[logged.case.key]))
        assert page.status_code == 404

    def test_keep_personal_data_covered(
        self, logged: Logged, grid: Area, as_staff: Client
    ) -> None:
        assert logged.case
        resident = logged.case.resident
        page = as_staff.get(reverse("case_detail", args=[logged.case.key])).content.decode()
        assert resident.name not in page
        assert resident.number not in page
        assert resident.phone.removeprefix("+86") not in page


@pytest.fixture
def infected(db: None, today: None) -> Case:
    """Return the case of an infected person of Cangshan, whose household may follow."""
    cangshan = factories.make_place("cangshan-2022-324", "350104")
    contact = factories.make_case(cangshan, exposure="close_contact", arrived_from=None)
    factories.make_resident(household=contact.resident.household)
    opened = factories.make_result(contact, date(2022, 11, 21), outcome="positive").opened
    assert opened
    return opened


def open_page(client: Client, case: Case) -> str:
    page = client.get(reverse("case_detail", args=[case.key]), headers={"accept-language": "en"})
    assert page.status_code == 200
    return page.content.decode()


class TestThePageOfACase:
    def test_opens_in_few_queries_for_an_infected_person_after_a_restart(
        self,
        infected: Case,
        client: Client,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        client.force_login(factories.make_user("grid_staff", infected.grid))
        open_page(client, infected)  # the first page of a session saves it
        forget_library()
        with django_assert_max_num_queries(MOST_WITH_CONTACTS):
            page = open_page(client, infected)
        assert "Household members as close contacts" in page

    def test_of_an_infected_person_asks_as_few_queries_as_any(
        self,
        infected: Case,
        client: Client,
        monkeypatch: pytest.MonkeyPatch,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        client.force_login(factories.make_user("grid_staff", infected.grid))
        open_page(client, infected)
        # Documents are asked for anew once a second, on whatever page that is.
        monkeypatch.setattr("policy.services.FRESH_FOR_SECONDS", math.inf)
        with django_assert_max_num_queries(MOST_QUERIES):
            page = open_page(client, infected)
        assert "Household members as close contacts" in page

    def test_opens_in_few_queries_for_somebody_who_was_referred(
        self,
        arrive: Arrive,
        as_staff: Client,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        case = arrive(days=2).case
        assert case
        factories.make_resident(household=case.resident.household)
        factories.make_result(case, date(2022, 11, 21), outcome="positive")
        open_page(as_staff, case)  # the first page of a session saves it
        forget_library()
        with django_assert_max_num_queries(MOST_WITH_CONTACTS):
            page = open_page(as_staff, case)
        assert "Household members as close contacts" in page

    def test_shows_no_sample_of_the_next_case(self, infected: Case, client: Client) -> None:
        client.force_login(factories.make_user("grid_staff", infected.grid))
        before = Case.objects.get(resident=infected.resident, governs=False)
        before.closed_on, before.closed_as = date(2022, 11, 21), "superseded"
        before.save()
        factories.make_result(infected, date(2022, 11, 22), outcome="positive", ct="31.5")
        assert "Ct 31.5" in open_page(client, infected)
        assert "Ct 31.5" not in open_page(client, before)

    def test_says_that_the_release_is_blocked_when_nothing_was_tested(
        self, arrive: Arrive, as_staff: Client
    ) -> None:
        case = arrive(days=7).case
        assert case
        page = open_page(as_staff, case)
        heading = page[page.index("<h1") : page.index("</h1>")]
        assert "Blocked" in heading
        assert "Tests only" not in heading

    def test_tells_what_was_found_and_by_whom(
        self, arrive: Arrive, as_staff: Client, staff: User
    ) -> None:
        case = arrive(days=2).case
        assert case
        recorded = factories.make_result(case, date(2022, 11, 21))
        case.refresh_from_db()
        daily_checks.daily_check(
            case=case,
            temperature=None,
            symptoms=[Symptom.COUGH, Symptom.THROAT],
            note="",
            at=NOW,
            by=staff,
        )
        lifecycle.change_home_conditions(case=case, met=False, reason="合住", at=NOW, by=staff)
        page = open_page(as_staff, case)
        happened = page[page.index('class="happened"') :]
        assert "Dry cough · Sore throat" in happened
        assert "Not fit · Home isolation → Central isolation · 合住" in happened
        assert "sample of November 21 · Negative" in happened
        assert str(recorded.result.recorded_by) in happened

    def test_tells_the_clinical_state(self, infected: Case, client: Client) -> None:
        by = factories.make_user("grid_staff", infected.grid)
        infected.refresh_from_db()
        lifecycle.change_clinical(case=infected, state="mild", reason="医生", at=NOW, by=by)
        client.force_login(by)
        assert "Mild · 医生" in open_page(client, infected)

    def test_tells_who_decides_on_an_outing_what_was_asked_for(
        self, arrive: Arrive, client: Client, staff: User, supervisor: User, today: None
    ) -> None:
        case = arrive(days=2).case
        assert case
        outings.ask_outing(
            case=case,
            day=NOW.date(),
            purpose=OutingPurpose.MEDICAL,
            vehicle=Vehicle.ESCORTED,
            mask=Mask.N95,
            reason="透析",
            at=NOW,
            by=staff,
        )
        client.force_login(supervisor)
        page = open_page(client, case)
        vehicle = "Escorted vehicle, door to door"
        said = f"November 22 · Seeing a doctor · {vehicle} · KN95, N95 or better"
        decision = page[page.index('id="act-answer"') : page.index('id="act-outing"')]
        assert f"{said} · 透析" in decision
        assert page.count(f"{said} · 透析") == 3  # to do, in the form, in the history


class TestSomebodyUnderTwoGrounds:
    @pytest.fixture
    def both(self, arrive: Arrive) -> tuple[Case, Case]:
        first = arrive(days=3).case
        assert first
        second = arrive(days=1, resident=first.resident).case
        assert second
        return first, second

    def test_is_one_row_in_the_list_and_leads_from_each_ground_to_the_other(
        self, as_staff: Client, both: tuple[Case, Case]
    ) -> None:
        _first, second = both

        rows = as_staff.get(reverse("case_list")).context["rows"]

        assert [case for case, _near in rows] == [second]
        for here, there in (both, both[::-1]):
            page = open_page(as_staff, here)
            assert reverse("case_detail", args=[there.key]) in page
            assert "Holds" in page

    def test_tells_the_grounds_apart_and_lets_only_the_days_of_the_person_stand_out(
        self, as_staff: Client, both: tuple[Case, Case]
    ) -> None:
        first, _second = both
        for case in both:
            page = open_page(as_staff, case)
            assert "arrived on November 19 · 甘肃省兰州市" in page
            assert "arrived on November 21 · 甘肃省兰州市" in page
            assert "November 19 to November 25" in page
            assert set(re.findall(r"<strong>(November \d+)</strong>", page)) == {"November 27"}
        assert "This ground to</dt><dd>November 25" in open_page(as_staff, first)

    def test_tells_two_contacts_apart_by_whose_they_are(
        self, infected: Case, client: Client
    ) -> None:
        flatmates = [
            factories.make_resident(household=infected.resident.household, name=name)
            for name in ("李一", "赵二")
        ]
        at = factories.moment(date(2022, 11, 21))
        by = factories.make_user("grid_staff", infected.grid)
        cases = open_contacts(case=infected, residents=flatmates, at=at, by=by)
        also = factories.make_result(cases[0], date(2022, 11, 22), outcome="positive").opened
        assert also
        open_contacts(
            case=also, residents=[flatmates[1]], at=factories.moment(date(2022, 11, 22)), by=by
        )
        client.force_login(by)

        page = open_page(client, cases[1])

        name = infected.resident.masked_name
        assert f"lives with {name}, infected" in page
        assert "lives with 李*, infected" in page

    def test_hears_after_an_arrival_what_held_before_and_what_holds_now(
        self, as_staff: Client, both: tuple[Case, Case]
    ) -> None:
        first, second = both
        assert second.arrival

        address = reverse("arrival_saved", args=[second.arrival.key])
        page = as_staff.get(address, headers=ENGLISH).content.decode()

        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.release_on, second.release_on) == (date(2022, 11, 25), date(2022, 11, 27))
        assert "Held to November 25 before this arrival, to November 27" in page

    def test_is_asked_nothing_after_its_end_on_the_page_of_a_ground_that_has_ended(
        self, as_staff: Client, both: tuple[Case, Case]
    ) -> None:
        first, _second = both
        first.refresh_from_db()
        first.closed_on, first.closed_as = date(2022, 11, 20), "superseded"
        first.save()

        page = as_staff.get(reverse("case_detail", args=[first.key]))

        drawn = [cell for cell in page.context["weeks"] if cell]
        assert drawn[-1].day.day == date(2022, 11, 20)


class TestTheReleaseOfSomebodyWhoIsPerhapsAContactAgain:
    def test_is_warned_of_on_the_list_and_on_the_page(
        self, infected: Case, client: Client
    ) -> None:
        client.force_login(factories.make_user("grid_staff", infected.grid))
        flatmate = factories.make_resident(household=infected.resident.household)
        held = factories.make_case(
            infected.grid,
            resident=flatmate,
            on=date(2022, 11, 15),
            exposure="close_contact",
            arrived_from=None,
        )

        factories.make_result(held, date(2022, 11, 19))

        page = open_page(client, held)
        released = client.get(reverse("release_list"), headers=ENGLISH).content.decode()

        assert "nobody has decided yet whether this person is a close contact" in page
        assert "Perhaps a close contact again" in released
