"""Questions as JSON lines, sound and malformed."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.engine.documents.library import shipped
from policy.engine.errors import BadQuestionError, ContradictionError
from policy.engine.questions.ask import LONGEST_LINE, answer, answer_line, consider

REGISTRATION = {
    "ask": "registration",
    "policy": "bayannur-2022-71",
    "arrival": "2022-12-01",
    "registered": "2022-11-28",
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
PROOF = {"sampled_at": "2022-11-24T09:00:00+08:00", "reported_at": None}
QUESTIONS: list[dict[str, Any]] = [
    REGISTRATION,
    {
        "ask": "measure",
        "policy": "bayannur-2022-71",
        "day": "2022-11-24",
        "person": {
            "start": "2022-11-24",
            "arrived_from": "150102",
            "stays": [{"area": "150102", "risk": None, "last_day": "2022-11-24"}],
            "inbound": {"central_days": 5, "home_days": 0, "entered_via": None},
            "tests": [{"day": "2022-11-24", "result": "negative", "ct": 36.5}],
            "served": [{"setting": "home", "first_day": "2022-11-20", "last_day": "2022-11-22"}],
            "missed": ["2022-11-26"],
            "proof": PROOF,
        },
    },
    {
        "ask": "switch",
        "from": "cn-2022-101",
        "to": "cn-2022-113",
        "day": "2022-12-07",
        "person": {"exposure": "close_contact", "start": "2022-12-03", "tests": []},
    },
    {
        "ask": "entry",
        "policy": "cangshan-2022-324",
        "venue": "school",
        "at": "2022-12-16T08:00:00+08:00",
        "visitor": {"proof": PROOF, "health_code": "green", "role": "outsider"},
    },
    {
        "ask": "screening",
        "policy": "yingkou-2022-11",
        "post": "courier",
        "week": "2022-11-21",
        "done": ["2022-11-21"],
        "missed": [],
        "day": "2022-11-22",
    },
    {
        "ask": "zone",
        "policy": "fujian-2022-12",
        "level": "unit",
        "start": "2022-12-15",
        "last_positive": "2022-12-15",
        "positives": [{"day": "2022-12-18", "household": "502", "relation": "none"}],
    },
    {"ask": "gathering", "policy": "yingkou-2022-11", "kind": "banquet", "persons": 50},
    {
        "ask": "freight",
        "policy": "bayannur-2022-71",
        "at": "2022-11-24T15:00:00+08:00",
        "from": "620200",
        "reported_days_ahead": 3,
        "proof": PROOF,
    },
    {"ask": "registry", "policy": "cn-2022-101", "person": {"age": 9, "conditions": []}},
    {
        "ask": "whitelist",
        "policy": "shanxi-2022-38",
        "post": "medical",
        "at": "2022-12-13T08:00:00+08:00",
        "proof": None,
    },
    {"ask": "compare", "policy": "shanxi-2022-38", "with": "cn-2022-113"},
]


def line(**changes: Any) -> bytes:
    """Return a line that asks about a registration, with some keys changed."""
    return json.dumps({**REGISTRATION, **changes}).encode()


class TestALine:
    def test_gets_its_answer(self) -> None:
        assert answer_line(line())["deadline"] == "2022-11-28"

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b" ",
            b"[]",
            b"null",
            b"{} {}",
            b"\xff\xfe",
            b"\xef\xbb\xbf{}",
            b"[" * 100_000,
            b'{"a":' * 100_000,
            b'{"a":' * 30 + b"1" + b"}" * 30,
            b"x" * (LONGEST_LINE + 1),
            b"\x00",
        ],
        ids=lambda raw: repr(raw[:12]),
    )
    def test_that_is_no_question_gets_one_short_sentence(self, raw: bytes) -> None:
        told = answer_line(raw)

        assert set(told) == {"error"}
        assert len(told["error"]) < 200
        assert "\n" not in told["error"]

    @pytest.mark.parametrize(
        ("raw", "key"),
        [
            (b'{"ask": "compare", "ask": "compare"}', "ask"),
            (b'{"ask": "registry", "policy": "cn-2022-113", "person": {"age": NaN}}', "age"),
            (b'{"ask": "registry", "policy": "cn-2022-113", "person": {"age": 1e999}}', "age"),
            (
                b'{"ask": "registry", "policy": "x", "person": {"age": ' + b"9" * 9999 + b"}}",
                "age",
            ),
            (line(policy="x" * 100_000), "policy"),
            (line(arrival=["2022-12-01"]), "arrival"),
            (line(arival="2022-12-01"), "arival"),
            (line(area="150800"), "area"),
            (line(ask="register"), "ask"),
            (line(ask=None), "ask"),
            (b'{"policy": "cn-2022-113"}', "ask"),
            (b'{"ask": "registration", "arrival": "2022-12-01"}', "policy"),
        ],
    )
    def test_that_is_wrong_in_one_key_hears_its_name(self, raw: bytes, key: str) -> None:
        told = answer_line(raw)

        assert set(told) == {"error"}
        assert key in told["error"]

    @given(st.binary(max_size=60))
    def test_of_any_bytes_is_answered(self, raw: bytes) -> None:
        assert isinstance(answer_line(raw), dict)

    @given(st.data())
    def test_with_any_value_put_in_any_place_is_answered(self, data: st.DataObject) -> None:
        question = copy.deepcopy(data.draw(st.sampled_from(QUESTIONS)))
        holder: Any = question
        while True:
            key = data.draw(st.sampled_from(sorted(holder)))
            if not isinstance(holder[key], dict) or data.draw(st.booleans()):
                break
            holder = holder[key]
        holder[key] = data.draw(JSON)

        told = answer_line(json.dumps(question).encode())
        assert told.get("error") is None or (0 < len(told["error"]) < 200)

    def test_may_name_an_area_and_a_day_instead_of_a_policy(self) -> None:
        question = {key: value for key, value in REGISTRATION.items() if key != "policy"}
        told = answer({**question, "area": "150802", "day": "2022-12-01"})

        assert told["measure"] == {"policy": "bayannur-2022-71", "clause": "7"}

    def test_hears_of_its_form_before_its_contradictions(self) -> None:
        asked = {"ask": "screening", "policy": "cn-2022-101", "post": "courier"}
        sunday = {"week": "2022-11-20", "day": "2022-11-22"}

        with pytest.raises(ContradictionError, match="week"):
            consider({**asked, **sunday}, shipped())
        for wrong in ({"done": "2022-11-21"}, {"policy": "cn-2022-999"}, {"weak": True}):
            with pytest.raises(BadQuestionError) as refused:
                consider({**asked, **sunday, **wrong}, shipped())
            assert not isinstance(refused.value, ContradictionError)
            assert [refused.value.key] == list(wrong)

    def test_of_more_keys_than_any_question_is_refused(self) -> None:
        told = answer_line(line(**{f"key{number}": 1 for number in range(10_000)}))

        assert "not known here" in told["error"]


class TestAMeasure:
    def test_says_in_both_languages_that_a_ct_is_to_be_reviewed(self) -> None:
        person = {
            "inbound": {"central_days": 5, "home_days": 3},
            "tests": [{"day": "2022-11-20", "result": "negative", "ct": 36}],
        }
        told = consider(
            {"ask": "measure", "policy": "cn-2022-101", "day": "2022-11-20", "person": person},
            shipped(),
        )

        assert "needs a risk assessment" in told["because"][-1].en

    @pytest.mark.parametrize(("ct", "read"), [(0, True), (50, True), (50.1, False)])
    def test_takes_a_ct_that_a_machine_can_show(self, ct: float, read: bool) -> None:
        person = {"tests": [{"day": "2022-11-20", "result": "positive", "ct": ct}]}
        told = answer(
            {"ask": "measure", "policy": "cn-2022-101", "day": "2022-11-20", "person": person}
        )

        assert ("error" not in told) == read


class TestMoments:
    """Moments that contradict each other are refused; at the same moment is in order."""

    def asked(self, **person: Any) -> Any:
        return consider(
            {
                "ask": "measure",
                "policy": "bayannur-2022-71",
                "day": "2022-11-24",
                "person": {"start": "2022-11-24", "arrived_from": "620100", **person},
            },
            shipped(),
        )

    def test_no_result_is_reported_before_its_sampling_day(self) -> None:
        test = {"day": "2022-11-24", "result": "negative"}

        with pytest.raises(ContradictionError, match="before the sampling day"):
            self.asked(tests=[{**test, "reported_at": "2022-11-23T23:59:59+08:00"}])
        assert self.asked(tests=[{**test, "reported_at": "2022-11-24T00:00:00+08:00"}])

    def test_no_proof_is_reported_before_it_was_sampled(self) -> None:
        sampled = "2022-11-23T12:00:00+08:00"

        with pytest.raises(ContradictionError, match="before sampled_at"):
            self.asked(proof={"sampled_at": sampled, "reported_at": "2022-11-23T11:59:59+08:00"})
        assert self.asked(proof={"sampled_at": sampled, "reported_at": sampled})


class TestASwitch:
    def test_does_not_reach_back_to_people_already_released(self) -> None:
        told = answer(
            {
                "ask": "switch",
                "from": "cn-2022-113",
                "to": "cn-2022-101",
                "day": "2022-12-20",
                "person": {"exposure": "close_contact", "start": "2022-12-14"},
            }
        )

        assert (told["measure"], told["required_tests"], told["stages"]) == (None, [], [])

    def test_releases_nobody_before_it_takes_effect(self) -> None:
        told = answer(
            {
                "ask": "switch",
                "from": "cn-2022-ninth",
                "to": "cn-2022-101",
                "day": "2022-11-11",
                "person": {"exposure": "close_contact", "start": "2022-11-02"},
            }
        )

        assert told["earliest_release"] == "2022-11-11"
