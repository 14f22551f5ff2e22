"""Files as communities send them, and the steps that take them over."""

import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from accounts.staff.models import Area, Role, User
from common.workbooks import write_workbook
from residents.rosters import dry_run, services, working
from residents.rosters.models import Roster, RosterRow
from residents.rosters.sheets import columns
from tests.factories import NOW, make_user

HEADINGS = ["姓名", "身份证号", "手机号", "网格", "楼栋", "单元", "门牌号"]


def workbook(*rows: Sequence[Any], headings: Sequence[Any] = HEADINGS) -> bytes:
    """Return an .xlsx file of one sheet."""
    file = io.BytesIO()
    write_workbook(file, [("名单", [headings, *rows])])
    return file.getvalue()


def csv(
    *rows: Sequence[str], headings: Sequence[str] = HEADINGS, encoding: str = "utf-8"
) -> bytes:
    """Return a .csv file."""
    return "\r\n".join(",".join(row) for row in [headings, *rows]).encode(encoding)


def rewritten(content: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """Return a workbook with one of its parts changed, or added where there was none."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, change(text) if name == part else text)
        if part not in old.namelist():
            new.writestr(part, change(b""))
    return file.getvalue()


def uploaded(content: bytes, area: Area, by: User | None = None, sender: str = "示范村") -> Roster:
    """Return a roster whose file was opened, and checked where its columns are known."""
    by = by or make_user(Role.SUPERVISOR, area)
    roster = services.upload(
        content=content, name="名单.xlsx", area=area, sender=sender, at=NOW, by=by
    )
    return worked_on(roster)


def checked(
    content: bytes, area: Area, by: User | None = None, *, sheet: int = 0, **given: Any
) -> Roster:
    """Return a roster whose rows were checked, with the columns that are recognised."""
    by = by or make_user(Role.SUPERVISOR, area)
    roster = uploaded(content, area, by, **given)
    if roster.state == Roster.State.CHOOSING:
        heading = columns.find_heading(dry_run.outline_of(roster)["heads"][sheet])
        assert heading
        services.choose_columns(
            roster=roster,
            sheet=sheet,
            heading=heading,
            fields=columns.recognise(heading.cells),
            at=NOW,
            by=by,
        )
        roster = worked_on(roster)
    return roster


def taken_over(content: bytes, area: Area, by: User | None = None, **given: Any) -> Roster:
    """Return a roster that was taken over."""
    by = by or make_user(Role.SUPERVISOR, area)
    roster = checked(content, area, by, **given)
    services.take_over(roster=roster, at=NOW, by=by)
    return worked_on(roster)


def taken_back(roster: Roster, by: User | None = None) -> Roster:
    """Return a roster that was undone."""
    services.take_back(roster=roster, at=NOW, by=by or make_user(Role.SUPERVISOR, roster.area))
    return worked_on(roster)


def worked_on(roster: Roster) -> Roster:
    """Let a worker do what the roster's state asks for."""
    working.work(key=roster.key, at=NOW)
    return Roster.objects.select_related("area").get(pk=roster.pk)


def outcomes(roster: Roster) -> dict[int, str]:
    """Return what became of each row, by its number in the sheet."""
    rows = RosterRow.objects.filter(roster=roster).order_by("number")
    return dict(rows.values_list("number", "outcome"))


def in_balance(roster: Roster) -> bool:
    """Return whether rows read = accepted + duplicate + rejected, and equals the stored rows."""
    counts = roster.counts
    parts = sum(counts[each] for each in RosterRow.Outcome.values)
    return bool(counts["read"] == parts == RosterRow.objects.filter(roster=roster).count())


def lines(number: int) -> Iterable[list[str]]:
    """Yield rows of nobody."""
    for _ in range(number):
        yield ["样甲", "1"]
