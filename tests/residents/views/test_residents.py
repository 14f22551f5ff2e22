"""The pages about residents: masked, written down, and usable with a thumb."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page
from pytest_django import DjangoAssertNumQueries

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Role, User
from residents.register.models import Resident
from residents.relocation import moves
from tests.browser import barriers, shot, sign_in, too_small
from tests.factories import (
    NOW,
    id_number,
    make_building,
    make_community,
    make_grid,
    make_household,
    make_resident,
    make_user,
    named,
)

pytestmark = pytest.mark.django_db

NUMBER = "11010519491231002X"


@pytest.fixture
def resident() -> Resident:
    household = make_household(
        building=make_building(make_grid(), name="3号楼"), unit="2单元", door="502"
    )
    return make_resident(
        household=household,
        name="欧阳明月",
        number=NUMBER,
        phone="13812341234",
        emergency_name="欧阳正",
        emergency_phone="13912345678",
    )


@pytest.fixture
def staff(resident: Resident, client: Client) -> User:
    user = make_user(Role.GRID_STAFF, resident.grid, name="林甲")
    client.force_login(user)
    return user


def text(client: Client, name: str, **kwargs: object) -> str:
    return client.get(reverse(name, kwargs=kwargs)).content.decode()


class TestMasking:
    @pytest.mark.parametrize("page", ["resident_list", "resident_detail", "household_detail"])
    def test_holds_on_every_page(
        self, client: Client, staff: User, resident: Resident, page: str
    ) -> None:
        kwargs = {
            "resident_list": {},
            "resident_detail": {"key": resident.key},
            "household_detail": {"key": resident.household.key},
        }[page]

        shown = text(client, page, **kwargs)

        assert "欧*" in shown
        for secret in ("欧阳明月", NUMBER, "13812341234", "-502", "欧阳正", "13912345678"):
            assert secret not in shown

    def test_holds_in_the_form_for_changes(
        self, client: Client, staff: User, resident: Resident
    ) -> None:
        shown = text(client, "resident_change", key=resident.key)

        for secret in ("欧阳明月", NUMBER, "13812341234"):
            assert secret not in shown


class TestUncover:
    def test_shows_the_value_after_a_reason_and_says_so_on_the_page(
        self, client: Client, staff: User, resident: Resident
    ) -> None:
        url = reverse("resident_uncover", args=[resident.key, "phone"])

        assert "13812341234" not in client.get(url).content.decode()
        assert "13812341234" in client.post(url, {"reason": "call"}).content.decode()

        client.force_login(make_user(Role.SUPERVISOR, resident.grid))
        looks = text(client, "resident_access_log", key=resident.key)
        assert "林甲" in looks
        assert "电话联系" in looks

    def test_asks_for_words_where_no_reason_of_the_list_fits(
        self, client: Client, staff: User, resident: Resident
    ) -> None:
        url = reverse("resident_uncover", args=[resident.key, "phone"])

        assert "13812341234" not in client.post(url, {"reason": "other"}).content.decode()
        assert not AuditEntry.objects.filter(did="uncovered").exists()

    def test_knows_no_other_field(self, client: Client, staff: User, resident: Resident) -> None:
        url = reverse("resident_uncover", args=[resident.key, "number_hash"])

        assert client.post(url, {"reason": "call"}).status_code == 404


class TestReading:
    def test_of_a_page_is_written_down(
        self, client: Client, staff: User, resident: Resident
    ) -> None:
        text(client, "resident_detail", key=resident.key)

        entry = AuditEntry.objects.get(did="read")
        assert (entry.actor, entry.subject) == (staff.key, f"resident:{resident.key}")

    def test_of_a_large_household_is_written_down_in_few_queries(
        self,
        client: Client,
        staff: User,
        resident: Resident,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(11):
            make_resident(household=resident.household)
        client.get(reverse("inbox"))

        with django_assert_max_num_queries(12):
            text(client, "household_detail", key=resident.household.key)

        entry = AuditEntry.objects.get(did="was shown in a list", subject="page:household_detail")
        assert len(entry.shown) == 12


class TestSearch:
    @pytest.mark.parametrize(
        "typed", ["欧阳", "ouyang", "oymy", "138 1234 1234", NUMBER.lower(), "明月"]
    )
    def test_finds_by_name_pinyin_phone_and_number(
        self, client: Client, staff: User, resident: Resident, typed: str
    ) -> None:
        shown = client.post(reverse("resident_list"), {"text": typed}).content.decode()

        assert reverse("resident_detail", args=[resident.key]) in shown

    def test_stays_inside_ones_areas(self, client: Client, resident: Resident) -> None:
        client.force_login(make_user(Role.GRID_STAFF, make_grid()))

        by_name, by_number, by_nobodys = (
            client.post(reverse("resident_list"), {"text": typed}).content.decode()
            for typed in ("欧阳", NUMBER, id_number())
        )

        assert str(resident.key) not in by_name + by_number
        assert resident.grid.name not in by_number
        assert "没有符合的人员" in by_number
        assert "没有符合的人员" in by_nobodys

    def test_writes_down_that_somebody_searched_and_not_what(
        self, client: Client, staff: User
    ) -> None:
        client.post(reverse("resident_list"), {"text": "欧阳"})

        entry = AuditEntry.objects.get(did="searched")
        assert entry.detail == {"kind": "name", "found": 1}


class TestRegistering:
    def filled(self, resident: Resident, **other: str) -> dict[str, str]:
        return {
            "document_type": "mainland_id",
            "number": id_number(),
            "name": "单小明",
            "phone": "13900139000",
            "sex": "unknown",
            "grid": str(resident.grid_id),
            "building": "5号楼",
            "unit": "1单元",
            "door": "101",
            **other,
        }

    def test_ends_on_the_page_of_the_person(
        self, client: Client, staff: User, resident: Resident
    ) -> None:
        response = client.post(reverse("resident_new"), self.filled(resident))

        made = Resident.objects.exclude(pk=resident.pk).get()
        assert response.headers["Location"] == reverse("resident_detail", args=[made.key])
        assert made.household.address == "5号楼-1单元-101"

    def test_keeps_what_was_typed_and_links_the_error_to_its_field(
        self, client: Client, staff: User, resident: Resident
    ) -> None:
        wrong = self.filled(resident, number="110105194912310021")

        shown = client.post(reverse("resident_new"), wrong).content.decode()

        assert 'href="#id_number"' in shown
        assert "校验码" in shown
        for kept in ("单小明", "13900139000", "5号楼", "110105194912310021"):
            assert f'value="{kept}"' in shown
        assert Resident.objects.count() == 1

    def test_of_a_number_known_here_leads_to_the_person(
        self, client: Client, staff: User, resident: Resident
    ) -> None:
        again = self.filled(resident, number=NUMBER)

        shown = client.post(reverse("resident_new"), again).content.decode()

        assert reverse("resident_detail", args=[resident.key]) in shown

    def test_in_a_grid_of_others_is_refused(
        self, client: Client, staff: User, resident: Resident
    ) -> None:
        elsewhere = self.filled(resident, grid=str(make_grid().pk))

        client.post(reverse("resident_new"), elsewhere)

        assert Resident.objects.count() == 1


class TestAHousehold:
    def test_gives_its_door_and_a_phone_to_who_is_registered_there(
        self, client: Client, staff: User, resident: Resident
    ) -> None:
        new = f"{reverse('resident_new')}?household={resident.household.key}"
        shown = client.get(new).content.decode()
        assert "欧* 138****1234" in shown
        assert "13812341234" not in shown

        client.post(
            new,
            {
                "document_type": "none",
                "name": "欧阳宝宝",
                "birth_date": "2022-11-01",
                "phone": "",
                "phone_of": str(resident.key),
            },
        )

        child = named("欧阳宝宝")
        assert (child.phone, child.household) == (resident.phone, resident.household)

    def test_tells_who_lives_there_from_who_did(
        self, client: Client, staff: User, resident: Resident
    ) -> None:
        home = resident.household
        gone, merged = (make_resident(household=home) for _ in range(2))
        Resident.objects.filter(pk=gone.pk).update(gone_as="left", gone_on=date(2022, 11, 1))
        Resident.objects.filter(pk=merged.pk).update(gone_as="merged", gone_on=date(2022, 11, 1))

        page = client.get(reverse("household_detail", args=[home.key]))

        assert (page.context["residents"], page.context["gone"]) == ([resident], [gone])
        assert str(merged.key) not in page.content.decode()

    @pytest.mark.parametrize("act", ["resident_move", "resident_leave"])
    def test_moves_or_leaves_as_a_whole(
        self, client: Client, staff: User, resident: Resident, act: str
    ) -> None:
        other = make_resident(household=resident.household)
        whole = f"{reverse(act, args=[resident.key])}?household"

        assert whole in text(client, "household_detail", key=resident.household.key)
        ticked = client.get(whole).context["form"]["also"].value()
        assert [str(other.key) in each for each in ticked] == [True]


class TestChanging:
    def test_leaves_what_is_left_empty(
        self, client: Client, staff: User, resident: Resident
    ) -> None:
        data = {"document_type": "mainland_id", "version": "1", "phone": "13700137000"}

        client.post(reverse("resident_change", args=[resident.key]), data)

        resident.refresh_from_db()
        assert (resident.phone, resident.name) == ("+8613700137000", "欧阳明月")
        assert resident.number == NUMBER

    def test_after_somebody_else_keeps_what_was_typed_and_can_be_saved_then(
        self, client: Client, staff: User, resident: Resident
    ) -> None:
        url = reverse("resident_change", args=[resident.key])
        data = {"document_type": "mainland_id", "version": "1", "phone": "13700137000"}
        client.post(url, data)

        shown = client.post(url, {**data, "phone": "13600136000"}).content.decode()

        assert "已被他人修改" in shown
        assert 'value="13600136000"' in shown
        client.post(url, {**data, "phone": "13600136000", "version": "2"})
        resident.refresh_from_db()
        assert resident.phone == "+8613600136000"


class TestANumberThatWasToFollow:
    def test_is_marked_and_entered_on_the_page_of_the_person(
        self, client: Client, staff: User, resident: Resident
    ) -> None:
        owed = make_resident(
            household=resident.household, name="李小明", document_type="to_follow", number=" "
        )
        assert "李*" in client.get(f"{reverse('resident_list')}?to_follow").content.decode()
        assert "录入证件号码" in text(client, "resident_detail", key=owed.key)

        data = {"document_type": "mainland_id", "number": id_number(), "version": owed.version}
        client.post(reverse("resident_change", args=[owed.key]), data)

        assert "录入证件号码" not in text(client, "resident_detail", key=owed.key)
        assert "李*" not in client.get(f"{reverse('resident_list')}?to_follow").content.decode()

    def test_leads_a_supervisor_to_the_comparison_where_somebody_has_it(
        self, client: Client, resident: Resident
    ) -> None:
        owed = make_resident(
            household=resident.household, name="欧阳明月", document_type="to_follow", number=" "
        )
        client.force_login(make_user(Role.SUPERVISOR, resident.grid))
        data = {"document_type": "mainland_id", "number": NUMBER, "version": owed.version}

        page = client.post(reverse("resident_change", args=[owed.key]), data).content.decode()

        assert reverse("duplicate_compare", args=[resident.key, owed.key]) in page


class TestSomebodyGone:
    def test_leads_to_who_is_still_reached_under_their_phone(
        self, client: Client, staff: User, resident: Resident
    ) -> None:
        child = make_resident(
            household=resident.household, name="欧阳小月", phone="13812341234", by=staff
        )
        moves.die(
            resident=resident,
            version=resident.version,
            day=NOW.date(),
            at=NOW + timedelta(hours=1),
            by=staff,
        )

        change = reverse("resident_change", args=[child.key])
        assert change in text(client, "resident_detail", key=resident.key)
        register = f"{reverse('resident_new')}?household={resident.household.key}"
        assert "138****1234" not in client.get(register).content.decode()
        assert "已迁出或去世" in text(client, "resident_detail", key=child.key)


class TestPaging:
    def test_shows_everybody_once_in_the_order_of_pinyin(self, client: Client) -> None:
        grid = make_grid()
        household = make_household(grid=grid)
        by = make_user(Role.GRID_STAFF, grid)
        for _ in range(60):
            make_resident(household=household, by=by, name="张三")
        client.force_login(by)

        first = client.get(reverse("resident_list"))
        second = client.get(reverse("resident_list"), {"after": first.context["page"].next})

        rows = [r.pk for page in (first, second) for r in page.context["page"].rows]
        assert len(rows) == len(set(rows)) == 60
        assert second.context["page"].next is None

    @pytest.mark.parametrize("after", ["x", "-1", "9" * 30, "٣"])
    def test_begins_anew_at_a_key_that_is_none(
        self, client: Client, staff: User, after: str
    ) -> None:
        assert client.get(reverse("resident_list"), {"after": after}).status_code == 200

    def test_takes_few_queries(
        self, client: Client, staff: User, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_max_num_queries(12):
            client.get(reverse("resident_list"))


class TestInChromium:
    def test_a_person_is_read_and_uncovered_on_a_phone(
        self, phone: Page, resident: Resident
    ) -> None:
        sign_in(phone, make_user(Role.GRID_STAFF, resident.grid))
        phone.goto(reverse("resident_list"))
        shot(phone, "residents-phone")
        assert not barriers(phone)
        assert not too_small(phone)
        phone.get_by_text("欧*").click()
        shot(phone, "resident-phone", whole=True)
        assert not barriers(phone)
        phone.locator("#uncover-phone .uncover-link").click()
        phone.get_by_text("电话联系").click()
        shot(phone, "resident-uncover-phone", whole=True)
        assert not barriers(phone)
        phone.get_by_role("button", name="显示手机号码").click()

        assert phone.locator(".uncovered").inner_text() == "+8613812341234"

    def test_somebody_is_registered_on_a_phone(self, phone: Page, resident: Resident) -> None:
        sign_in(phone, make_user(Role.GRID_STAFF, resident.grid))
        phone.goto(reverse("resident_new"))
        shot(phone, "resident-new-phone", whole=True)
        assert not barriers(phone)
        assert not too_small(phone)
        phone.get_by_role("button", name="登记", exact=True).click()
        shot(phone, "resident-new-errors-phone", whole=True)
        assert not barriers(phone)

        assert phone.locator(".error-summary").evaluate("e => e === document.activeElement")

    @pytest.mark.parametrize(
        "page", ["resident_list", "resident_detail", "household_detail", "resident_change"]
    )
    def test_pages_can_be_used_at_a_desk(
        self, desktop: Page, resident: Resident, page: str
    ) -> None:
        community = make_community()
        sign_in(desktop, make_user(Role.SUPERVISOR, community, resident.grid))
        key = resident.household.key if page == "household_detail" else resident.key
        desktop.goto(reverse(page, args=[] if page == "resident_list" else [key]))
        shot(desktop, f"{page}-desktop", whole=True)

        assert not barriers(desktop)
