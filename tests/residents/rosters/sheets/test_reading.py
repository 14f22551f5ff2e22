import io
import os
import subprocess
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from common.workbooks import write_workbook
from residents.rosters.sheets import reading
from residents.rosters.sheets.reading import REFUSALS, UnreadableFileError, at_limit, opened
from tests.residents.rosters import steps
from tests.residents.rosters.sheets.old_books import (
    OLD,
    Records,
    formula,
    in_first_sheet,
    in_workbook,
    rewritten_old,
    with_row_hidden,
)
from tests.residents.rosters.steps import rewritten, workbook

SHEET = "xl/worksheets/sheet1.xml"
MOST_SECONDS, MOST_MEGABYTES = 5, 400  # of processor time; of the process that reads
NAMES = ["样㐂", "样𠮷", "示例·阿", "样镕"]  # in the extensions of Han, and beyond the first plane


def rows_of(content: bytes, sheet: int = 0) -> list[tuple[int, list[object]]]:
    with opened(content) as book:
        return [(number, row) for batch in book.rows(sheet) for number, row in batch]


def described(content: bytes, sheet: int = 0) -> dict[str, object]:
    with opened(content) as book:
        return book.sheets[sheet]


def edited(content: bytes, *changes: tuple[bytes, bytes]) -> bytes:
    def change(text: bytes) -> bytes:
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        return text

    return rewritten(content, SHEET, change)


class TestAFile:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
    def test_is_read_in_every_encoding_that_communities_use(self, encoding: str) -> None:
        content = steps.csv(*[[name, "1"] for name in NAMES], encoding=encoding)

        assert [row[0] for _, row in rows_of(content)[1:]] == NAMES

    def test_is_read_from_the_gbk_of_old_windows(self) -> None:
        assert rows_of(steps.csv(["样镕", "1"], encoding="gbk"))[1] == (2, ["样镕", "1"])

    def test_may_part_its_cells_by_tabs_and_keep_numbers_as_texts(self) -> None:
        assert rows_of('姓名\t手机号\n"样, 甲"\t="0591"'.encode())[1] == (2, ["样, 甲", "0591"])

    @pytest.mark.parametrize("sign", [",", "\t", ";"])
    def test_may_have_a_title_without_separators(self, sign: str) -> None:
        lines = ["2022年名单", sign.join(["姓名", "备注"]), sign.join(["样甲", "甲"])]

        assert rows_of("\n".join(lines).encode())[2] == (3, ["样甲", "甲"])

    def test_is_read_from_the_format_before_2007(self) -> None:
        rows = rows_of(OLD)

        assert [number for number, _ in rows] == [1, 3, 4, 5]
        assert rows[2][1] == ["样甲", 1.9990119900101002e17, {"day": "1990-01-01"}, "3号楼", 101]
        assert rows[3][1] == ["样乙", "199901198505150021", 31182, "3号楼", 102]  # merged
        with opened(OLD) as book:
            assert [(s["name"], s["rows"]) for s in book.sheets] == [("名单", 4), ("另一张", 2)]


