"""Two neighbourhoods, two notices, one week: the demo as a visitor sees it."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings
from stdnum.iso7064 import mod_11_2

from common import clock
from portal import demo
from quarantine.models import Arrival, Case
from reminders.models import Message
from reminders.sweep import sweep
from tests.browser import barriers, picture, too_small
from tests.factories import named

SAVE = re.compile("^保存$")


@pytest.fixture
def passwords(transactional_db: None, settings: Settings, tmp_path: Path) -> dict[str, str]:
    settings.DATA_DIR = tmp_path
    assert demo.seed(at=clock.now())
    sweep(at=clock.now())  # what beat does each minute
    return {username: password for _, username, password in demo.sign_ins()}


def sign_in(page: Page, username: str) -> None:
    page.context.clear_cookies()
    page.goto("/")
    page.locator(f"button[data-username='{username}']").click()
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.locator(".topbar .dropdown")).to_be_visible()


def fill_arrival(page: Page, *, born: str, name: str, spelt: str, origin: str) -> None:
    page.goto("/arrivals/new/")
    stem = f"199901{born}991"
    page.fill("#id_number", stem + mod_11_2.calc_check_digit(stem))
    page.fill("#id_name", name)
    page.fill("#id_phone", "13800138000")
    page.fill("#id_building", "2号楼")
    page.fill("#id_unit", "1单元")
    page.fill("#id_door", "909")
    page.locator("#id_origin").press_sequentially(spelt, delay=30)
    page.get_by_role("option", name=origin).first.click()


def go_to_next_day(page: Page) -> None:
    page.goto("/demo/day/")
    page.get_by_role("button", name="后一天").click()
    expect(page.get_by_text("演示日期已设为")).to_be_visible()


def test_from_lanzhou_to_bayannur_and_from_shanghai_to_cangshan(
    phone: Page, passwords: dict[str, str]
) -> None:
    page = phone
    day_1 = timezone.localdate()

    # Lanzhou is named in Bayannur's clause 4: seven days at home.
    sign_in(page, "grid.bayannur")
    expect(page.get_by_role("heading", name="今日", exact=False).first).to_be_visible()
    assert barriers(page) == []
    picture(page, "today")
    fill_arrival(page, born="19900517", name="示例兰", spelt="lz", origin="兰州市")
    expect(page.locator("#decision-line")).to_contain_text("居家隔离7天")
    page.locator("#id_origin").scroll_into_view_if_needed()
    assert too_small(page) == []
    picture(page, "arrival")
    page.get_by_role("button", name=SAVE).click()
    expect(page.get_by_text("第4条").first).to_be_visible()
    picture(page, "arrival-saved")
    case = Case.objects.get(arrival__origin="620100", resident=named("示例兰"))
    assert case.plan.provision.document == "bayannur-2022-71"
    assert case.plan.provision.clause == "4"
    assert case.release_on == day_1 + timedelta(days=6)

    # The Cangshan plan asks nothing of somebody from Shanghai.
    sign_in(page, "grid.cangshan")
    fill_arrival(page, born="19850308", name="示例沪", spelt="shanghai", origin="上海市")
    expect(page.locator("#decision-line")).to_contain_text("无")
    page.get_by_role("button", name=SAVE).click()
    expect(page.get_by_role("heading", name="登记完成")).to_be_visible()
    picture(page, "arrival-free")
    arrival = Arrival.objects.get(resident=named("示例沪"))
    assert arrival.law == "cangshan-2022-324"
    assert not Case.objects.filter(resident=arrival.resident).exists()

    # A week in Bayannur: tests on days 1, 3, 5 and 7, each with its reminder.
    sign_in(page, "grid.bayannur")
    card = page.locator(f"#card-{case.key}")
    for number in range(1, 8):
        today = day_1 + timedelta(days=number - 1)
        page.goto("/today/")
        if number in {1, 3, 5, 7}:
            card.get_by_role("button", name="已采样").click()
            card.get_by_role("button", name="阴性").click()
            expect(card.get_by_role("button", name="阴性")).to_have_count(0)
        else:
            expect(card.get_by_role("button", name="已采样")).to_have_count(0)
        if number in {3, 5, 7}:
            assert Message.objects.inbox().filter(case=case, kind="test_today", day=today).exists()
        if number < 7:
            go_to_next_day(page)
        if number == 4:
            page.goto(f"/cases/{case.key}/")
            picture(page, "case")
            page.goto("/inbox/")
            expect(page.locator("main")).to_contain_text("示*")
            assert barriers(page) == []
            picture(page, "inbox")

    # Day 7 is negative: a human releases.
    page.goto("/today/")
    card.get_by_role("button", name="解除管控", exact=True).click()
    expect(card).to_contain_text("已解除")
    case.refresh_from_db()
    assert case.closed_as == Case.ClosedAs.RELEASED
    assert case.closed_on == day_1 + timedelta(days=6)


def test_a_supervisor_sees_where_help_is_needed(desktop: Page, passwords: dict[str, str]) -> None:
    page = desktop
    sign_in(page, "supervisor")
    expect(page).to_have_url(re.compile("/overview/$"))
    expect(page.locator("#open_cases svg")).to_be_visible()
    expect(page.locator("#tests svg")).to_be_visible()
    assert barriers(page) == []
    picture(page, "overview", whole=True)

    page.get_by_text("查看数据表").first.click()
    expect(page.locator("#open-table table")).to_be_visible()
    page.get_by_role("link", name="示范社区 A").first.click()
    expect(page.get_by_role("heading", name="按网格")).to_be_visible()
    number = page.locator("#total-open")
    count = number.inner_text()
    number.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(count)
