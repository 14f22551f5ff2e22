"""Taking lists as files, asking for more, and the ledger, as people use them."""

import csv
import io
from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from python_calamine import CalamineWorkbook

from accounts.auditing.models import AuditEntry
from accounts.exports.models import Export, ExportFile, ExportRequest
from accounts.staff.models import Area, Role, User
from common.encryption import sealed
from portal.exports import making
from portal.exports.lists import LISTS
from residents.register.models import Resident
from tests.factories import (
    NOW,
    id_number,
    make_case,
    make_grid,
    make_household,
    make_place,
    make_resident,
    make_user,
    make_worker,
)

pytestmark = pytest.mark.django_db

PEOPLE = ["residents", "cases", "today", "key_people", "workers"]
NAME, PHONE, DOOR = "=欧阳测试", "+8613877661234", "H7731"


@pytest.fixture
def grid() -> Area:
    return make_place("yingkou-2022-11", "210800")


@pytest.fixture
def staff(grid: Area) -> User:
    return make_user(Role.GRID_STAFF, grid, employer="示例街道办")


@pytest.fixture
def second(grid: Area) -> User:
    return make_user(Role.SUPERVISOR, Area.objects.get_parent(grid), employer="示例疾控")


@pytest.fixture
def person(grid: Area) -> Resident:
    """Return somebody old, under a measure, and on the white list: on every list."""
    resident = make_resident(
        household=make_household(grid=grid, door=DOOR),
        phone=PHONE,
        number=id_number(date(1935, 3, 1)),
        emergency_name="周某某",
    )
    # No form takes such a name; an older system may have.
    Resident.objects.filter(pk=resident.pk).update(**sealed(resident, name=NAME))
    resident.name = NAME
    make_case(grid, resident=resident)
    make_worker(resident)
    return resident


@pytest.fixture
def stranger() -> Resident:
    """Return somebody elsewhere, on every list there."""
    grid = make_place("yingkou-2022-11", "210811")
    resident = make_resident(grid=grid, name="靐靐", phone="13955550001")
    make_case(grid, resident=resident)
    make_worker(resident)
    return resident


def take(client: Client, what: str, kind: str = "csv", **query: str) -> Any:
    return client.post(reverse("export_new", args=[what]), {"format": kind}, query_params=query)


def rows_of(response: Any) -> list[list[str]]:
    assert response.status_code == 200, response.status_code
    text = response.content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def sheet_of(response: Any) -> list[list[Any]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(response.content))
    return book.get_sheet_by_index(0).to_python()


