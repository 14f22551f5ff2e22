"""Every field of the schema has its sentence."""

import inspect
from typing import Any, get_args

import pytest

from policy.engine.documents import schema
from policy.engine.documents.schema import (
    Document,
    EntryProvision,
    MeasureProvision,
    NoProvision,
    Provision,
    Stage,
    Strict,
    Who,
)
from policy.engine.text import Text
from policy.engine.wording import numbers
from policy.engine.wording.sentences import HEAD, PARTS, PROVISIONS, WITHOUT, lines_of

# What stands in the heading of a provision, or is the author's own word.
BESIDE = {"subject", "clause", "summary", "force", "defaults"}
KINDS = [
    kind
    for _, kind in inspect.getmembers(schema, inspect.isclass)
    if issubclass(kind, Strict) and kind not in (Strict, Provision)
]
SUMMARY = Text("概要", "summary")


def counts(annotation: Any) -> bool:
    """Say whether a value of a type may be a number."""
    return annotation in (int, float) or any(counts(part) for part in get_args(annotation))


class TestEveryModelOfTheSchema:
    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
    def test_has_a_sentence_for_each_of_its_fields(self, kind: type[Strict]) -> None:
        fields = set(kind.model_fields)
        if kind is Document:
            assert set(HEAD) == fields - {"provisions", "no_provision"}
        elif kind is NoProvision:
            assert set(WITHOUT) == fields - {"clause", "why"}
        elif issubclass(kind, Provision):
            assert set(PROVISIONS[kind]) == fields - BESIDE
        else:
            assert set(PARTS[kind]) == fields

    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
    def test_says_what_each_of_its_numbers_counts(self, kind: type[Strict]) -> None:
        numeric = {name for name, field in kind.model_fields.items() if counts(field.annotation)}

        assert numeric <= set(numbers.UNITS)


def said(provision: Provision) -> dict[str, tuple[str, str]]:
    return {line.label.zh: (line.text.zh, line.text.en) for line in lines_of(provision)}


class TestAProvision:
    def test_says_each_value_of_a_stage(self) -> None:
        measure = MeasureProvision(
            subject="high_risk_stay",
            clause="1",
            summary=SUMMARY,
            who=Who(stayed_in=schema.StayedIn(risk="high", within_days=7, outside_area=True)),
            stages=(
                Stage(setting="home", days=6, tests=(1, 5), movement="forbidden", coded=True),
            ),
        )

        lines = said(measure)
        assert lines["适用对象"] == (
            "适用对象：离开高风险区不超过7天的，本辖区内的除外。",
            "For whom: who left a high-risk area no more than 7 days ago, outside the document's"
            " area.",
        )
        assert lines["第1阶段"] == (
            "第1阶段：居家隔离，6天，第1、5天核酸，不得外出，赋码管理。",
            "Stage 1: home isolation, 6 days, tests on days 1, 5, may not go out, a health code"
            " is assigned.",
        )
        assert lines["效力"] == ("效力：须执行。", "Force: it must be done.")

    def test_says_what_holds_where_its_author_gave_nothing(self) -> None:
        lines = said(EntryProvision(subject="entry", clause="1", summary=SUMMARY))

        assert lines["场所"][0] == "场所：所有场所。"
        assert lines["进入人员"][0] == "进入人员：所有人。"
        assert lines["查验"][0] == "查验：不查验。"

    def test_says_which_values_stand_in_no_text(self) -> None:
        lines = said(
            EntryProvision(
                subject="entry",
                clause="1",
                summary=SUMMARY,
                checks=("proof",),
                proof_hours=12,
                defaults=("proof_hours",),
            )
        )

        assert lines["核酸证明"][0] == "核酸证明：12小时内核酸阴性证明。"
        assert lines["系统默认"][0] == "系统默认：条文未写明核酸证明时限，按系统默认值12小时。"
