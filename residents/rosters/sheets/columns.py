"""Recognise the fields of columns by their headings and by earlier choices."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext, gettext_noop, pgettext_lazy
from django.utils.translation import gettext_lazy as _

NAME, TYPE, NUMBER, SEX, BORN = "name", "document_type", "number", "sex", "birth_date"
PHONE, EMERGENCY, EMERGENCY_PHONE = "phone", "emergency_name", "emergency_phone"
COMMUNITY, GRID, ADDRESS = "community", "grid", "address"
BUILDING, UNIT, FLOOR, DOOR = "building", "unit", "floor", "door"

FIELDS = {
    NAME: pgettext_lazy("of a person", "Name"),
    TYPE: pgettext_lazy("an identity paper", "Document"),
    NUMBER: _("Document number"),
    SEX: _("Sex"),
    BORN: _("Birth date"),
    PHONE: _("Phone"),
    COMMUNITY: _("Community or village"),
    GRID: _("Grid"),
    ADDRESS: _("Whole address in one cell"),
    BUILDING: _("Building"),
    UNIT: _("Unit"),
    FLOOR: _("Floor"),
    DOOR: _("Door"),
    EMERGENCY: _("Emergency contact"),
    EMERGENCY_PHONE: _("Their phone"),
}
# Required fields; one of the second pair is enough.
NEEDED = (NAME, NUMBER)
NEEDED_PLACE = (ADDRESS, DOOR)

_HEADINGS = {
    NAME: "姓名 名字 居民姓名 人员姓名 住户姓名 name fullname residentname",
    TYPE: "证件类型 证件种类 证件类别 证件名称 documenttype idtype document typeofdocument",
    NUMBER: (
        "身份证号 身份证号码 身份证 公民身份号码 公民身份证号码 居民身份证号 居民身份证号码 证件号"
        " 证件号码 身份证件号码 id idno idnumber number documentnumber idcardnumber"
    ),
    SEX: "性别 sex gender",
    BORN: "出生日期 出生年月日 生日 出生年月 birthdate dateofbirth birthday dob born",
    PHONE: (
        "手机 手机号 手机号码 电话 电话号码 联系电话 联系方式 联系号码 移动电话 本人电话 本人手机"
        " phone phonenumber mobile mobilephone mobilenumber telephone tel contactnumber"
    ),
    COMMUNITY: "社区 村 村社区 村居 所属社区 所在社区 社区名称 community village",
    GRID: "网格 网格号 网格编号 网格编码 网格名称 所属网格 所在网格 grid gridcode gridname",
    ADDRESS: (
        "地址 住址 详细地址 居住地址 现住址 现住地址 现居住地 现居住地址 家庭住址 家庭地址"
        " 房屋地址 门牌地址 address homeaddress currentaddress"
    ),
    BUILDING: (
        "楼栋 楼栋号 楼号 楼幢 幢号 栋号 楼 栋 幢 座 号楼 楼栋名称 小区楼栋 楼宇 building"
        " buildingname block"
    ),
    UNIT: "单元 单元号 梯 梯位 unit entrance staircase",
    FLOOR: "楼层 层 所在楼层 层数 floor storey level",
    DOOR: (
        "门牌 门牌号 房号 房间号 室 室号 户号 门号 房屋编号 房间 房屋号 door room roomnumber flat"
    ),
    EMERGENCY: "紧急联系人 紧急联系人姓名 应急联系人 emergencycontact emergencyname contactperson",
    EMERGENCY_PHONE: (
        "紧急联系人电话 紧急联系电话 紧急联系人手机 紧急联系人手机号 紧急联系人联系电话 紧急电话"
        " 应急联系人电话 emergencyphone emergencycontactphone theirphone"
    ),
}
SYNONYMS = {
    heading: field for field, headings in _HEADINGS.items() for heading in headings.split()
}
# The column that the portal adds to rows to correct.
WHY = gettext_noop("Why it was put aside")
_IN_BRACKETS = re.compile(r"[(\[【<].*?[)\]】>]")
_NO_LETTER = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Heading:
    """The row of a sheet with the headings."""

    row: int  # its number in the sheet
    cells: list[str]
    titles: int  # rows above it that are not empty


def normalised(heading: object) -> str:
    """Return a heading without case, width, spaces, signs and text in brackets."""
    text = unicodedata.normalize("NFKC", str(heading)).casefold()
    plain = _NO_LETTER.sub("", _IN_BRACKETS.sub("", text))
    return plain or _NO_LETTER.sub("", text)


def portal_headings() -> set[str]:
    """Return the headings that the portal adds to files, in every language."""
    headings = set()
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            headings.add(normalised(gettext(WHY)))
    return headings


def find_heading(
    head: Sequence[tuple[int, list[Any]]], known: Mapping[str, str] | None = None
) -> Heading | None:
    """Return the row with most recognised headings, None if none has two."""
    best, most = None, 1
    for titles, (number, cells) in enumerate(head):
        named = {field for field in recognise(cells, known).values() if field}
        if len(named) > most:
            best = Heading(number, [_shown(cell) for cell in cells], titles)
            most = len(named)
    return best


def _shown(cell: Any) -> str:
    if isinstance(cell, dict):
        return str(next(iter(cell.values())))
    return " ".join(str(cell).split())


def recognise(cells: Iterable[Any], known: Mapping[str, str] | None = None) -> dict[int, str]:
    """
    Return the field of each column, "" for one that is not imported.

    `known` are earlier choices by heading. A second column for the same field is not imported,
    but a phone after the emergency contact is the contact's phone.
    """
    known_headings = known or {}
    fields: dict[int, str] = {}
    taken: set[str] = set()
    for column, cell in enumerate(cells):
        heading = normalised(cell)
        field = known_headings.get(heading, SYNONYMS.get(heading, ""))
        if field == PHONE and fields.get(column - 1) == EMERGENCY:
            field = EMERGENCY_PHONE
        fields[column] = "" if field in taken else field
        taken.add(field)
    return fields


def missing(fields: Iterable[str]) -> list[str]:
    """Return the required fields that are missing."""
    present = set(fields)
    lacking = [field for field in NEEDED if field not in present]
    return lacking + ([] if present & set(NEEDED_PLACE) else [DOOR])
