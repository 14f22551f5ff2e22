"""The demo's roster of 20,000 people, with every trouble of real ones, by its supervisor."""

from pathlib import Path

from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from accounts.models import Area, Role
from portal.demo import places
from portal.demo.roster import write_roster
from residents.models import Resident
from tests.browser import sign_in
from tests.factories import make_user

ROWS = 20_000
PATIENCE = 60_000  # milliseconds, on a machine that does other work, too


def totals(expected: dict[str, int]) -> str:
    """Return the control totals as a page says them."""
    read, new = sum(expected.values()), expected["new"]
    return (
        f"{read:,} 读取行数= {new:,} 予以导入"
        f"+ {expected['duplicate']:,} 疑似重复+ {expected['rejected']:,} 不予导入"
    )


def test_of_twenty_thousand_rows_none_is_lost(
    desktop: Page, transactional_db: None, tmp_path: Path
) -> None:
    page = desktop
    page.set_default_timeout(PATIENCE)
    places.plant()
    sign_in(page, make_user(Role.SUPERVISOR, Area.objects.get(code=places.BAYANNUR)))
    path = tmp_path / "demo-roster.xlsx"
    expected = write_roster(path, rows=ROWS)
    said = totals(expected)

    page.goto("/rosters/new/")
    page.set_input_files("#id_file", path)
    page.fill("#id_sender", "示范社区")
    page.get_by_role("button", name="上传并核对").click()
    expect(page.get_by_label("身份证号码")).to_have_value("number", timeout=PATIENCE)
    page.get_by_role("button", name="逐行核对").click()
    expect(page.locator(".totals")).to_have_text(said, timeout=PATIENCE)
    assert not Resident.objects.exists()

    with page.expect_download() as download:
        page.get_by_role("link", name="待更正的").click()
    book = CalamineWorkbook.from_path(download.value.path())
    aside = expected["duplicate"] + expected["rejected"]
    assert len(book.get_sheet_by_index(0).to_python()) == aside + 1  # the headings

    page.get_by_role("button", name=f"导入 {expected['new']:,} 行").click()
    expect(page.locator(".page-header .tag")).to_have_text("已导入", timeout=PATIENCE)
    expect(page.locator(".totals")).to_have_text(said)
    assert Resident.objects.count() == expected["new"]
