import json
from datetime import UTC, datetime

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.staff.models import Role
from policy.engine.questions import ask
from policy.questions import api, clients
from policy.questions.api import QUESTIONS_A_MINUTE
from tests import factories

pytestmark = pytest.mark.django_db

AT = datetime(2022, 12, 8, 2, tzinfo=UTC)
QUESTION = {
    "ask": "measure",
    "policy": "cn-2022-113",
    "day": "2022-12-08",
    "person": {"exposure": "close_contact", "start": "2022-12-08"},
}


@pytest.fixture
def key() -> str:
    cache.clear()
    _client, key = clients.make_client(
        name="laboratory", at=AT, by=factories.make_user(Role.ADMINISTRATOR)
    )
    return key


def put(client: Client, body: bytes | str, key: str = "") -> tuple[int, dict[str, object]]:
    response = client.post(
        "/api/ask", body, content_type="application/json", headers={"x-api-key": key}
    )
    return response.status_code, response.json()


class TestTheApi:
    def test_answers_as_the_command_does(self, client: Client, key: str) -> None:
        status, answer = put(client, json.dumps(QUESTION), key)

        assert status == 200
        assert answer == ask.answer(QUESTION)

    def test_says_in_one_sentence_what_it_did_not_understand(
        self, client: Client, key: str
    ) -> None:
        status, answer = put(client, json.dumps({**QUESTION, "day": "2022-02-30"}), key)

        assert status == 422
        assert list(answer) == ["error"]
        assert "day" in str(answer["error"])

    @pytest.mark.parametrize("body", [b"", b"\xff", b"[1]", b'{"ask": "measure", "ask": "zone"}'])
    def test_refuses_what_is_no_question(self, client: Client, key: str, body: bytes) -> None:
        status, answer = put(client, body, key)

        assert (status, list(answer)) == (422, ["error"])

    @pytest.mark.parametrize("wrong", ["", "guessed"])
    def test_wants_a_key(self, client: Client, wrong: str) -> None:
        assert put(client, json.dumps(QUESTION), wrong)[0] == 401

    def test_takes_no_revoked_key(self, client: Client, key: str) -> None:
        laboratory = clients.client_of(key)
        assert laboratory is not None
        clients.revoke_client(client=laboratory, at=AT, by=laboratory.created_by)

        assert put(client, json.dumps(QUESTION), key)[0] == 401

    def test_keeps_a_client_to_its_share(
        self, client: Client, key: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(api.PerClient, "timer", lambda _client: 0.0)  # in one moment
        statuses = [put(client, b"", key)[0] for _ in range(QUESTIONS_A_MINUTE + 1)]

        assert statuses.count(429) == 1
        assert statuses[-1] == 429

    def test_describes_itself(self, client: Client) -> None:
        description = client.get("/api/openapi.json").json()

        assert "/api/ask" in description["paths"]
