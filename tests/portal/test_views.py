"""The way in and the demo's day."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page
from pytest_django.fixtures import Settings

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Role
from common import clock
from portal import demo
from portal.management.commands import up
from portal.views import FIRST_PAGE
from tests.browser import barriers, shot, sign_in, too_small
from tests.factories import make_user

EVERY_ADDRESS, EVERY_ADDRESS_6 = "0.0.0.0", "::"  # noqa: S104 - nothing is bound


@pytest.mark.django_db
class TestADemoForOthers:
    @pytest.mark.parametrize(
        ("listens", "said"),
        [
            (EVERY_ADDRESS, True),
            (EVERY_ADDRESS_6, True),
            ("192.0.2.7", True),
            ("127.0.0.1", False),
            ("::1", False),
        ],
    )
    def test_says_so_on_the_page(self, client: Client, listens: str, said: bool) -> None:
        page = client.get(reverse("account_login"), SERVER_NAME=listens).content.decode()
        assert ("其他设备也能访问" in page) == said

    @pytest.mark.parametrize(
        ("host", "said"),
        [
            (EVERY_ADDRESS, True),
            (EVERY_ADDRESS_6, True),
            ("127.0.0.1", False),
            ("localhost", False),
        ],
    )
    def test_says_so_at_the_start(self, host: str, said: bool) -> None:
        assert bool(up.warning(host)) == said

    def test_is_no_matter_of_production(self, client: Client, settings: Settings) -> None:
        settings.DEMO = False
        assert not up.warning(EVERY_ADDRESS)
        page = client.get(reverse("account_login"), SERVER_NAME=EVERY_ADDRESS).content.decode()
        assert "其他设备也能访问" not in page


@pytest.mark.django_db
class TestHome:
    @pytest.mark.parametrize("role", Role)
    def test_leads_everybody_to_their_first_page(self, client: Client, role: Role) -> None:
        client.force_login(make_user(role))

        answer = client.get("/")

        assert answer["Location"] == reverse(FIRST_PAGE[role])


@pytest.mark.django_db
class TestDemoDay:
    def test_moves_the_day_for_everybody_and_writes_down_who_did(self, client: Client) -> None:
        user = make_user()
        client.force_login(user)
        tomorrow = timezone.localdate() + timedelta(days=1)

        client.post("/demo/day/", {"day": str(tomorrow)})

        assert clock.today() == tomorrow
        entry = AuditEntry.objects.get(did="set the day of the demo")
        assert entry.actor == user.key
        assert entry.detail == {"day": str(tomorrow)}

    def test_goes_back_to_the_real_day(self, client: Client) -> None:
        client.force_login(make_user())
        clock.set_demo_day(timezone.localdate() + timedelta(days=5))

        client.post("/demo/day/", {"day": ""})

        assert clock.today() == timezone.localdate()

    def test_refuses_a_day_far_from_everything_in_the_demo(self, client: Client) -> None:
        client.force_login(make_user())

        answer = client.post("/demo/day/", {"day": "2019-01-01"})

        assert "is-invalid" in answer.content.decode()
        assert clock.today() == timezone.localdate()

    def test_does_not_exist_in_production(self, client: Client, settings: Settings) -> None:
        settings.DEMO = False
        client.force_login(make_user())

        assert client.get("/demo/day/").status_code == 404
        assert client.post("/demo/day/", {"day": "2026-01-01"}).status_code == 404

    def test_can_be_used_with_a_thumb_and_a_screen_reader(self, phone: Page) -> None:
        sign_in(phone, make_user())

        phone.goto("/demo/day/")
        phone.get_by_role("button", name="后一天").click()

        assert clock.today() == timezone.localdate() + timedelta(days=1)
        assert not too_small(phone)
        assert not barriers(phone)
        shot(phone, "demo-day-phone", whole=True)


@pytest.mark.django_db
class TestDemoSignIns:
    def test_stand_on_the_sign_in_page_of_the_demo_only(
        self, client: Client, settings: Settings, tmp_path: Path
    ) -> None:
        settings.DATA_DIR = tmp_path
        make_user(username="grid.bayannur")
        demo.seed(at=clock.now())  # here already: only the passwords are made
        (_, username, password), *_ = demo.sign_ins()

        shown = client.get(reverse("account_login")).content.decode()
        settings.DEMO = False
        hidden = client.get(reverse("account_login")).content.decode()

        assert username in shown
        assert password in shown
        assert password not in hidden