class TestNoRowIsLost:
    @pytest.mark.parametrize("ref", [b"A1:B2", b"A1", b"A1:XFD1048576"])
    def test_where_the_dimension_is_wrong(self, ref: bytes) -> None:
        content = workbook(*[["样甲", str(number)] for number in range(50)])

        changed = rewritten(content, SHEET, lambda text: with_dimension(text, ref))

        assert len(rows_of(changed)) == 51

    def test_where_rows_columns_or_sheets_are_hidden(self) -> None:
        file = io.BytesIO()
        write_workbook(
            file, [("甲", [["姓名"], ["样甲"], ["样乙"]]), ("乙", [["姓名"], ["样丙"]])]
        )
        content = edited(
            file.getvalue(),
            (b'<row r="2"', b'<row r="2" hidden="1"'),
            (b"<cols>", b'<cols><col min="2" max="3" width="9" hidden="1"/>'),
        )
        content = rewritten(
            content,
            "xl/workbook.xml",
            lambda text: text.replace(b'sheetId="2"', b'sheetId="2" state="hidden"'),
        )

        with opened(content) as book:
            first, second = book.sheets
        assert (first["hidden_rows"], first["hidden_columns"]) == (1, [[1, 2]])
        assert (second["hidden"], second["rows"]) == (True, 2)
        assert [row[0] for _, row in rows_of(content)] == ["姓名", "样甲", "样乙"]
        assert [row[0] for _, row in rows_of(content, 1)] == ["姓名", "样丙"]

    def test_where_cells_are_merged_over_several_rows(self) -> None:
        content = workbook(["样甲", "3号楼"], ["样乙", ""], ["样丙", ""], ["样丁", "4号楼"])
        merged = edited(
            content,
            (
                b"</sheetData>",
                b'</sheetData><mergeCells count="1"><mergeCell ref="B2:B4"/></mergeCells>',
            ),
        )

        assert [row[1] for _, row in rows_of(merged)[1:]] == ["3号楼", "3号楼", "3号楼", "4号楼"]
        assert described(merged)["merged"] == 1

    def test_where_formulas_show_values_or_lack_them(self) -> None:
        content = workbook(["样甲", "X1", "X2", "X3"])
        changed = rewritten(
            content,
            SHEET,
            lambda text: in_place_of_text(
                text,
                X1=b'<c r="B2" t="str"><f>MID(A2,1,1)</f><v>\xe6\xa0\xb7</v></c>',
                X2=b'<c r="C2"><f>1+1</f></c>',
                X3=b'<c r="D2" t="e"><v>#N/A</v></c>',
            ),
        )

        said = described(changed)
        assert rows_of(changed)[1][1][:4] == ["样甲", "样", "", ""]
        assert (said["formulas"], said["formulas_empty"], said["errors"]) == (2, 1, 1)

    @pytest.mark.parametrize(
        "formula",
        [
            b"[0]!Number",  # a name of the workbook itself
            b"Table1[2022]",
            b'IF(A2="REGISTERED|yes!",1,"http://x")',
            b'HYPERLINK("http://x","1")',
            b"REGISTERED+1",
        ],
    )
    def test_where_a_formula_only_seems_to_reach_out(self, formula: bytes) -> None:
        assert [row[0] for _, row in rows_of(with_formula(formula))[1:]] == ["样甲"]

    @pytest.mark.parametrize("number", [b"NaN", b"1E999", b"-1E999"])
    def test_where_a_number_is_none(self, number: bytes) -> None:
        cell = rb"<v>%s</v>" % number
        content = edited(workbook(["姓名"], [7]), (b"<v>7</v>", cell))

        assert rows_of(content)[-1][1][0] == "#NUM!"

    def test_of_the_old_format_by_the_calendar_of_1904(self) -> None:
        calendar, precision = b"\x22\x00\x02\x00%c\x00", b"\x0e\x00\x02\x00"
        assert OLD.count(calendar % 0 + precision) == 1
        other = OLD.replace(calendar % 0 + precision, calendar % 1 + precision)

        assert described(other)["date1904"] is True
        assert described(OLD)["date1904"] is False

    def test_of_the_old_format_where_rows_or_columns_are_hidden(self) -> None:
        def hide(records: Records) -> None:
            with_row_hidden(4)(records)
            in_first_sheet(0x007D, bytes.fromhex("0100 ff00 000a 0f00 0100 0000"))(records)

        content = rewritten_old(hide)

        said = described(content)
        assert (said["hidden_rows"], said["hidden_columns"]) == (1, [[1, 255]])
        assert described(content, 1)["hidden_rows"] == described(OLD)["hidden_rows"] == 0
        assert rows_of(content) == rows_of(OLD)

    def test_of_the_old_format_where_formulas_show_values_or_lack_them(self) -> None:
        values = [
            "000000000000f03f",  # 1
            "030000000000ffff",  # nothing
            "022a00000000ffff",  # #N/A
        ]

        def add(records: Records) -> None:
            for row, value in enumerate(values, 10):
                in_first_sheet(0x0006, formula(row, 0, bytes.fromhex(value)))(records)
            in_first_sheet(0x0205, bytes.fromhex("1400 0000 0f00 2a 01"))(records)

        said = described(rewritten_old(add))
        assert (said["formulas"], said["formulas_empty"], said["errors"]) == (3, 1, 2)
        assert (11, 1) in [(number, row[0]) for number, row in rows_of(rewritten_old(add))]

    def test_of_the_old_format_with_names_and_an_empty_project(self) -> None:
        def add(records: Records) -> None:
            in_workbook(0x01BD, b"")(records)  # no macros in the project
            in_workbook(0x01AE, bytes.fromhex("0200 0104"))(records)  # the workbook itself

        content = rewritten_old(add, storage="_VBA_PROJECT_CUR")

        assert rows_of(content) == rows_of(OLD)

    def test_between_blank_rows_whose_numbers_stay(self) -> None:
        assert [number for number, _ in rows_of(workbook(["样甲"], [], ["样乙"]))] == [1, 2, 4]

    @pytest.mark.parametrize("last", [65_535, 65_536, 65_537, 70_001])
    def test_at_the_limit_of_the_old_format(self, last: int) -> None:
        content = b"a,b\n" + b"1,2\n" * (last - 1)

        with opened(content) as book:
            assert book.sheets[0]["rows"] == book.sheets[0]["last"] == last
            assert sum(map(len, book.rows(0))) == last
        assert at_limit(last) == (last == 65_536)

    def test_at_the_limit_of_the_format_of_today(self) -> None:
        last = '<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>样乙</t></is></c></row>'
        content = edited(
            workbook(["样甲"], headings=["姓名"]),
            (b"</sheetData>", f"{last}</sheetData>".encode()),
        )

        with opened(content) as book:
            rows = [each for batch in book.rows(0) for each in batch]

        assert [row[0] for _, row in rows] == ["姓名", "样甲", "样乙"]
        assert rows[-1][0] == book.sheets[0]["last"] == 1_048_576
        assert at_limit(1_048_576)


