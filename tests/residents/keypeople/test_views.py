"""The pages about key people, as staff use them."""

import re
from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import DjangoAssertNumQueries

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, User
from residents.keypeople.models import HealthFile, KeyStandard, Need
from residents.register.models import Resident
from tests.browser import barriers, shot, sign_in, too_small
from tests.factories import (
    NOW,
    id_number,
    make_case,
    make_file,
    make_household,
    make_need,
    make_place,
    make_resident,
    make_user,
)

pytestmark = pytest.mark.django_db

SEVENTY = date(1952, 3, 1)


@pytest.fixture
def cangshan() -> Area:
    return make_place("cangshan-2022-324", "350104")


@pytest.fixture
def elder(cangshan: Area) -> Resident:
    return make_resident(grid=cangshan, number=id_number(SEVENTY), name="样本人")


@pytest.fixture
def staff(cangshan: Area, client: Client) -> User:
    user = make_user("grid_staff", cangshan, name="林甲")
    client.force_login(user)
    return user


def text(client: Client, name: str, *args: object, **query: str) -> str:
    return client.get(reverse(name, args=args), query).content.decode()


class TestTheList:
    def test_shows_who_is_listed_in_few_queries(
        self,
        client: Client,
        staff: User,
        elder: Resident,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        make_file(elder, conditions=("diabetes", "copd"))
        text(client, "key_people")  # the first page of a session saves it
        with django_assert_max_num_queries(12):
            page = text(client, "key_people", colour="yellow")
        assert "样*" in page
        assert "样本人" not in page
        assert "样*" not in text(client, "key_people", colour="green")
        shown = AuditEntry.objects.filter(subject="page:key_people").order_by("pk")
        assert elder.key in shown[0].shown

    def test_leaves_out_who_has_left(self, client: Client, staff: User, elder: Resident) -> None:
        make_file(elder, conditions=("diabetes",))
        Resident.objects.filter(pk=elder.pk).update(gone_as="left", gone_on=NOW.date())
        assert "样*" not in text(client, "key_people")

    def test_shows_what_another_document_would_change(
        self, client: Client, staff: User, elder: Resident
    ) -> None:
        page = text(client, "key_people_changes", document="cn-2022-101")
        assert re.search(
            r"老年人</th>\s*<td class=\"num\">0</td>\s*<td class=\"num\"><b>1</b>", page
        )
        assert "样*" in page


class TestTheStandard:
    def test_is_given_by_a_supervisor_with_a_reason(self, client: Client, cangshan: Area) -> None:
        community = Area.objects.get_parent(cangshan)
        client.force_login(make_user("supervisor", community))
        shown = client.get(reverse("key_standard")).context["form"]
        values = {name: field.initial or "" for name, field in shown.fields.items()}
        entered = {k: v for k, v in values.items() if v} | {"area": community.code}
        assert client.post(reverse("key_standard"), entered).status_code == 200
        client.post(
            reverse("key_standard"), entered | {"reason": "按区标准", "red_age_at_least": 70}
        )
        made = KeyStandard.objects.get()
        assert (made.area, made.content["red"]["age_at_least"]) == (community, 70)


class TestACase:
    def test_shows_the_key_members_of_its_household(
        self, client: Client, staff: User, cangshan: Area
    ) -> None:
        home = make_household(grid=cangshan)
        case = make_case(
            cangshan, resident=make_resident(household=home), exposure="close_contact"
        )
        old = make_resident(household=home, number=id_number(SEVENTY), name="样本人")
        make_file(old, conditions=("tumour",))
        page = text(client, "case_detail", case.key)
        assert reverse("health_file", args=[old.key]) in page


@pytest.mark.django_db(transaction=True)
class TestAPerson:
    def test_is_followed_from_a_tick_to_a_contact(self, phone: Page, cangshan: Area) -> None:
        elder = make_resident(grid=cangshan, number=id_number(SEVENTY))
        staff = make_user("grid_staff", cangshan, name="林甲")
        sign_in(phone, staff)
        phone.goto(reverse("health_file", args=[elder.key]))
        expect(phone.get_by_text("未列入", exact=True)).to_be_visible()
        phone.get_by_text("更新健康情况").click()
        phone.get_by_text("糖尿病", exact=True).click()
        phone.locator("#act-facts").get_by_role("button", name="保存").click()
        expect(phone.locator("h1")).to_contain_text("慢性病患者")
        assert HealthFile.objects.get().known.conditions == ("diabetes",)

        phone.locator("summary", has_text="登记需求").click()
        phone.get_by_text("药品", exact=True).click()
        assert too_small(phone) == []
        assert barriers(phone) == []
        shot(phone, "health-file", whole=True)
        phone.locator("#act-need").get_by_role("button", name="保存").click()
        Need.objects.update(next_on=timezone.localdate() - timedelta(days=1))

        phone.goto(reverse("today"))
        phone.get_by_role("link", name="需求清单").click()
        expect(phone.locator(".tag-overdue")).to_be_visible()
        phone.locator("summary", has_text="登记联系情况").click()
        phone.get_by_label("联系内容").fill("药已送到")
        shot(phone, "needs", whole=True)
        phone.get_by_label("需求已解决，办结").check()
        phone.get_by_role("button", name="保存").click()
        expect(phone.get_by_text("没有待办需求")).to_be_visible()
        need = Need.objects.get()
        assert need.closed_at
        assert need.contacts.get().words == "药已送到"

    def test_is_not_seen_from_elsewhere(self, client: Client, cangshan: Area) -> None:
        need = make_need(make_resident(grid=cangshan))
        client.force_login(make_user("grid_staff", make_place("bayannur-2022-71", "150802")))
        assert client.get(reverse("health_file", args=[need.resident.key])).status_code == 404
        assert "need-" not in text(client, "need_list")
