"""Decisions: which provision governs a person, at every bound of the readings."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.engine.calendars.plans import PlannedStage
from policy.engine.decisions.decide import decide
from policy.engine.decisions.facts import CLINICALS, Inbound, Person, Served
from policy.engine.documents.law import Citation
from policy.engine.documents.library import shipped
from tests.policy.engine.decisions.test_facts import people
from tests.policy.engine.making import START, calendar, day, decided, proof, stay

YINGKOU, BAYANNUR = "yingkou-2022-11", "bayannur-2022-71"
NATIONAL, TEN = "cn-2022-101", "cn-2022-113"
FAMILY = [TEN, "fujian-2022-12", "cangshan-2022-324", "shanxi-2022-38"]


def clause(document: str, **facts: Any) -> str | None:
    """Return where the deciding clause stands, as 'document clause'."""
    measure = decided(document, **facts).measure
    return f"{measure.document} {measure.clause}" if measure else None


class TestTheLookBack:
    @pytest.mark.parametrize("document", [NATIONAL, YINGKOU, BAYANNUR])
    def test_reaches_seven_days_and_not_eight(self, document: str) -> None:
        inside = decided(document, stays=(stay(7),))
        outside = decided(document, stays=(stay(8),))

        assert inside.subject == "high_risk_stay"
        assert outside.plan is None

    def test_holds_for_named_areas_too(self) -> None:
        facts = {"arrived_from": "150200"}

        assert clause(BAYANNUR, stays=(stay(7, None, "620102"),), **facts) == f"{BAYANNUR} 4"
        assert clause(BAYANNUR, stays=(stay(8, None, "620102"),), **facts) == f"{BAYANNUR} 5"

    def test_knows_no_stay_of_somebody_who_changed_trains(self) -> None:
        stays = (stay(0, None, "620102", transit=True),)

        assert clause(BAYANNUR, arrived_from="150200", stays=stays) == f"{BAYANNUR} 5"
        assert clause(BAYANNUR, arrived_from="620102", stays=stays) == f"{BAYANNUR} 5"
        assert clause(BAYANNUR, arrived_from="620102") == f"{BAYANNUR} 4"


class TestAProof:
    @pytest.mark.parametrize(
        ("minutes", "landing"), [(0, False), (-1, False), (1, True), (-60 * 60, False)]
    )
    def test_of_exactly_48_hours_is_good(self, minutes: int, landing: bool) -> None:
        decision = decided(BAYANNUR, arrived_from="150200", proof=proof(48, minutes))

        assert decision.landing_test is landing
        assert decision.proof_hours == 48

    def test_from_the_day_after_is_none(self) -> None:
        assert decided(BAYANNUR, arrived_from="150200", proof=proof(-24)).landing_test

    def test_does_not_spare_people_from_another_region_the_landing_test(self) -> None:
        assert decided(BAYANNUR, arrived_from="130200", proof=proof(1)).landing_test

    def test_is_not_asked_of_people_isolated_at_home(self) -> None:
        facts: dict[str, Any] = {"arrived_from": "620102"}

        assert decided(BAYANNUR, **facts).proof_hours is None
        assert decided(BAYANNUR, stays=(stay(0),), **facts).proof_hours is None
        assert decided(BAYANNUR, exposure="close_contact", arrived_from="620102").landing_test


class TestPrecedence:
    def test_puts_a_contact_before_a_stay_before_an_arrival(self) -> None:
        facts: dict[str, Any] = {"arrived_from": "620102", "stays": (stay(1),)}

        assert clause(BAYANNUR, exposure="close_contact", **facts) == f"{NATIONAL} 1"
        assert clause(BAYANNUR, **facts) == f"{BAYANNUR} 1"
        assert Citation(BAYANNUR, "4") in decided(BAYANNUR, **facts).also

    def test_puts_days_served_abroad_before_a_named_area(self) -> None:
        facts = {"arrived_from": "440100"}

        assert clause(BAYANNUR, inbound=Inbound(5, 0), **facts) == f"{BAYANNUR} 3"
        assert clause(BAYANNUR, inbound=Inbound(5, 3), **facts) == f"{BAYANNUR} 5"
        assert clause(BAYANNUR, inbound=Inbound(4, 0), **facts) == f"{NATIONAL} 10"

    def test_leaves_truck_crews_to_their_own_clause(self) -> None:
        facts: dict[str, Any] = {"arrived_from": "620102", "freight_crew": True}

        assert clause(BAYANNUR, **facts) == f"{BAYANNUR} 9"
        assert decided(BAYANNUR, **facts).landing_test

    def test_asks_nothing_of_a_contact_of_a_contact(self) -> None:
        for document in [NATIONAL, YINGKOU, BAYANNUR, *FAMILY]:
            decision = decided(document, exposure="secondary_contact")

            assert (decision.measure, decision.plan) == (Citation(NATIONAL, "2"), None)

    def test_lets_a_local_clause_speak_only_of_people_from_elsewhere(self) -> None:
        assert clause(YINGKOU, stays=(stay(1, "high", "210804"),)) == f"{NATIONAL} 3"
        assert clause(YINGKOU, stays=(stay(1, "high", "210100"),)) == f"{YINGKOU} 2"
        assert clause(YINGKOU, arrived_from="210804") is None


class TestArrivals:
    @pytest.mark.parametrize(
        ("origin", "spread", "expected"),
        [("130200", False, "3"), ("210100", True, "3"), ("210100", False, "1")],
    )
    def test_in_yingkou_differ_by_province_and_spread(
        self,
        origin: str,
        spread: bool,
        expected: str,
    ) -> None:
        decision = decided(YINGKOU, arrived_from=origin, spread_at_origin=spread)

        assert decision.measure == Citation(YINGKOU, expected)
        assert (decision.landing_test, decision.proof_hours) == (True, 48)

    def test_from_another_province_take_a_landing_test_nationally(self) -> None:
        law = shipped().law(NATIONAL, place="350104")
        near = decide(law, Person(start=START, arrived_from="350203"), START)
        far = decide(law, Person(start=START, arrived_from="310000"), START)

        assert (near.measure, far.measure) == (None, Citation(NATIONAL, "15"))
        assert far.plan is not None
        assert far.plan.required_tests == (1,)

    @pytest.mark.parametrize("document", FAMILY)
    def test_are_asked_nothing_after_the_ten_measures(self, document: str) -> None:
        decision = decided(document, arrived_from="110000")

        assert (decision.plan, decision.landing_test, decision.movement) == (None, False, "free")
        assert decision.measure is not None


class TestTheHome:
    @pytest.mark.parametrize("document", [NATIONAL, YINGKOU, BAYANNUR])
    def test_gives_way_to_central_isolation_when_it_is_unsuitable(self, document: str) -> None:
        home = calendar(document, stays=(stay(0),))
        central = calendar(document, stays=(stay(0),), home_conditions_met=False)

        assert [stage.setting for stage in central.stages] == ["central"]
        assert central.required_tests == home.required_tests
        assert central.earliest_release == home.earliest_release

    @pytest.mark.parametrize(
        ("document", "setting"), [(YINGKOU, "central"), (BAYANNUR, "home"), (NATIONAL, "home")]
    )
    def test_is_left_on_request_only_where_the_text_offers_it(
        self, document: str, setting: str
    ) -> None:
        laid = calendar(document, stays=(stay(0),), chooses_central=True)

        assert laid.stages[0].setting == setting

    def test_has_a_door_sensor_only_in_yingkou_and_only_at_home(self) -> None:
        assert decided(YINGKOU, stays=(stay(0),)).door_sensor
        assert not decided(YINGKOU, stays=(stay(0),), chooses_central=True).door_sensor
        assert not decided(BAYANNUR, stays=(stay(0),)).door_sensor

    def test_is_not_needed_for_monitoring(self) -> None:
        laid = calendar(YINGKOU, arrived_from="130200", home_conditions_met=False)

        assert laid.stages[0].setting == "monitoring"


class TestDaysServed:
    @pytest.mark.parametrize("document", FAMILY)
    def test_centrally_count_and_the_rest_is_at_home(self, document: str) -> None:
        served = (Served("central", day(1), day(2)),)
        person = Person(start=START, exposure="close_contact", served=served)
        plan = decide(shipped().law(document), person, day(3)).plan

        assert plan is not None
        assert [(s.setting, s.days, s.tests) for s in plan.stages] == [
            ("central", 2, ()),
            ("home", 3, (3,)),
        ]

    def test_before_the_start_count_too(self) -> None:
        served = (Served("home", day(-2), day(0)),)
        decision = decided(NATIONAL, stays=(stay(4),), served=served)

        assert decision.start == day(-2)
        assert decision.plan is not None
        assert decision.plan.mandatory_days == 7

    @pytest.mark.parametrize(
        ("served", "today", "stages"),
        [
            # Three days before the start, elsewhere than the clause says.
            (
                Served("home", day(-2), day(0)),
                day(1),
                [("home", 3, (1, 2, 3), 0), ("central", 2, (2,), 3), ("home", 3, (1, 3), 0)],
            ),
            # Across the start.
            (
                Served("home", day(-1), day(2)),
                day(3),
                [("home", 4, (1, 2, 3), 0), ("central", 1, (1,), 4), ("home", 3, (1, 3), 0)],
            ),
            # One day of the second stage.
            (
                Served("central", day(7), day(7)),
                day(9),
                [
                    ("central", 5, (1, 2, 3, 5), 0),
                    ("home", 1, (1,), 0),
                    ("central", 1, (), 1),
                    ("home", 1, (1,), 2),
                ],
            ),
        ],
    )
    def test_stay_in_the_setting_in_which_they_were_served(
        self, served: Served, today: date, stages: list[tuple[object, ...]]
    ) -> None:
        person = Person(start=START, exposure="close_contact", served=(served,))
        plan = decide(shipped().law(NATIONAL), person, today).plan

        assert plan is not None
        assert [(one.setting, one.days, one.tests, one.served) for one in plan.stages] == stages

    @pytest.mark.parametrize(("days", "said"), [(0, False), (2, True)])
    def test_are_a_reason_where_they_count(self, days: int, said: bool) -> None:
        served = (Served("home", day(1 - days), day(0)),) if days else ()
        because = decided(NATIONAL, exposure="close_contact", served=served).because

        assert any("days served before" in reason.en for reason in because) is said

    @pytest.mark.parametrize(
        ("central", "home", "lengths"),
        [(0, 0, [5, 3]), (3, 0, [2, 3]), (4, 0, [1, 3]), (5, 0, [3]), (5, 2, [1])],
    )
    def test_abroad_are_not_repeated(self, central: int, home: int, lengths: list[int]) -> None:
        plan = decided(NATIONAL, inbound=Inbound(central, home)).plan

        assert plan is not None
        assert [stage.days for stage in plan.stages] == lengths

    def test_abroad_in_full_leave_nothing(self) -> None:
        assert decided(NATIONAL, inbound=Inbound(5, 3)).plan is None


class TestAnInfectedPerson:
    @pytest.mark.parametrize("document", [NATIONAL, YINGKOU, BAYANNUR])
    def test_passes_to_medical_management_before_the_ten_measures(self, document: str) -> None:
        decision = decided(document, exposure="infected", clinical="mild")

        assert (decision.refer, decision.measure, decision.plan) == ("medical", None, None)

    @pytest.mark.parametrize("document", FAMILY)
    @pytest.mark.parametrize("clinical", CLINICALS)
    @pytest.mark.parametrize("serious", [False, True])
    def test_stays_at_home_as_far_as_the_text_lets(
        self,
        document: str,
        clinical: str,
        serious: bool,
    ) -> None:
        decision = decided(
            document, exposure="infected", clinical=clinical, serious_underlying_disease=serious
        )
        moderate = document in ("fujian-2022-12", "cangshan-2022-324") and not serious
        home = clinical in ("asymptomatic", "mild") or (clinical == "moderate" and moderate)

        assert (decision.refer is None) == home
        assert (decision.plan is not None) == home
        if home and decision.plan is not None and decision.plan.release is not None:
            assert decision.plan.release.ct_at_least == 35


class TestADecision:
    @given(st.data(), st.dates(date(2022, 11, 14), date(2022, 12, 6)), st.integers(1, 400))
    def test_does_not_depend_on_the_date(
        self, data: st.DataObject, start: date, later: int
    ) -> None:
        law = shipped().law(data.draw(st.sampled_from([YINGKOU, BAYANNUR, TEN])))
        person = data.draw(people(start))
        moved = shift(person, later)

        now = decide(law, person, start)
        then = decide(law, moved, start + timedelta(days=later))
        assert now.outcome == then.outcome

    @given(st.data())
    def test_always_has_reasons_and_a_clause_for_whatever_it_asks(
        self, data: st.DataObject
    ) -> None:
        law = shipped().law(data.draw(st.sampled_from(sorted(shipped().documents))))
        decision = decide(law, data.draw(people(START)), START)

        assert decision.because
        assert all(text.zh and text.en for text in decision.because)
        if decision.plan is not None:
            assert decision.measure is not None

    def test_says_which_values_are_defaults(self) -> None:
        because = decided(YINGKOU, stays=(stay(7),)).because

        assert any("default is 7 days" in text.en and "默认值7天" in text.zh for text in because)

    def test_is_remembered(self) -> None:
        person = Person(start=START, arrived_from="130200")
        later = replace(person, start=day(9))
        law = shipped().law(YINGKOU)

        assert decide(law, person, START).outcome is decide(law, later, day(9)).outcome


def shift(person: Person, days: int) -> Person:
    """Return the same person some days later."""
    by = timedelta(days=days)
    ended = person.closed_loop_post_ended
    shown = person.proof
    return replace(
        person,
        start=person.start and person.start + by,
        stays=tuple(replace(one, last_day=one.last_day + by) for one in person.stays),
        closed_loop_post_ended=ended and ended + by,
        proof=shown
        and replace(
            shown,
            sampled_at=shown.sampled_at and shown.sampled_at + by,
            reported_at=shown.reported_at and shown.reported_at + by,
        ),
    )


class TestHongKongMacaoAndTaiwan:
    """Who comes from there enters (101号 10; readings, Hong Kong, Macao, Taiwan)."""

    def stages(self, **facts: Any) -> tuple[PlannedStage, ...]:
        plan = decided("cn-2022-101", **facts).plan
        return plan.stages if plan else ()

    @pytest.mark.parametrize("origin", ["710000", "810000", "820000"])
    def test_are_beyond_the_border(self, origin: str) -> None:
        assert self.stages(arrived_from=origin) == self.stages(inbound=Inbound())

    def test_days_served_at_the_entry_point_count(self) -> None:
        served = Inbound(central_days=5)

        entered = self.stages(inbound=served)
        assert self.stages(arrived_from="810000", inbound=served) == entered
        assert entered != self.stages(inbound=Inbound())

    def test_their_neighbour_is_not(self) -> None:
        assert self.stages(arrived_from="440300") == ()
