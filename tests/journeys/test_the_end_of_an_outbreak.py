"""An outbreak is closed, frozen, purged by two people, and certified to everybody."""

import re
from datetime import timedelta

import pgtrigger
import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.staff.models import Area, Role
from portal.models import Purge
from portal.retention import certificate
from quarantine.models import Case
from residents.closings.models import Closing
from residents.register.models import Resident
from tests.browser import barriers, sign_in
from tests.factories import make_case, make_place, make_user
from tests.portal.retention.outbreaks import community_of, make_known


@pytest.fixture
def grid(transactional_db: None) -> Area:
    return make_place("yingkou-2022-11", "210800")


def test_from_the_closing_over_the_freeze_and_two_people_to_the_certificate(
    desktop: Page, grid: Area
) -> None:
    page, area = desktop, community_of(grid)
    first = make_user(Role.SUPERVISOR, area, employer="示例街道办")
    second = make_user(Role.ADMINISTRATOR, area, employer="示例疾控")
    with transaction.atomic():
        person = make_known(grid)
        still_open = make_case(grid)
    case = Case.objects.get(resident=person)

    sign_in(page, first)
    page.goto("/closings/new/")
    expect(page.locator("main")).to_contain_text("疫情尚未结束")
    expect(page.locator("main")).to_contain_text(re.compile("在管人员\\s*1"))
    expect(page.get_by_role("button", name="登记疫情结束并冻结数据")).to_have_count(0)
    Case.objects.filter(pk=still_open.pk).update(
        closed_on=timezone.localdate(), closed_as="released"
    )
    page.goto("/closings/new/")
    expect(page.locator("main")).to_contain_text("系统默认期限")
    assert barriers(page) == []
    page.fill("[name=reason]", "末例解除满14天")
    page.get_by_role("button", name="登记疫情结束并冻结数据").click()
    expect(page.locator("main")).to_contain_text("数据已冻结")
    expect(page.locator("main")).to_contain_text("保存期未满")
    expect(page.get_by_role("button", name="申请清除")).to_have_count(0)
    closing = Closing.objects.get()

    page.goto(f"/cases/{case.key}/")
    expect(page.locator("main")).to_contain_text("疫情已结束")
    expect(page.locator("[id^=act-]")).to_have_count(0)

    with pgtrigger.ignore():  # the term passes
        Closing.objects.update(purge_from=timezone.localdate() - timedelta(days=1))
    page.goto(f"/closings/{closing.key}/")
    page.get_by_role("link", name="试算清除结果").click()
    expect(page.locator("main")).to_contain_text("未更改任何数据")
    page.get_by_role("button", name="申请清除").click()
    expect(page.locator("main")).to_contain_text("待第二人同意")
    expect(page.get_by_role("button", name="同意，永久删除")).to_have_count(0)

    sign_in(page, second)
    page.goto(f"/closings/{closing.key}/")
    assert barriers(page) == []
    page.get_by_role("button", name="同意，永久删除").click()
    expect(page.locator("#progress")).to_contain_text("已清除并出具证明")
    page.get_by_role("link", name="查看清除证明").click()
    expect(page.locator("main")).to_contain_text("行数、摘要、签名与审计一致")
    assert barriers(page) == []

    purge = Purge.objects.get()
    assert purge.certificate is not None
    assert certificate.check(purge.certificate) == []
    assert not Case.objects.exists()
    assert not Resident.objects.filter(key=person.key).exists()
    assert Resident.objects.here().filter(grid=grid, phone_hash=person.phone_hash).exists()
    page.context.clear_cookies()
    page.goto(f"/certificates/{purge.key}/")
    expect(page.locator("main")).to_contain_text(purge.sha256)
    expect(page.locator("main")).not_to_contain_text("张三")
