"""Pages, sign-in and health without Redis, and with a full one: real ones, stopped and filled."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
from allauth.mfa.totp.internal.auth import TOTP
from celery import Celery
from django.core.cache import cache, caches
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from accounts.staff.models import Role
from common.doorbell import ring
from portal import engines, health, servers
from tests.accounts.test_sign_in import code_of, enter, signed_in
from tests.factories import make_community, make_grid, make_user

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PAGES = ["today", "dashboard", "case_list", "resident_list", "inbox", "key_people"]


@pytest.fixture
def server(tmp_path: Path, settings: Settings) -> Iterator[tuple[ExitStack, str]]:
    """Start a Redis of this test's own, and let the cache use it; give its stop and address."""
    with ExitStack() as stop:
        stop.enter_context(engines.run_engines(tmp_path, safe=False, postgres=False, valkey=True))
        address = f"unix://{engines.socket_dir(tmp_path)}/valkey.sock"
        used = {**settings.CACHES["default"], **servers.cache(address)}
        settings.CACHES = {"default": used}
        cache.set("there", 1)
        assert cache.get("there") == 1
        yield stop, address


@pytest.fixture
def stopped(server: tuple[ExitStack, str]) -> None:
    """Leave no Redis."""
    server[0].close()


@pytest.fixture
def full(server: tuple[ExitStack, str]) -> None:
    """Leave a Redis that takes nothing more."""
    with redis.Redis.from_url(server[1]) as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)
        with pytest.raises(redis.ResponseError):
            client.set("x", 1)


@pytest.fixture(params=["stopped", "full"])
def missing(request: pytest.FixtureRequest) -> None:
    """Have no Redis, or a full one."""
    request.getfixturevalue(request.param)


@pytest.mark.usefixtures("missing")
class TestWithoutRedis:
    def test_people_sign_in(self, client: Client) -> None:
        enter(client, make_user())
        assert signed_in(client)

    def test_supervisors_sign_in_by_a_code_that_holds_once(self, client: Client) -> None:
        user, code = make_user(Role.SUPERVISOR, make_community()), code_of(SECRET)
        TOTP.activate(user, SECRET)
        thief = Client()
        for browser in (client, thief):
            enter(browser, user)
            browser.post(reverse("mfa_authenticate"), {"code": code})
        assert signed_in(client)
        assert not signed_in(thief)

    def test_wrong_passwords_are_counted(self, client: Client) -> None:
        user = make_user()
        for _ in range(5):
            enter(client, user, "wrong")
        enter(client, user)
        assert not signed_in(client)

    def test_pages_open(self, client: Client) -> None:
        grid = make_grid()
        for role in (Role.GRID_STAFF, Role.SUPERVISOR):
            client.force_login(make_user(role, grid))
            opened = [client.get(reverse(page)).status_code for page in PAGES]
            assert set(opened) <= {200, 403}
            assert opened.count(200) >= 5

    def test_the_gate_answers_and_counts(self, client: Client) -> None:
        answers = [client.post(reverse("gate"), {"code": "x"}).status_code for _ in range(21)]
        assert answers == [200] * 20 + [429]

    def test_the_portal_is_well_and_says_what_is_missing(self, client: Client) -> None:
        health.of_web.answer = None
        answer = client.get("/healthz")
        assert answer.status_code == 200
        assert "cache: away" in answer.content.decode()


class TestTheCache:
    @pytest.mark.usefixtures("missing")
    def test_holds_nothing_new_without_redis(self) -> None:
        cache.set("key", 1)
        cache.set_many({"key": 1})
        assert cache.add("key", 1)
        assert cache.get("key", 2) == 2
        assert cache.get_many(["key"]) == {}
        assert "key" not in cache
        assert cache.get_or_set("key", lambda: 3) == 3
        with pytest.raises(ValueError, match=r"away|not found"):
            cache.incr("key")
        cache.delete("key")

    def test_is_used_again_once_redis_is_back(
        self, server: tuple[ExitStack, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server[0].close()
        assert cache.get("there") is None
        with engines.run_engines(tmp_path, safe=False, postgres=False, valkey=True):
            monkeypatch.setattr(caches["default"], "away_until", 0.0)
            cache.set("again", 1)
            assert cache.get("again") == 1


def test_a_task_is_not_missed_for_want_of_a_broker(server: tuple[ExitStack, str]) -> None:
    broker = servers.broker(server[1]).url
    app = Celery("without a broker", broker=broker, set_as_current=False)

    @app.task
    def nothing(text: str) -> None:
        raise AssertionError(text)

    server[0].close()

    ring(nothing, "text")

    app.close()