def with_dimension(text: bytes, ref: bytes) -> bytes:
    return text.replace(b"<sheetViews>", b'<dimension ref="' + ref + b'"/><sheetViews>')


def in_place_of_text(text: bytes, **cells: bytes) -> bytes:
    for mark, cell in cells.items():
        at = text.index(mark.encode())
        start, end = text.rindex(b"<c ", 0, at), text.index(b"</c>", at) + len(b"</c>")
        text = text[:start] + cell + text[end:]
    return text


def bomb() -> bytes:
    return rewritten(
        workbook(["样甲"]),
        SHEET,
        lambda text: text.replace(b"</sheetData>", b"<row></row>" * 3_000_000 + b"</sheetData>"),
    )


def many_parts() -> bytes:
    file = io.BytesIO(workbook(["样甲"]))
    with zipfile.ZipFile(file, "a") as book:
        for number in range(2_000):
            book.writestr(f"xl/worksheets/more{number}.xml", "")
    return file.getvalue()


def with_formula(formula: bytes) -> bytes:
    cell = b'<c r="B2" t="str"><f>' + formula + b"</f><v>1</v></c>"
    return rewritten(workbook(["样甲", "X1"]), SHEET, lambda text: in_place_of_text(text, X1=cell))


def one_more_part(name: str) -> bytes:
    return rewritten(workbook(["样甲"]), name, lambda _: b"<x/>")


def entities() -> bytes:
    bombs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    return rewritten(
        workbook(["样甲"]), SHEET, lambda text: text.replace(b"<worksheet", bombs + b"<worksheet")
    )


def far_away() -> bytes:
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    return edited(workbook(["样甲"]), (b"</sheetData>", far))


def encrypted() -> bytes:
    name = "EncryptedPackage".encode("utf-16-le")
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + name + b"\0" * 2_000


