"""Trucks and registration."""

from datetime import date, datetime, timedelta

import pytest

from policy.engine.decisions.facts import Proof
from policy.engine.decisions.roads import freight, registration
from policy.engine.documents.library import shipped
from policy.engine.moments import SHANGHAI

LAW = shipped().law("bayannur-2022-71")
AT = datetime(2022, 11, 24, 15, tzinfo=SHANGHAI)


class TestATruck:
    @pytest.mark.parametrize(
        ("ahead", "enters"), [(None, False), (0, False), (2, False), (3, True), (9, True)]
    )
    def test_comes_in_when_reported_three_days_ahead(
        self, ahead: int | None, enters: bool
    ) -> None:
        told = freight(LAW, AT, "150200", ahead, None)

        assert (told.may_enter, told.seal) == (enters, enters)

    @pytest.mark.parametrize(
        ("origin", "minutes", "landing"),
        [("150200", 0, False), ("150200", 1, True), ("620200", 0, True)],
    )
    def test_takes_a_landing_test_without_a_proof_or_from_outside_the_region(
        self, origin: str, minutes: int, landing: bool
    ) -> None:
        shown = Proof(AT - timedelta(hours=48, minutes=minutes))

        assert freight(LAW, AT, origin, 3, shown).landing_test is landing

    def test_is_free_where_nothing_is_said(self) -> None:
        told = freight(shipped().law("cn-2022-113"), AT, "620200", None, None)

        assert (told.may_enter, told.landing_test, told.seal) == (True, False, False)


class TestRegistration:
    @pytest.mark.parametrize(("day", "on_time"), [(27, True), (28, True), (29, False)])
    def test_is_in_time_three_days_before(self, day: int, on_time: bool) -> None:
        told = registration(LAW, date(2022, 12, 1), date(2022, 11, day))

        assert told.deadline == date(2022, 11, 28)
        assert told.on_time is on_time

    def test_crosses_a_leap_day(self) -> None:
        assert registration(LAW, date(2024, 3, 2), date(2024, 2, 28)).deadline == date(2024, 2, 28)

    def test_has_no_term_elsewhere(self) -> None:
        told = registration(shipped().law("yingkou-2022-11"), date(2022, 12, 1), date(2022, 12, 1))

        assert (told.deadline, told.on_time) == (None, True)
