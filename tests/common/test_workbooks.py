import re
import zipfile
from datetime import date
from io import BytesIO

from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from common.workbooks import Row, write_workbook


def written(*rows: list[str]) -> BytesIO:
    file = BytesIO()
    write_workbook(file, [("名单", rows)])
    file.seek(0)
    return file


class TestAWorkbook:
    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)))
    def test_reads_back_as_it_was_written(self, texts: list[str]) -> None:
        # XML knows one kind of line break, and a reader trims nothing.
        texts = ["!", *(re.sub("\r\n?", "\n", text) for text in texts), "!"]

        book = CalamineWorkbook.from_filelike(written(["姓名"], *[[text] for text in texts]))

        assert book.get_sheet_by_index(0).to_python() == [["姓名"], *[[text] for text in texts]]

    def test_holds_texts_that_look_like_formulas_as_texts(self) -> None:
        with zipfile.ZipFile(written(["姓名"], ["=1+1"], ["@SUM(A1)"])) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
            styles = book.read("xl/styles.xml").decode()

        assert "<f>" not in sheet
        assert len(re.findall('<c r="A[23]" s="2" t="inlineStr">', sheet)) == 2
        assert 'quotePrefix="1"' in styles

    def test_keeps_days_numbers_and_sheets_apart(self) -> None:
        file = BytesIO()
        rows: list[Row] = [["日期", "人数"], [date(2022, 11, 22), 3]]
        write_workbook(file, [("甲 & 乙", rows), ("丙", [["空"]])])
        file.seek(0)

        book = CalamineWorkbook.from_filelike(file)

        assert book.sheet_names == ["甲 & 乙", "丙"]
        assert book.get_sheet_by_name("甲 & 乙").to_python()[1] == [date(2022, 11, 22), 3]
