"""The sentences of a decision: what is cited, and which values stand in no text."""

from datetime import date, timedelta

import pytest

from policy.engine.decisions import reasons
from policy.engine.decisions.decide import decide
from policy.engine.decisions.facts import Person, Stay
from policy.engine.documents.library import shipped
from policy.engine.documents.schema import MeasureProvision, values
from policy.engine.text import in_chinese

START = date(2022, 11, 20)


class TestACitation:
    @pytest.mark.parametrize(
        ("document", "zh", "en"),
        [
            ("bayannur-2022-71", "指挥部通告》（71号）", "control headquarters (No. 71)"),
            ("fujian-2022-12", "防控措施的通知》", "requirements of its own"),
            (
                "xinzhou-2022-122",
                "〉的通知》（122号）",
                "forwarding the Shanxi opinions (No. 122)",
            ),
        ],
    )
    def test_is_the_title_in_marks_and_the_bare_number(
        self, document: str, zh: str, en: str
    ) -> None:
        named = shipped().documents[document].cited_as
        assert named.zh.startswith("《")
        assert named.zh.count("《") == named.zh.count("》") == 1
        assert named.zh.endswith(zh)
        assert named.en.endswith(en)


class TestADefault:
    def test_is_told_with_its_value(self) -> None:
        assert (
            reasons.default("proof_hours", 48).zh == "条文未写明核酸证明时限，按系统默认值48小时。"
        )

    def test_is_told_without_one_that_is_no_number(self) -> None:
        told = reasons.default("masks", ("n95",))
        assert told.zh == "条文未写明口罩要求，按系统默认办理。"
        assert told.en == "The clause does not name the mask; this system's default is used."

    def test_is_never_told_by_the_name_of_its_key(self) -> None:
        for document in shipped().documents.values():
            for provision in document.provisions:
                for name in provision.defaults:
                    assert name not in reasons.default(name, 1).zh


class TestAStay:
    @pytest.mark.parametrize(
        ("days", "zh", "en"),
        [
            (0, "开始当天仍在高风险区", "on the day of the start"),
            (3, "开始日前第3天仍在高风险区", "3 days before the start"),
        ],
    )
    def test_is_told_as_its_last_day(self, days: int, zh: str, en: str) -> None:
        stay = Stay(area=None, risk="high", last_day=START - timedelta(days=days))
        because = decide(shipped().law("cn-2022-101"), Person(stays=(stay,)), START).because

        assert any(text.zh.startswith(zh) and en in text.en for text in because)


def test_the_values_of_a_provision_are_found_in_its_parts() -> None:
    contacts = shipped().documents["cn-2022-113"].provisions
    (plan,) = (
        one
        for one in contacts
        if isinstance(one, MeasureProvision) and one.subject == "close_contacts"
    )
    assert ("exposure", "close_contact") in set(values(plan.who))
    assert ("days", 5) in list(values(plan))


def test_a_day_is_said_without_zeros() -> None:
    assert in_chinese(date(2022, 12, 9)) == "12月9日"
