import json
from datetime import UTC, date, datetime

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.staff.models import Area, Role
from policy import drafts, services
from policy.activations.local_law import local_law
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


DAY = date(2022, 12, 20)
BEIJING = """\
id: beijing-2022-1
title: {zh: 示例通告, en: Example}
number: {zh: 示例〔2022〕1号, en: Example 2022 No. 1}
issuer: {zh: 示例指挥部, en: Example headquarters}
area: "110000"
in_force_from: 2022-12-07
parent: cn-2022-113
checked_on: 2022-12-20
clauses: ["1"]
provisions:
  - subject: close_contacts
    clause: "1"
    who: {exposure: close_contact}
    stages:
      - {setting: central, days: 9, tests: [9], movement: forbidden}
    summary: {zh: "密接集中隔离9天，第9天核酸。", en: "Nine central days."}
""".encode()


def by_place(area: str, day: str) -> dict[str, object]:
    person = {"exposure": "close_contact", "start": day}
    return {"ask": "measure", "area": area, "day": day, "person": person}


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

    def test_answers_for_a_place_by_what_was_put_in_force_there(
        self, client: Client, key: str
    ) -> None:
        grid = factories.make_place("cn-2022-113", "350104")
        asked = by_place("350104", "2022-12-20")

        _status, answer = put(client, json.dumps(asked), key)

        # By its own day Cangshan's plan would be in force; nobody has activated it.
        assert local_law(code=grid.code, name="", day=DAY, now=AT).law.id == "cn-2022-113"  # type: ignore[union-attr]
        assert answer["measure"] == {"policy": "cn-2022-113", "clause": "3"}

    def test_answers_by_no_document_that_is_approved_and_not_activated(
        self, client: Client, key: str
    ) -> None:
        one, another = (factories.make_user(Role.ADMINISTRATOR) for _ in range(2))
        draft = drafts.upload(content=BEIJING, name="beijing.yaml", at=AT, by=one)
        drafts.approve(draft=draft, at=AT, by=another)
        asked = by_place("110000", "2022-12-08")

        before = put(client, json.dumps(asked), key)[1]
        place = factories.make_area(level=Area.Level.PROVINCE, code="110000", name="北京市")
        factories.put_in_force("beijing-2022-1", place)
        after = put(client, json.dumps(asked), key)[1]
        named = put(client, json.dumps({**QUESTION, "policy": "beijing-2022-1"}), key)[1]
        services.forget_library()

        assert before["measure"] == {"policy": "cn-2022-113", "clause": "3"}
        assert after["measure"] == {"policy": "beijing-2022-1", "clause": "1"}
        assert named["measure"] == after["measure"]

    @pytest.mark.parametrize("county", ["350104", "350203", "350000", "110000"])
    @pytest.mark.parametrize("day", ["2022-11-20", "2022-12-07", "2022-12-20"])
    def test_names_the_document_that_the_page_names(
        self, client: Client, key: str, county: str, day: str
    ) -> None:
        factories.make_community("350104")
        factories.put_in_force("cn-2022-113", Area.objects.get(code="350000"))
        factories.put_in_force("fujian-2022-12", Area.objects.get(code="350104"))
        found = local_law(code=county, name="", day=date.fromisoformat(day), now=AT)
        assert found.law is not None

        by_area = put(client, json.dumps(by_place(county, day)), key)[1]
        by_name = put(client, json.dumps({**QUESTION, "policy": found.law.id, "day": day}), key)[1]

        assert by_area["measure"] == by_name["measure"]

    def test_says_that_nothing_is_in_force_on_a_day_before_all(
        self, client: Client, key: str
    ) -> None:
        status, answer = put(client, json.dumps(by_place("110000", "2022-01-01")), key)

        assert status == 409
        assert "2022-01-01" in str(answer["error"])

    def test_describes_itself(self, client: Client) -> None:
        description = client.get("/api/openapi.json").json()

        assert "/api/ask" in description["paths"]
