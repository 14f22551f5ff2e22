"""Key populations and the white list."""

from datetime import datetime, timedelta

import pytest

from policy.engine.decisions.facts import Proof
from policy.engine.decisions.people import ListedFacts, list_person, whitelist
from policy.engine.documents.library import shipped
from policy.engine.documents.schema import WhitelistPost, words_of
from policy.engine.moments import SHANGHAI

AT = datetime(2022, 12, 13, 8, tzinfo=SHANGHAI)


class TestTheLists:
    @pytest.mark.parametrize(
        ("document", "person", "categories"),
        [
            ("cn-2022-101", ListedFacts(60), ("elderly",)),
            ("cn-2022-101", ListedFacts(59), ()),
            ("cn-2022-101", ListedFacts(30, ("hypertension",)), ("chronic_disease",)),
            ("cn-2022-101", ListedFacts(70, living_alone=True), ("elderly", "living_alone_elder")),
            ("cn-2022-113", ListedFacts(60), ()),
            ("cn-2022-113", ListedFacts(60, ("diabetes",)), ("chronic_disease",)),
            ("cn-2022-113", ListedFacts(60, ("hypertension",)), ()),
            ("cn-2022-113", ListedFacts(8, child_in_difficulty=True), ()),
            ("fujian-2022-12", ListedFacts(60), ("elderly",)),
            ("fujian-2022-12", ListedFacts(30, pregnant=True), ("pregnant",)),
            ("cangshan-2022-324", ListedFacts(65, ("hypertension",)), ("chronic_disease",)),
            ("cangshan-2022-324", ListedFacts(64, ("hypertension",)), ()),
            ("cangshan-2022-324", ListedFacts(80), ()),
            ("shanxi-2022-38", ListedFacts(40, disabled=True), ("disabled",)),
        ],
    )
    def test_hold_whom_the_document_names(
        self, document: str, person: ListedFacts, categories: tuple[str, ...]
    ) -> None:
        told = list_person(shipped().law(document), person)

        assert told.categories == categories
        assert told.listed == bool(categories)
        assert told.colour is None

    @pytest.mark.parametrize(
        ("age", "vaccination", "target"),
        [(60, "none", True), (60, "partial", True), (60, "full", False), (59, "none", False)],
    )
    def test_name_who_is_to_be_vaccinated(self, age: int, vaccination: str, target: bool) -> None:
        person = ListedFacts(age, vaccination=vaccination)  # type: ignore[arg-type]

        assert list_person(shipped().law("cangshan-2022-324"), person).vaccination_target is target


class TestTheWhiteList:
    @pytest.mark.parametrize("post", words_of(WhitelistPost))
    def test_holds_six_groups(self, post: WhitelistPost) -> None:
        told = whitelist(shipped().law("cn-2022-113"), post, AT)

        assert told.listed == (post != "other")
        assert told.may_work

    @pytest.mark.parametrize(("minutes", "works"), [(0, True), (1, False)])
    def test_of_shanxi_goes_to_work_with_a_proof(self, minutes: int, works: bool) -> None:
        law, shown = (
            shipped().law("shanxi-2022-38"),
            Proof(AT - timedelta(hours=48, minutes=minutes)),
        )

        assert whitelist(law, "police", AT, shown).may_work is works
        assert not whitelist(law, "police", AT).may_work
        assert whitelist(law, "other", AT).may_work

    def test_is_empty_before_the_ten_measures(self) -> None:
        assert not whitelist(shipped().law("cn-2022-101"), "medical", AT).listed
