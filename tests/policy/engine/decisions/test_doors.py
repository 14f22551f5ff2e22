"""Checks at a door."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from policy.engine.decisions.doors import Visitor, may_enter
from policy.engine.decisions.facts import Proof
from policy.engine.documents.library import shipped
from policy.engine.documents.schema import Role, Venue, words_of
from policy.engine.moments import SHANGHAI

AT = datetime(2022, 12, 16, 12, tzinfo=SHANGHAI)


def shown(hours: int, minutes: int = 0) -> Proof:
    """Return a proof sampled so long ago."""
    return Proof(sampled_at=AT - timedelta(hours=hours, minutes=minutes))


class TestAProof:
    @pytest.mark.parametrize(("minutes", "allowed"), [(0, True), (-1, True), (1, False)])
    @pytest.mark.parametrize(
        ("document", "hours", "outbreak"),
        [
            ("yingkou-2022-11", 72, False),
            ("yingkou-2022-11", 48, True),
            ("bayannur-2022-71", 72, False),
            ("shanxi-2022-38", 48, False),
        ],
    )
    def test_is_good_to_the_minute(
        self, document: str, hours: int, outbreak: bool, minutes: int, allowed: bool
    ) -> None:
        visitor = Visitor(proof=shown(hours, minutes))
        entry = may_enter(
            shipped().law(document), "hospital", visitor, AT, local_outbreak=outbreak
        )

        assert entry.allowed is allowed
        assert entry.proof_hours == hours

    def test_counts_from_its_report_only_without_a_sampling_time(self) -> None:
        law = shipped().law("shanxi-2022-38")
        old, new = AT - timedelta(hours=50), AT - timedelta(hours=40)

        assert may_enter(law, "school", Visitor(Proof(None, new)), AT).allowed
        assert not may_enter(law, "school", Visitor(Proof(old, new)), AT).allowed

    def test_sampled_later_is_none(self) -> None:
        law = shipped().law("shanxi-2022-38")

        assert not may_enter(law, "school", Visitor(shown(0, -1)), AT).allowed


class TestADoor:
    @pytest.mark.parametrize("venue", words_of(Venue))
    @pytest.mark.parametrize("document", sorted(shipped().documents))
    def test_never_turns_a_patient_away(self, venue: Venue, document: str) -> None:
        patient = Visitor(None, None, travel_code_ok=False, scanned=False, role="patient")

        assert may_enter(shipped().law(document), venue, patient, AT).allowed

    @pytest.mark.parametrize(
        ("role", "venue", "clause"),
        [
            ("outsider", "university", "10"),
            ("member", "school", "10"),
            ("visitor", "school", "3"),
            ("outsider", "ktv", "3"),
        ],
    )
    def test_of_a_school_in_cangshan_has_its_own_rule(
        self, role: Role, venue: Venue, clause: str
    ) -> None:
        entry = may_enter(shipped().law("cangshan-2022-324"), venue, Visitor(role=role), AT)

        assert entry.measure is not None
        assert entry.measure.clause == clause
        assert entry.allowed == (role == "member")

    @pytest.mark.parametrize(
        "change",
        [
            {"health_code": "yellow"},
            {"health_code": None},
            {"travel_code_ok": False},
            {"scanned": False},
            {"temperature_ok": False},
            {"proof": None},
        ],
    )
    def test_in_bayannur_refuses_whatever_is_missing(self, change: dict[str, object]) -> None:
        law, sound = shipped().law("bayannur-2022-71"), Visitor(proof=shown(1))
        wrong = replace(sound, **change)  # type: ignore[arg-type]

        assert may_enter(law, "mall", sound, AT).allowed
        assert not may_enter(law, "mall", wrong, AT).allowed
        assert may_enter(law, "restaurant", wrong, AT).allowed

    def test_left_to_the_place_is_open(self) -> None:
        entry = may_enter(shipped().law("shanxi-2022-38"), "office", Visitor(), AT)

        assert (entry.allowed, entry.local_decision) == (True, True)
