"""The pages of administrators and auditors."""

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, Role, User
from tests.browser import barriers, shot, sign_in
from tests.factories import make_community, make_grid, make_resident, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def community() -> Area:
    return make_community()


@pytest.fixture
def grid(community: Area) -> Area:
    return make_grid(community)


@pytest.fixture
def admin(community: Area, grid: Area, client: Client) -> User:
    user = make_user(Role.ADMINISTRATOR, community)
    client.force_login(user)
    return user


def did(what: str) -> AuditEntry:
    return AuditEntry.objects.get(did=what)


class TestAreas:
    def test_say_who_answers_for_each(self, client: Client, admin: User, grid: Area) -> None:
        make_user(Role.GRID_STAFF, grid, name="林甲")

        page = client.get(reverse("area_detail", args=[grid.code])).content.decode()

        assert "林甲" in page

    def test_get_a_grid_with_the_next_code(
        self, client: Client, admin: User, community: Area, grid: Area
    ) -> None:
        url = reverse("grid_new", args=[community.code])
        code = str(int(grid.code) + 1)
        assert f'value="{code}"' in client.get(url).content.decode()

        client.post(url, {"name": "第九网格", "code": code})

        made = Area.objects.get(code=code)
        assert made.path.startswith(community.path)
        assert "dijiuwangge" in made.name_key
        assert did("made area").subject == f"area:{made.pk}"

    def test_refuse_a_code_twice_at_its_field(
        self, client: Client, admin: User, community: Area, grid: Area
    ) -> None:
        url = reverse("grid_new", args=[community.code])

        page = client.post(url, {"name": "第九网格", "code": grid.code}).content.decode()

        assert 'href="#id_code"' in page
        assert "第九网格" in page

    def test_are_renamed_and_it_is_written_down(
        self, client: Client, admin: User, grid: Area
    ) -> None:
        client.post(reverse("area_detail", args=[grid.code]), {"name": "东网格"})

        grid.refresh_from_db()
        assert grid.name == "东网格"
        assert did("renamed area").detail["after"] == "东网格"

    def test_hold_a_phone_that_residents_call(
        self, client: Client, admin: User, grid: Area
    ) -> None:
        url = reverse("area_detail", args=[grid.code])

        client.post(url, {"name": grid.name, "phone": "0591-88886666"})

        grid.refresh_from_db()
        assert grid.phone == "0591-88886666"
        assert did("changed the duty phone").detail["after"] == "0591-88886666"
        assert not AuditEntry.objects.filter(did="renamed area").exists()

    def test_take_no_words_for_a_phone(self, client: Client, admin: User, grid: Area) -> None:
        url = reverse("area_detail", args=[grid.code])

        page = client.post(url, {"name": grid.name, "phone": "找王主任"}).content.decode()

        assert "请填写电话号码" in page
        grid.refresh_from_db()
        assert grid.phone == ""


class TestAccounts:
    def test_cannot_be_given_areas_of_others(self, client: Client, admin: User) -> None:
        data = {
            "username": "wang",
            "name": "王五",
            "role": "grid_staff",
            "areas": [make_grid().pk],
            "way": "paper",
        }

        client.post(reverse("person_new"), data)

        assert not User.objects.filter(username="wang").exists()

    def test_that_reach_further_are_seen_but_not_changed(
        self, client: Client, admin: User, grid: Area
    ) -> None:
        person = make_user(Role.GRID_STAFF, grid, make_grid(), email="wang@example.cn")
        data = {"name": "王五", "role": "grid_staff", "areas": []}
        url = reverse("person_change", args=[person.key])

        page = client.get(url).content.decode()

        assert "<form method" not in page.split("</header>")[-1]
        assert "wang@example.cn" not in page
        for name in ("person_change", "person_deactivate", "person_reset"):
            assert client.post(reverse(name, args=[person.key]), data).status_code == 404
        assert person.areas.count() == 2

    def test_of_ones_own_cannot_be_raised_or_closed(
        self, client: Client, admin: User, community: Area
    ) -> None:
        data = {"name": "王五", "role": "supervisor", "areas": [community.pk]}

        client.post(reverse("person_change", args=[admin.key]), data)
        client.post(reverse("person_deactivate", args=[admin.key]))

        admin.refresh_from_db()
        assert admin.role == Role.ADMINISTRATOR
        assert admin.is_active


