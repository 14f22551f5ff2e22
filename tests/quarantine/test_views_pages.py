"""Every page of arrivals and cases opens, in few queries."""

from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import Area
from quarantine.arrivals import Logged
from tests import factories

MOST_QUERIES = 12

Arrive = Callable[..., Logged]


@pytest.fixture
def logged(arrive: Arrive) -> Logged:
    """Return one of three arrivals: with tests due, overdue, and a release that is blocked."""
    arrive()
    arrive(days=7)
    return arrive(days=2)


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
        assert "〔2022〕71号" in page.content.decode()

    def test_show_what_was_logged(
        self,
        logged: Logged,
        as_staff: Client,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        as_staff.get(reverse("arrival_saved", args=[logged.arrival.key]))
        with django_assert_max_num_queries(MOST_QUERIES):
            page = as_staff.get(reverse("arrival_saved", args=[logged.arrival.key]))
        assert "11-26" in page.content.decode()

    def test_answer_a_filter_in_few_queries(
        self,
        logged: Logged,
        as_staff: Client,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        chosen = {"stage": "home", "test": "overdue", "release": "blocked"}
        with django_assert_max_num_queries(MOST_QUERIES):
            page = as_staff.get(reverse("case_list"), chosen)
        assert [case.day_1 for case in page.context["rows"]] == [date(2022, 11, 15)]

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
