"""Import of a roster of 100,000 rows, compared with only reading the file and COPY."""

import io
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import python_calamine
from django.db import connection
from stdnum.iso7064 import mod_11_2

from accounts.staff.models import Area, Role
from bench import Figure, figure
from common.workbooks import write_workbook
from residents.register.models import Resident
from residents.rosters import dry_run, services, working
from residents.rosters.models import Roster
from residents.rosters.sheets import columns, reading
from tests.factories import NOW, make_area, make_community, make_user

ROWS = 100_000
PAIRS = 3
GRIDS = 20
MOST_MEMORY = 512  # MB of the process that reads
HEADINGS = [
    *("姓名", "身份证号", "性别", "出生日期", "手机号", "网格", "楼栋", "单元", "楼层", "门牌号"),
    *("紧急联系人", "紧急联系人电话"),
]
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹"
_TABLES = ("residents_household", "residents_resident")


class WrongError(Exception):
    """The measured code did not do its work."""


def run() -> list[Figure]:
    """Return the figures, measured in a temporary database."""
    with _database():
        community = make_community()
        for number in range(1, GRIDS + 1):
            community.refresh_from_db()
            make_area(parent=community, name=f"第{number}网格")
        content = _file(ROWS)
        _take_over(community, content)  # so that the columns are known
        reference = _Bare()
        pairs = []
        for _ in range(PAIRS):
            _empty()
            seconds = reference.take_over(content)
            _write_out()  # of the import before
            pairs.append((seconds, _take_over(community, content)))
        repeated = _take_over(community, content)
    portal, ratio = (
        median(portal for _, portal in pairs),
        median(portal / reference for reference, portal in pairs),
    )
    memory = _memory(content)
    return [
        figure(
            f"roster: seconds for {ROWS:,} rows, checked and stored",
            portal,
            reference=median(reference for reference, _ in pairs),
            goal="at most 2 x calamine + COPY",
            ok=ratio <= 2,
        ),
        figure(
            "roster: seconds for the same file again",
            repeated,
            reference=portal,
            goal="at most the first time",
            ok=repeated <= portal,
        ),
        figure(
            "roster: MB of the process that reads",
            memory,
            goal=f"at most {MOST_MEMORY}",
            ok=memory <= MOST_MEMORY,
        ),
    ]


@contextmanager
def _database() -> Iterator[None]:
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def _file(rows: int) -> bytes:
    file = io.BytesIO()
    write_workbook(file, [("名单", _people(rows))])
    return file.getvalue()


def _people(rows: int) -> Iterator[list[str]]:
    yield HEADINGS
    chance = random.Random(1)  # noqa: S311 - the same file each time
    characters = [chr(code_point) for code_point in chance.sample(range(0x4E00, 0x8FA5), 800)]
    for number in range(rows):
        born = date(1930, 1, 1) + timedelta(days=number * 7_919 % 32_999)
        first_17 = f"199901{born:%Y%m%d}{number % 1000:03}"
        home = number // 3
        yield [
            chance.choice(_SURNAMES)
            + "".join(chance.sample(characters, chance.choice((1, 2, 2)))),
            first_17 + mod_11_2.calc_check_digit(first_17),
            "男" if int(first_17[-1]) % 2 else "女",
            born.isoformat(),
            f"138{chance.randrange(10**8):08}",
            f"第{home * GRIDS * 3 // (rows + 3) + 1}网格",
            f"{home // 120 % 40 + 1}号楼",
            f"{home // 40 % 3 + 1}单元",
            f"{home // 2 % 20 + 1}",
            f"{home // 2 % 20 + 1}0{home % 2 + 1}",
            chance.choice(_SURNAMES) + chance.choice(characters),
            f"139{chance.randrange(10**8):08}",
        ]


def _take_over(community: Area, content: bytes) -> float:
    """Upload, check and import a file, as the views and a worker do; return the seconds."""
    by = make_user(Role.SUPERVISOR, community)
    begun = time.perf_counter()
    roster = services.upload(
        content=content, name="名单.xlsx", area=community, sender="甲", at=NOW, by=by
    )
    working.work(key=roster.key, at=NOW)
    roster.refresh_from_db()
    if roster.state == Roster.State.CHOOSING:
        _say_columns(roster)
    services.take_over(roster=roster, at=NOW, by=by)
    working.work(key=roster.key, at=NOW)
    took = time.perf_counter() - begun
    roster.refresh_from_db()
    counts = roster.counts
    taken = counts["new"] + counts["unchanged"]
    if roster.state != Roster.State.APPLIED or taken != ROWS or Resident.objects.count() != ROWS:
        raise WrongError(roster.state, counts)
    return took


def _say_columns(roster: Roster) -> None:
    heading = columns.find_heading(dry_run.outline_of(roster)["heads"][0])
    if heading is None:
        raise WrongError
    fields = columns.recognise(heading.cells)
    services.choose_columns(
        roster=roster, sheet=0, heading=heading, fields=fields, at=NOW, by=roster.uploaded_by
    )
    working.work(key=roster.key, at=NOW)
    roster.refresh_from_db()


def _memory(content: bytes) -> float:
    """Return the peak memory of the reading process in megabytes."""
    with reading.opened(content) as book:
        for _ in book.rows(0):
            pass
        status = Path(f"/proc/{book.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE residents_resident, residents_household, residents_building,"
            " residents_rosterrow, residents_stagedresident, residents_rosterfile CASCADE"
        )
        cursor.execute("VACUUM ANALYZE")


def _write_out() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")


class _Bare:
    """Calamine, and COPY of the rows that the portal stored, into tables with the same indexes."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        with connection.cursor() as cursor:
            for table in _TABLES:
                text = io.StringIO()
                cursor.copy_expert(f"COPY {table} TO STDOUT", text)
                self._texts[table] = text.getvalue()
                cursor.execute(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING ALL)")
            cursor.execute(
                "ALTER TABLE bare_residents_resident"
                " ADD FOREIGN KEY (household_id) REFERENCES bare_residents_household (id),"
                " ADD FOREIGN KEY (grid_id) REFERENCES accounts_area (id)"
            )

    def take_over(self, content: bytes) -> float:
        """Read the file and copy the rows; return the seconds."""
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE bare_residents_resident, bare_residents_household")
        _write_out()
        begun = time.perf_counter()
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        book.get_sheet_by_index(0).to_python()
        with connection.cursor() as cursor:
            for table in _TABLES:
                into = f"COPY bare_{table} FROM STDIN"
                cursor.copy_expert(into, io.StringIO(self._texts[table]))
        return time.perf_counter() - begun
