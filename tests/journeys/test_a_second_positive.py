"""A second positive behind the same door: a contact's later day, and the first one's again."""

import re
from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.staff.models import Area, Role
from common import clock
from quarantine.acts.contacts import open_contacts
from quarantine.models import Case
from reminders.sweep import sweep
from tests.browser import barriers, picture, shot, sign_in, too_small
from tests.factories import (
    make_arrival,
    make_household,
    make_place,
    make_resident,
    make_result,
    make_user,
    moment,
)

pytestmark = pytest.mark.usefixtures("transactional_db")
WHY = "化验室更正：样本编号贴错"


@pytest.fixture
def yesterday() -> date:
    return timezone.localdate() - timedelta(days=1)


@pytest.fixture
def grid() -> Area:
    return make_place("cangshan-2022-324", "350104")


@pytest.fixture
def contacts(grid: Area, yesterday: date) -> list[Case]:
    """Make two contacts of somebody behind their door who was positive three days before."""
    day = yesterday - timedelta(days=3)
    door = make_household(grid=grid)
    first = make_arrival(
        grid, on=day, resident=make_resident(household=door), exposure="close_contact"
    ).case
    assert first
    others = [make_resident(household=door, name=name) for name in ("李四", "赵小六")]
    positive = make_result(first, day, outcome="positive").opened
    assert positive
    by = make_user(Role.GRID_STAFF, grid)
    return open_contacts(case=positive, residents=others, at=moment(day, 15), by=by)


@pytest.fixture
def second_positive(contacts: list[Case], yesterday: date) -> Case:
    """Let the first of the two be positive yesterday."""
    opened = make_result(contacts[0], yesterday, outcome="positive").opened
    assert opened
    return opened


def named(day: date) -> str:
    return f"{day.month}月{day.day}日"


def test_holds_the_contact_longer_until_it_turns_out_to_be_wrong(
    phone: Page, grid: Area, contacts: list[Case], second_positive: Case, yesterday: date
) -> None:
    page, held = phone, contacts[1]
    staff = make_user(Role.GRID_STAFF, grid)
    supervisor = make_user(Role.SUPERVISOR, Area.objects.get_parent(grid))
    until, later = yesterday + timedelta(days=1), yesterday + timedelta(days=4)
    assert held.release_on == until
    to_release = page.locator(".dates div", has_text="解除")
    grounds = page.locator(".grounds li")

    sweep(at=clock.now())  # what beat does each minute

    # The page of the contact warns, and leads to the decision, which gives both days.
    sign_in(page, staff)
    page.goto(f"/cases/{held.key}/")
    expect(grounds).to_have_count(0)
    expect(to_release).to_contain_text(named(until))
    warning = page.locator(".flash-warning", has_text="是否为密接尚未认定")
    expect(warning).to_contain_text(named(later))
    warning.get_by_role("link").click()
    expect(page).to_have_url(re.compile(str(second_positive.key)))
    proposed = page.locator("#act-contacts")
    expect(proposed).to_contain_text(f"已按密接管控至{named(until)}；新纳入后至{named(later)}")
    assert barriers(page) == []
    assert too_small(page) == []
    shot(page, "contact-again", whole=True)
    proposed.get_by_role("checkbox").check()
    proposed.get_by_role("button", name="保存").click()
    expect(page.locator("#act-contacts")).to_have_count(0)

    # The contact has two grounds; the later one holds.
    page.goto(f"/cases/{held.key}/")
    expect(grounds).to_have_count(2)
    expect(warning).to_have_count(0)
    governing = grounds.filter(has_text=named(later))
    expect(governing).to_contain_text("以此为准")
    expect(page.locator(".grounds strong")).to_have_text(named(later))
    assert barriers(page) == []
    picture(page, "grounds")
    governing.get_by_role("link").click()
    expect(to_release).to_contain_text(named(later))

    # The supervisor hears that the positive was somebody else's, and withdraws it.
    page.context.clear_cookies()
    sign_in(page, supervisor)
    page.goto(f"/cases/{second_positive.key}/")
    page.get_by_role("link", name="更正：结果").click()
    withdraw = page.locator("#way-withdraw")
    withdraw.locator("summary").click()
    withdraw.get_by_label("错在何处、依据是什么").fill(WHY)
    assert barriers(page) == []
    picture(page, "put-right")
    withdraw.get_by_role("button", name="撤销").click()
    expect(page).to_have_url(re.compile(str(contacts[0].key)))
    expect(page.locator(".flash-success")).to_contain_text(WHY)
    expect(page.locator(".happened")).to_contain_text(WHY)
    expect(to_release).to_contain_text(named(until))

    page.goto(f"/cases/{held.key}/")
    expect(to_release).to_contain_text(named(until))
    assert Case.objects.open().get(resident=held.resident) == held
