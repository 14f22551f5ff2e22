"""The grid worker's pages in a browser: on a phone, on a desk, without scripts."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from accounts.staff.models import Area, User
from quarantine.acts import daily_checks
from quarantine.arrivals.services import Logged
from quarantine.cases.lifecycle import add_note
from quarantine.models import Arrival
from residents.register.models import Building
from testing.models import Sample
from tests import browser, factories, patience

Arrive = Callable[..., Logged]
SAVE = re.compile("^保存$")


@pytest.fixture
def grid(transactional_db: None, grid: Area) -> Area:
    """Return the grid, committed so that the server sees it."""
    return grid


@pytest.fixture
def on_phone(grid: Area, phone: Page, staff: User, today: None) -> Page:
    """Return a phone on which the grid worker is signed in."""
    browser.sign_in(phone, staff)
    return phone


def fill_who(page: Page) -> None:
    page.fill("#id_number", factories.id_number())
    page.fill("#id_name", "王秀英")
    page.fill("#id_phone", "13800138000")
    page.fill("#id_building", "3号楼")
    page.fill("#id_unit", "2单元")
    page.fill("#id_door", "502")


def save(page: Page) -> None:
    page.get_by_role("button", name=SAVE).click()


class TestArrivalForm:
    def test_shows_the_decision_while_it_is_filled(self, on_phone: Page) -> None:
        page = on_phone
        page.goto(reverse("arrival_new"))
        line, panel = page.locator("#decision-line"), page.locator("#decision")
        expect(line).to_contain_text("待定")
        page.locator("#id_origin").press_sequentially("lz", delay=30)
        page.get_by_role("option", name="兰州市").click()
        expect(line).to_contain_text("居家隔离7天")
        expect(panel).to_contain_text("71号文件第4条")
        page.get_by_text("不具备", exact=True).click()
        expect(line).to_contain_text("集中隔离7天")
        assert browser.too_small(page) == []
        assert browser.barriers(page) == []

    @pytest.mark.parametrize("size", ["phone", "desktop"])
    def test_asks_beside_the_place_which_city_it_was(
        self, size: str, request: pytest.FixtureRequest, grid: Area, staff: User, today: None
    ) -> None:
        page: Page = request.getfixturevalue(size)
        browser.sign_in(page, staff)
        page.goto(reverse("arrival_new"))
        page.fill("#id_origin", "甘肃")
        page.get_by_role("option").first.click()
        question = page.locator("#which-id_origin")
        expect(question).to_contain_text("71号文件第4条：兰州市")
        expect(question.get_by_role("button").first).to_be_in_viewport()
        if size == "phone":
            assert browser.too_small(page) == []
        assert browser.barriers(page) == []
        browser.shot(page, f"arrival-which-city-{size}", whole=True)
        question.get_by_role("button", name="兰州市").click()
        expect(page.locator("#id_origin")).to_have_value("甘肃省兰州市")
        expect(question.get_by_role("button")).to_have_count(0)
        expect(page.locator("#decision")).to_contain_text("居家隔离7天")

    def test_offers_one_more_place_until_there_are_six(self, on_phone: Page) -> None:
        page = on_phone
        page.goto(reverse("arrival_new"))
        page.get_by_text("近期其他停留地").click()
        for number in range(1, 6):
            page.get_by_role("button", name="再添一处").click()
            expect(page.locator(f"#id_stay-{number}-place")).to_be_focused()
        expect(page.get_by_role("button", name="再添一处")).to_be_hidden()
        page.locator("#id_stay-5-place").press_sequentially("lz", delay=30)
        page.get_by_role("option", name="兰州市").click()
        page.locator("#id_stay-5-last_day").fill("2022-11-20")
        page.locator("#id_stay-5-risk").get_by_text("高风险区").click()
        page.fill("#id_origin", "兰州")
        expect(page.locator("#decision")).to_contain_text("71号文件第1条")
        assert browser.too_small(page) == []

    def test_is_filled_by_keyboard_alone(self, grid: Area, desktop: Page, staff: User) -> None:
        browser.sign_in(desktop, staff)
        desktop.goto(reverse("arrival_new"))
        desktop.focus("#id_origin")
        desktop.keyboard.type("兰州", delay=30)
        expect(desktop.get_by_role("option").first).to_be_visible()
        desktop.keyboard.press("ArrowDown")
        desktop.keyboard.press("Enter")
        expect(desktop.locator("#id_origin")).to_have_value("甘肃省兰州市")
        expect(desktop.get_by_role("listbox")).to_have_count(0)
        assert desktop.url.endswith(reverse("arrival_new"))

    def test_says_at_the_number_what_is_wrong_and_keeps_the_rest(self, on_phone: Page) -> None:
        page = on_phone
        page.goto(reverse("arrival_new"))
        page.fill("#id_number", "110105194912310021")
        page.fill("#id_name", "王秀英")
        expect(page.locator("#number-says")).to_contain_text("校验码")
        save(page)
        expect(page.locator(".error-summary")).to_be_focused()
        expect(page.locator("#id_name")).to_have_value("王秀英")
        assert browser.barriers(page) == []
        assert browser.too_small(page) == []

    def test_fills_in_a_known_person(self, on_phone: Page, grid: Area, staff: User) -> None:
        page = on_phone
        known = factories.make_resident(grid=grid, by=staff, name="欧阳晓红")
        page.goto(reverse("arrival_new"))
        page.fill("#id_number", known.number)
        page.locator("#id_number").blur()
        expect(page.locator(".known")).to_contain_text("欧*")
        page.fill("#id_origin", "兰州")
        save(page)
        expect(page.get_by_role("heading", name="登记完成")).to_be_visible()
        assert Arrival.objects.get().resident == known

    def test_says_at_the_number_who_is_under_a_measure(
        self, today: None, desktop: Page, staff: User, arrive: Arrive
    ) -> None:
        case = arrive(days=3).case
        assert case
        browser.sign_in(desktop, staff)
        desktop.goto(reverse("arrival_new"))
        desktop.fill("#id_number", case.resident.number)
        desktop.locator("#id_number").blur()
        expect(desktop.locator("#standing")).to_contain_text("11月19日起在管，至11月25日")
        desktop.fill("#id_origin", "兰州")
        expect(desktop.locator("#decision")).to_contain_text("解除日由11月25日改为11月28日")
        assert browser.barriers(desktop) == []
        browser.shot(desktop, "arrival-standing-desktop", whole=True)

    def test_takes_somebody_in_whose_number_comes_later(self, on_phone: Page) -> None:
        page = on_phone
        page.goto(reverse("arrival_new"))
        fill_who(page)
        page.fill("#id_number", "")
        page.get_by_text("证件后补", exact=True).click()
        page.fill("#id_origin", "兰州")
        save(page)
        expect(page.locator(".tag", has_text="证件后补")).to_be_visible()
        page.goto(reverse("today"))
        expect(page.get_by_text("1人证件后补")).to_be_visible()
        browser.shot(page, "number-to-follow-today-phone", whole=True)
        page.get_by_role("link", name="去补录").click()
        page.get_by_role("link", name=re.compile("王")).first.click()
        assert browser.barriers(page) == []
        assert browser.too_small(page) == []
        browser.shot(page, "number-to-follow-person-phone", whole=True)
        page.get_by_role("link", name="录入证件号码").click()
        page.get_by_text("居民身份证", exact=True).click()
        page.fill("#id_number", factories.id_number())
        save(page)
        expect(page.get_by_text("证件号码待补")).to_have_count(0)
        page.goto(reverse("today"))
        expect(page.get_by_text("证件后补")).to_have_count(0)

    def test_logs_one_arrival_on_a_double_tap(self, on_phone: Page) -> None:
        page = on_phone
        page.goto(reverse("arrival_new"))
        fill_who(page)
        page.fill("#id_origin", "兰州")
        held: list[Route] = []
        handle: Callable[[Route], None] = held.append
        page.route("**/arrivals/new/", lambda route: handle(route))
        page.get_by_role("button", name=SAVE).dblclick(no_wait_after=True)
        handle = Route.continue_
        for route in held:
            route.continue_()
        expect(page.get_by_role("heading", name="登记完成")).to_be_visible()
        assert Arrival.objects.count() == 1

    def test_asks_for_the_day_again_after_midnight(
        self, on_phone: Page, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        page = on_phone
        page.goto(reverse("arrival_new"))
        expect(page.get_by_text("今天 22日", exact=True)).to_be_visible()
        fill_who(page)
        page.fill("#id_origin", "兰州")
        midnight = factories.moment(factories.NOW.date() + timedelta(days=1), 0, 10)
        monkeypatch.setattr("common.clock.now", lambda: midnight)
        save(page)
        expect(page.locator(".error-summary")).to_contain_text("请核对到达日期")
        expect(page.get_by_label("昨天 22日", exact=True)).to_be_checked()
        expect(page.locator("#id_name")).to_have_value("王秀英")
        browser.shot(page, "arrival-after-midnight-phone", whole=True)
        save(page)
        expect(page.get_by_role("heading", name="登记完成")).to_be_visible()
        assert Arrival.objects.get().arrived_on == factories.NOW.date()

    def test_refuses_a_day_to_come_while_it_is_typed(self, on_phone: Page) -> None:
        page = on_phone
        page.goto(reverse("arrival_new"))
        page.fill("#id_origin", "兰州")
        page.get_by_text("其他日期", exact=True).click()
        page.fill("#id_arrived_on", "2022-11-23")
        expect(page.locator("#decision")).to_contain_text("晚于今天")
        page.fill("#id_arrived_on", "2022-11-18")
        expect(page.locator("#decision")).to_contain_text("居家隔离7天")

    def test_counts_days_served_elsewhere(self, on_phone: Page) -> None:
        page = on_phone
        page.goto(reverse("arrival_new"))
        page.fill("#id_origin", "兰州")
        page.get_by_text("在外地已管控的天数").click()
        page.locator("#id_served-0-setting").get_by_text("集中隔离").click()
        page.fill("#id_served-0-first_day", "2022-11-19")
        page.fill("#id_served-0-last_day", "2022-11-21")
        expect(page.locator("#decision")).to_contain_text("已完成3天")
        page.get_by_role("button", name="再添一段").click()
        expect(page.locator("#id_served-1-setting_0")).to_be_focused()
        assert browser.too_small(page) == []

    def test_loses_nothing_when_the_session_has_ended(self, on_phone: Page, staff: User) -> None:
        page = on_phone.context.new_page()  # one whose refused requests are no trouble
        page.goto(reverse("arrival_new"))
        fill_who(page)
        page.context.clear_cookies(name="sessionid")
        page.fill("#id_origin", "兰州")
        expect(page.get_by_text("已填内容没有丢失")).to_be_visible()
        expect(page.locator("#decision")).not_to_contain_text("密码")
        save(page)
        expect(page.locator("#id_name")).to_have_value("王秀英")

        browser.sign_in(page, staff)
        save(page)

        expect(page.locator("h1")).to_have_text("登记完成")
        assert Arrival.objects.count() == 1

    def test_loses_nothing_without_a_connection(self, on_phone: Page) -> None:
        page = on_phone.context.new_page()
        page.goto(reverse("arrival_new"))
        fill_who(page)
        page.fill("#id_origin", "兰州")
        page.context.set_offline(True)
        save(page)
        expect(page.get_by_text("可能是网络中断")).to_be_visible()
        assert browser.barriers(page) == []
        page.context.set_offline(False)
        save(page)
        expect(page.locator("h1")).to_have_text("登记完成")

    def test_is_taken_back(self, on_phone: Page) -> None:
        page = on_phone
        page.goto(reverse("arrival_new"))
        fill_who(page)
        page.fill("#id_origin", "兰州")
        save(page)
        assert browser.barriers(page) == []
        assert browser.too_small(page) == []
        page.get_by_role("button", name="撤销").click()
        expect(page.locator("#id_door")).to_have_value("502")
        assert not Arrival.objects.valid().exists()


class TestWithoutScripts:
    @pytest.fixture
    def plain(
        self, grid: Area, browser: Browser, live_server: LiveServer, staff: User, today: None
    ) -> Iterator[Page]:
        """Open a page in a browser that runs no scripts."""
        from tests.browser import sign_in

        context = browser.new_context(
            base_url=live_server.url, java_script_enabled=False, locale="zh-CN"
        )
        context.set_default_timeout(patience.MILLISECONDS)
        page = context.new_page()
        sign_in(page, staff)
        yield page
        context.close()

    def test_an_arrival_is_saved(self, plain: Page) -> None:
        plain.goto(reverse("arrival_new"))
        fill_who(plain)
        plain.fill("#id_origin", "朝阳")
        save(plain)
        plain.get_by_role("button", name="北京市朝阳区").click()
        expect(plain.locator("#id_origin")).to_have_value("北京市朝阳区")
        save(plain)
        expect(plain.get_by_role("heading", name="登记完成")).to_be_visible()
        assert Arrival.objects.get().origin == "110105"

    def test_a_sample_is_taken_and_taken_back(self, plain: Page, arrive: Arrive) -> None:
        arrive()
        plain.goto(reverse("today"))
        plain.get_by_role("button", name="已采样").click()
        expect(plain.get_by_text("已登记采样。")).to_be_visible()
        plain.get_by_role("button", name="撤销").click()
        assert not Sample.objects.valid().exists()


class TestToday:
    def test_does_acts_with_one_tap_and_takes_them_back(
        self, on_phone: Page, arrive: Arrive
    ) -> None:
        page = on_phone
        arrive()
        page.goto(reverse("today"))
        assert browser.barriers(page) == []
        assert browser.too_small(page) == []
        page.get_by_role("button", name="已采样").click()
        expect(page.get_by_text("待结果").last).to_be_visible()
        expect(page.locator(".chip-result")).to_contain_text("1")  # the counts follow
        undo = page.get_by_role("button", name="撤销")
        expect(undo).to_be_in_viewport()
        assert browser.too_small(page) == []
        undo.click()
        expect(page.get_by_role("button", name="已采样")).to_be_visible()
        assert not Sample.objects.valid().exists()

    def test_a_tap_without_a_connection_says_so_and_goes_with_the_next(
        self, on_phone: Page, arrive: Arrive
    ) -> None:
        page = on_phone.context.new_page()  # one whose failed requests are no trouble
        arrive()
        page.goto(reverse("today"))
        page.context.set_offline(True)
        button = page.get_by_role("button", name="已采样")
        button.click()

        expect(page.locator(".unsent-says")).to_contain_text("未保存")
        expect(button).to_have_css("background-color", "rgb(255, 255, 255)")
        assert not Sample.objects.exists()
        assert browser.barriers(page) == []

        page.context.set_offline(False)
        expect(page.locator(".chip-result")).to_contain_text("1")
        expect(page.locator(".unsent-says")).to_have_count(0)
        assert Sample.objects.valid().count() == 1


class TestCase:
    @pytest.mark.parametrize("size", ["phone", "desktop"])
    def test_shows_calendar_reasons_and_acts(
        self, size: str, request: pytest.FixtureRequest, grid: Area, arrive: Arrive, staff: User
    ) -> None:
        page: Page = request.getfixturevalue(size)
        case: Any = arrive(days=2).case
        browser.sign_in(page, staff)
        page.goto(reverse("case_detail", args=[case.key]))
        expect(page.get_by_role("heading", name="为什么是这个日期？")).to_be_visible()
        for act in page.locator("details.act > summary").all():
            act.click()
        assert browser.barriers(page) == []
        if size == "phone":
            assert browser.too_small(page) == []
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= 390

    def test_uncovers_the_phone_to_call(self, on_phone: Page, arrive: Arrive) -> None:
        case: Any = arrive().case
        on_phone.goto(reverse("case_detail", args=[case.key]))
        on_phone.get_by_role("button", name=re.compile("拨打")).click()
        expect(on_phone.locator("[data-dial]")).to_have_attribute("href", "tel:+8613800138000")


class TestCorrectingAnArrival:
    def test_asks_beside_the_place_which_city_it_was(
        self, phone: Page, grid: Area, arrive: Arrive, supervisor: User, today: None
    ) -> None:
        arrival = arrive(days=1).arrival
        browser.sign_in(phone, supervisor)
        phone.goto(reverse("arrival_correct", args=[arrival.key]))
        phone.fill("#id_origin", "甘肃")
        phone.fill("#id_reason", "本人更正")
        correct = phone.get_by_role("button", name="更正来返")
        correct.click()
        phone.get_by_role("link", name=re.compile("甘肃省")).click()
        phone.locator("#which-id_origin").get_by_role("button", name="天水市").click()
        correct.click()
        expect(phone.locator(".flash-success")).to_contain_text("已更正")
        assert Arrival.objects.valid().get().origin == "620500"


class TestAPositivePool:
    def test_is_cleared_by_a_single_tube(self, on_phone: Page, arrive: Arrive) -> None:
        case: Any = arrive().case
        page = on_phone
        page.goto(reverse("case_detail", args=[case.key]))
        page.locator("#act-sample > summary").click()
        page.get_by_label("混采", exact=True).check()
        page.get_by_label("采样管编号").fill("A-17")
        page.locator("#act-sample").get_by_role("button", name="保存").click()

        page.goto(reverse("awaited_list"))
        page.get_by_role("link", name=re.compile("张")).click()
        assert browser.barriers(page) == []
        assert browser.too_small(page) == []
        page.get_by_text("阳性", exact=True).click()
        save(page)
        expect(page.get_by_text("待单管复核").first).to_be_visible()

        page.goto(reverse("awaited_list"))
        assert browser.barriers(page) == []
        assert browser.too_small(page) == []
        page.get_by_role("button", name="采单管").click()
        page.get_by_role("link", name=re.compile("张")).click()
        page.get_by_text("阴性", exact=True).click()
        save(page)

        expect(page.get_by_text("待单管复核")).to_have_count(0)
        case.refresh_from_db()
        assert (case.closed_on, case.history) == (None, "1-")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


class TestLists:
    @pytest.mark.parametrize("size", ["phone", "desktop"])
    def test_have_no_barriers(
        self, size: str, request: pytest.FixtureRequest, grid: Area, arrive: Arrive, staff: User
    ) -> None:
        case = arrive(days=7).case
        assert case
        daily_checks.daily_check(
            case=case,
            temperature=Decimal("38.6"),
            symptoms=[daily_checks.Symptom.COUGH],
            note="",
            at=factories.NOW,
            by=staff,
        )
        page: Page = request.getfixturevalue(size)
        browser.sign_in(page, staff)
        for name in ("today", "case_list", "release_list"):
            page.goto(reverse(name))
            expect(page.locator("main")).to_contain_text("张*")
            assert browser.barriers(page) == []
            if size == "phone":
                assert browser.too_small(page) == []


class TestALongWord:
    def test_does_not_widen_a_page_on_a_phone(
        self, on_phone: Page, grid: Area, arrive: Arrive
    ) -> None:
        building = Building.objects.create(grid=grid, name="W" * 30, name_key="w")
        home = factories.make_household(building=building, unit="W" * 10, door="W" * 10)
        resident = factories.make_resident(household=home, name="W" * 50)
        case: Any = arrive(resident=resident).case
        add_note(case=case, text="W" * 400, at=factories.NOW, by=case.opened_by)
        about = {"resident_detail": resident, "household_detail": home, "case_detail": case}
        pages = [reverse(name, args=[thing.key]) for name, thing in about.items()]

        for page in [*pages, reverse("today"), reverse("case_list"), reverse("resident_list")]:
            on_phone.goto(page)
            width = on_phone.evaluate("document.documentElement.scrollWidth")
            assert width <= 390, page
