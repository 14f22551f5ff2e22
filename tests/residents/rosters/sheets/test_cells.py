from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_2

from common import pinyin as spelling
from common.encryption import Sealed, hasher, search_hash
from residents.register.identity import read_name, read_number, read_phone
from residents.register.lengths import LONGEST_BUILDING, LONGEST_DOOR, LONGEST_UNIT
from residents.register.models import Household, Resident
from residents.rosters.models import RosterRow
from residents.rosters.sheets import cells, columns
from tests.factories import id_number

TODAY = date(2022, 11, 22)
MAINLAND_ID = Resident.DocumentType.MAINLAND_ID
NUMBER = id_number(date(1990, 5, 17))

# What spreadsheets make of values, and what is kept of it.
DAYS: dict[str, tuple[Any, date]] = {
    "a day": ({"day": "1990-05-17"}, date(1990, 5, 17)),
    "a serial number": (33010, date(1990, 5, 17)),
    "a serial number as a float": (33010.0, date(1990, 5, 17)),
    "a text with dashes": ("1990-05-17", date(1990, 5, 17)),
    "a text with slashes": ("1990/5/17", date(1990, 5, 17)),
    "a text with dots": ("1990.5.17", date(1990, 5, 17)),
    "a Chinese text": ("1990年5月17日", date(1990, 5, 17)),
    "eight digits": ("19900517", date(1990, 5, 17)),
    "eight digits as a number": (19900517.0, date(1990, 5, 17)),
    "full-width digits": ("１９９０－０５－１７", date(1990, 5, 17)),
    "a text with a time": ("1990-05-17 00:00:00", date(1990, 5, 17)),
    "a text, seconds before midnight": ("1990-05-16 23:59:17", date(1990, 5, 17)),
    "a text, an hour before midnight": ("1990-05-16T23:00:00.000Z", date(1990, 5, 17)),
    "a text, an hour after midnight": ("1990/5/17 1:00", date(1990, 5, 17)),
    "a number, seconds before midnight": (33009.99950231481, date(1990, 5, 17)),
    "a number, an hour before midnight": (33009.958333333336, date(1990, 5, 17)),
    "a number, an hour after midnight": (33010.041666666664, date(1990, 5, 17)),
}
# Dates without a day, each beside what it may mean.
MONTHS = [
    *("1990年5月", "1990.05", "1990-05", "199005", "1990.5", "90.05", "1990", "1990年"),
    *(1990.05, 199005.0, 199005, 1990, "１９９０年５月"),
]
NO_DAYS = [
    "199013",
    "1990-13",
    "90",
    float("nan"),
    float("inf"),
    -1.0,
    "1990-05-16 25:00",
    "90-5-17",
    "17/05/1990",
    "1990-02-30",
    33010.5,
    "2035-01-01",
    "1820-01-01",
    True,
]
DAMAGED = [
    3.5010219900101126e17,
    350102199001011234.0,
    "3.50102E+17",
    "3.50102199001011E+17",
    "３.5E+17",
]
ADDRESSES = {
    "3号楼2单元502": ("3号楼", "2单元", None, "502"),
    "3号楼2单元502室": ("3号楼", "2单元", None, "502"),
    "３号楼２单元５０２室": ("3号楼", "2单元", None, "502"),
    "幸福小区12栋1单元5层501": ("幸福小区12栋", "1单元", 5, "501"),
    "3号楼-2-502": ("3号楼", "2单元", None, "502"),
    "3-502": ("3号楼", "", None, "502"),
    "东门大杂院-9": ("东门大杂院", "", None, "9"),
}


class TestANumber:
    @pytest.mark.parametrize("cell", DAMAGED)
    def test_that_a_spreadsheet_rounded_is_refused_with_what_to_do(self, cell: Any) -> None:
        with pytest.raises(ValidationError) as refused:
            cells.number(cell, MAINLAND_ID, TODAY)

        assert "15" in refused.value.messages[0]

    @pytest.mark.parametrize(
        "cell",
        [
            NUMBER,
            f" {NUMBER} ",
            f"\u200b{NUMBER}",
            f"{NUMBER[:6]} {NUMBER[6:]}",
            NUMBER.translate({ord(str(d)): 0xFF10 + d for d in range(10)}),
        ],
    )
    def test_is_read_through_spaces_and_width(self, cell: str) -> None:
        assert cells.number(cell, MAINLAND_ID, TODAY)[0] == NUMBER

    @settings(max_examples=300, deadline=None)
    @given(
        st.text("0123456789Xx１ ", max_size=19)
        | st.builds(
            lambda day, rest: sound(day, rest),
            st.dates(date(1880, 1, 1), date(2040, 1, 1)),
            st.integers(0, 999),
        )
    )
    def test_is_the_same_as_on_a_form(self, text: str) -> None:
        plain = cells.plain_number(text, TODAY)

        if plain:
            slow = read_number(MAINLAND_ID, text, today=TODAY)
            assert plain == (slow.number, slow.birth_date, slow.sex)

    def test_of_a_passport_must_not_have_lost_its_zeros(self) -> None:
        with pytest.raises(ValidationError):
            cells.number(12345678.0, Resident.DocumentType.PASSPORT, TODAY)

    @pytest.mark.parametrize(
        ("number", "kind"),
        [
            (NUMBER, "mainland_id"),
            ("810000199001011234", "hmt_residence"),
            ("911124199001011234", "foreign_residence"),
            ("E12345678", "passport"),
            ("", "mainland_id"),
        ],
    )
    def test_tells_its_kind_of_document(self, number: str, kind: str) -> None:
        assert cells.likely_type(number) == kind


