from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags
from playwright.sync_api import Page, expect
from pytest_django import DjangoAssertNumQueries

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, Role, User
from residents.register.models import Resident
from residents.rosters import tasks
from residents.rosters.models import Roster
from tests.browser import barriers, shot, sign_in, too_small
from tests.factories import id_number, make_community, make_grid, make_user
from tests.residents.rosters import steps

PHONE = "13812345678"


@pytest.fixture
def grid(db: None) -> Area:
    return make_grid()


@pytest.fixture
def supervisor(grid: Area) -> User:
    return make_user(Role.SUPERVISOR, Area.objects.get_parent(grid))


@pytest.fixture
def client(supervisor: User) -> Client:
    client = Client()
    client.force_login(supervisor)
    return client


def row(at: Area, name: str, phone: str = PHONE, number: str = "") -> list[str]:
    return [name, number or id_number(), phone, at.name, "3号楼", "2单元", "502"]


def send(client: Client, content: bytes, **given: Any) -> Any:
    area = (
        given.pop("area", None) or User.objects.get(pk=client.session["_auth_user_id"]).areas.get()
    )
    data = {
        "file": SimpleUploadedFile("标记丙.xlsx", content),
        "sender": "示范村",
        "area": area.pk,
    }
    response: Any = client.post(reverse("roster_new"), {**data, **given}, follow=True)
    return response


class TestAnUpload:
    def test_leads_to_the_columns_and_to_what_would_become_of_each_row(
        self, client: Client, grid: Area
    ) -> None:
        content = steps.workbook(row(grid, "样甲"), row(grid, "样标记乙", phone="123"))

        page = send(client, content)

        assert page.redirect_chain[-1][0].endswith("/columns/")
        assert "样标记乙" not in page.content.decode()
        form = {
            f"column_{n}": field
            for n, field in enumerate(
                ["name", "number", "phone", "grid", "building", "unit", "door"]
            )
        }
        url = page.redirect_chain[-1][0]
        said = strip_tags(client.post(url, form, follow=True).content.decode())
        totals = "".join(said[said.index("总数核对") :].split())
        assert totals.startswith("总数核对2读取行数=1导入行数+0疑似重复+1不予导入")
        assert "样标记乙" not in said
        assert "样*" in said

    def test_asks_again_for_columns_that_are_missing_or_taken_twice(
        self, client: Client, grid: Area
    ) -> None:
        url = send(client, steps.workbook(row(grid, "样甲"))).redirect_chain[-1][0]

        said = client.post(url, {"column_0": "name", "column_1": "name"})

        assert said.status_code == 422
        assert "姓名" in said.content.decode()
        assert Roster.objects.get().state == Roster.State.CHOOSING

    def test_says_why_a_file_is_not_read_and_forgets_it(self, client: Client) -> None:
        page = send(client, b"%PDF-1.7 no roster")

        assert "不是电子表格" in page.content.decode()
        assert not hasattr(Roster.objects.get(), "file")

    def test_takes_areas_of_ones_own_only(self, client: Client) -> None:
        page = send(client, steps.workbook(["样甲"]), area=make_community())

        assert page.status_code == 422
        assert not Roster.objects.exists()

    def test_is_for_one_grid_as_a_whole_where_that_is_chosen(
        self, client: Client, grid: Area
    ) -> None:
        make_grid(Area.objects.get_parent(grid))

        send(client, steps.workbook(["样甲"]), area=grid)

        assert Roster.objects.get().area == grid


