"""Handing over a grid at a desk, and what the overview shows of it."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.proposals.models import AccountProposal
from accounts.staff.models import Area, Role, User
from accounts.voices import independence
from accounts.voices.models import Intervention
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


class TestAnAccount:
    def test_is_made_at_a_desk_and_taken_on_a_phone(
        self, transactional_db: None, desktop: Page, phone: Page
    ) -> None:
        community = factories.make_community()
        admin = factories.make_user(Role.ADMINISTRATOR, community, employer="示例街道办")
        browser.sign_in(desktop, admin)
        desktop.goto(reverse("person_new"))
        desktop.get_by_label("用户名").fill("wang")
        desktop.get_by_label("姓名").fill("王五")
        desktop.get_by_label("所在单位").fill("示例街道办")
        desktop.get_by_text("督导员", exact=True).click()
        desktop.get_by_label(f"{community.name} ·").check()
        assert browser.barriers(desktop) == []
        browser.shot(desktop, "account-new-desktop", whole=True)
        desktop.get_by_role("button", name="建立账号").click()
        code = desktop.locator(".gate-card-code").inner_text()
        assert browser.barriers(desktop) == []
        browser.shot(desktop, "account-sheet-desktop", whole=True)

        phone.goto(f"{reverse('activate')}#{code}")
        expect(phone.get_by_label("开通码")).to_have_value(code)
        assert browser.barriers(phone) == []
        assert browser.too_small(phone) == []
        browser.shot(phone, "account-activate-phone", whole=True)
        phone.locator("#id_password1").fill("eine neue lange Losung")
        phone.locator("#id_password2").fill("eine neue lange Losung")
        phone.get_by_role("button", name="设置密码").click()

        expect(phone.get_by_text("账号wang已开通")).to_be_visible()
        assert User.objects.get(username="wang").is_activated
        desktop.goto(reverse("person_change", args=[User.objects.get(username="wang").key]))
        expect(desktop.get_by_text("已使用")).to_be_visible()
        assert browser.barriers(desktop) == []
        browser.shot(desktop, "account-change-desktop", whole=True)

    def test_of_an_administrator_is_proposed_by_one_and_approved_by_another(
        self, transactional_db: None, desktop: Page, phone: Page
    ) -> None:
        factories.make_community()
        roots = list(Area.objects.filter(depth=1))
        first, second, third = (
            factories.make_user(Role.ADMINISTRATOR, *roots, employer=employer, name=name)
            for employer, name in (
                ("示例防控办", "林甲"),
                ("示例疾控中心", "林乙"),
                ("示例卫健委", "林丙"),
            )
        )
        browser.sign_in(desktop, first)
        desktop.goto(reverse("person_change", args=[third.key]))
        desktop.get_by_text("审计员", exact=True).click()
        desktop.get_by_role("button", name="保存").click()
        expect(desktop.get_by_text("已提请")).to_be_visible()
        assert browser.barriers(desktop) == []
        browser.shot(desktop, "account-proposed-desktop", whole=True)

        browser.sign_in(phone, second)
        for name in ("people_list", "proposal_list"):
            phone.goto(reverse(name))
            assert browser.barriers(phone) == []
            browser.shot(phone, f"{name}-phone", whole=True)
        phone.get_by_role("link", name="林丙").click()
        assert browser.barriers(phone) == []
        assert browser.too_small(phone) == []
        browser.shot(phone, "account-approve-phone", whole=True)
        phone.get_by_role("button", name="批准", exact=True).click()

        expect(phone.get_by_text("已批准")).to_be_visible()
        assert AccountProposal.objects.get().approved_by == second
        assert User.objects.get(pk=third.pk).role == Role.AUDITOR

    def test_is_confirmed_on_a_phone(self, transactional_db: None, phone: Page) -> None:
        community = factories.make_community()
        roots = list(Area.objects.filter(depth=1))
        first = factories.make_user(Role.ADMINISTRATOR, *roots, employer="示例防控办")
        second = factories.make_user(Role.ADMINISTRATOR, *roots, employer="示例疾控中心")
        made = factories.make_user(Role.SUPERVISOR, community, name="林甲")
        kind = Intervention.Kind.MADE
        independence.record(account=made, kind=kind, at=factories.NOW, by=first)
        browser.sign_in(phone, second)
        phone.goto(reverse("unconfirmed_list"))
        assert browser.barriers(phone) == []
        assert browser.too_small(phone) == []
        browser.shot(phone, "account-confirm-phone", whole=True)

        phone.get_by_role("checkbox").check()
        phone.get_by_role("button", name="确认勾选的账号").click()

        expect(phone.get_by_text("已确认1个账号")).to_be_visible()
        assert not made.interventions.standing().exists()


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