def sound(day: date, rest: int) -> str:
    stem = f"199901{day:%Y%m%d}{rest:03}"
    return stem + mod_11_2.calc_check_digit(stem)


class TestADay:
    @pytest.mark.parametrize("name", DAYS)
    def test_is_read_from(self, name: str) -> None:
        cell, day = DAYS[name]

        assert cells.birth_date(cell, TODAY) == day

    def test_counts_from_1904_on_old_macintoshes(self) -> None:
        assert cells.birth_date(31548, TODAY, date1904=True) == date(1990, 5, 17)

    @pytest.mark.parametrize("cell", NO_DAYS)
    def test_is_not_guessed(self, cell: Any) -> None:
        with pytest.raises(ValidationError):
            cells.birth_date(cell, TODAY)


class TestAPhone:
    @pytest.mark.parametrize(
        "cell",
        [
            "13800138000",
            13800138000.0,
            13800138000,
            "138 0013 8000",
            "１３８００１３８０００",
            "+86 138-0013-8000",
        ],
    )
    def test_is_read_from_texts_and_numbers(self, cell: Any) -> None:
        assert cells.phone(cell) == "+8613800138000"

    @settings(max_examples=200, deadline=None)
    @given(st.from_regex(r"1[0-9]{10}", fullmatch=True))
    def test_is_the_same_as_on_a_form(self, text: str) -> None:
        try:
            slow = read_phone(text)
        except ValidationError:
            slow = ""
        try:
            quick = cells.phone(text)
        except ValidationError:
            quick = ""

        assert quick == slow


class TestAName:
    @settings(max_examples=200, deadline=None)
    @given(
        st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=2, max_size=5)
    )
    def test_is_the_same_as_on_a_form(self, text: str) -> None:
        assert cells.name(text) == read_name(text)

    @settings(max_examples=200, deadline=None)
    @given(st.text("重庆长大行乐李单仇曾解王伟明", min_size=1, max_size=4))
    def test_is_spelt_the_same_whether_its_characters_are_known_or_not(self, text: str) -> None:
        assert spelling.syllables(text) == spelling._text_pinyin(text)


class TestAnAddress:
    @pytest.mark.parametrize("text", ADDRESSES)
    def test_is_taken_apart(self, text: str) -> None:
        assert cells.address(text) == ADDRESSES[text]

    @pytest.mark.parametrize("text", ["", "幸福小区", "某处的某个地方", "3号楼502-1"])
    def test_without_a_door_is_refused(self, text: str) -> None:
        with pytest.raises(ValidationError):
            cells.address(text)

    def test_in_columns_may_have_bare_numbers(self) -> None:
        said = cells.building(3.0), cells.unit(2), cells.floor("5层"), cells.door("502室")

        assert said == ("3号楼", "2单元", 5, "502")

    @pytest.mark.parametrize(
        ("read", "longest"),
        [
            (cells.building, LONGEST_BUILDING),
            (cells.unit, LONGEST_UNIT),
            (cells.door, LONGEST_DOOR),
        ],
    )
    def test_is_in_each_part_as_long_as_a_form_takes(
        self, read: Callable[[str], str], longest: int
    ) -> None:
        assert read("甲" * longest) == "甲" * longest
        with pytest.raises(ValidationError):
            read("甲" * (longest + 1))

    def test_is_not_made_longer_than_a_form_takes(self) -> None:
        with pytest.raises(ValidationError):
            cells.building("1" * LONGEST_BUILDING)
        with pytest.raises(ValidationError):
            cells.unit("1" * LONGEST_UNIT)


class TestHeadings:
    @pytest.mark.parametrize(
        ("heading", "field"),
        [
            ("姓 名", "name"),
            ("姓名*", "name"),
            ("身份证号码（必填）", "number"),
            ("联系电话", "phone"),
            ("ＩＤ Number", "number"),
            ("Date of birth", "birth_date"),
            ("备注", ""),
        ],
    )
    def test_are_known_however_they_are_written(self, heading: str, field: str) -> None:
        assert columns.recognise([heading]) == {0: field}

    def test_are_found_below_titles(self) -> None:
        head = [
            (1, ["示范村花名册", "", ""]),
            (2, ["二〇二二年", "", ""]),
            (4, ["序号", "姓名", "电话"]),
        ]

        found = columns.find_heading(head)

        assert found
        assert (found.row, found.titles) == (4, 2)

    def test_give_the_phone_after_the_emergency_contact_to_them(self) -> None:
        fields = columns.recognise(["姓名", "电话", "紧急联系人", "电话", "电话"])

        assert list(fields.values()) == ["name", "phone", "emergency_name", "emergency_phone", ""]


