"""A wrong day of arrival: the supervisor corrects it, the grid worker sees what follows."""

from datetime import date, datetime, time, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.staff.models import Area, Role, User
from policy.engine.decisions.facts import Stay
from quarantine.models import Case
from reminders import sweep as reminders
from tests import factories
from tests.browser import barriers, shot, sign_in
from tests.factories import moment

pytestmark = pytest.mark.usefixtures("transactional_db")
LANZHOU = "620100"
WHY = "火车票为证：前天到达"


@pytest.fixture
def today() -> date:
    return timezone.localdate()


@pytest.fixture
def grid(today: date) -> Area:
    since = timezone.make_aware(datetime.combine(today - timedelta(days=60), time()))
    return factories.make_place("bayannur-2022-71", "150802", effective_from=since)


@pytest.fixture
def staff(grid: Area) -> User:
    return factories.make_user(Role.GRID_STAFF, grid)


@pytest.fixture
def case(grid: Area, today: date, staff: User) -> Case:
    """Return the case of somebody who was logged yesterday as arrived on that day."""
    day = today - timedelta(days=1)
    return factories.make_case(
        grid,
        on=day,
        at=moment(day, 0, 1),
        by=staff,
        arrived_from=LANZHOU,
        stays=(Stay(LANZHOU, None, day),),
    )


def test_is_corrected_by_the_supervisor_and_told_to_the_grid(
    desktop: Page, case: Case, today: date, staff: User, grid: Area
) -> None:
    page, arrival = desktop, case.arrival
    assert arrival
    right = today - timedelta(days=3)
    supervisor = factories.make_user(Role.SUPERVISOR, Area.objects.get_parent(grid))

    # The grid worker learns who can, from the line of the history.
    sign_in(page, staff)
    page.goto(f"/cases/{case.key}/")
    page.get_by_role("link", name="更正：纳入管控").click()
    expect(page.get_by_role("status")).to_contain_text(supervisor.name)
    assert barriers(page) == []

    # The supervisor corrects the day on the form that logged it.
    page.context.clear_cookies()
    sign_in(page, supervisor)
    page.goto(f"/cases/{case.key}/")
    page.get_by_role("link", name="更正：纳入管控").click()
    assert barriers(page) == []
    shot(page, "fact")
    page.get_by_role("link", name="改为正确内容").click()
    page.get_by_text("其他日期").click()
    page.fill("#id_arrived_on", right.isoformat())
    page.fill("#id_reason", WHY)
    assert barriers(page) == []
    shot(page, "arrival-correct", whole=True)
    page.get_by_role("button", name="更正来返").click()
    expect(page.locator(".happened")).to_contain_text(WHY)
    shot(page, "corrected", whole=True)
    case.refresh_from_db()
    assert (case.day_1, case.release_on) == (right, right + timedelta(days=6))

    assert case.release_on

    # The grid worker is told, and sees the new dates.
    reminders.sweep(at=timezone.now())
    page.context.clear_cookies()
    sign_in(page, staff)
    page.goto("/changes/")
    expect(page.locator("main")).to_contain_text(
        f"{case.release_on.month}月{case.release_on.day}日"
    )
    page.goto(f"/cases/{case.key}/")
    expect(page.locator(".dates")).to_contain_text(
        f"{case.release_on.month}月{case.release_on.day}日"
    )
