"""Which law holds at a place and day, subject by subject, and what was and will be."""

from datetime import UTC, date, datetime

import pytest
from django.test import Client

from accounts.staff.models import Area, Role
from policy import services
from policy.activations.decisions import withdraw_activation
from policy.activations.local_law import local_law
from policy.models import Activation
from tests import factories

pytestmark = pytest.mark.django_db

NOW = datetime(2022, 12, 20, 4, tzinfo=UTC)
ADDRESS = "/policy/in-force"


def on(code: str, day: date) -> tuple[str | None, bool]:
    found = local_law(code=code, name="", day=day, now=NOW)
    return (found.law.id if found.law else None, found.activated)


class TestTheGround:
    @pytest.mark.parametrize(
        ("day", "document"),
        [
            (date(2022, 6, 27), None),
            (date(2022, 11, 11), "cn-2022-101"),
            (date(2022, 12, 7), "cn-2022-113"),
            (date(2022, 12, 8), "fujian-2022-12"),
            (date(2022, 12, 13), "fujian-2022-12"),
            (date(2022, 12, 14), "cangshan-2022-324"),
        ],
    )
    def test_follows_the_documents_own_days_before_any_activation(
        self, day: date, document: str | None
    ) -> None:
        assert on("350104", day) == (document, False)

    def test_follows_activations_once_there_are_some(self) -> None:
        grid = factories.make_place("cangshan-2022-324", "350104")

        assert on(grid.code, date(2022, 12, 20)) == ("cangshan-2022-324", True)
        activation = Activation.objects.get()
        withdraw_activation(
            activation=activation, at=NOW, by=factories.make_user(Role.ADMINISTRATOR), reason="x"
        )
        assert on(grid.code, date(2022, 12, 19))[1]
        assert not on(grid.code, date(2022, 12, 21))[1]

    def test_takes_over_what_was_put_in_force_above(self) -> None:
        factories.make_community("350104")
        factories.put_in_force("fujian-2022-12", Area.objects.get(code="350000"))

        assert on("350203", date(2022, 12, 20)) == ("fujian-2022-12", True)

    def test_says_who_speaks_on_each_subject(self) -> None:
        found = local_law(code="210800", name="", day=date(2022, 11, 20), now=NOW)
        said = {line.subject: line for line in found.sources}

        assert said["arrivals"][1:] == ("yingkou-2022-11", ("3", "1"), False)
        assert said["close_contacts"][1:] == ("cn-2022-101", ("1",), True)
        assert said["infected"].document is None
        assert "registry_end" not in said

    def test_knows_until_when_a_document_holds_by_its_own_days(self) -> None:
        days = local_law(code="210800", name="", day=date(2022, 11, 20), now=NOW).periods

        assert [(one.document, one.first, one.last) for one in days] == [
            ("cn-2022-113", date(2022, 12, 7), None),
            ("yingkou-2022-11", date(2022, 11, 14), date(2022, 12, 6)),
            ("cn-2022-101", date(2022, 11, 11), date(2022, 11, 13)),
            ("cn-2022-ninth", date(2022, 6, 28), date(2022, 11, 10)),
        ]


class TestThePage:
    def test_begins_with_ones_own_area_today(self, client: Client) -> None:
        grid = factories.make_place("cangshan-2022-324", "350104")
        client.force_login(factories.make_user(Role.GRID_STAFF, grid))

        page = client.get(ADDRESS)

        assert page.context["local_law"].law.id == "cangshan-2022-324"
        assert services.library().documents["cangshan-2022-324"].title.zh in page.content.decode()

    @pytest.mark.parametrize("text", ["仓山区", "cangshan", "350104"])
    def test_finds_any_area_by_what_is_typed(self, client: Client, text: str) -> None:
        client.force_login(factories.make_user(Role.AUDITOR))

        page = client.get(ADDRESS, {"area": text, "day": "2022-12-14"})

        assert page.context["local_law"].law.id == "cangshan-2022-324"

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"area": "无此地", "day": "2022-12-14"}, "area"),
            ({"area": "朝阳", "day": "2022-12-14"}, "area"),
            ({"area": "350104", "day": "2022-02-30"}, "day"),
        ],
    )
    def test_says_what_it_did_not_understand(
        self, client: Client, given: dict[str, str], field: str
    ) -> None:
        client.force_login(factories.make_user(Role.AUDITOR))

        page = client.get(ADDRESS, given)

        assert page.status_code == 422
        assert field in page.context["form"].errors

    def test_asks_few_queries(
        self, client: Client, django_assert_max_num_queries: pytest.FixtureRequest
    ) -> None:
        grid = factories.make_place("cangshan-2022-324", "350104")
        client.force_login(factories.make_user(Role.SUPERVISOR, grid))
        client.get(ADDRESS)

        with django_assert_max_num_queries(12):  # type: ignore[operator]
            client.get(ADDRESS)
