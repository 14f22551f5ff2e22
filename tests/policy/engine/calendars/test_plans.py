"""Plans: equal plans have equal digests, and JSON gives them back."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from policy.engine.calendars.plans import Plan
from policy.engine.decisions.decide import decide
from policy.engine.decisions.facts import Inbound
from policy.engine.documents.library import shipped
from tests.policy.engine.decisions.test_facts import people
from tests.policy.engine.making import START, decided


class TestAPlan:
    @given(st.data())
    def test_comes_back_from_json(self, data: st.DataObject) -> None:
        law = shipped().law(data.draw(st.sampled_from(sorted(shipped().documents))))
        plan = decide(law, data.draw(people(START)), START).plan

        if plan is not None:
            again = Plan.from_json(json.loads(json.dumps(plan.to_json())))
            assert (again, again.digest) == (plan, plan.digest)

    def test_differs_in_its_digest_when_anything_differs(self) -> None:
        plan = decided("cn-2022-101", exposure="close_contact").plan

        assert plan is not None
        others = [
            replace(plan, clause="2"),
            replace(plan, stages=plan.stages[:1]),
            replace(plan, required_tests=(1,)),
            replace(plan, positive_refers=not plan.positive_refers),
        ]
        assert len({plan.digest, *(other.digest for other in others)}) == 5

    def test_ends_its_mandatory_days_before_advice(self) -> None:
        plan = decided("yingkou-2022-11", inbound=Inbound(5, 0)).plan

        assert plan is not None
        assert (plan.mandatory_days, sum(stage.days for stage in plan.stages)) == (3, 6)
