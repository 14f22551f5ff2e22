"""The demo's roster of 20,000 people, with every trouble of real ones, by its supervisor."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection, transaction
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from accounts.staff.models import Area, Role
from portal.celery import app
from portal.demo import places
from portal.demo.roster import write_roster
from residents.register.models import Resident
from residents.rosters.applying import CHUNK
from residents.rosters.models import StagedResident
from tests.browser import sign_in
from tests.factories import make_user

ROWS = 20_000


@pytest.fixture
def worker(transactional_db: None) -> Iterator[None]:
    """Let the worker for long tasks do what the pages ask for, as a process of its own."""
    app.conf.task_always_eager = False
    address = urlsplit(settings.DATABASE_URL)
    with subprocess.Popen(
        [
            *(sys.executable, "-W", "ignore", "-m", "celery", "--quiet", "-A", "portal", "worker"),
            *("--queues", settings.NIGHTLY_QUEUE, "--concurrency", "1"),
            *("--without-gossip", "--without-mingle"),
        ],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": address._replace(path=f"/{connection.settings_dict['NAME']}").geturl(),
            "REDIS_URL": settings.REDIS_URL,
            "FIELD_KEYS": ",".join(settings.FIELD_KEYS),
            "SEARCH_KEY": ",".join(settings.SEARCH_KEYS),
            "SECRET_KEY": settings.SECRET_KEY,
        },
    ) as process:
        yield
        process.terminate()
    app.conf.task_always_eager = True


def totals(expected: dict[str, int]) -> str:
    """Return the control totals as a page says them."""
    read, new = sum(expected.values()), expected["new"]
    return (
        f"{read:,} 读取行数= {new:,} 导入行数"
        f"+ {expected['duplicate']:,} 疑似重复+ {expected['rejected']:,} 不予导入"
    )


def test_of_twenty_thousand_rows_none_is_lost(desktop: Page, worker: None, tmp_path: Path) -> None:
    page = desktop
    places.create_areas()
    sign_in(page, make_user(Role.SUPERVISOR, Area.objects.get(code=places.BAYANNUR)))
    path = tmp_path / "demo-roster.xlsx"
    expected = write_roster(path, rows=ROWS)
    said = totals(expected)

    page.goto("/rosters/new/")
    page.set_input_files("#id_file", path)
    page.fill("#id_sender", "示范社区")
    page.get_by_role("button", name="上传并核对").click()
    expect(page.get_by_label("身份证号码")).to_have_value("number")
    page.get_by_role("button", name="逐行核对").click()
    expect(page.locator(".totals")).to_have_text(said)
    assert not Resident.objects.exists()

    with page.expect_download() as download:
        page.get_by_role("link", name="待更正的").click()
    book = CalamineWorkbook.from_path(download.value.path())
    aside = expected["duplicate"] + expected["rejected"]
    assert len(book.get_sheet_by_index(0).to_python()) == aside + 1  # the headings

    bar = page.locator("progress")
    with transaction.atomic():  # keeps the last chunk back, so that the bar stands still
        StagedResident.objects.order_by("row").select_for_update().last()
        page.get_by_role("button", name=f"导入{expected['new']:,}行").click()
        before = expected["new"] // CHUNK * CHUNK
        expect(bar).to_have_attribute("value", str(before))
        expect(bar).to_have_attribute("max", str(expected["new"]))
    expect(page.locator(".page-header .tag")).to_have_text("已导入")
    expect(bar).to_have_count(0)
    expect(page.locator(".totals")).to_have_text(said)
    assert Resident.objects.count() == expected["new"]
