"""Recognise rows that are no people: totals, and the lines for signatures and remarks."""

import re
from collections.abc import Sequence
from typing import Any

_TOTAL = re.compile(
    r"(?:合计|总计|小计|共计|总数|总人数|合计人数|total)(?:[:：]?\d*[人户名]?)?", re.IGNORECASE
)
_LABEL = re.compile(
    r"(制表人?|填表人?|填报人?|审核人?|审批人?|经办人|负责人|单位负责人|主管领导|联系人|制表单位"
    r"|填报单位|制表日期|填表日期|填报日期|日期|备注|说明|注|preparedby|checkedby)[:：].*",
    re.IGNORECASE | re.DOTALL,
)
_SIGNATURE = re.compile(r"制表人?|填表人?|填报人?|审核人?|经办人|单位负责人")
_SPACES = re.compile(r"\s+")


def footer(cells: Sequence[Any], *, name: int, number: int) -> str:
    """
    Return the word by which a row is known to be no person, "" for people.

    `name` and `number` are the columns of the roster. A row with a document's number is a person,
    whatever else it says, and so is one whose name is none of these words.
    """
    if _text(cells, number):
        return ""
    first = next((text for index in range(len(cells)) if (text := _text(cells, index))), "")
    if _text(cells, name) not in {"", first}:
        return ""
    if _TOTAL.fullmatch(first) or _SIGNATURE.fullmatch(first):
        return first
    labelled = _LABEL.fullmatch(first)
    return labelled[1] if labelled else ""


def _text(cells: Sequence[Any], index: int) -> str:
    cell = cells[index] if index < len(cells) else ""
    return _SPACES.sub("", cell) if isinstance(cell, str) else str(cell or "")
