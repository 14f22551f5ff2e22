import uuid
from datetime import date, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, User
from quarantine.models import Case
from reminders import health
from reminders.models import Heartbeat, Message, Reading
from reminders.sweep import sweep
from tests.factories import NOW, make_community, make_grid, make_user
from tests.reminders.cases import make_case, make_many
from tests.reminders.servers import Gateway

pytestmark = pytest.mark.django_db
TODAY = date(2022, 11, 22)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def grid() -> Area:
    return make_grid()


@pytest.fixture
def alice(grid: Area, client: Client) -> User:
    alice = make_user("grid_staff", grid)
    client.force_login(alice)
    return alice


@pytest.fixture
def sun(grid: Area) -> User:
    return make_user("supervisor", grid)


def page(client: Client, name: str = "inbox", query: str = "") -> str:
    response = client.get(reverse(name) + query)
    assert response.status_code == 200
    return response.content.decode()


class TestInbox:
    def test_shows_what_was_told_about_ones_own_grid(
        self, client: Client, alice: User, grid: Area
    ) -> None:
        make_case(grid=grid, day_1=TODAY, next_test_on=TODAY)
        make_case(grid=make_grid(), day_1=TODAY, release_on=TODAY)
        sweep(at=NOW)

        shown = page(client)
        assert shown.count("inbox-new") == 1
        assert "张*" in shown
        assert "张三" not in shown

    def test_counts_what_is_new_beside_its_name(
        self, client: Client, alice: User, grid: Area
    ) -> None:
        make_many(3, grid=grid, day_1=TODAY, next_test_on=TODAY)
        sweep(at=NOW)

        assert '<span class="count-badge">3</span>' in page(client)

    def test_says_what_comes_next_when_it_is_empty(self, client: Client, alice: User) -> None:
        assert 'class="empty"' in page(client)

    def test_says_which_messages_are_settled(
        self, client: Client, alice: User, grid: Area
    ) -> None:
        case = make_case(grid=grid, day_1=TODAY, next_test_on=TODAY)
        sweep(at=NOW)
        assert "tag-done" not in page(client)

        Case.objects.filter(pk=case.pk).update(next_test_on=None)
        assert "tag-done" in page(client)

    def test_has_pages_without_gaps_or_copies(
        self, client: Client, alice: User, grid: Area
    ) -> None:
        make_many(31, grid=grid, day_1=TODAY, next_test_on=TODAY)
        sweep(at=NOW)

        first = page(client)
        last = Message.objects.order_by("-pk")[29]
        assert first.count("inbox-new") == 30
        assert page(client, query=f"?below={last.pk}").count("inbox-new") == 1

    def test_asks_the_database_as_often_for_many_messages_as_for_one(
        self,
        client: Client,
        alice: User,
        grid: Area,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        make_many(30, grid=grid, day_1=TODAY, next_test_on=TODAY)
        sweep(at=NOW)

        with django_assert_max_num_queries(12):
            page(client)

    @pytest.mark.parametrize("role", ["administrator", "auditor"])
    def test_is_closed_to_those_who_see_no_people(
        self, client: Client, grid: Area, role: str
    ) -> None:
        client.force_login(make_user(role, grid))

        assert client.get(reverse("inbox")).status_code == 403


class TestReadingAMessage:
    def test_leaves_the_badge_of_others_alone(
        self, client: Client, alice: User, sun: User, grid: Area
    ) -> None:
        make_case(grid=grid, day_1=TODAY, next_test_on=TODAY)
        sweep(at=NOW)
        message = Message.objects.get()

        for _ in range(2):
            client.post(reverse("message_read", args=[message.key]))
        assert Reading.objects.get().user == alice
        assert "count-badge" not in page(client)
        client.force_login(sun)
        assert "count-badge" in page(client)

    def test_shows_it_read_in_its_place(self, client: Client, alice: User, grid: Area) -> None:
        make_case(grid=grid, day_1=TODAY, next_test_on=TODAY)
        sweep(at=NOW)
        url = reverse("message_read", args=[Message.objects.get().key])

        response = client.post(url, headers={"HX-Request": "true"})
        assert response.content.decode().lstrip().startswith("<li")
        assert "inbox-new" not in response.content.decode()

    def test_of_another_grid_is_as_absent_as_one_that_is_not(
        self, client: Client, alice: User
    ) -> None:
        make_case(grid=make_grid(), day_1=TODAY, next_test_on=TODAY)
        sweep(at=NOW)

        for key in (Message.objects.get().key, uuid.uuid4()):
            assert client.post(reverse("message_read", args=[key])).status_code == 404

    def test_can_be_done_for_all_at_once(self, client: Client, alice: User, grid: Area) -> None:
        make_many(40, grid=grid, day_1=TODAY, next_test_on=TODAY)
        make_case(grid=make_grid(), day_1=TODAY, next_test_on=TODAY)
        sweep(at=NOW)

        client.post(reverse("inbox_read"))
        assert Reading.objects.filter(user=alice).count() == 40


class TestUndelivered:
    @pytest.fixture(autouse=True)
    def _messages(self, gateway: Gateway, grid: Area, sun: User, client: Client) -> None:
        make_many(2, grid=grid, day_1=TODAY, next_test_on=TODAY)
        sweep(at=NOW)
        client.force_login(sun)

    def failed(self, state: str = "failed") -> Message:
        message = Message.objects.filter(channel="sms").first()
        assert message
        Message.objects.filter(pk=message.pk).update(state=state, attempts=6, trouble="HTTP 400")
        return message

    def test_lists_what_did_not_arrive_and_why(self, client: Client) -> None:
        assert 'class="empty"' in page(client, "undelivered")

        self.failed()
        shown = page(client, "undelivered")
        assert "HTTP 400" in shown
        assert "张*" in shown

    def test_sends_again_from_the_first_attempt(self, client: Client, gateway: Gateway) -> None:
        message = self.failed()

        client.post(reverse("message_retry", args=[message.key]))
        message.refresh_from_db()
        assert (message.state, message.attempts, message.perhaps_twice) == ("due", 0, False)
        assert AuditEntry.objects.get(did="sent message again").subject == f"message:{message.key}"

    def test_says_perhaps_twice_where_keys_are_not_honoured(
        self, client: Client, gateway: Gateway, settings: Settings
    ) -> None:
        settings.SMS_GATEWAY = gateway.settings(idempotency_header="")
        message = self.failed("unknown")

        client.post(reverse("message_retry", args=[message.key]))
        assert Message.objects.perhaps_twice().get() == message
        assert "张*" in page(client, "undelivered", "?twice")

    def test_puts_aside_what_was_told_in_person(self, client: Client) -> None:
        message = self.failed()

        client.post(reverse("message_retry", args=[message.key]), {"told": ""})
        assert not Message.objects.undelivered().exists()

    def test_is_decided_once(self, client: Client) -> None:
        message = self.failed()
        url = reverse("message_retry", args=[message.key])

        client.post(url)
        assert "flash-error" in client.post(url, follow=True).content.decode()
        assert AuditEntry.objects.filter(did="sent message again").count() == 1

    def test_shows_only_what_lies_below_ones_areas(self, client: Client) -> None:
        message = self.failed()
        client.force_login(make_user("supervisor", make_community()))

        assert 'class="empty"' in page(client, "undelivered")
        assert client.post(reverse("message_retry", args=[message.key])).status_code == 404

    def test_is_closed_to_grid_staff(self, client: Client, grid: Area) -> None:
        client.force_login(make_user("grid_staff", grid))

        assert client.get(reverse("undelivered")).status_code == 403


class TestEveryPage:
    def test_says_nothing_while_they_run(self, client: Client, alice: User) -> None:
        health.record_heartbeat()

        assert "notice-stopped" not in page(client)

    def test_says_when_sweeps_have_stopped(self, client: Client, alice: User) -> None:
        Heartbeat.objects.update(at=datetime.now(tz=NOW.tzinfo) - timedelta(minutes=6))

        assert "notice-stopped" in page(client)
