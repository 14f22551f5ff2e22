"""What would change a decision."""

from policy.engine.decisions.decide import decide
from policy.engine.decisions.facts import Person
from policy.engine.decisions.whatif import what_would_change
from policy.engine.documents.library import shipped
from tests.policy.engine.making import START, stay

BAYANNUR = shipped().law("bayannur-2022-71")


class TestWhatWouldChange:
    def test_names_the_proof_that_would_spare_a_landing_test(self) -> None:
        person = Person(start=START, arrived_from="150200")
        (found,) = [
            other for other in what_would_change(BAYANNUR, person, START) if other.key == "proof"
        ]

        assert found.text.en == "With a negative proof sampled at 2022-11-26 00:00 or later"
        assert not found.decision.landing_test
        assert found.decision == decide(BAYANNUR, found.person, START)

    def test_names_the_home_and_the_risk_of_a_stay(self) -> None:
        person = Person(start=START, arrived_from="150200", stays=(stay(3, "high", "150200"),))
        keys = {other.key for other in what_would_change(BAYANNUR, person, START)}

        assert keys == {"home_conditions_met", "stays"}

    def test_is_empty_when_nothing_matters(self) -> None:
        law = shipped().law("cn-2022-113")

        assert what_would_change(law, Person(start=START, arrived_from="310000"), START) == ()
