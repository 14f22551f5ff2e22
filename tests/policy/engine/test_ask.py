"""Questions as JSON lines, sound and malformed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.engine.ask import LONGEST_LINE, answer, answer_line

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
QUESTIONS = ["measure", "switch", "entry", "screening", "zone", "gathering", "freight",
             "registration", "registry", "whitelist", "compare"]  # fmt: skip


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

    @given(st.sampled_from(QUESTIONS), st.dictionaries(st.text(max_size=8), JSON))
    def test_of_any_json_is_answered(self, asked: str, more: dict[str, Any]) -> None:
        assert "error" in answer({"policy": "cn-2022-113", **more, "ask": asked, "venue": 1})

    def test_may_name_an_area_and_a_day_instead_of_a_policy(self) -> None:
        question = {key: value for key, value in REGISTRATION.items() if key != "policy"}
        told = answer({**question, "area": "150802", "day": "2022-12-01"})

        assert told["measure"] == {"policy": "bayannur-2022-71", "clause": "7"}


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
