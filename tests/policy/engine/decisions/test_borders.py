"""Which places have to be named more exactly, by the documents in force."""

from datetime import timedelta

import pytest

from policy.engine.decisions.borders import too_coarse
from policy.engine.decisions.facts import Inbound, Person, Stay
from policy.engine.documents.law import Law
from policy.engine.documents.library import shipped
from tests.policy.engine.making import START

GANSU, LANZHOU, GUANGDONG, INNER_MONGOLIA = "620000", "620100", "440000", "150000"
BAYANNUR = shipped().law("bayannur-2022-71")


def from_(area: str, **facts: object) -> Person:
    stay = Stay(area=area, risk=None, last_day=START)
    return Person(start=START, arrived_from=area, stays=(stay,), **facts)  # type: ignore[arg-type]


def coarse(law: Law, person: Person) -> list[tuple[str, tuple[str, ...]]]:
    return [(found.area, found.parts) for found in too_coarse(law, person, START)]


class TestTooCoarse:
    def test_is_a_province_of_which_a_document_lists_a_city(self) -> None:
        (found,) = too_coarse(BAYANNUR, from_(GANSU), START)

        assert (found.area, found.parts) == (GANSU, (LANZHOU,))
        assert found.by
        assert (found.by.document, found.by.clause) == ("bayannur-2022-71", "4")

    def test_is_the_province_of_the_document_itself(self) -> None:
        ((area, parts),) = coarse(BAYANNUR, from_(INNER_MONGOLIA))

        assert area == INNER_MONGOLIA
        assert set(parts) == {"150100", "150800"}

    @pytest.mark.parametrize("area", [LANZHOU, "620102", "650000", "370000", "810000"])
    def test_is_no_place_whose_parts_are_treated_alike(self, area: str) -> None:
        assert coarse(BAYANNUR, from_(area)) == []

    def test_is_nothing_where_no_document_tells_places_apart(self) -> None:
        assert coarse(shipped().law("cn-2022-113"), from_(GANSU)) == []

    def test_is_nothing_for_somebody_of_whom_the_law_asks_the_same_anywhere(self) -> None:
        high = Stay(area=GANSU, risk="high", last_day=START)

        assert coarse(BAYANNUR, Person(start=START, arrived_from=GANSU, stays=(high,))) == []

    def test_is_a_province_where_only_the_proof_asked_for_differs(self) -> None:
        assert coarse(BAYANNUR, from_(GANSU, exposure="close_contact")) == [(GANSU, (LANZHOU,))]

    def test_is_a_stay_on_the_way_as_long_as_it_counts(self) -> None:
        on_the_way = Stay(area=GANSU, risk=None, last_day=START - timedelta(days=7))
        long_ago = Stay(area=GANSU, risk=None, last_day=START - timedelta(days=8))

        assert coarse(BAYANNUR, Person(start=START, stays=(on_the_way,)))[0][0] == GANSU
        assert coarse(BAYANNUR, Person(start=START, stays=(long_ago,))) == []

    def test_is_no_port_of_entry_where_the_list_leaves_people_from_abroad_out(self) -> None:
        entered = from_(GUANGDONG, inbound=Inbound(7, 3, entered_via=GUANGDONG))

        assert coarse(BAYANNUR, entered) == []
