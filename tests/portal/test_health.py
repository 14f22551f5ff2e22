"""Whether a process is well is told to whoever asks; of the workers only to who may know."""

from typing import Any

import pytest
from celery import current_app
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from portal import health

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _asked_anew() -> None:
    health.of_web.answer = health.of_workers.answer = None


@pytest.fixture
def pings(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Answer as a portal with both workers; return when somebody asked."""
    asked: list[float] = []

    class Inspect:
        def active_queues(self) -> dict[str, Any]:
            return {"celery@one": [{"name": "celery"}], "celery@nightly": [{"name": "nightly"}]}

    def inspect(timeout: float) -> Inspect:
        asked.append(timeout)
        return Inspect()

    monkeypatch.setattr(current_app.control, "inspect", inspect)
    return asked


class TestHealth:
    def test_is_good_while_the_engines_answer(self, client: Client) -> None:
        answer = client.get("/healthz")
        assert answer.status_code == 200
        assert answer.text == "database: ok\ndisk: ok\ncache: ok\n"

    def test_is_bad_while_postgresql_cannot_write(self, client: Client) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL temp_file_limit = '64kB'")  # as a full disk: class 53
        answer = client.get("/healthz")
        assert answer.status_code == 503
        assert "database: full" in answer.text

    def test_is_bad_on_a_full_disk(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health, "LEAST_FREE", 1 << 60)
        answer = client.get("/healthz")
        assert answer.status_code == 503
        assert "disk: full" in answer.text

    def test_is_asked_of_the_engines_once_in_a_while(
        self, client: Client, django_assert_num_queries: Any
    ) -> None:
        client.get("/healthz")
        with django_assert_num_queries(0):
            for _ in range(20):
                assert client.get("/healthz").status_code == 200


class TestHealthOfTheWorkers:
    def test_is_bad_while_no_worker_answers(self, client: Client) -> None:
        answer = client.get("/healthz/worker")
        assert answer.status_code == 503
        assert "workers: nobody works on celery, nightly" in answer.text

    def test_is_good_while_each_queue_has_one(self, client: Client, pings: list[float]) -> None:
        assert client.get("/healthz/worker").status_code == 200

    def test_is_asked_of_the_workers_once_in_a_while(
        self, client: Client, pings: list[float]
    ) -> None:
        for _ in range(60):
            assert client.get("/healthz/worker").status_code == 200
        assert len(pings) == 1

    @pytest.mark.parametrize(
        "asked",
        [
            {"REMOTE_ADDR": "203.0.113.7"},
            {"HTTP_X_FORWARDED_FOR": "203.0.113.7"},
            {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
            {"REMOTE_ADDR": "203.0.113.7", "HTTP_AUTHORIZATION": "Bearer wrong"},
            {"REMOTE_ADDR": "203.0.113.7", "HTTP_AUTHORIZATION": "Bearer "},
        ],
    )
    @pytest.mark.parametrize("key", ["", "the key"])
    def test_is_no_matter_of_strangers(
        self, client: Client, settings: Settings, pings: list[float], asked: Any, key: str
    ) -> None:
        settings.HEALTH_KEY = key
        assert client.get("/healthz/worker", **asked).status_code == 403
        assert not pings

    def test_is_told_to_who_has_the_key(
        self, client: Client, settings: Settings, pings: list[float]
    ) -> None:
        settings.HEALTH_KEY = "the key"
        asked = {"Authorization": "Bearer the key", "X-Forwarded-For": "203.0.113.7"}
        answer = client.get("/healthz/worker", headers=asked)
        assert answer.status_code == 200
        assert pings
