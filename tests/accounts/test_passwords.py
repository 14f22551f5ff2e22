"""Passwords and sessions, by the pages themselves (docs/security.md, docs/asvs.md)."""

import pytest
from django.conf import global_settings
from django.contrib.auth import password_validation
from django.contrib.auth.hashers import identify_hasher
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from accounts.staff.models import Role, User
from tests.accounts.test_sign_in import code_of, enter, set_up, signed_in
from tests.factories import PASSWORD, make_community, make_user

pytestmark = pytest.mark.django_db
ANOTHER = "Drei Amseln 七只鸟 ~!{}'\"<&>" + "x" * 64


def change(client: Client, old: str, new: str) -> bool:
    """Ask for another password; return whether the page took it."""
    fields = {"oldpassword": old, "password1": new, "password2": new}
    return client.post(reverse("account_change_password"), fields).status_code == 302


class TestAPassword:
    @pytest.fixture
    def user(self, client: Client) -> User:
        user = make_user(employer="示例疾控中心")
        client.force_login(user)
        return user

    def test_of_nine_characters_is_too_short(self, client: Client, user: User) -> None:
        assert not change(client, PASSWORD, "kq7#vzmw2")
        assert change(client, PASSWORD, "kq7#vzmw2p")

    def test_that_many_have_is_refused(self, client: Client, user: User) -> None:
        assert not change(client, PASSWORD, "qwertyuiop")

    @pytest.mark.parametrize(
        ("password", "taken"),
        [
            ("wangge2022", False),
            ("网格社区疫情防疫街道", False),
            ("示例疾控中心12345", False),
            ("示例疾控中心12345k", True),
            ("wangge-kq7#vz", True),
        ],
    )
    def test_made_of_the_portals_words_is_refused(
        self, user: User, password: str, *, taken: bool
    ) -> None:
        try:
            password_validation.validate_password(password, user)
        except ValidationError:
            assert not taken
        else:
            assert taken

    def test_may_be_of_any_characters(self, client: Client, user: User) -> None:
        assert change(client, PASSWORD, ANOTHER)
        client.logout()
        enter(client, user, ANOTHER[:-1])
        assert not signed_in(client)
        enter(client, user, ANOTHER.upper())
        assert not signed_in(client)
        enter(client, user, ANOTHER)
        assert signed_in(client)

    def test_is_changed_by_its_owner_who_gives_the_old_one(
        self, client: Client, user: User
    ) -> None:
        assert not change(client, "not the old one", ANOTHER)
        assert change(client, PASSWORD, ANOTHER)

    def test_is_masked_and_may_be_pasted(self, client: Client) -> None:
        page = client.get(reverse("account_login")).content.decode()
        [field] = [part for part in page.split("<input") if 'name="password"' in part]
        assert 'type="password"' in field
        assert 'autocomplete="current-password"' in field
        assert "onpaste" not in page

    def test_is_kept_by_a_slow_hash(self, settings: Settings) -> None:
        settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
        user = make_user(password=ANOTHER)
        kept = identify_hasher(user.password).decode(user.password)
        assert kept["algorithm"] == "pbkdf2_sha256"
        assert kept["iterations"] >= 600_000


class TestASecondFactor:
    @pytest.fixture(autouse=True)
    def _required(self, settings: Settings) -> None:
        settings.SECOND_FACTOR_REQUIRED = True

    def test_a_code_of_the_second_factor_works_once(self, client: Client) -> None:
        user = make_user(Role.SUPERVISOR, make_community())
        enter(client, user)
        code = code_of(set_up(client))
        other = Client()
        for phone in (client, other):
            phone.post(reverse("account_logout"))
            enter(phone, user)
        client.post(reverse("mfa_authenticate"), {"code": code})
        other.post(reverse("mfa_authenticate"), {"code": code})
        assert not (signed_in(client) and signed_in(other))

    def test_a_factor_is_changed_after_signing_in_again(self, client: Client) -> None:
        client.force_login(make_user())
        answer = client.get(reverse("mfa_activate_totp"))
        assert reverse("account_reauthenticate") in answer.headers["Location"]


class TestASession:
    def test_a_sign_in_begins_a_new_session(self, client: Client) -> None:
        client.get(reverse("account_login"))
        before = client.session.session_key
        user = make_user()
        enter(client, user)
        first = client.session.session_key
        assert first not in (None, before)
        client.logout()
        enter(client, user)
        assert client.session.session_key != first

    def test_a_session_that_was_left_is_gone(self, client: Client) -> None:
        enter(client, make_user())
        kept = client.cookies["sessionid"].value
        client.post(reverse("account_logout"))
        assert not Session.objects.filter(session_key=kept).exists()
        client.cookies["sessionid"] = kept
        assert client.get(reverse("home")).headers["Location"].startswith(reverse("account_login"))

    def test_a_sign_out_clears_what_the_browser_keeps(self, client: Client) -> None:
        enter(client, make_user())
        assert "Clear-Site-Data" not in client.get(reverse("home")).headers
        answer = client.post(reverse("account_logout"))
        assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'

    def test_a_new_password_ends_the_other_sessions(self, client: Client) -> None:
        user, other = make_user(), Client()
        for browser in (client, other):
            enter(browser, user)
        assert change(client, PASSWORD, ANOTHER)
        assert client.get(reverse("own_email")).status_code == 200
        assert other.get(reverse("own_email")).status_code == 302

    def test_ones_sessions_are_seen_and_ended(self, client: Client) -> None:
        user, other = make_user(), Client(headers={"user-agent": "the other one"})
        for browser in (client, other):
            enter(browser, user)
            browser.get(reverse("own_email"))
        page = client.get(reverse("usersessions_list")).content.decode()
        assert "the other one" in page
        client.post(reverse("usersessions_list"))
        assert other.get(reverse("own_email")).status_code == 302

    @pytest.mark.parametrize("role", Role)
    def test_the_way_out_stands_on_every_page(self, client: Client, role: Role) -> None:
        client.force_login(make_user(role, make_community()))
        page = client.get(reverse("home"), follow=True).content.decode()
        assert f'action="{reverse("account_logout")}"' in page
