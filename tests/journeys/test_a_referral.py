"""Somebody infected arrives where nobody infected stays at home: referred, and handed over."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from accounts.staff.models import Area, Role
from common import clock
from quarantine.todo.escalation import escalate_overdue
from quarantine.todo.models import Todo
from reminders.sweep import sweep
from tests.browser import barriers, shot, sign_in, too_small
from tests.factories import id_number, make_place, make_user


@pytest.fixture
def grid(transactional_db: None) -> Area:
    return make_place("bayannur-2022-71", "150802")


def log_infected(page: Page) -> None:
    page.goto("/arrivals/new/")
    page.fill("#id_number", id_number())
    page.fill("#id_name", "王秀英")
    page.fill("#id_phone", "13800138000")
    page.fill("#id_building", "3号楼")
    page.fill("#id_unit", "2单元")
    page.fill("#id_door", "502")
    page.fill("#id_origin", "兰州")
    page.locator("label[for^=id_exposure]", has_text="感染者").click()
    expect(page.locator("#decision")).to_contain_text("立即转医疗机构")
    page.get_by_role("button", name=re.compile("^保存$")).click()


def test_grid_staff_refer_the_supervisor_hears_of_the_delay_and_it_ends_by_the_handing_over(
    phone: Page, grid: Area
) -> None:
    page = phone
    staff, supervisor = make_user(Role.GRID_STAFF, grid), make_user(Role.SUPERVISOR, grid)
    sign_in(page, staff)
    log_infected(page)
    expect(page.locator(".decision-refer")).to_contain_text("接走前不得离开")
    expect(page.locator("main")).not_to_contain_text("可以外出")
    assert barriers(page) == []
    shot(page, "referral-answer", whole=True)

    page.goto("/today/")
    row = page.locator(".todos .todo-row")
    expect(row).to_contain_text("转医疗机构")
    assert barriers(page) == []
    assert too_small(page, ".todo-row") == []
    shot(page, "referral-today", whole=True)

    # Nobody came in time: the supervisor is told, and finds it first.
    late = clock.now() + timedelta(hours=3)
    assert escalate_overdue(at=late) == 1
    sweep(at=late)
    sign_in(page, supervisor)
    page.goto("/overview/")
    page.locator(".todo-strip").click()
    expect(page.locator("tbody tr")).to_contain_text("督导员")
    assert barriers(page) == []
    shot(page, "referral-queue", whole=True)
    page.goto("/inbox/")
    expect(page.locator(".inbox-new")).to_have_count(2)

    sign_in(page, staff)
    page.goto("/today/")
    row.click()
    assert barriers(page) == []
    assert too_small(page) == []
    shot(page, "referral-page", whole=True)
    page.get_by_label("接收单位").fill("示例市医院，李医生")
    page.get_by_text("救护车", exact=True).click()
    page.get_by_role("button", name="已交接").click()
    expect(page.get_by_text("示例市医院，李医生")).to_be_visible()
    page.goto("/today/")
    expect(page.locator(".todos")).to_have_count(0)
    assert Todo.objects.get().done_by == staff