class TestAList:
    @pytest.fixture(autouse=True)
    def today(self, time_machine: Any) -> None:
        time_machine.move_to(NOW, tick=False)

    @pytest.mark.parametrize("taken", list(product(PEOPLE, ["csv", "xlsx"])), ids="-".join)
    def test_leaves_masked_entered_and_written_down(
        self,
        client: Client,
        staff: User,
        person: Resident,
        stranger: Resident,
        taken: tuple[str, str],
    ) -> None:
        what, kind = taken
        client.force_login(staff)
        response = take(client, what, kind)

        rows: list[list[Any]] = rows_of(response) if kind == "csv" else sheet_of(response)
        assert len(rows) == 3
        export = Export.objects.get()
        text = str(rows)
        assert str(export.pk) in rows[0][0]
        assert staff.username in rows[0][0]
        assert rows[2][-1] == f"No.{export.pk}"
        assert "=*" in text
        assert person.masked_phone in text
        for secret in (person.name, "13877661234", person.number, DOOR, stranger.phone, "靐"):
            assert secret not in text
        assert (export.by, export.what, export.rows, export.masked) == (staff, what, 1, True)
        entry = AuditEntry.objects.get(did="took a file")
        assert entry.shown == [person.key]
        assert entry.subject == f"export:{export.pk}"

    def test_keeps_the_filters_of_its_page(
        self, client: Client, staff: User, grid: Area, person: Resident
    ) -> None:
        client.force_login(staff)

        assert len(rows_of(take(client, "workers", show="ended"))) == 2
        assert len(rows_of(take(client, "workers", show="<script>"))) == 3
        assert [export.filters for export in Export.objects.order_by("pk")] == [
            {"show": "ended"},
            {},
        ]

    def test_is_of_one_area_of_ones_own(
        self, client: Client, second: User, grid: Area, person: Resident, stranger: Resident
    ) -> None:
        empty = make_grid(Area.objects.get_parent(grid))
        client.force_login(second)

        assert len(rows_of(take(client, "residents", area=empty.code))) == 2
        assert len(rows_of(take(client, "residents", grid=grid.code))) == 3
        elsewhere = rows_of(take(client, "residents", area=stranger.grid.code))
        assert "靐" not in str(elsewhere)
        assert {export.area for export in Export.objects.all()} <= {
            *(empty, grid, Area.objects.get_parent(grid)),
        }

    def test_is_defused_where_it_leaves_unmasked(
        self, client: Client, staff: User, second: User, person: Resident
    ) -> None:
        client.force_login(staff)
        ask = {"fields_": ["name", "phone", "number", "address"], "purpose": "sampling"}
        response = client.post(
            reverse("export_ask", args=["residents"]),
            {**ask, "reason": "上门采样", "format": "csv"},
        )
        key = ExportRequest.objects.get().key
        assert response.headers["Location"] == reverse("export_request", args=[key])
        take_it = reverse("export_take", args=[key])
        assert client.post(take_it).status_code == 302  # nobody agreed yet
        assert not Export.objects.exists()

        client.force_login(second)
        page = client.get(reverse("export_request", args=[key])).content.decode()
        assert reverse("export_approve", args=[key]) in page
        client.post(reverse("export_approve", args=[key]))
        assert client.post(take_it).status_code == 302  # agreed to, but not theirs to take
        assert not Export.objects.exists()

        client.force_login(staff)
        row = rows_of(client.post(take_it))[2]
        assert row[0] == f"'{NAME}"
        assert row[1] == "13877661234"
        assert row[2].rstrip("\t") == person.number  # a tab behind digits only
        assert DOOR in row[3]
        assert client.post(take_it).status_code == 302  # once
        export = Export.objects.get()
        assert sorted(export.fields) == ["address", "name", "number", "phone"]
        assert export.request
        assert export.request.approved_by == second

    @pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.ADMINISTRATOR])
    def test_shows_whoever_decides_how_many_rows_and_which_columns_leave(
        self, client: Client, staff: User, person: Resident, stranger: Resident, role: Role
    ) -> None:
        make_resident(grid=person.grid)
        client.force_login(staff)
        ask = {"fields_": ["phone"], "purpose": "sampling", "reason": "上门采样"}
        client.post(reverse("export_ask", args=["residents"]), {**ask, "format": "csv"})
        key = ExportRequest.objects.get().key

        client.force_login(make_user(role, Area.objects.get(code="210800"), employer="示例疾控"))
        response = client.get(reverse("export_request", args=[key]))

        page = response.content.decode()
        assert response.context["rows"] == 2
        assert reverse("export_approve", args=[key]) in page
        assert "2行，未脱敏：电话" in page
        columns = dict(response.context["columns"])
        assert columns["手机号码"]
        assert not columns["姓名"]
        for heading in columns:
            assert heading in page
        client.post(reverse("export_approve", args=[key]))
        client.force_login(staff)
        rows = rows_of(client.post(reverse("export_take", args=[key])))
        assert rows[1][: len(columns)] == list(columns)
        assert len(rows) == 2 + response.context["rows"]

    def test_stops_after_many_in_an_hour(
        self, client: Client, staff: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("accounts.exports.ledger.MOST_AN_HOUR", 2)
        client.force_login(staff)

        assert [take(client, "cases").status_code for _each in range(3)] == [200, 200, 422]
        assert Export.objects.count() == 2

    def test_has_unmasked_at_most_some_thousand_rows(
        self, client: Client, staff: User, person: Resident, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(making, "MOST_UNMASKED", 0)
        client.force_login(staff)
        asked = {"fields_": ["name"], "purpose": "medical", "reason": "转诊", "format": "csv"}

        assert client.post(reverse("export_ask", args=["cases"]), asked).status_code == 422
        assert not ExportRequest.objects.exists()

    def test_has_no_other_name(self, client: Client, staff: User) -> None:
        client.force_login(staff)
        for what in ("mend", "audit", "users"):
            assert take(client, what).status_code == 404


class TestPages:
    @pytest.mark.parametrize("what", PEOPLE)
    def test_of_a_list_ask_little(
        self,
        client: Client,
        second: User,
        person: Resident,
        what: str,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        client.force_login(second)
        for name in ("export_new", "export_ask"):
            client.get(reverse(name, args=[what]))
            with django_assert_max_num_queries(12):
                assert client.get(reverse(name, args=[what])).status_code == 200

    def test_of_ledger_and_requests_ask_little(
        self,
        client: Client,
        staff: User,
        second: User,
        person: Resident,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        client.force_login(staff)
        asked = {"fields_": ["name"], "purpose": "medical", "reason": "转诊", "format": "csv"}
        for _each in range(3):
            take(client, "residents")
            client.post(reverse("export_ask", args=["cases"]), asked)
        client.force_login(second)
        key = ExportRequest.objects.all()[0].key
        pages = [reverse("export_list"), reverse("export_requests")]
        for page in (*pages, reverse("export_request", args=[key])):
            client.get(page)
            with django_assert_max_num_queries(12):
                assert client.get(page).status_code == 200


class TestALongList:
    @pytest.fixture(autouse=True)
    def soon_long(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        rung: list[str] = []
        monkeypatch.setattr(making, "SHORT", 0)
        monkeypatch.setattr("portal.exports.views.ring", lambda _task, key: rung.append(key))
        return rung

    def test_is_made_by_a_worker_and_fetched_once(
        self, client: Client, staff: User, person: Resident, soon_long: list[str]
    ) -> None:
        client.force_login(staff)
        assert take(client, "residents").headers["Location"] == reverse("export_file")
        file = ExportFile.objects.get()
        assert soon_long == [str(file.key)]
        assert 'hx-trigger="every 1s"' in client.get(reverse("export_file")).content.decode()
        assert take(client, "cases").status_code == 422  # one at a time

        assert making.make_ordered(key=file.key, at=timezone.now())
        assert not making.make_ordered(key=file.key, at=timezone.now())
        assert reverse("export_fetch") in client.get(reverse("export_file")).content.decode()
        rows = rows_of(client.post(reverse("export_fetch")))

        assert rows[2][0] == "'=*"
        assert Export.objects.get().size > 0
        assert not ExportFile.objects.exists()
        assert client.post(reverse("export_fetch")).status_code == 302

    def test_is_nobody_elses(
        self, client: Client, staff: User, second: User, person: Resident
    ) -> None:
        client.force_login(staff)
        take(client, "residents")
        making.make_ordered(key=ExportFile.objects.get().key, at=timezone.now())
        client.force_login(second)

        assert client.post(reverse("export_fetch")).status_code == 302
        assert ExportFile.objects.exists()

    def test_is_kept_sealed_for_an_hour(
        self, client: Client, staff: User, person: Resident
    ) -> None:
        client.force_login(staff)
        take(client, "residents")
        at = timezone.now()
        making.make_ordered(key=ExportFile.objects.get().key, at=at)

        sealed: Any = ExportFile.objects.values_list("content", flat=True)[0]
        assert b"77u/" not in bytes(sealed)  # how the CSV begins, in base64
        making.expire(at=at + timedelta(minutes=59))
        assert ExportFile.objects.exists()
        making.expire(at=at + timedelta(minutes=61))
        assert not ExportFile.objects.exists()
        assert Export.objects.exists()

    def test_is_not_made_for_somebody_who_left_meanwhile(
        self, client: Client, staff: User, person: Resident
    ) -> None:
        client.force_login(staff)
        take(client, "residents")
        staff.areas.set([])
        making.make_ordered(key=ExportFile.objects.get().key, at=timezone.now())

        assert ExportFile.objects.get().refusal
        assert not Export.objects.exists()


class TestTheLedger:
    @pytest.fixture(autouse=True)
    def taken(self, client: Client, staff: User, person: Resident) -> None:
        client.force_login(staff)
        take(client, "residents")

    def shown(self, client: Client, user: User) -> str:
        client.force_login(user)
        return client.get(reverse("export_list")).content.decode()

    def test_is_shown_to_those_who_answer_for_the_area(
        self, client: Client, staff: User, second: User, grid: Area
    ) -> None:
        digest = Export.objects.get().sha256
        administrator = make_user(Role.ADMINISTRATOR, Area.objects.get_parent(grid))
        elsewhere = make_user(Role.SUPERVISOR, make_grid())
        colleague = make_user(Role.GRID_STAFF, grid)

        for user in (staff, second, administrator):
            assert digest in self.shown(client, user)
        for user in (elsewhere, colleague):
            assert digest not in self.shown(client, user)

    def test_names_nobody_to_the_auditor(self, client: Client, staff: User) -> None:
        page = self.shown(client, make_user(Role.AUDITOR))

        assert Export.objects.get().sha256 in page
        assert str(staff.key) in page
        assert staff.name not in page


class TestTheAudit:
    def test_leaves_as_pseudonyms_by_the_auditor(self, client: Client, person: Resident) -> None:
        auditor = make_user(Role.AUDITOR)
        client.force_login(auditor)
        response = client.post(
            reverse("audit_export"),
            {"format": "csv"},
            query_params={"about": str(person.key), "day": "x"},
        )

        rows = rows_of(response)
        assert len(rows) > 2
        assert all(str(person.key) in str(row) for row in rows[2:])
        assert NAME not in str(rows)
        export = Export.objects.get()
        assert (export.what, export.area, export.filters) == (
            "audit",
            None,
            {"about": str(person.key)},
        )


def test_every_list_has_a_heading_for_each_cell(
    client: Client, staff: User, person: Resident
) -> None:
    client.force_login(staff)
    for what in PEOPLE:
        _first, headings, *rows = rows_of(take(client, what))
        assert {len(row) for row in rows} <= {len(headings)}, what
        assert len(headings) == len(LISTS[what].headings) + 1