HOSTILE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a zip bomb": ("bomb", bomb),
    "thousands of parts": ("many_parts", many_parts),
    "a cell at the far end": ("too_large wide damaged", far_away),
    "a link to another workbook": (
        "outside",
        lambda: one_more_part("xl/externalLinks/externalLink1.xml"),
    ),
    "a formula into another workbook": ("outside", lambda: with_formula(b"[1]Sheet1!A1")),
    "a formula that runs a program": ("outside", lambda: with_formula(b"cmd|'/c calc'!A1")),
    "a formula that asks a server": ("outside", lambda: with_formula(b'WEBSERVICE("http://x")')),
    "macros": ("macros", lambda: one_more_part("xl/vbaProject.bin")),
    "entities": ("entities", entities),
    "a row that stands twice": (
        "row_twice",
        lambda: edited(workbook(["样甲"], ["样乙"]), (b'<row r="3"', b'<row r="2"')),
    ),
    "a cell of a megabyte": (
        "long_cell_at",
        lambda: edited(workbook(["样甲"]), ("样甲".encode(), b"x" * 2**20)),
    ),
    "a cell of a megabyte in a text file": (
        "long_cell",
        lambda: b'a,b\n"' + b"x" * 2**20 + b'",1\n',
    ),
    "NUL": ("nul", lambda: b"a,b\n1,\0\n"),
    "NUL in a workbook": (
        "nul_at",
        lambda: edited(workbook(["样甲"]), ("样甲".encode(), b"_x0000_")),
    ),
    "a zip cut short": ("damaged", lambda: workbook(["样甲"])[:-40]),
    "a zip with a hole": (
        "damaged",
        lambda: holed(workbook(*[["样甲", str(n)] for n in range(500)])),
    ),
    "an old file cut short": ("damaged", lambda: OLD[:700]),
    "macros in an old file": (
        "macros",
        lambda: rewritten_old(lambda _: None, storage="_VBA_PROJECT_CUR"),
    ),
    "a sheet of macros in an old file": (
        "macros",
        lambda: rewritten_old(in_workbook(0x0085, bytes.fromhex("00000000 00 01 01 00 4d"))),
    ),
    "a link of an old file to another": (
        "outside",
        lambda: rewritten_old(in_workbook(0x01AE, b"\1\0\5\0\0a.xls")),
    ),
    "a query in an old file": (
        "outside",
        lambda: rewritten_old(in_first_sheet(0x01AD, b"\0" * 8)),
    ),
    "a formula of an old file that runs a program": (
        "outside",
        lambda: rewritten_old(
            in_first_sheet(0x0006, formula(9, 0, bytes(8), b"\x1e\1\0\x42\1\x96\0"))
        ),
    ),
    "a function of an old file that asks a server": (
        "outside",
        lambda: rewritten_old(in_workbook(0x0018, bytes(15) + b"_xlfn.WEBSERVICE")),
    ),
    "an old file without its workbook": (
        "damaged",
        lambda: OLD.replace(b"W\0o\0r\0k", b"X\0o\0r\0k"),
    ),
    "a password": ("password", encrypted),
    "a password of an old file": ("password", lambda: OLD[:532] + b"\x2f\0" + OLD[534:]),
    "another packed file": ("other_workbook", lambda: renamed()),
    "a picture": ("other_file", lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 100),
    "a web page called .xls": ("hypertext", lambda: b"<html><table><tr><td>1</td></tr></table>"),
    "nothing": ("empty", lambda: b" \r\n"),
    "text in no encoding": ("encoding", lambda: b"a,b\n\xff\xff\xff,1\n"),
    "a quote that nobody closes": ("open_quote", lambda: b'a,b\n"1,2\n3,4\n'),
    "a file larger than any roster": ("large", lambda: b"a" * (reading.LARGEST_FILE + 1)),
}


def holed(content: bytes) -> bytes:
    return content[:900] + b"\0" * 300 + content[1200:]


def renamed() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as book:
        book.writestr("content.xml", "<x/>")
    return file.getvalue()


class TestAHostileFile:
    @pytest.mark.parametrize("name", HOSTILE)
    def test_is_refused_within_seconds_and_little_memory(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whys, make = HOSTILE[name]
        content = make()
        peaks: list[float] = []
        watch(monkeypatch, peaks)
        begun = processor_time()

        with pytest.raises(UnreadableFileError) as refused:
            rows_of(content)

        assert refused.value.why in whys.split()
        assert REFUSALS[refused.value.why] % refused.value.given
        assert processor_time() - begun < MOST_SECONDS
        assert max(peaks, default=0) < MOST_MEGABYTES


def processor_time() -> float:
    """Return what this process and those that it has waited for have used."""
    return sum(os.times()[:4])


def watch(monkeypatch: pytest.MonkeyPatch, peaks: list[float]) -> None:
    """Note the peak of the process that reads, while it is still there."""
    listen = reading._read_answer

    def noting(process: "subprocess.Popen[bytes]") -> dict[str, object]:
        try:
            return listen(process)
        finally:
            # Whoever was ended by its limits is gone, and was held by them.
            with suppress(FileNotFoundError, IndexError):
                status = Path(f"/proc/{process.pid}/status").read_text()
                peaks.append(int(status.split("VmHWM:")[1].split()[0]) / 1024)

    monkeypatch.setattr(reading, "_read_answer", noting)
