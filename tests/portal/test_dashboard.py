"""The supervisor's overview."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.staff.models import Area, Role, User
from portal.dashboard import Dashboard
from quarantine.cases.calendars import calendars_of
from quarantine.lists.area_table import LinkedNumber
from quarantine.lists.filters import ArrivalFilter, CaseFilter
from quarantine.lists.forecast import forecast
from quarantine.models import Case
from quarantine.todo.models import Todo
from reminders.models import Message
from tests.factories import make_user
from tests.portal.conftest import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("seeded", "evening")]

TODAY = AT.date()


@pytest.fixture
def evening() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


def _numbers(found: Dashboard) -> Iterator[LinkedNumber]:
    yield from found.totals.values()
    yield from found.arrivals_by_measure
    for row in found.rows:
        yield from row.numbers
    for bars in (found.open_cases, found.tests):
        for column in bars.series.values():
            yield from column


def _supervisor(username: str = "supervisor") -> User:
    return User.objects.get(username=username)


def _behind(url: str) -> int:
    """Count what the list at an address holds."""
    address, _, query = url.partition("?")
    given = QueryDict(query)
    if address == reverse("undelivered"):
        areas = Area.objects.filter(code=given["area"]) if given else [None]
        messages = Message.objects.visible_to(_supervisor()).undelivered()
        return sum((messages.below(area) if area else messages).count() for area in areas)
    if address == reverse("todo_list"):
        within = Area.objects.filter(code=given["area"]) if given else Area.objects.filter(depth=1)
        todos = Todo.objects.visible_to(_supervisor()).open()
        paths = [area.path for area in within]
        blocked = {"release": "blocked", **({"area": given["area"]} if given else {})}
        return CaseFilter(blocked, user=_supervisor(), today=TODAY).qs.count() + sum(
            todos.filter(resident__grid__path__startswith=path).count() for path in paths
        )
    kind = ArrivalFilter if address == reverse("arrival_list") else CaseFilter
    chosen = kind(given, user=_supervisor(), today=TODAY)
    assert chosen.is_valid()
    return chosen.qs.count()


def _undelivered(grid: Area) -> None:
    Message.objects.create(
        grid=grid,
        case=Case.objects.filter(grid=grid).first(),
        kind=Message.Kind.TEST_TODAY,
        day=TODAY,
        channel=Message.Channel.SMS,
        state=Message.State.FAILED,
        created_at=AT,
        not_before=AT,
    )


class TestDashboard:
    @pytest.mark.parametrize("code", ["", "150802900001", "35010490000101"])
    def test_leads_with_every_number_to_exactly_the_people_behind_it(self, code: str) -> None:
        _undelivered(Area.objects.get(code="35010490000101"))
        numbers = list(_numbers(Dashboard(user=_supervisor(), today=TODAY, code=code)))

        wrong = [number for number in numbers if _behind(number.url) != number.value]

        assert not wrong
        assert len(numbers) > 140

    def test_leads_to_lists_that_say_the_same_number(self, client: Client) -> None:
        _undelivered(Area.objects.get(code="35010490000101"))
        client.force_login(_supervisor())

        for number in Dashboard(user=_supervisor(), today=TODAY).totals.values():
            assert client.get(number.url).context["count"] == number.value

    def test_adds_up(self) -> None:
        found = Dashboard(user=_supervisor(), today=TODAY)

        for key, total in found.totals.items():
            column = [n.value for row in found.rows for n in row.numbers if n.key == key]
            assert sum(column) == total.value
        assert sum(number.value for number in found.stages) == found.totals["open"].value
        assert [number.value for number in found.stages] == [
            column[14].value for column in found.open_cases.series.values()
        ]

    def test_shows_what_is_wrong_in_the_demo(self) -> None:
        totals = Dashboard(user=_supervisor(), today=TODAY).totals

        for key in ("arrivals", "test_today", "test_done", "test_overdue", "release_blocked"):
            assert totals[key].value
        assert sum(n.value for n in Dashboard(user=_supervisor(), today=TODAY).stages) > 30

    def test_shows_a_supervisor_their_own_county_only(self) -> None:
        found = Dashboard(user=_supervisor("supervisor.bayannur"), today=TODAY, code="350104")

        assert found.scope is None
        assert {row.area.county_code for row in found.rows} == {"150802"}

    def test_leads_from_a_community_to_its_grids(self, client: Client) -> None:
        client.force_login(_supervisor())
        (row, *_) = Dashboard(user=_supervisor(), today=TODAY).rows

        below = client.get(row.url).context["dashboard"]

        assert row.area.level == Area.Level.COMMUNITY
        assert {each.area.level for each in below.rows} == {Area.Level.GRID}
        assert len(below.rows) == 3

    def test_needs_few_queries_however_many_cases(
        self, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        client.force_login(_supervisor())
        client.get(reverse("dashboard"))  # the first page of a session also saves it

        with django_assert_max_num_queries(12):
            client.get(reverse("dashboard"))

    def test_renews_its_numbers_without_the_frame(self, client: Client) -> None:
        client.force_login(_supervisor())

        part = client.get(reverse("dashboard"), headers={"HX-Request": "true"}).content.decode()

        assert "total-open" in part
        assert "<html" not in part

    def test_is_empty_for_a_supervisor_without_areas(self, client: Client) -> None:
        client.force_login(make_user(Role.SUPERVISOR))

        found = client.get(reverse("dashboard")).context["dashboard"]

        assert not any(number.value for number in _numbers(found))

    @pytest.mark.parametrize("role", sorted(set(Role) - {Role.SUPERVISOR}))
    def test_is_for_supervisors_only(self, client: Client, role: Role) -> None:
        client.force_login(make_user(role))

        assert client.get(reverse("dashboard")).status_code == 403

    def test_expects_no_tests_when_everybody_will_have_been_released(self) -> None:
        found = Dashboard(user=_supervisor(), today=TODAY)
        needed = {day: number.value for day, (number,) in found.tests.rows()}

        assert needed[TODAY + timedelta(days=1)]
        assert not needed[TODAY + timedelta(days=12)]

    def test_expects_of_each_case_what_its_own_calendar_says(self) -> None:
        cases = list(Case.objects.open().select_related("plan"))
        calendars = calendars_of(cases, today=TODAY)
        found = forecast(cases=Case.objects.all(), today=TODAY, since=TODAY - timedelta(days=14))

        for ahead in range(14):
            day = TODAY + timedelta(days=ahead)
            asked = {
                case.pk
                for case in cases
                for each in calendars[case.pk].days
                if each.day == day and each.test in {"due", "make_up"}
            }
            assert set(found.needing_test(day)) == asked
