"""Wrong passwords and codes slow down who enters them, and nobody else."""

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.auditing.models import AuditEntry
from accounts.limits import devices
from accounts.limits.models import Limit
from accounts.staff.models import Role, User
from tests.accounts.limits.test_counts import earlier
from tests.accounts.test_sign_in import code_of, enter, signed_in
from tests.factories import PASSWORD, make_community, make_user

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STRANGER, OWNER = "203.0.113.66", "198.51.100.1"


def at(address: str, known: Client | None = None) -> Client:
    """Return a browser at an address, with the device cookie of another."""
    client = Client(REMOTE_ADDR=address)
    if known:
        name = settings.DEVICE_COOKIE_NAME
        client.cookies[name] = known.cookies[name].value
    return client


def fail(client: Client, user: User, times: int) -> None:
    for _ in range(times):
        enter(client, user, "wrong")


def with_code(client: Client, code: str) -> HttpResponse:
    return client.post(reverse("mfa_authenticate"), {"code": code})  # type: ignore[return-value]


class TestWrongPasswords:
    def test_of_a_stranger_leave_the_owner_alone(self) -> None:
        user = make_user()
        fail(at(STRANGER), user, 6)

        owner = at(OWNER)
        enter(owner, user)

        assert signed_in(owner)

    def test_close_the_address_they_come_from_for_this_account(self) -> None:
        user = make_user()
        stranger = at(STRANGER)
        fail(stranger, user, 5)

        page = enter(stranger, user)

        assert not signed_in(stranger)
        assert "1分钟" in page.content.decode()

    def test_behind_the_same_address_leave_a_known_device_alone(self) -> None:
        user = make_user()
        owner = at(OWNER)
        enter(owner, user)
        fail(at(OWNER), user, 6)

        again = at(OWNER, known=owner)
        enter(again, user)

        assert signed_in(again)

    def test_from_many_addresses_leave_a_known_device_alone(self) -> None:
        user = make_user()
        owner = at(OWNER)
        enter(owner, user)
        for number in range(21):
            fail(at(f"203.0.113.{number}"), user, 5)
        unknown, known = at("192.0.2.1"), at("192.0.2.1", known=owner)

        enter(unknown, user)
        enter(known, user)

        assert not signed_in(unknown)
        assert signed_in(known)

    def test_on_a_known_device_slow_it_down_too(self) -> None:
        user = make_user()
        owner = at(OWNER)
        enter(owner, user)
        thief = at(STRANGER, known=owner)
        fail(thief, user, 5)

        enter(thief, user)

        assert not signed_in(thief)

    def test_for_many_accounts_slow_their_address_down(self) -> None:
        stranger = at(STRANGER)
        for _ in range(30):
            fail(stranger, make_user(), 1)
        user = make_user()

        enter(stranger, user)

        assert not signed_in(stranger)

    def test_cost_a_longer_wait_each_time(self) -> None:
        user = make_user()
        stranger = at(STRANGER)
        fail(stranger, user, 5)
        for limit in Limit.objects.all():
            earlier(limit.key, 61)
        fail(stranger, user, 1)

        assert "2分钟" in enter(stranger, user).content.decode()

    def test_are_forgotten_after_the_right_one(self) -> None:
        user = make_user()
        for _ in range(3):
            client = at(OWNER)
            fail(client, user, 4)
            enter(client, user)
            assert signed_in(client)

    def test_in_another_spelling_of_the_name_count_together(self) -> None:
        user = make_user()
        stranger = at(STRANGER)
        for name in (user.username.upper(), user.username) * 3:
            stranger.post(reverse("account_login"), {"login": name, "password": "wrong"})

        enter(stranger, user)

        assert not signed_in(stranger)


class TestTheDeviceCookie:
    def test_of_one_person_is_none_for_another(self) -> None:
        owner, other = make_user(), make_user()
        client = at(OWNER)
        enter(client, owner)
        fail(at(STRANGER), other, 5)

        again = at(STRANGER, known=client)
        enter(again, other)

        assert not signed_in(again)

    def test_serves_all_who_share_the_device(self) -> None:
        first, second = make_user(), make_user()
        client = at(OWNER)
        for user in (first, second):
            enter(client, user)
            client.post(reverse("account_logout"))
        fail(at(OWNER), first, 6)

        enter(client, first)

        assert signed_in(client)

    def test_holds_no_name_and_cannot_be_made(self) -> None:
        user = make_user()
        client = at(OWNER)
        enter(client, user)
        cookie = client.cookies[settings.DEVICE_COOKIE_NAME]
        forged = at(STRANGER)
        forged.cookies[settings.DEVICE_COOKIE_NAME] = f"{cookie.value[:-2]}xx"
        fail(forged, user, 5)
        enter(forged, user)

        assert user.username not in cookie.value
        assert cookie["httponly"]
        assert not signed_in(forged)

    def test_opens_nothing_by_itself(self) -> None:
        user = make_user()
        client = at(OWNER)
        enter(client, user)

        again = at(OWNER, known=client)
        again.get(reverse("home"))

        assert not signed_in(again)

    def test_is_known_no_longer_than_its_days(
        self, rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user = make_user()
        client = at(OWNER)
        enter(client, user)
        name = settings.DEVICE_COOKIE_NAME
        request = rf.get("/", HTTP_COOKIE=f"{name}={client.cookies[name].value}")
        assert devices.device_of(request, user.username)

        monkeypatch.setattr(devices, "KNOWN_FOR", -1)

        assert not devices.device_of(request, user.username)


class TestWrongCodes:
    @pytest.fixture
    def user(self) -> User:
        user = make_user(Role.SUPERVISOR, make_community())
        TOTP.activate(user, SECRET)
        return user

    def test_of_who_has_the_password_leave_the_owner_alone(self, user: User) -> None:
        thief = at(STRANGER)
        enter(thief, user)
        for _ in range(6):
            with_code(thief, "000000")

        owner = at(OWNER)
        enter(owner, user)
        with_code(owner, code_of(SECRET))

        assert signed_in(owner)
        assert AuditEntry.objects.filter(did="code refused").count() == 5

    def test_close_the_address_they_come_from(self, user: User) -> None:
        thief = at(STRANGER)
        enter(thief, user)
        for _ in range(5):
            with_code(thief, "000000")
        with_code(thief, code_of(SECRET))

        assert not signed_in(thief)


class TestTheOldPassword:
    def test_cannot_be_guessed_in_a_session_either(self, client: Client) -> None:
        user = make_user()
        client.force_login(user)
        new = "eine neue lange Losung"
        for old in (*["wrong"] * 5, PASSWORD):
            entered = {"oldpassword": old, "password1": new, "password2": new}
            client.post(reverse("account_change_password"), entered)

        user.refresh_from_db()
        assert user.check_password(PASSWORD)

    def test_cannot_be_guessed_before_what_asks_it_anew(self, client: Client) -> None:
        user = make_user(Role.SUPERVISOR, make_community())
        client.force_login(user)
        for password in (*["wrong"] * 5, PASSWORD):
            client.post(reverse("account_reauthenticate"), {"password": password})

        assert client.get(reverse("mfa_activate_totp")).status_code == 302
