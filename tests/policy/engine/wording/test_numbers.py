"""A summary and the values beside it name the same numbers, or somebody is told."""

import pytest

from policy.engine.documents.library import shipped
from policy.engine.documents.schema import (
    EntryProvision,
    GatheringProvision,
    MeasureProvision,
    Stage,
    Who,
)
from policy.engine.text import Text
from policy.engine.wording.numbers import in_chinese, in_english, warnings
from policy.engine.wording.written import written


def chinese(text: str) -> list[str]:
    return [mention.text.zh for mention in in_chinese(text)]


def english(text: str) -> list[str]:
    return [mention.text.en for mention in in_english(text)]


class TestAChineseText:
    @pytest.mark.parametrize(
        ("text", "numbers"),
        [
            ("四十八小时，三天", ["48小时", "3天"]),
            ("七日内", ["7天"]),
            ("一百二十个小时", ["120小时"]),
            ("第1、3、5天核酸", ["1天", "3天", "5天"]),
            ("第一、三、五天核酸", ["1天", "3天", "5天"]),
            ("第1至5天", ["1天", "2天", "3天", "4天", "5天"]),
            ("三天两检", ["3天", "2次"]),
            ("两周", ["14天"]),
            ("一星期", ["7天"]),
            ("“5+3”", ["5天", "3天"]),
            ("５天", ["5天"]),
            ("六十周岁以上", ["60岁"]),
            ("五十人以上", ["50人"]),
            ("连续2次Ct值不低于35", ["Ct值35", "2次"]),
            ("Ct值35至40的", ["Ct值35", "Ct值40"]),
            ("十四天", ["14天"]),
            ("二十一天", ["21天"]),
            ("落地当天", ["1天"]),
            ("12月9日起，按113号文件第3条，一人一户", []),
            ("2022年12月7日", []),
        ],
    )
    def test_names_its_numbers_with_what_they_count(self, text: str, numbers: list[str]) -> None:
        assert chinese(text) == numbers


class TestAnEnglishText:
    @pytest.mark.parametrize(
        ("text", "numbers"),
        [
            ("forty-eight hours, three days", ["48 hours", "3 days"]),
            ("a 48-hour proof", ["48 hours"]),
            ("tests on days 1, 3 and 5", ["1 day", "3 days", "5 days"]),
            ("Six days at home, tests on 1, 3, 6.", ["6 days", "1", "3", "6"]),
            ("five home days", ["5 days"]),
            ("days 1 to 3", ["1 day", "2 days", "3 days"]),
            ("twice in two weeks", ["14 days", "2 times"]),
            ("Ct of 35 to 40", ["Ct 35", "Ct 40"]),
            ("people of 60 and over", ["60"]),
            ("one of them, by clause 3 of No. 113", []),
        ],
    )
    def test_names_its_numbers_with_what_they_count(self, text: str, numbers: list[str]) -> None:
        assert english(text) == numbers


def measure(zh: str, en: str = "as told", **values: object) -> MeasureProvision:
    return MeasureProvision.model_validate(
        {
            "subject": "close_contacts",
            "clause": "1",
            "summary": Text(zh, en),
            "who": Who(exposure="close_contact"),
            "stages": (Stage(setting="home", days=3, tests=(1, 3)),),
            **values,
        }
    )


def told(provision: MeasureProvision | EntryProvision | GatheringProvision) -> list[str]:
    return [warning.zh for warning in warnings(provision, [provision])]


class TestASummary:
    @pytest.mark.parametrize(
        "zh",
        ["居家隔离三天，第一、三天核酸", "居家3天，三天两检", "居家隔离3日，第1、3天核酸"],
    )
    def test_that_names_the_values_is_not_warned_of(self, zh: str) -> None:
        assert told(measure(zh)) == []

    def test_that_says_another_number_is_set_beside_the_values(self) -> None:
        stages = (Stage(setting="home", days=40, tests=(1, 20, 40)),)

        assert told(measure("居家隔离三天，第1、2、3天核酸", stages=stages)) == [
            "概要写的是2天、3天，取值是20天、40天"
        ]

    def test_that_leaves_a_value_out_is_told(self) -> None:
        assert told(measure("居家隔离3天")) == ["取值有1天，概要没有提到"]

    def test_that_names_what_no_value_gives_is_told(self) -> None:
        assert told(measure("居家隔离3天，第1、3天核酸，持48小时证明")) == [
            "概要提到48小时，取值里没有"
        ]

    def test_in_english_is_read_too(self) -> None:
        english_only = measure("居家隔离3天，第1、3天核酸", "Five days at home.")

        assert told(english_only) == ["概要提到5天，取值里没有"]

    def test_of_a_proof_by_days_is_one_by_hours(self) -> None:
        door = EntryProvision(
            subject="entry",
            clause="1",
            summary=Text("凭2天内核酸证明", "a proof of two days"),
            checks=("proof",),
            proof_hours=48,
        )

        assert told(door) == []
        assert told(door.model_copy(update={"proof_hours": 12})) == ["概要写的是2天，取值是12小时"]

    def test_of_a_head_count_is_compared(self) -> None:
        feast = GatheringProvision(
            subject="gatherings",
            clause="1",
            summary=Text("五十人以上的", "of fifty people or more"),
            persons_at_least=500,
        )

        assert told(feast) == ["概要写的是50人，取值是500人"]

    def test_need_not_name_what_stands_in_no_text(self) -> None:
        door = EntryProvision(
            subject="entry",
            clause="1",
            summary=Text("查验核酸证明", "a proof is shown"),
            checks=("proof",),
            proof_hours=48,
            defaults=("proof_hours",),
        )

        assert told(door) == []

    def test_for_several_provisions_names_the_values_of_each(self) -> None:
        both = Text("居家隔离3天或集中5天", "three days at home or five")
        home = measure("").model_copy(
            update={"summary": both, "stages": (Stage(setting="home", days=3),)}
        )
        central = home.model_copy(update={"stages": (Stage(setting="central", days=5),)})

        assert warnings(home, [home, central]) == ()
        assert warnings(home, [home]) != ()


class TestTheShippedDocuments:
    def test_say_other_numbers_only_where_the_notice_itself_says_more(self) -> None:
        told = {
            (document.id, provision.provision.clause, provision.warnings[0].zh)
            for document in shipped().documents.values()
            for provision in written(document).provisions
            if provision.warnings
        }

        assert told == {
            ("cn-2022-101", "9", "概要提到3天、2次，取值里没有"),
            ("cn-2022-101", "10", "取值有3天、5天，概要没有提到"),
            ("cn-2022-113", "6", "概要提到80岁，取值里没有"),
            ("shanxi-2022-38", "2", "取值有5天，概要没有提到"),
            ("shanxi-2022-38", "7", "概要提到80岁，取值里没有"),
        }