class TestARostersPage:
    def test_takes_over_and_back_and_gives_the_rows_to_mend(
        self, client: Client, grid: Area, supervisor: User
    ) -> None:
        content = steps.workbook(row(grid, "样甲"), row(grid, "样乙", phone="123"))
        roster = steps.checked(content, roster_area(supervisor), supervisor)

        client.post(reverse("roster_apply", args=[roster.key]))
        assert Resident.objects.get().name == "样甲"
        file = client.get(reverse("roster_mend", args=[roster.key]))
        assert file.content.startswith(b"PK")
        assert file.headers["Content-Disposition"].endswith('mend.xlsx"')
        page = client.post(reverse("roster_undo", args=[roster.key]), follow=True)

        assert "移除1人" in page.content.decode()
        assert not Resident.objects.exists()
        did = set(AuditEntry.objects.values_list("did", flat=True))
        assert {"uploaded a roster", "imported a roster", "undid a roster"} <= did

    def test_does_nothing_twice(self, client: Client, grid: Area, supervisor: User) -> None:
        roster = steps.taken_over(
            steps.workbook(row(grid, "样甲")), roster_area(supervisor), supervisor
        )

        page = client.post(reverse("roster_apply", args=[roster.key]), follow=True)

        assert "状态已有变化" in page.content.decode()
        assert Resident.objects.count() == 1

    def test_wants_it_confirmed_that_a_sheet_at_the_limit_is_complete(
        self, client: Client, grid: Area, supervisor: User
    ) -> None:
        roster = steps.checked(
            steps.workbook(row(grid, "样甲")), roster_area(supervisor), supervisor
        )
        Roster.objects.update(findings={**roster.findings, "at_limit": True})

        client.post(reverse("roster_apply", args=[roster.key]))
        assert not Resident.objects.exists()
        client.post(reverse("roster_apply", args=[roster.key]), {"complete": "yes"})

        assert Resident.objects.exists()

    def test_needs_few_queries_however_many_rows(
        self,
        client: Client,
        grid: Area,
        supervisor: User,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        rows = [row(grid, "样甲", phone="1" if n % 2 else PHONE) for n in range(60)]
        roster = steps.checked(steps.workbook(*rows), roster_area(supervisor), supervisor)

        with django_assert_max_num_queries(12):
            page = client.get(reverse("roster_detail", args=[roster.key]))

        assert page.content.decode().count('class="roster-who"') == 50
        with django_assert_max_num_queries(12):
            client.get(reverse("roster_list"))


class TestNothingPersonal:
    def test_stands_in_addresses_or_logs(
        self, client: Client, grid: Area, caplog: pytest.LogCaptureFixture
    ) -> None:
        page = send(client, steps.workbook(row(grid, "样标记乙")))
        roster = Roster.objects.get()
        steps.worked_on(roster)

        logged = caplog.text
        assert logged
        for text in (logged, str(page.redirect_chain)):
            assert "标记" not in text
            assert PHONE not in text


def test_what_nobody_works_on_is_taken_up_again(grid: Area, supervisor: User) -> None:
    roster = steps.uploaded(steps.workbook(row(grid, "样甲")), roster_area(supervisor), supervisor)
    Roster.objects.update(state=Roster.State.READING)

    assert tasks.resume_rosters() == 1

    roster.refresh_from_db()
    assert roster.state == Roster.State.CHOOSING


@pytest.mark.browser
def test_a_supervisor_takes_a_roster_over_in_the_browser(
    desktop: Page, transactional_db: None, tmp_path: Any
) -> None:
    grid = make_grid()
    supervisor = make_user(Role.SUPERVISOR, Area.objects.get_parent(grid))
    rows = [row(grid, f"样{each}") for each in "甲乙丙"] + [row(grid, "样丁", phone="123")]
    path = tmp_path / "名单.xlsx"
    path.write_bytes(steps.workbook(*rows))
    sign_in(desktop, supervisor)
    seen: Callable[[str], None] = lambda name: judge(desktop, name)  # noqa: E731

    desktop.goto("/rosters/")
    desktop.get_by_role("link", name="上传花名册").first.click()
    seen("roster-new")
    desktop.set_input_files("#id_file", path)
    desktop.fill("#id_sender", "示范村")
    desktop.get_by_role("button", name="上传并核对").click()
    expect(desktop.get_by_label("手机号")).to_have_value("phone")
    seen("roster-columns")
    desktop.get_by_role("button", name="逐行核对").click()
    expect(desktop.locator(".totals")).to_contain_text("4 读取行数")
    expect(desktop.locator(".totals")).to_contain_text("1 不予导入")
    seen("roster-checked")
    with desktop.expect_download() as download:
        desktop.get_by_role("link", name="待更正的1行").click()
    assert download.value.path().read_bytes().startswith(b"PK")
    desktop.get_by_role("button", name="导入3行").click()
    expect(desktop.locator(".page-header .tag")).to_have_text("已导入")
    assert Resident.objects.count() == 3
    desktop.get_by_text("撤销整份花名册").click()
    seen("roster-applied")
    desktop.get_by_role("button", name="撤销3行").click()
    expect(desktop.get_by_text("移除3人")).to_be_visible()
    assert not Resident.objects.exists()


def judge(page: Page, name: str) -> None:
    shot(page, name, whole=True)
    assert barriers(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert too_small(page) == []
    page.set_viewport_size({"width": 1366, "height": 900})


def roster_area(user: User) -> Area:
    area: Area = user.areas.get()
    return area
