"""The areas of an installation, from a file."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area
from tests.factories import make_community

pytestmark = pytest.mark.django_db

HEAD = "code,name,level,parent code"
ROWS = (
    "35010400101,甲社区,community,350104001",  # before what it lies in
    "350000,福建省,province,000000",
    "350100,福州市,city,350000",
    "350104,仓山区,county,350100",
    "350104001,甲街道,street,350104",
    "3501040010101,第一网格,grid,35010400101",
)


def imported(folder: Path, *rows: str, head: str = HEAD, encoding: str = "utf-8") -> str:
    file = folder / "areas.csv"
    file.write_text("\n".join((head, *rows)), encoding=encoding)
    out = io.StringIO()
    call_command("import_areas", str(file), stdout=out)
    return out.getvalue()


class TestImportAreas:
    def test_makes_the_tree_below_the_country(self, tmp_path: Path) -> None:
        said = imported(tmp_path, *ROWS, encoding="utf-8-sig")

        grid = Area.objects.get(code="3501040010101")
        above = [area.code for area in Area.objects.get_ancestors(grid)]
        assert above == ["000000", "350000", "350100", "350104", "350104001", "35010400101"]
        assert "diyiwangge" in grid.name_key
        assert said == "6 areas made, 0 renamed, 0 there already.\n"
        assert AuditEntry.objects.filter(did="made area", actor=None).count() == 7

    def test_takes_the_example_of_the_manual(self, tmp_path: Path) -> None:
        manual = Path(__file__).resolve().parents[2] / "docs/operations.md"
        lines = [line.strip() for line in manual.read_text().splitlines()]
        first = lines.index(HEAD) + 1
        rows = lines[first : lines.index("", first)]
        assert imported(tmp_path, *rows).startswith(f"{len(rows)} areas made")

    def test_may_be_repeated_and_renames(self, tmp_path: Path) -> None:
        imported(tmp_path, *ROWS)
        again = [row.replace("甲街道", "乙街道") for row in ROWS]

        assert imported(tmp_path, *again) == "0 areas made, 1 renamed, 5 there already.\n"
        assert Area.objects.get(code="350104001").name == "乙街道"
        assert Area.objects.count() == 7

    def test_reads_standard_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        text = io.TextIOWrapper(io.BytesIO(f"{HEAD}\n{ROWS[1]}\n".encode()))
        monkeypatch.setattr("sys.stdin", text)
        call_command("import_areas", "-", stdout=io.StringIO())
        assert Area.objects.filter(code="350000").exists()

    def test_takes_a_county_that_lies_in_a_province(self, tmp_path: Path) -> None:
        imported(tmp_path, "420000,湖北省,province,000000", "429004,仙桃市,county,420000")
        assert Area.objects.get(code="429004").depth == 3

    def test_names_every_wrong_row_and_writes_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError) as refused:
            imported(tmp_path, *ROWS, "350199,某区,county,350100", "350104002,,street,350104")
        assert str(refused.value).splitlines() == [
            "Nothing was written.",
            "line 8: GB/T 2260 knows no code '350199'.",
            "line 9: A name has 1 to 50 characters.",
        ]
        assert not Area.objects.exists()

    @pytest.mark.parametrize(
        ("row", "sentence"),
        [
            ("350104002,某处,town,350104", "There is no level 'town'"),
            ("350104,仓山区,county,350100", "Line 5 gives the code 350104 already."),
            ("350200,厦门市,county,350000", "350200 is the code of a city, not of a county."),
            ("3501x4002,某街道,street,350104", "Below the county a code has 7 to 20 digits."),
            ("350104002,某街道,street,350105", "The parent code '350105' is neither in the file"),
            ("350104003,某街道,street,350104001", "A street does not lie in a street."),
            ("350104003,某网格,grid,350104001", "A grid lies in a community."),
            ("350104003,某街道,street,350100", "Below the city a county comes first"),
            ("350200001,某街道,street,350104", "The code 350200001 does not begin as that"),
            ("130100,石家庄市,city,350000", "The code 130100 does not begin as that"),
            ("000000,全国,country,350000", "The country lies in nothing"),
            ("350104002,某街道,street", "A row has 4 cells."),
        ],
    )
    def test_refuses(self, tmp_path: Path, row: str, sentence: str) -> None:
        with pytest.raises(CommandError) as refused:
            imported(tmp_path, *ROWS, row)
        assert f"line 8: {sentence}" in str(refused.value)
        assert not Area.objects.exists()

    def test_does_not_move_an_area(self, tmp_path: Path) -> None:
        imported(tmp_path, *ROWS, "350104002,乙街道,street,350104")
        with pytest.raises(CommandError, match="line 2: 35010400101 is there as a community"):
            imported(tmp_path, "35010400101,甲社区,community,350104002")

    def test_puts_no_country_above_what_is_there(self, tmp_path: Path) -> None:
        make_community()
        with pytest.raises(CommandError, match="line 2: The areas that are there lie in no"):
            imported(tmp_path, "000000,全国,country,")

    def test_refuses_a_file_without_its_columns(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="line 1: The columns are code, name, level"):
            imported(tmp_path, *ROWS, head="a,b")
