"""Opening the record of another area: by whom, of whom, for how long, and who is told."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from accounts.auditing.models import AuditEntry
from accounts.staff.models import User
from quarantine.models import Case
from residents.openings.models import Opening
from residents.register.elsewhere import LEARNED
from residents.register.models import Resident
from tests.factories import id_number, make_case, make_grid, make_resident, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Case:
    return make_case()


@pytest.fixture
def resident(case: Case) -> Resident:
    make_resident(household=case.resident.household, name="李四")
    return case.resident


@pytest.fixture
def stranger(client: Client) -> User:
    user = make_user("grid_staff", make_grid())
    client.force_login(user)
    return user


def ask(client: Client, text: str, reason: str = "核实其昨日行程") -> Any:
    return client.post(reverse("opening_new"), {"text": text, "reason": reason})


def status(client: Client, page: str, *args: Any, **data: str) -> int:
    url = reverse(page, args=args)
    answer = client.post(url, data) if data else client.get(url)
    return answer.status_code


class TestOpening:
    @pytest.mark.parametrize("by", ["number", "phone", "pseudonym"])
    def test_shows_that_person_and_nobody_else(
        self, client: Client, stranger: User, resident: Resident, case: Case, by: str
    ) -> None:
        text = {"number": resident.number, "phone": "13811112222", "pseudonym": str(resident.key)}
        if by == "phone":
            from residents.register.services import change
            from tests.factories import NOW

            change(resident=resident, version=1, phone=text[by], at=NOW, by=stranger)
        other = resident.household.residents.exclude(pk=resident.pk).get()
        assert status(client, "resident_detail", resident.key) == 404

        assert ask(client, text[by]).url == reverse("resident_detail", args=[resident.key])

        assert status(client, "resident_detail", resident.key) == 200
        assert status(client, "resident_uncover", resident.key, "phone", reason="call") == 200
        assert status(client, "case_detail", case.key) == 200
        page = client.get(reverse("case_detail", args=[case.key])).content.decode()
        assert reverse("case_act", args=[case.key, "note"]) not in page
        assert status(client, "resident_detail", other.key) == 404
        assert status(client, "household_detail", resident.household.key) == 404
        assert status(client, "resident_change", resident.key) == 404
        assert status(client, "case_act", case.key, "note", **{"note-text": "x"}) == 404
        for page_name in ("resident_list", "case_list", "today"):
            assert str(resident.key) not in client.get(reverse(page_name)).content.decode()

    def test_is_over_after_an_hour(
        self, client: Client, stranger: User, resident: Resident
    ) -> None:
        ask(client, resident.number)
        assert Opening.objects.get().until - Opening.objects.get().at == timedelta(hours=1)
        Opening.objects.update(until=Now() - timedelta(seconds=1))

        assert status(client, "resident_detail", resident.key) == 404

    def test_needs_a_reason(self, client: Client, stranger: User, resident: Resident) -> None:
        assert ask(client, resident.number, "").status_code == 200
        assert not Opening.objects.exists()

    @pytest.mark.parametrize("text", ["张三", "8000", "13900001111", "示例"])
    def test_does_not_browse(
        self, client: Client, stranger: User, resident: Resident, text: str
    ) -> None:
        assert ask(client, text).status_code == 200
        assert not Opening.objects.exists()
        assert AuditEntry.objects.filter(actor=stranger.key, did__contains="found nobody").exists()

    def test_is_for_few_people_a_day(self, client: Client, stranger: User) -> None:
        for resident in [make_resident() for _ in range(6)]:
            answer = ask(client, resident.number)

        assert Opening.objects.count() == 5
        assert "跨辖区调阅次数过多" in answer.content.decode()
        assert AuditEntry.objects.filter(did=LEARNED, actor=stranger.key).count() == 1

    def test_leads_to_ones_own_without_an_opening(self, client: Client, stranger: User) -> None:
        own = make_resident(grid=stranger.areas.get())

        assert ask(client, own.number).status_code == 302
        assert not Opening.objects.exists()

    def test_stands_in_the_audit_with_each_look_and_the_reason_sealed(
        self, client: Client, stranger: User, resident: Resident
    ) -> None:
        ask(client, resident.number)
        status(client, "resident_detail", resident.key)
        key = str(Opening.objects.get().key)

        looks = AuditEntry.objects.filter(actor=stranger.key, subject=f"resident:{resident.key}")
        assert [entry.did for entry in looks.order_by("pk")] == [
            "opened a record of another area",
            "read",
        ]
        assert {entry.detail["opening"] for entry in looks} == {key}
        assert "核实" not in str(list(AuditEntry.objects.values()))


class TestTheSupervisor:
    def test_is_told_and_may_end_it(
        self, client: Client, stranger: User, resident: Resident
    ) -> None:
        ask(client, resident.number)
        boss = Client()
        boss.force_login(make_user("supervisor", resident.grid))
        inbox = boss.get(reverse("inbox")).content.decode()
        assert "核实其昨日行程" in inbox
        assert stranger.name in inbox
        assert 'count-badge">1' in inbox
        opening = Opening.objects.get()

        boss.post(reverse("opening_seen", args=[opening.key]))
        assert "count-badge" not in boss.get(reverse("opening_list")).content.decode()
        boss.post(reverse("opening_end", args=[opening.key]))

        assert status(client, "resident_detail", resident.key) == 404
        assert "核实其昨日行程" in boss.get(reverse("opening_list")).content.decode()

    def test_of_another_area_learns_nothing(
        self, client: Client, stranger: User, resident: Resident
    ) -> None:
        ask(client, resident.number)
        boss = Client()
        boss.force_login(make_user("supervisor", make_grid()))

        for page in ("inbox", "opening_list"):
            assert "核实" not in boss.get(reverse(page)).content.decode()
        opening = Opening.objects.get()
        assert boss.post(reverse("opening_end", args=[opening.key])).status_code == 404


class TestNotYours:
    def test_is_not_told_from_not_there_by_a_search(
        self, client: Client, stranger: User, resident: Resident
    ) -> None:
        unknown = id_number()

        def found(page: str, **data: str) -> str:
            said = client.post(reverse(page), data).content.decode()
            for text in data.values():
                said = said.replace(text, "")
            return re.sub("[0-9A-Za-z]{64}", "", said)  # the tokens of forms

        assert found("resident_list", text=resident.number) == found("resident_list", text=unknown)
        kind = "mainland_id"
        assert found("arrival_lookup", document_type=kind, number=resident.number) == found(
            "arrival_lookup", document_type=kind, number=unknown
        )
