from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.staff.models import Area, Role
from testing.models import LocalOutbreak
from tests import factories

pytestmark = pytest.mark.django_db

# Ten in the morning in Shanghai, under the Cangshan plan: nursing homes want 48 hours and a code.
AT = datetime(2022, 12, 20, 2, tzinfo=UTC)
GOOD = {"venue": "nursing_home", "role": "visitor"}


@pytest.fixture(autouse=True)
def december(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.clock.now", lambda: AT)


@pytest.fixture
def cangshan() -> Area:
    return factories.make_place("cangshan-2022-324", "350104")


@pytest.fixture
def guard(client: Client, cangshan: Area) -> Client:
    client.force_login(factories.make_user(Role.GRID_STAFF, cangshan))
    return client


def ask(guard: Client, **shown: str) -> Any:
    return guard.get(reverse("door"), {**GOOD, **shown}, headers={"accept-language": "en"})


class TestTheDoor:
    def test_lets_in_who_shows_a_proof_of_exactly_48_hours(self, guard: Client) -> None:
        response = ask(guard, sampled_on="2", sampled_at="10:00")

        checked = response.context["checked"]
        assert checked.entry.allowed
        assert checked.hours_left == 0
        assert "door-pass" in response.content.decode()

    def test_stops_who_shows_one_a_minute_older(self, guard: Client) -> None:
        response = ask(guard, sampled_on="2", sampled_at="09:59")

        page = response.content.decode()
        assert not response.context["checked"].entry.allowed
        assert "No pass" in page
        assert "#clause-" in page
        assert "Take a sample" in page

    def test_says_how_long_the_proof_holds(self, guard: Client) -> None:
        response = ask(guard, sampled_on="1", sampled_at="12:30")

        assert response.context["checked"].hours_left == 26

    def test_lets_patients_in_without_a_proof(self, guard: Client) -> None:
        checked = ask(guard, venue="hospital", role="patient").context["checked"]

        assert checked.entry.allowed

    def test_asks_only_what_the_law_checks_there(self, guard: Client) -> None:
        checked = guard.get(reverse("door"), {"venue": "nursing_home"}).context["form"]
        free = guard.get(reverse("door"), {"venue": "mall"}).context["form"]

        assert {"sampled_on", "health_code", "scanned"} <= set(checked.fields)
        assert "temperature" not in checked.fields
        assert set(free.fields) == {"role"}

    def test_remembers_the_venue_on_the_phone(self, guard: Client) -> None:
        assert "venues" in guard.get(reverse("door")).context
        ask(guard, venue="bar")

        assert guard.get(reverse("door")).context["venue"] == "bar"
        assert "venues" in guard.get(reverse("door"), {"venue": ""}).context

    @pytest.mark.parametrize(
        ("time", "sentence"),
        [("", "Give the time"), ("10:01", "has not come yet"), ("soon", "Give the time")],
    )
    def test_says_what_is_wrong_with_a_time(self, guard: Client, time: str, sentence: str) -> None:
        response = ask(guard, sampled_on="0", sampled_at=time)

        assert "checked" not in response.context
        assert sentence in response.context["form"].errors["sampled_at"][0]

    def test_answers_htmx_with_the_verdict_alone(self, guard: Client) -> None:
        response = guard.get(reverse("door"), GOOD, headers={"hx-request": "true"})

        assert "<html" not in response.content.decode()
        assert "door-stop" in response.content.decode()

    def test_asks_in_which_area_who_answers_for_several(
        self, client: Client, cangshan: Area
    ) -> None:
        bayannur = factories.make_place("bayannur-2022-71", "150800")
        client.force_login(factories.make_user(Role.SUPERVISOR, cangshan, bayannur))

        laws = [
            client.get(reverse("door"), {"area": area.code}).context["law"].id
            for area in (cangshan, bayannur)
        ]

        assert laws == ["cangshan-2022-324", "bayannur-2022-71"]

    def test_says_where_no_document_is_in_force(self, client: Client) -> None:
        client.force_login(factories.make_user(Role.GRID_STAFF, factories.make_grid()))

        assert client.get(reverse("door"), GOOD).context["law"] is None

    def test_writes_nothing_down(
        self, guard: Client, django_assert_max_num_queries: pytest.FixtureRequest
    ) -> None:
        with django_assert_max_num_queries(12) as asked:  # type: ignore[operator]
            ask(guard, sampled_on="1", sampled_at="12:30")

        written = [q["sql"] for q in asked.captured_queries if q["sql"].startswith("INSERT")]
        assert not written

    def test_takes_what_was_not_touched_as_it_was_shown(self, guard: Client) -> None:
        form = ask(guard, sampled_on="1", sampled_at="12:30").context["form"]

        assert (form["scanned"].value(), form["health_code"].value()) == ("yes", "green")


class TestALocalOutbreak:
    """Yingkou 5: 72 hours at every door, 48 where the place has declared an outbreak."""

    NOVEMBER = datetime(2022, 11, 20, 2, tzinfo=UTC)

    @pytest.fixture
    def yingkou(self, monkeypatch: pytest.MonkeyPatch) -> Area:
        monkeypatch.setattr("common.clock.now", lambda: self.NOVEMBER)
        community: Area = Area.objects.get_parent(
            factories.make_place("yingkou-2022-11", "210800")
        )
        return community

    @pytest.fixture
    def supervisor(self, yingkou: Area) -> Client:
        client = Client()
        client.force_login(factories.make_user(Role.SUPERVISOR, yingkou))
        return client

    def settle(self, supervisor: Client, area: Area, decision: str) -> Any:
        return supervisor.post(
            reverse("local_outbreak", args=[area.code]),
            {"decision": decision, "reason": "社区出现聚集性疫情"},
        )

    def lets_in(self, client: Client, **proof: str) -> bool:
        given = {"venue": "mall", "role": "visitor", "scanned": "yes", **proof}
        entry = client.get(reverse("door"), given).context["checked"].entry
        return bool(entry.allowed)

    def test_asks_for_a_proof_of_48_hours_until_it_ends(
        self, client: Client, supervisor: Client, yingkou: Area
    ) -> None:
        guard = factories.make_user(Role.GRID_STAFF, Area.objects.get_children(yingkou).first())
        client.force_login(guard)
        old = {"sampled_on": "2", "sampled_at": "09:59"}
        fresh = {"sampled_on": "2", "sampled_at": "10:00"}
        assert self.lets_in(client, **old)

        self.settle(supervisor, yingkou, "declare")
        assert not self.lets_in(client, **old)
        assert self.lets_in(client, **fresh)

        self.settle(supervisor, yingkou, "end")
        assert self.lets_in(client, **old)

    def test_is_declared_once_and_kept_with_who_and_why(
        self, supervisor: Client, yingkou: Area
    ) -> None:
        for decision in ("declare", "declare", "end", "end"):
            self.settle(supervisor, yingkou, decision)

        declared = LocalOutbreak.objects.filter(area=yingkou)
        assert (declared.count(), declared.filter(withdrawn_at=None).count()) == (1, 0)
        assert all(one.reason and one.declared_by_id for one in declared)

    def test_needs_a_reason(self, supervisor: Client, yingkou: Area) -> None:
        supervisor.post(
            reverse("local_outbreak", args=[yingkou.code]), {"decision": "declare", "reason": " "}
        )

        assert not LocalOutbreak.objects.exists()

    def test_is_offered_only_where_a_clause_allows_it(
        self, client: Client, cangshan: Area, supervisor: Client
    ) -> None:
        client.force_login(factories.make_user(Role.SUPERVISOR, cangshan))

        assert "may_tighten" not in client.get(reverse("door")).context
        assert supervisor.get(reverse("door")).context["may_tighten"]
