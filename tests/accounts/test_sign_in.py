"""Signing in and what comes first, by the pages themselves."""

import base64
import re
import time
from typing import cast

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.usersessions.models import UserSession
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page
from pytest_django.fixtures import Settings

from accounts import services
from accounts.auditing.models import AuditEntry
from accounts.middleware import BEGAN, SEEN
from accounts.staff.models import Role, User
from tests.browser import barriers, shot, sign_in, too_small
from tests.factories import PASSWORD, make_community, make_grid, make_user

pytestmark = pytest.mark.django_db


def enter(client: Client, user: User, password: str = PASSWORD) -> HttpResponse:
    url = reverse("account_login")
    return cast(HttpResponse, client.post(url, {"login": user.username, "password": password}))


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def code_of(secret: str) -> str:
    code: str = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    return code


def set_up(client: Client) -> str:
    """Give the password once more, set up the second factor and return its secret."""
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    found = re.search(r'value="([A-Z2-7]{16,})"', page)
    assert found is not None
    client.post(reverse("mfa_activate_totp"), {"code": code_of(found[1])})
    return found[1]


class TestSignIn:
    def test_opens_with_the_right_password_and_is_written_down(self, client: Client) -> None:
        user = make_user()

        enter(client, user)

        assert signed_in(client)
        assert AuditEntry.objects.filter(did="signed in", actor=user.key).count() == 1

    def test_waits_after_five_wrong_passwords_even_with_the_right_one(
        self, client: Client
    ) -> None:
        user = make_user()
        for _ in range(5):
            enter(client, user, "wrong")

        enter(client, user)

        assert not signed_in(client)
        assert AuditEntry.objects.filter(did="sign-in refused", subject=f"user:{user.key}").count()

    def test_lock_of_one_account_leaves_others_alone(self, client: Client) -> None:
        user, other = make_user(), make_user()
        for _ in range(5):
            enter(client, user, "wrong")

        enter(client, other)

        assert signed_in(client)

    def test_is_refused_to_a_closed_account(self, client: Client) -> None:
        enter(client, make_user(is_active=False))

        assert not signed_in(client)

    @pytest.mark.parametrize("path", ["signup/", "password/reset/"])
    def test_has_no_other_way_in(self, client: Client, path: str) -> None:
        client.force_login(make_user())

        assert client.get(f"/accounts/{path}").status_code == 404

    def test_of_an_auditor_needs_no_second_factor(
        self, client: Client, settings: Settings
    ) -> None:
        settings.SECOND_FACTOR_REQUIRED = True
        client.force_login(make_user(Role.AUDITOR))

        assert client.get(reverse("audit_list")).status_code == 200


class TestSecondFactor:
    @pytest.fixture(autouse=True)
    def _required(self, settings: Settings) -> None:
        settings.SECOND_FACTOR_REQUIRED = True

    @pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.ADMINISTRATOR])
    def test_is_set_up_before_anything_else(self, client: Client, role: Role) -> None:
        enter(client, make_user(role))

        response = client.get(reverse("home"))

        assert response.headers["Location"] == reverse("mfa_activate_totp")

    def test_is_asked_for_once_it_is_set_up(self, client: Client) -> None:
        user = make_user(Role.SUPERVISOR, make_community())
        enter(client, user)
        set_up(client)
        assert client.get(reverse("resident_list")).status_code == 200

        client.post(reverse("account_logout"))
        response = enter(client, user)

        assert response.headers["Location"] == reverse("mfa_authenticate")
        assert not signed_in(client)

    def test_is_kept_sealed(self, client: Client) -> None:
        user = make_user(Role.SUPERVISOR)
        enter(client, user)
        secret = set_up(client)

        kept = Authenticator.objects.get(user=user, type="totp").data["secret"]

        assert secret not in kept
        assert secret.encode() not in base64.b64decode(kept)

    def test_cannot_be_dropped_by_who_needs_it(self, client: Client) -> None:
        user = make_user(Role.SUPERVISOR)
        enter(client, user)
        set_up(client)

        client.post(reverse("mfa_deactivate_totp"))

        assert Authenticator.objects.filter(user=user, type="totp").exists()

    def test_is_not_asked_of_the_demo(self, client: Client, settings: Settings) -> None:
        settings.SECOND_FACTOR_REQUIRED = False
        client.force_login(make_user(Role.SUPERVISOR))

        assert client.get(reverse("resident_list")).status_code == 200


