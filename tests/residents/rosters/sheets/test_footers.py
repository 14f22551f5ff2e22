"""Rows of a roster that are no people."""

import pytest

from residents.rosters.sheets.footers import footer


def word(*cells: object) -> str:
    """Return what a row is known by, with the name in the second column and the number third."""
    return footer(cells, name=1, number=2)


class TestAFooter:
    @pytest.mark.parametrize(
        ("cells", "known_by"),
        [
            (["合计", "", "", 53], "合计"),
            (["", "合 计", "", "", 53], "合计"),
            (["总计：53人"], "总计：53人"),
            (["小计53"], "小计53"),
            (["", "制表人：样甲", "", "审核人：样乙"], "制表人"),
            (["填表日期：2022年12月1日"], "填表日期"),
            (["Total", None, ""], "Total"),
            (["注：户主排在第一"], "注"),
        ],
    )
    def test_is_known_by_its_first_word(self, cells: list[object], known_by: str) -> None:
        assert word(*cells) == known_by

    @pytest.mark.parametrize(
        "cells",
        [
            ["1", "样甲", "110101199001011237"],
            ["合计", "样甲", ""],  # somebody without a number
            ["合计", "合计", "110101199001011237"],
            ["", "何济", ""],
            ["", "注册", ""],
            ["", "", ""],
            ["53", "", ""],
        ],
    )
    def test_is_no_person(self, cells: list[object]) -> None:
        assert word(*cells) == ""
