"""The API keeps what its description promises; schemathesis reads it and tries to break it."""

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pytest_django.live_server_helper import LiveServer

from accounts.staff.models import Role
from policy.engine.errors import BadQuestionError
from policy.engine.questions.contract import QUESTIONS
from policy.engine.questions.reading import (
    AREA,
    DAY,
    LINE,
    MOMENT,
    AreaCode,
    Day,
    Line,
    Moment,
    read,
)
from policy.questions import api, clients
from tests import factories

TYPES = {"day": Day, "moment": Moment, "area": AreaCode, "text": Line}
READERS = {"day": DAY, "moment": MOMENT, "area": AREA, "text": LINE}
DAYS = st.from_regex(r"(19|20|21)[0-9]{2}-[01][0-9]-[0-3][0-9]", fullmatch=True)
HOURS = st.from_regex(r"[0-2][0-9]:[0-6][0-9]", fullmatch=True)
VALUES = {
    "day": DAYS,
    "moment": st.builds("{}T{}{}".format, DAYS, HOURS, HOURS.map("+{}".format) | st.just("Z")),
    "area": st.from_regex(r"[0-9]{6}", fullmatch=True),
    "text": st.text(max_size=5) | st.text("a\n\t\x7f\u2028 ", max_size=3),
}


def understood(kind: str, value: str) -> bool:
    try:
        read(TypeAdapter(TYPES[kind]).validate_python, value, "key")
    except BadQuestionError:
        return False
    return True


def described(kind: str, value: str) -> bool:
    """Say whether a value follows the description; `$` of JSON Schema ends the text."""
    return re.fullmatch(READERS[kind].described["pattern"].strip("^$"), value) is not None


class TestTheDescription:
    @pytest.mark.parametrize("kind", READERS)
    def test_takes_what_the_engine_takes_and_nothing_else(self, kind: str) -> None:
        @given(VALUES[kind])
        @settings(max_examples=300, deadline=None)
        def agrees(value: str) -> None:
            assert understood(kind, value) == described(kind, value)

        agrees()

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("day", "2024-02-29"),
            ("day", "2100-12-31"),
            ("moment", "2022-12-08T23:59:59.5+08:00"),
            ("text", "5号楼 302"),
        ],
    )
    def test_takes_what_is_at_the_edge(self, kind: str, value: str) -> None:
        assert understood(kind, value)
        assert described(kind, value)

    @pytest.mark.parametrize("day", ["2023-02-29", "2100-02-29", "2022-04-31", "1999-12-31"])
    def test_takes_no_day_that_no_calendar_has(self, day: str) -> None:
        assert not understood("day", day)
        assert not described("day", day)


@pytest.mark.django_db
class TestTheApi:
    @pytest.fixture
    def key(self) -> str:
        administrator = factories.make_user(Role.ADMINISTRATOR)
        return clients.make_client(name="laboratory", at=factories.NOW, by=administrator)[1]

    @pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
    def test_takes_posts_only_and_says_so(self, client: Client, method: str) -> None:
        response = client.generic(method, "/api/ask")

        assert (response.status_code, response["Allow"]) == (405, "POST")

    def test_tells_contradictions_from_what_it_does_not_understand(
        self, client: Client, key: str
    ) -> None:
        question = {"ask": "registry", "area": "350104", "person": {"age": 70}}

        def put(**more: str) -> int:
            return client.post(
                "/api/ask",
                json.dumps({**question, **more}),
                content_type="application/json",
                headers={"x-api-key": key},
            ).status_code

        assert put(day="2022-12-08") == 200
        assert put(day="2001-01-01") == 409  # no document is in force
        assert put(day="2022-02-30") == 422

    def test_says_in_a_sentence_that_a_body_is_too_large(self, client: Client, key: str) -> None:
        response = client.post(
            "/api/ask",
            b" " * 3_000_000,
            content_type="application/json",
            headers={"x-api-key": key},
        )

        assert response.status_code == 413
        assert response.json() == {"error": "The question is longer than any."}

    def test_names_the_documents_that_are_known_now(self, client: Client) -> None:
        operation = client.get("/api/openapi.json").json()["paths"]["/api/ask"]["post"]
        questions = operation["requestBody"]["content"]["application/json"]["schema"]["oneOf"]

        assert {one["title"] for one in questions} == {*QUESTIONS}
        assert "hequ-2022-58" in questions[0]["properties"]["policy"]["enum"]
        assert {"200", "401", "409", "413", "422", "429"} == set(operation["responses"])


@pytest.mark.faults  # a minute of its own: make attack
@pytest.mark.skipif(find_spec("schemathesis") is None, reason="schemathesis is not installed")
@pytest.mark.django_db(transaction=True)
class TestSchemathesis:
    def test_finds_nothing(
        self, live_server: LiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(api.PerClient, "allow_request", lambda *_: True)
        administrator = factories.make_user(Role.ADMINISTRATOR)
        _client, key = clients.make_client(name="fuzz", at=factories.NOW, by=administrator)

        found = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"),
                *("run", f"{live_server.url}/api/openapi.json", "--header", f"X-API-Key: {key}"),
                *("--phases", "fuzzing", "--max-examples", "60", "--max-time", "12"),
                *("--seed", "20221207", "--no-color"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        assert found.returncode == 0, found.stdout + found.stderr
