"""Unmasked data leave on the word of two people, each told in the inbox where it stands."""

import re

import pytest
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from accounts.exports.models import Export
from accounts.staff.models import Area, Role
from tests.browser import barriers, sign_in
from tests.factories import make_place, make_resident, make_user

NAME, PHONE = "欧阳测试", "13877661234"


@pytest.fixture
def grid(transactional_db: None) -> Area:
    return make_place("yingkou-2022-11", "210800")


def news(page: Page) -> None:
    page.goto("/inbox/")
    for personal in (NAME, PHONE):
        expect(page.locator("main")).not_to_contain_text(personal)


def test_one_asks_another_agrees_the_first_fetches_and_the_ledger_shows_it(
    desktop: Page, grid: Area
) -> None:
    page = desktop
    first = make_user(Role.GRID_STAFF, grid, employer="示例街道办")
    second = make_user(Role.SUPERVISOR, Area.objects.get_parent(grid), employer="示例疾控")
    make_resident(grid=grid, name=NAME, phone=PHONE, by=first)

    sign_in(page, first)
    page.goto("/exports/new/residents/")
    page.get_by_role("link", name="申请").click()
    page.get_by_text("电话", exact=True).click()
    page.get_by_text("上门采样", exact=True).click()
    page.fill("[name=reason]", "入户采样前电话联系")
    page.locator("main form button").click()
    expect(page.locator("main")).to_contain_text("等待")
    news(page)
    expect(page.locator(".inbox-new")).to_have_count(0)

    sign_in(page, second)
    news(page)
    expect(page.locator(".inbox-new")).to_contain_text("待您审批")
    assert barriers(page) == []
    page.get_by_role("link", name="去审批").click()
    page.get_by_role("button", name=re.compile("^同意")).click()
    news(page)
    expect(page.locator(".inbox-new")).to_have_count(0)

    sign_in(page, first)
    news(page)
    expect(page.locator(".inbox-new")).to_contain_text("申请已同意")
    page.get_by_role("link", name="生成文件").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="生成文件").click()
    text = str(CalamineWorkbook.from_path(download.value.path()).get_sheet_by_index(0).to_python())
    assert PHONE in text
    assert NAME not in text  # nobody asked for it

    number = Export.objects.get().pk
    for user in (first, second):
        sign_in(page, user)
        page.goto("/exports/")
        row = page.get_by_role("row", name=re.compile(rf"^{number} "))
        expect(row).to_contain_text("电话")
        expect(row).to_contain_text(str(second))
    news(page)
    expect(page.locator(".inbox-new")).to_have_count(0)
