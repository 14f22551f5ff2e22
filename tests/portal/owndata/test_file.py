"""The file of a person's own data: everything of them, nothing of anybody else."""

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pgtrigger
import pytest
from django.test import Client
from django.urls import reverse

from accounts.auditing import audit
from accounts.auditing.models import AuditEntry
from accounts.exports.models import Export, ExportRequest
from accounts.staff.models import Area, Role, User
from portal.owndata import file
from portal.retention.inventory import HOLDINGS
from quarantine.models import Case
from residents.register import services as residents
from residents.register.models import Resident
from tests.factories import NOW, make_case, make_place, make_resident, make_user
from tests.portal.retention.outbreaks import community_of, make_known

pytestmark = pytest.mark.django_db


@pytest.fixture
def grid() -> Area:
    return make_place("yingkou-2022-11", "210800")


@pytest.fixture
def first(grid: Area) -> User:
    return make_user(Role.SUPERVISOR, community_of(grid), employer="示例街道办")


@pytest.fixture
def second(grid: Area) -> User:
    return make_user(Role.SUPERVISOR, community_of(grid), employer="示例疾控")


def own_rows(data: file.OwnData) -> dict[str, list[dict[str, Any]]]:
    return {
        section.table: [{cell.name: cell.value for cell in row} for row in section.rows]
        for section in data.sections
    }


class TestTheFile:
    def test_has_something_of_every_table_of_the_inventory(self, grid: Area) -> None:
        person = make_known(grid)
        tables = own_rows(file.gather(person, at=NOW))

        assert tables.keys() == {holding.label for holding in HOLDINGS.values() if holding.people}

    def test_opens_what_is_sealed(self, grid: Area) -> None:
        tables = own_rows(file.gather(make_known(grid), at=NOW))

        assert tables["residents_resident"][0]["name"] == "张三"
        assert tables["residents_resident"][0]["phone"] == "+8613877770001"
        assert tables["residents_need"][0]["words"] == "降压药"
        assert tables["residents_stagedresident"][0]["name"] == "张三"
        assert {each.get("note") for each in tables["quarantine_event"]} >= {"本人说已上班"}

    def test_says_who_looked_when_in_which_role_and_why(self, grid: Area, first: User) -> None:
        person = make_known(grid)
        residents.uncover(resident=person, field="phone", reason="核对号码", by=first)
        looks = file.gather(person, at=NOW).looks

        last = looks[-1]
        assert (last.role, last.employer, last.why) == ("督导员", "示例街道办", "核对号码")
        assert len(looks) == sum(_names(each, person) for each in AuditEntry.objects.all())

    def test_leaves_out_words_about_several_people(self, grid: Area, first: User) -> None:
        person, other = make_known(grid), make_resident(grid=grid, name="靐靐")
        audit.record(
            by=first,
            did="was shown in a list",
            to="page:case_list",
            shown=[person.key, other.key],
            reason="找靐靐",
        )

        assert file.gather(person, at=NOW).looks[-1].why == ""

    def test_has_nothing_of_anybody_else(self, grid: Area) -> None:
        person = make_known(grid)
        other = make_resident(grid=grid, name="靐靐", phone="13955550001")
        index = make_case(grid, resident=other)
        with pgtrigger.ignore():  # of another household: no service would enter it
            Case.objects.filter(resident=person).update(index_case=index)
        text = json.dumps(own_rows(file.gather(person, at=NOW)), ensure_ascii=False)

        for secret in ("靐靐", "13955550001", str(other.key), str(index.key)):
            assert secret not in text

    def test_holds_the_entries_that_were_merged_into_it(self, grid: Area) -> None:
        person = make_known(grid)
        assert len(own_rows(file.gather(person, at=NOW))["residents_resident"]) == 2


def _names(entry: AuditEntry, person: Resident) -> bool:
    keys = {each.key for each in file.entries_of(person)}
    return bool(keys & set(entry.shown)) or entry.subject in {f"resident:{key}" for key in keys}


class TestHandingItOver:
    @pytest.fixture(autouse=True)
    def today(self, time_machine: Any) -> None:
        time_machine.move_to(NOW + timedelta(hours=1), tick=False)

    def test_takes_identification_and_two_people(
        self, client: Client, grid: Area, first: User, second: User
    ) -> None:
        person = make_known(grid)
        client.force_login(first)
        address = reverse("own_data", args=[person.key])
        assert client.post(address, {"note": "查询"}).status_code == 422
        asked = client.post(address, {"identified": "paper", "note": "查询"})
        request = ExportRequest.objects.get(what="own_data")
        assert asked.status_code == 302
        assert request.reason == "已核验本人证件 · 查询"
        take = reverse("export_take", args=[request.key])
        assert client.post(take).status_code == 302
        assert not Export.objects.exists()

        client.force_login(second)
        client.post(reverse("export_approve", args=[request.key]))
        client.force_login(first)
        taken = client.post(take)

        content = zipfile.ZipFile(io.BytesIO(taken.content))
        assert content.namelist() == ["data.json", "page.html"]
        data = json.loads(content.read("data.json"))
        assert data["tables"]["residents_resident"][0]["name"] == "张三"
        assert "查阅记录" in content.read("page.html").decode()
        entered = Export.objects.get()
        assert (entered.what, entered.request) == ("own_data", request)
        assert str(entered.pk) in data["export"]
        assert person.key in AuditEntry.objects.get(did="took a file").shown
        assert client.post(take).status_code == 302  # once

    @pytest.mark.parametrize("address", ["export_new", "export_ask"])
    def test_is_no_list_that_anybody_takes(
        self, client: Client, first: User, address: str
    ) -> None:
        client.force_login(first)
        assert client.get(reverse(address, args=["own_data"])).status_code == 404

    def test_is_refused_once_the_person_is_elsewhere(
        self, client: Client, grid: Area, first: User, second: User
    ) -> None:
        person = make_known(grid)
        client.force_login(first)
        client.post(reverse("own_data", args=[person.key]), {"identified": "paper"})
        request = ExportRequest.objects.get(what="own_data")
        client.force_login(second)
        client.post(reverse("export_approve", args=[request.key]))
        elsewhere = make_place("yingkou-2022-11", "210811")
        Resident.objects.filter(pk=person.pk).update(grid=elsewhere)
        client.force_login(first)
        page = client.post(reverse("export_take", args=[request.key]), follow=True)

        assert "不在本辖区登记" in page.content.decode()
        assert not Export.objects.exists()
