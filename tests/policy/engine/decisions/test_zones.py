"""Zones: how large, and until when."""

from datetime import date, timedelta

import pytest

from policy.engine.decisions.zones import LaterPositive, Zone, zone
from policy.engine.documents.library import shipped
from policy.engine.documents.schema import Relation

START = date(2022, 12, 10)


def drawn(document: str, *positives: LaterPositive, clean: bool = True) -> Zone:
    """Return a building's zone drawn on the day of its positive."""
    return zone(
        shipped().law(document),
        "building",
        START,
        START,
        positives=positives,
        all_negative_on_lift_day=clean,
    )


def later(days: int, relation: Relation = "none") -> LaterPositive:
    """Return a positive found so many days after the start."""
    return LaterPositive(START + timedelta(days=days), "502", relation)


class TestLifting:
    @pytest.mark.parametrize(
        ("document", "days"),
        [
            ("cn-2022-101", 5),
            ("cn-2022-113", 5),
            ("shanxi-2022-38", 5),
            ("fujian-2022-12", 4),
            ("cangshan-2022-324", 4),
        ],
    )
    def test_follows_the_document_s_clock(self, document: str, days: int) -> None:
        assert drawn(document).lift_day == START + timedelta(days=days)
        assert drawn(document, clean=False).lift_day is None

    @pytest.mark.parametrize("found", [1, 4, 5])
    def test_starts_again_with_a_later_positive(self, found: int) -> None:
        told = drawn("cn-2022-113", later(found))

        assert told.lift_day == START + timedelta(days=found + 5)
        assert told.zone_stays

    @pytest.mark.parametrize("found", [1, 4])
    def test_keeps_only_the_household_in_fujian(self, found: int) -> None:
        told = drawn("fujian-2022-12", later(found), clean=found != 4)

        assert told.lift_day == START + timedelta(days=4)
        assert (told.still_controlled, told.zone_stays) == (("502",), False)

    @pytest.mark.parametrize(
        ("relation", "days"), [("cohabitant", 5), ("close_contact", 5), ("none", 8)]
    )
    def test_is_put_off_in_shanxi_only_by_strangers(self, relation: Relation, days: int) -> None:
        told = drawn("shanxi-2022-38", later(3, relation))

        assert told.lift_day == START + timedelta(days=days)

    def test_counts_from_the_last_positive_also_when_drawn_later(self) -> None:
        law = shipped().law("cn-2022-113")
        told = zone(law, "unit", START, START - timedelta(days=3))

        assert told.lift_day == START + timedelta(days=2)


class TestALevel:
    @pytest.mark.parametrize("level", ["compound", "street", "district"])
    @pytest.mark.parametrize("document", sorted(set(shipped().documents) - {"cn-2022-ninth"}))
    def test_above_a_building_is_never_allowed(self, level: str, document: str) -> None:
        told = zone(shipped().law(document), level, START, START)  # type: ignore[arg-type]

        assert not told.level_allowed

    def test_below_a_unit_came_with_the_ten_measures(self) -> None:
        assert not zone(shipped().law("cn-2022-101"), "floor", START, START).level_allowed
        assert zone(shipped().law("cn-2022-113"), "floor", START, START).level_allowed
