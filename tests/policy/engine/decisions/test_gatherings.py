"""Gatherings."""

import pytest

from policy.engine.decisions.gatherings import gathering
from policy.engine.documents.library import shipped
from policy.engine.documents.schema import Gathering, words_of

YINGKOU, BAYANNUR = shipped().law("yingkou-2022-11"), shipped().law("bayannur-2022-71")


class TestAGathering:
    @pytest.mark.parametrize(("persons", "duties"), [(49, 0), (50, 6)])
    def test_at_table_has_duties_from_fifty_on(self, persons: int, duties: int) -> None:
        told = gathering(YINGKOU, "banquet", persons)

        assert len(told.duties) == duties
        assert told.advised_against

    @pytest.mark.parametrize(("strangers", "duties"), [(29, ()), (30, ("approval",))])
    def test_with_thirty_strangers_needs_approval(
        self, strangers: int, duties: tuple[str, ...]
    ) -> None:
        assert gathering(YINGKOU, "conference", 100, strangers).duties == duties

    def test_on_stage_shows_a_proof(self) -> None:
        told = gathering(YINGKOU, "performance", 10)

        assert (told.duties, told.proof_hours) == (("proof", "scan"), 48)

    @pytest.mark.parametrize("kind", words_of(Gathering))
    def test_of_any_kind_has_duties_in_bayannur_from_fifty_on(self, kind: Gathering) -> None:
        assert gathering(BAYANNUR, kind, 49).duties == ()
        assert gathering(BAYANNUR, kind, 50).duties == ("approval", "plan", "proof", "scan")

    @pytest.mark.parametrize("kind", words_of(Gathering))
    def test_has_no_rule_after_the_ten_measures(self, kind: Gathering) -> None:
        told = gathering(shipped().law("cangshan-2022-324"), kind, 5000, 5000)

        assert (told.duties, told.advised_against, told.measure) == ((), False, None)