class TestSealingMany:
    @settings(max_examples=50, deadline=None)
    @given(st.text(max_size=50))
    def test_seals_and_hashes_as_one_by_one(self, text: str) -> None:
        assert hasher(context="x")(text) == search_hash(text, context="x")
        resident = Resident()
        field = Resident._meta.get_field("number")
        assert field.unseal(Sealed(field.sealer()(text, str(resident.key))), resident) == text

    def test_binds_to_each_row(self) -> None:
        row = RosterRow(roster_id=1, number=2)
        field = RosterRow._meta.get_field("note")
        assert field.unseal(Sealed(field.sealer()("text", "1:2")), row) == "text"
        assert Household._meta.get_field("door").sealer()("", "x") == b""


KINDS = Resident.DocumentType
DOCUMENTS = {
    "户口簿": KINDS.MAINLAND_ID,
    "居民户口簿": KINDS.MAINLAND_ID,
    "户口本": KINDS.MAINLAND_ID,
    "临时居民身份证": KINDS.MAINLAND_ID,
    "身份证（二代）": KINDS.MAINLAND_ID,
    "外国人护照": KINDS.PASSPORT,
    "中国护照": KINDS.PASSPORT,
    "普通护照": KINDS.PASSPORT,
    "港澳居民来往内地通行证": KINDS.HMT_TRAVEL,
    "港澳通行证": KINDS.HMT_TRAVEL,
    "回乡证": KINDS.HMT_TRAVEL,
    "台湾居民来往大陆通行证": KINDS.HMT_TRAVEL,
    "台胞证": KINDS.HMT_TRAVEL,
    "Home Return Permit": KINDS.HMT_TRAVEL,
    "港澳台居民居住证": KINDS.HMT_RESIDENCE,
    "台湾居民居住证": KINDS.HMT_RESIDENCE,
    "中华人民共和国外国人永久居留身份证": KINDS.FOREIGN_RESIDENCE,
    "外国人永久居留证": KINDS.FOREIGN_RESIDENCE,
    "暂无": KINDS.NONE,
    "证件后补": KINDS.TO_FOLLOW,
    "身份证待补": KINDS.TO_FOLLOW,
    **{kind.value: kind for kind in KINDS},
}


class TestAKindOfDocument:
    @pytest.mark.parametrize(("word", "kind"), DOCUMENTS.items())
    def test_is_known_by_the_words_of_people(self, word: str, kind: str) -> None:
        assert cells.document_type(word) == kind

    @pytest.mark.parametrize("word", ["军官证", "往来港澳通行证", "香港身份证", "证"])
    def test_that_no_register_here_holds_is_refused(self, word: str) -> None:
        with pytest.raises(ValidationError):
            cells.document_type(word)


class TestNothing:
    @pytest.mark.parametrize(
        "word",
        ["", "无", " 无 ", "没有", "暂无", "无电话", "-", "——", "/", "N/A", "没有手机", "'无"],
    )
    def test_is_said_in_many_words(self, word: str) -> None:
        assert cells.phone(word) == ""
        assert cells.optional_name(word) == ""

    @pytest.mark.parametrize("name", ["无名氏", "吴", "No Tong"])
    def test_is_no_name(self, name: str) -> None:
        assert not cells.is_nothing(name)


class TestAMonth:
    @pytest.mark.parametrize("cell", MONTHS)
    def test_contradicts_no_day_in_it(self, cell: Any) -> None:
        written = cells.birth_date(cell, TODAY)

        assert cells.agree(written, date(1990, 5, 17))
        assert not cells.agree(written, date(1989, 5, 17))

    @pytest.mark.parametrize("cell", ["1990年5月", "1990.05", "199005", 199005.0, "90.05"])
    def test_contradicts_another_month(self, cell: Any) -> None:
        assert not cells.agree(cells.birth_date(cell, TODAY), date(1990, 6, 17))

    def test_is_all_that_a_first_day_says_in_a_column_for_months(self) -> None:
        first = {"day": "1990-05-01"}

        assert cells.agree(cells.birth_date(first, TODAY, months=True), date(1990, 5, 17))
        assert not cells.agree(cells.birth_date(first, TODAY), date(1990, 5, 17))

    def test_may_be_october_in_a_number(self) -> None:
        assert cells.agree(cells.birth_date(1990.1, TODAY), date(1990, 10, 17))
