"""The ten measures for a district under the twenty: previewed, approved, applied, taken back."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.staff.models import Area, Role, User
from policy.engine.decisions.facts import Stay
from policy.models import Activation
from quarantine.models import Case
from quarantine.switching import sweep as law
from reminders import sweep as reminders
from tests import factories
from tests.browser import barriers, shot, sign_in
from tests.factories import moment

pytestmark = pytest.mark.usefixtures("transactional_db")
COUNTY = "350104"
# What a switch moves, and what taking it back restores.
MOVED = ("plan_id", "law", "law_from", "freed_on", "transition", "next_test_on", "release_on")


@pytest.fixture
def today() -> date:
    return timezone.localdate()


@pytest.fixture
def grid(today: date) -> Area:
    """Return a grid of a district that lives under the twenty measures."""
    since = timezone.make_aware(datetime.combine(today - timedelta(days=60), time()))
    return factories.make_place("cn-2022-101", COUNTY, effective_from=since)


@pytest.fixture
def cases(grid: Area, today: date) -> dict[str, Case]:
    """Make a contact on the third day, one on the seventh of eight, and somebody at home."""

    def opened(days: int, **facts: Any) -> Case:
        day = today - timedelta(days=days)
        return factories.make_case(grid, on=day, at=moment(day), **facts)

    contact: dict[str, Any] = {"exposure": "close_contact", "arrived_from": None}
    early, late = opened(2, **contact), opened(6, **contact)
    for number in (0, 1, 2, 4, 5):
        factories.make_result(late, late.day_1 + timedelta(days=number))
    stay = opened(3, stays=(Stay("310000", "high", today - timedelta(days=5)),))
    return {"early": early, "late": late, "stay": stay}


def columns() -> list[dict[str, Any]]:
    return list(Case.objects.open().order_by("pk").values("pk", *MOVED))


def everything_runs() -> None:
    """Do what the worker does within a quarter of a minute, and the next minute."""
    now = timezone.now()
    law.sweep(at=now)
    reminders.sweep(at=now)


def number(page: Page, outcome: str) -> int:
    return int(page.locator(f".outcome-{outcome} .outcome-value").inner_text())


def test_a_policy_is_previewed_approved_applied_and_taken_back(
    desktop: Page, grid: Area, cases: dict[str, Case]
) -> None:
    page = desktop
    county = Area.objects.get(code=COUNTY)
    one: User = factories.make_user(Role.ADMINISTRATOR, county, employer="示例防控办")
    another: User = factories.make_user(Role.ADMINISTRATOR, county, employer="示例疾控中心")
    worker = factories.make_user(Role.GRID_STAFF, grid)
    before = columns()

    # One administrator proposes the ten measures and sees what they would change.
    sign_in(page, one)
    page.goto("/policy/activations/new/")
    page.select_option("#id_document", "cn-2022-113")
    page.select_option("#id_area", str(county.pk))
    page.fill("#id_reason", "国家已施行新十条")
    page.get_by_role("button", name="提出并预览影响").click()
    expect(page.locator("#effect")).to_contain_text("在管3人")
    expect(page.get_by_role("button", name="批准并施行")).to_have_count(0)
    foreseen = {each: number(page, each) for each in ("shortened", "released", "kept", "moved")}
    assert foreseen == {"shortened": 1, "released": 1, "kept": 1, "moved": 0}
    expect(page.locator("#tests svg")).to_be_visible()
    assert barriers(page) == []
    shot(page, "switching", whole=True)
    proposal = page.url

    # Behind a number stand exactly the people, without their names.
    page.locator(".outcome-released").click()
    expect(page.locator(".compare")).to_have_count(1)
    expect(page.locator(".compare")).to_contain_text(str(cases["late"].key)[:8])
    assert cases["late"].resident.name not in page.content()
    assert barriers(page) == []
    assert columns() == before

    # A second one, of another employer, approves; the page shows how far it is.
    sign_in(page, another)
    page.goto(proposal)
    page.get_by_role("button", name="批准并施行").click()
    expect(page.locator("#progress")).to_contain_text("0/3")
    everything_runs()
    expect(page.locator("#progress")).to_contain_text("3/3")
    assert barriers(page) == []

    # The grid worker sees what changed, and releases whom nothing holds any more.
    sign_in(page, worker)
    page.goto("/today/")
    expect(page.locator(".changed-strip")).to_contain_text("2")
    page.locator(".changed-strip").click()
    expect(page.locator(".change")).to_have_count(2)
    assert barriers(page) == []
    page.get_by_role("button", name="已告知").first.click()
    expect(page.locator(".change")).to_have_count(1)
    page.get_by_role("button", name="本页1人均已告知").click()
    expect(page.locator(".change")).to_have_count(0)
    late = cases.pop("late")
    page.goto(f"/cases/{late.key}/")
    expect(page.locator(".law-line")).to_contain_text("113号")
    page.get_by_role("button", name="解除管控", exact=True).click()
    late.refresh_from_db()
    assert late.closed_as == Case.ClosedAs.RELEASED

    # The first one takes it back: all who are not released stand as before, and hear of it.
    sign_in(page, one)
    page.goto(proposal)
    page.locator("#withdraw summary").click()
    page.fill("#reason", "上级通知推迟施行")
    page.get_by_role("button", name="撤回施行，恢复原文件", exact=True).click()
    everything_runs()
    expect(page.locator("#progress")).to_contain_text("2/2")
    assert columns() == [row for row in before if row["pk"] != late.pk]
    expect(page.get_by_text("上级通知推迟施行")).to_be_visible()
    sign_in(page, worker)
    page.goto("/changes/")
    expect(page.get_by_text("更正", exact=True)).to_have_count(1)
    assert Activation.objects.get(document="cn-2022-113").withdrawn_by == one
