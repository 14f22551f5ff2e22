"""Handing over a grid at a desk, and what the overview shows of it."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.staff.models import Area, Role, User
from quarantine.models import Case
from tests import browser, factories


@pytest.fixture
def case(transactional_db: None) -> Case:
    """Return an open case in a grid that nobody holds, committed so that the server sees it."""
    case = factories.make_case()
    User.objects.filter(areas=case.grid).update(is_active=False)
    return case


class TestClosingTheAccountOfTheLastInAGrid:
    def test_asks_who_takes_over_and_does_both_in_one_step(
        self, case: Case, desktop: Page
    ) -> None:
        community = Area.objects.get_parent(case.grid)
        last = factories.make_user(Role.GRID_STAFF, case.grid, name="林甲")
        factories.make_need(case.resident, by=last)
        other = factories.make_user(Role.GRID_STAFF, factories.make_grid(community), name="林乙")
        browser.sign_in(desktop, factories.make_user(Role.ADMINISTRATOR, community))
        desktop.goto(reverse("person_change", args=[last.key]))

        desktop.get_by_role("button", name="停用账号").click()
        expect(desktop.locator(".error-summary")).to_contain_text(
            f"{case.grid.name}；网格内在管人员1人"
        )
        assert browser.barriers(desktop) == []
        browser.shot(desktop, "staffing-close-desktop", whole=True)
        desktop.get_by_label("由谁接手").select_option(str(other.key))
        desktop.get_by_role("button", name="交接并停用账号").click()

        expect(desktop.get_by_text("林甲的账号已停用")).to_be_visible()
        assert case.grid in other.areas.all()
        assert case.resident.needs.get().responsible == other


class TestTheOverview:
    def test_shows_grids_without_anybody(self, case: Case, phone: Page) -> None:
        community = Area.objects.get_parent(case.grid)
        browser.sign_in(phone, factories.make_user(Role.SUPERVISOR, community))
        phone.goto(reverse("dashboard"))

        panel = phone.locator("section", has=phone.get_by_role("heading", name="网格人员配备"))
        expect(panel).to_contain_text(case.grid.name)
        assert browser.too_small(phone) == []
        assert browser.barriers(phone) == []
        browser.shot(phone, "staffing-overview-phone", whole=True)
        panel.get_by_role("link", name="在管1人").click()
        expect(phone.locator("h1")).to_be_visible()
