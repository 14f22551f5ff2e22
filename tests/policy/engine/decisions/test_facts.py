"""Persons: read strictly, packed without dates."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.engine.decisions.facts import (
    CLINICALS,
    EXPOSURES,
    RISKS,
    Inbound,
    Person,
    Proof,
    Stay,
    pack,
    read_person,
    unpack,
)
from policy.engine.errors import BadQuestionError
from policy.engine.moments import start_of

STARTS = st.dates(date(2022, 1, 1), date(2023, 12, 31))
CODES = st.sampled_from(["620102", "150100", "310115", "210800"])


@st.composite
def people(draw: Any, start: date) -> Person:
    """Draw a person whose dates lie around the start."""
    days = st.integers(-30, 30).map(lambda number: start + timedelta(days=number))
    moments = st.integers(-400_000, 400_000).map(
        lambda seconds: start_of(start) + timedelta(seconds=seconds)
    )
    stays = st.builds(
        Stay, st.none() | CODES, st.none() | st.sampled_from(RISKS), days, st.booleans()
    )
    counts = st.integers(0, 8)
    return Person(
        start=start,
        exposure=draw(st.none() | st.sampled_from(EXPOSURES)),
        clinical=draw(st.none() | st.sampled_from(CLINICALS)),
        serious_underlying_disease=draw(st.booleans()),
        arrived_from=draw(st.none() | CODES),
        spread_at_origin=draw(st.booleans()),
        stays=tuple(draw(st.lists(stays, max_size=3))),
        inbound=draw(st.none() | st.builds(Inbound, counts, counts, st.none() | CODES)),
        closed_loop_post_ended=draw(st.none() | days),
        freight_crew=draw(st.booleans()),
        proof=draw(st.none() | st.builds(Proof, st.none() | moments, st.none() | moments)),
        home_conditions_met=draw(st.booleans()),
        chooses_central=draw(st.booleans()),
    )


class TestAPack:
    @given(st.data(), STARTS)
    def test_is_undone_by_unpacking_also_after_json(
        self, data: st.DataObject, start: date
    ) -> None:
        person = data.draw(people(start))

        assert unpack(json.loads(json.dumps(pack(person, start))), start) == person

    @given(st.data(), STARTS, STARTS)
    def test_is_equal_for_equal_circumstances_on_other_dates(
        self, data: st.DataObject, start: date, other: date
    ) -> None:
        packed = pack(data.draw(people(start)), start)

        assert pack(unpack(packed, other), other) == packed

    def test_leaves_out_what_is_not_said(self) -> None:
        assert pack(Person(exposure="close_contact"), date(2022, 12, 1)) == {
            "exposure": "close_contact"
        }


class TestReadingAPerson:
    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("exposer", "close_contact"),
            ("exposure", "contact"),
            ("exposure", ["close_contact"]),
            ("start", "2022-02-30"),
            ("start", 20221201),
            ("arrived_from", "62000"),
            ("home_conditions_met", 1),
            ("proof", {"sampled_at": "2022-12-01T10:00:00", "reported_at": None}),
            ("stays", {"area": None}),
            ("missed", "2022-12-01"),
            ("inbound", {"central_days": -1}),
            ("inbound", {"central_days": True}),
        ],
    )
    def test_names_the_key_that_is_wrong(self, key: str, value: object) -> None:
        with pytest.raises(BadQuestionError) as refused:
            read_person({key: value})

        inner = set(value) if isinstance(value, dict) else set()
        assert refused.value.key in {key, *inner}
        assert refused.value.key in refused.value.text.en

    @pytest.mark.parametrize(
        ("inner", "key"),
        [
            ({"stays": [{"area": None, "risk": "high"}]}, "last_day"),
            ({"stays": [{"risk": "middle", "last_day": "2022-12-01"}]}, "risk"),
            ({"tests": [{"day": "2022-12-01", "result": "unclear"}]}, "result"),
            ({"tests": [{"day": "2022-12-01", "result": "negative", "ct": -1}]}, "ct"),
            (
                {
                    "served": [
                        {"setting": "home", "first_day": "2022-12-02", "last_day": "2022-12-01"}
                    ]
                },
                "last_day",
            ),
        ],
    )
    def test_names_the_inner_key_that_is_wrong(self, inner: dict[str, Any], key: str) -> None:
        with pytest.raises(BadQuestionError) as refused:
            read_person(inner)

        assert refused.value.key == key

    def test_takes_the_defaults_of_the_contract(self) -> None:
        assert read_person({}) == Person()
        assert read_person({}).home_conditions_met


class TestTheStart:
    def test_of_an_infected_person_is_the_first_positive_when_not_recorded(self) -> None:
        tests = [
            {"day": "2022-12-10", "result": "positive"},
            {"day": "2022-12-09", "result": "positive"},
            {"day": "2022-12-08", "result": "negative"},
        ]
        person = read_person({"exposure": "infected", "tests": tests})

        assert person.starts_on(date(2022, 12, 12)) == date(2022, 12, 9)
        contact = replace(person, exposure="close_contact")
        assert contact.starts_on(date(2022, 12, 12)) == date(2022, 12, 12)