class TestIdleSession:
    def test_ends_after_the_minutes_of_the_role(self, client: Client, settings: Settings) -> None:
        client.force_login(make_user(Role.SUPERVISOR, make_community()))
        client.get(reverse("resident_list"))
        session = client.session
        session[SEEN] -= settings.IDLE_MINUTES["supervisor"] * 60 + 1
        session.save()

        response = client.get(reverse("resident_list"))

        assert response.headers["Location"].startswith(reverse("account_login"))
        assert not signed_in(client)

    def test_puts_no_sign_in_page_into_a_part_of_a_page(self, client: Client) -> None:
        part = client.get(reverse("dashboard"), headers={"HX-Request": "true"})

        assert part.status_code == 401
        assert part.content == b""

    def test_lasts_a_shift_for_grid_staff(self, client: Client) -> None:
        client.force_login(make_user(Role.GRID_STAFF, make_grid()))
        client.get(reverse("resident_list"))
        session = client.session
        session[SEEN] -= 7 * 3600
        session.save()

        assert client.get(reverse("resident_list")).status_code == 200


class TestASessionInUse:
    @pytest.mark.parametrize(
        ("role", "hours"),
        [
            (Role.GRID_STAFF, 24),
            (Role.SUPERVISOR, 12),
            (Role.ADMINISTRATOR, 12),
            (Role.AUDITOR, 12),
        ],
    )
    def test_ends_after_the_hours_of_the_role(
        self, client: Client, role: Role, hours: int
    ) -> None:
        enter(client, make_user(role, make_grid()))
        client.get(reverse("home"))
        for older, inside in ((hours * 3600 - 60, True), (61, False)):
            session = client.session
            session[BEGAN] -= older
            session[SEEN] = int(time.time())
            session.save()
            client.get(reverse("home"))
            assert signed_in(client) == inside

    def test_of_the_next_person_begins_anew(self, client: Client) -> None:
        enter(client, make_user(Role.SUPERVISOR, make_grid()))
        client.get(reverse("home"))
        session = client.session
        session[BEGAN] -= 13 * 3600
        session.save()
        client.get(reverse("home"))

        enter(client, make_user(Role.SUPERVISOR, make_grid()))
        client.get(reverse("home"))

        assert signed_in(client)


class TestTheAddressToGoOnTo:
    @pytest.mark.parametrize("next_url", ["relative", "x" * 20_000, "/" + "x" * 20_000, "//a.b"])
    def test_is_followed_only_where_it_is_a_path_of_the_portal(
        self, client: Client, next_url: str
    ) -> None:
        user = make_user()
        entered = {"login": user.username, "password": PASSWORD, "next": next_url}
        answer = client.post(reverse("account_login"), entered)
        assert answer.headers["Location"] == reverse("home")
        assert signed_in(client)

    def test_is_followed_where_it_is_one(self, client: Client) -> None:
        user = make_user()
        entered = {"login": user.username, "password": PASSWORD, "next": "/residents/?gone"}
        answer = client.post(reverse("account_login"), entered)
        assert answer.headers["Location"] == "/residents/?gone"


class TestClosedAccount:
    def test_is_signed_out_everywhere(self, client: Client) -> None:
        community = make_community()
        user = make_user(Role.GRID_STAFF, make_grid(community))
        enter(client, user)
        assert UserSession.objects.filter(user=user).exists()

        services.deactivate(user=user, by=make_user(Role.ADMINISTRATOR, community))

        assert client.get(reverse("resident_list")).status_code == 302
        assert not UserSession.objects.filter(user=user).exists()


class TestPages:
    def test_of_sign_in_work_on_a_phone(self, phone: Page) -> None:
        phone.goto("/accounts/login/")
        phone.get_by_label("用户名").fill("nobody")
        phone.get_by_label("密码").fill("nothing")
        phone.get_by_role("button", name="登录").click()
        shot(phone, "sign-in-phone")

        assert phone.locator(".error-summary").is_visible()
        assert not barriers(phone)
        assert not too_small(phone, "input:not([type=hidden]), main .btn")

    @pytest.mark.parametrize(
        "name", ["mfa_index", "account_change_password", "usersessions_list", "mfa_activate_totp"]
    )
    def test_of_an_account_work_on_a_phone(self, phone: Page, name: str) -> None:
        user = make_user(Role.SUPERVISOR, make_community())
        sign_in(phone, user)
        phone.goto(reverse(name))
        shot(phone, f"{name}-phone", whole=True)

        assert not barriers(phone)
