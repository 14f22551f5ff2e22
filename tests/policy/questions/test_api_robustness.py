"""Whatever is sent to the API, it answers in the form it has promised."""

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.staff.models import Role
from policy.engine.documents import schema
from policy.engine.questions import ask
from policy.questions import clients
from policy.questions.forms import KINDS, QuestionForm
from policy.services import library
from tests import factories

pytestmark = pytest.mark.django_db

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
# Words that questions are made of, so that many get past the first key.
WORDS = st.sampled_from(
    [
        *("2022-12-08", "2022-11-30T10:00:00+08:00", "2022-02-30", "350104", "000000", "high"),
        *("cn-2022-113", "bayannur-2022-71", "close_contact", "infected", "home", "negative"),
        *schema.words_of(schema.Venue)[:5],
        *schema.words_of(schema.Post)[:5],
    ]
)
VALUES = st.recursive(
    WORDS | st.booleans() | st.none() | st.integers(-2, 100) | st.floats(0, 50),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


# The keys of each kind of question, from the forms.
PATHS: dict[str, list[list[str]]] = {}


@pytest.fixture(autouse=True)
def paths(db: None) -> None:
    for kind in KINDS:
        PATHS.setdefault(kind, [name.split("-") for name in QuestionForm(kind).fields])


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    """Draw questions of the right keys with values that are often wrong."""
    kind = draw(st.sampled_from(KINDS))
    question: dict[str, Any] = {"ask": kind}
    for path in draw(st.lists(st.sampled_from(PATHS[kind]), max_size=10)):
        tree = question
        for step in path[:-1]:
            inner = tree.setdefault(step, {})
            tree = inner if isinstance(inner, dict) else {}
        tree[path[-1]] = draw(VALUES)
    return question


class TestTheEngine:
    @given(JSON)
    @settings(max_examples=200, deadline=None)
    def test_never_raises_for_any_json(self, question: Any) -> None:
        assert isinstance(ask.answer(question), dict)

    @given(st.data())
    @settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_never_raises_for_odd_questions(self, data: st.DataObject) -> None:
        question = data.draw(questions())

        answer = ask.answer(question)

        assert set(answer) == {"error"} or "because" in answer

    @given(st.binary(max_size=200))
    @settings(max_examples=200, deadline=None)
    def test_never_raises_for_any_bytes(self, line: bytes) -> None:
        assert set(ask.answer_line(line)) >= {"error"} or json.loads(line)


class TestTheApi:
    def test_answers_anything_without_a_server_error(self, client: Client) -> None:
        administrator = factories.make_user(Role.ADMINISTRATOR)
        _made, key = clients.make_client(name="odd", at=factories.NOW, by=administrator)
        library()

        @given(st.binary(max_size=100) | JSON.map(json.dumps) | questions().map(json.dumps))
        @settings(max_examples=150, deadline=None)
        def post(body: bytes | str) -> None:
            response = client.post(
                "/api/ask", body, content_type="application/json", headers={"x-api-key": key}
            )
            assert response.status_code in {200, 422}
            assert isinstance(response.json(), dict)

        post()
