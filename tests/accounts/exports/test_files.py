import csv
import io
import zipfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from accounts.exports.files import BOM, Stamp, dialling_format, escaped_for_csv, make_file
from accounts.staff.models import User
from tests.factories import NOW

# What spreadsheet programs were seen to run, or to open something for.
HOSTILE = [
    *("=1+1", "+1+1", "-1+1", "@SUM(A1)", "＝1+1", "＋1", "－1", "＠SUM", "-李", "=张三"),
    *("\t=1+1", "\r=1+1", "\n=1+1", " =1+1", "\u3000=1", "\u200b=1+1", "\ufeff=1+1", "\x00=1"),
    *('=cmd|" /C calc"!A0', '=HYPERLINK("http://x.example","点")', "=DDE()", '";=1+1', "\tx"),
]


def stamp(*unmasked: str) -> Stamp:
    by = User(username="supervisor.1", name="林甲")
    return Stamp(number=7, by=by, at=NOW, title="居民", unmasked=unmasked)


def made(kind: str, *names: str) -> bytes:
    rows = [[name, "13800138000"] for name in names]
    return make_file(stamp=stamp(), kind=kind, headings=["姓名", "电话"], rows=rows)


def xlsx(content: bytes) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def rows_of_csv(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


class TestAWorkbook:
    def test_says_in_its_first_row_whose_it_is_and_in_each_row_its_number(self) -> None:
        first, headings, *rows = xlsx(made("xlsx", "张*", "李*"))

        assert "7" in str(first[0])
        assert "林甲 (supervisor.1)" in str(first[0])
        assert "2022" in str(first[0])
        assert headings[:2] == ["姓名", "电话"]
        assert [row[-1] for row in rows] == ["No.7", "No.7"]

    def test_says_it_on_each_printed_page_and_in_its_properties(self) -> None:
        with zipfile.ZipFile(io.BytesIO(made("xlsx", "张*"))) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
            properties = book.read("docProps/core.xml").decode()

        for part in ("<oddHeader>", "<oddFooter>"):
            assert "supervisor.1" in sheet.split(part)[1].split("</")[0]
        assert "<dc:creator>林甲 (supervisor.1)</dc:creator>" in properties
        assert stamp().line in properties

    def test_says_what_is_unmasked(self) -> None:
        assert "电话" in stamp("电话").line
        assert stamp("电话").line != stamp().line

    @pytest.mark.parametrize("text", HOSTILE)
    def test_holds_hostile_names_as_texts(self, text: str) -> None:
        content = made("xlsx", text)
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
            assert not any("external" in name.lower() for name in book.namelist())

        assert "<f" not in sheet
        assert xlsx(content)[2][0] == text

    def test_lets_no_footer_run_over(self) -> None:
        by = User(username="u" * 150, name="&" * 50)
        long = Stamp(number=7, by=by, at=NOW, title="居民", unmasked=["甲"] * 50)
        content = make_file(stamp=long, kind="xlsx", headings=["姓名"], rows=[])
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()

        footer = sheet.split("<oddFooter>")[1].split("</")[0].replace("&amp;", "&")
        assert len(footer) <= 255


class TestACsv:
    def test_opens_in_excel_as_utf8_and_says_whose_it_is(self) -> None:
        content = made("csv", "张*")
        first, headings, row = rows_of_csv(content)

        assert content.startswith(BOM.encode())
        assert first == [stamp().line]
        assert headings[:2] == ["姓名", "电话"]
        assert row == ["张*", "13800138000", "No.7"]

    @pytest.mark.parametrize("text", HOSTILE[:-1])
    def test_defuses_hostile_names(self, text: str) -> None:
        cell = rows_of_csv(made("csv", text))[2][0]

        assert cell[0] == "'" or not set(cell.lstrip()[:1]) & set("=+-@＝＋－＠")
        assert cell.removeprefix("'") == text

    @settings(max_examples=200, deadline=None)
    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
    def test_begins_no_cell_like_a_formula(self, text: str) -> None:
        cell = str(escaped_for_csv(text))

        assert not cell.strip("\u3000 \u200b\ufeff\xa0").startswith(tuple("=+-@＝＋－＠\t\r"))
        assert text in cell

    def test_loses_no_digit_of_a_long_number(self) -> None:
        assert escaped_for_csv("190104199005170017") == "190104199005170017\t"
        assert escaped_for_csv("13800138000") == "13800138000"


class TestAPhone:
    @pytest.mark.parametrize(
        ("phone", "dials"),
        [
            ("+8613800138000", "13800138000"),
            ("13800138000", "13800138000"),
            ("+85251234567", "0085251234567"),
            ("", ""),
        ],
    )
    def test_can_be_dialled_as_it_stands(self, phone: str, dials: str) -> None:
        assert dialling_format(phone) == dials
        assert not str(escaped_for_csv(dials)).startswith("'")