class TestEmailAddresses:
    def test_are_given_by_an_administrator_and_shown_masked_in_the_list(
        self, client: Client, admin: User, grid: Area
    ) -> None:
        data = {"username": "wang", "name": "王五", "role": "grid_staff", "areas": [grid.pk]}
        given = {"email": "wang@example.cn", "employer": admin.employer, "way": "paper"}
        client.post(reverse("person_new"), {**data, **given})
        person = User.objects.get(username="wang")
        assert person.email == "wang@example.cn"

        page = client.get(reverse("people_list")).content.decode()
        assert "w***@example.cn" in page
        assert "wang@example.cn" not in page
        assert (
            "wang@example.cn"
            in client.get(reverse("person_change", args=[person.key])).content.decode()
        )

    def test_are_changed_by_an_administrator(
        self, client: Client, admin: User, grid: Area
    ) -> None:
        person = make_user(Role.GRID_STAFF, grid, email="old@example.cn")
        data = {"name": "王五", "role": "grid_staff", "areas": [grid.pk]}
        given = {"email": "a@b.cn", "employer": person.employer}

        client.post(reverse("person_change", args=[person.key]), {**data, **given})

        person.refresh_from_db()
        assert person.email == "a@b.cn"
        assert did("changed e-mail address").detail == {}

    def test_are_changed_by_their_owner(self, client: Client, grid: Area) -> None:
        person = make_user(Role.GRID_STAFF, grid)
        client.force_login(person)

        client.post(reverse("own_email"), {"email": "not one"})
        person.refresh_from_db()
        assert person.email == ""

        client.post(reverse("own_email"), {"email": "li@example.cn"})
        person.refresh_from_db()
        assert person.email == "li@example.cn"


class TestAudit:
    def test_shows_pseudonyms_only(self, client: Client) -> None:
        resident = make_resident(name="欧阳明月")
        client.force_login(make_user(Role.AUDITOR))

        page = client.get(reverse("audit_list")).content.decode()

        assert str(resident.key) in page
        assert "欧阳明月" not in page

    def test_is_narrowed_down_to_a_subject(self, client: Client) -> None:
        one, other = make_resident(), make_resident()
        client.force_login(make_user(Role.AUDITOR))

        page = client.get(reverse("audit_list"), {"about": f"resident:{one.key}"}).content.decode()

        assert str(one.key) in page
        assert str(other.key) not in page

    def test_says_in_chinese_what_was_done(self, client: Client, grid: Area) -> None:
        resident = make_resident(grid=grid)
        client.force_login(make_user(Role.AUDITOR))
        assert "<td>登记</td>" in client.get(reverse("audit_list")).content.decode()

        client.force_login(make_user(Role.SUPERVISOR, grid))
        page = client.get(reverse("resident_access_log", args=[resident.key])).content.decode()
        assert "<span>登记" in page
        assert "<span>查看" in page

    def test_is_paged_by_key(self, client: Client) -> None:
        AuditEntry.objects.bulk_create(
            AuditEntry(did="read", subject=f"resident:{n}") for n in range(120)
        )
        client.force_login(make_user(Role.AUDITOR))
        seen: list[int] = []
        query = ""
        while True:
            context = client.get(f"{reverse('audit_list')}?{query}").context
            seen += [entry.pk for entry in context["rows"]]
            query = context["older"]
            if not query:
                break

        assert len(seen) == len(set(seen)) == AuditEntry.objects.count()

    @pytest.mark.parametrize("change", ["update", "delete"])
    def test_cannot_be_changed_or_removed(self, change: str) -> None:
        make_resident()
        rows = AuditEntry.objects.all()

        with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
            rows.update(did="nothing") if change == "update" else rows.delete()


class TestInChromium:
    @pytest.mark.parametrize(
        "name", ["area_list", "area_detail", "grid_new", "people_list", "person_new"]
    )
    def test_pages_of_administrators_can_be_used(
        self, desktop: Page, community: Area, grid: Area, name: str
    ) -> None:
        make_user(Role.GRID_STAFF, grid, name="林甲")
        sign_in(desktop, make_user(Role.ADMINISTRATOR, community))
        desktop.goto(
            reverse(name, args=[community.code] if "area_d" in name or "grid" in name else [])
        )
        shot(desktop, f"{name}-desktop", whole=True)

        assert not barriers(desktop)

    def test_the_audit_can_be_read(self, desktop: Page) -> None:
        make_resident()
        sign_in(desktop, make_user(Role.AUDITOR))
        desktop.goto(reverse("audit_list"))
        shot(desktop, "audit-desktop", whole=True)

        assert not barriers(desktop)
