"""Whether somebody is registered in another area is learned seldom, in one way, and on record."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Role, User
from residents.openings.services import open_record
from residents.register import elsewhere, services
from residents.register.elsewhere import QUESTIONS_A_DAY
from residents.register.models import Resident
from residents.search.people import search
from tests.concurrency import at_once
from tests.factories import NOW, id_number, make_grid, make_resident, make_user

pytestmark = pytest.mark.django_db
MAINLAND = Resident.DocumentType.MAINLAND_ID
TOO_OFTEN = "跨辖区调阅次数过多"


@pytest.fixture
def known() -> Resident:
    """Return somebody of another area."""
    return make_resident()


@pytest.fixture
def own() -> Resident:
    return make_resident()


@pytest.fixture
def by(own: Resident) -> User:
    return make_user(Role.GRID_STAFF, own.grid)


def answer(act: Callable[[], Any]) -> str:
    """Return the sentence with which something is refused, "" where it is not."""
    try:
        act()
    except ValidationError as refused:
        return str(refused.messages[0])
    return ""


def change(own: Resident, number: str, by: User, version: int | None = None) -> str:
    own.refresh_from_db()
    return answer(
        lambda: services.change(
            resident=own,
            version=own.version if version is None else version,
            number=number,
            at=NOW,
            by=by,
        )
    )


def register(own: Resident, number: str, by: User) -> str:
    return answer(
        lambda: services.register(
            household=own.household,
            name="王小明",
            document_type=MAINLAND,
            number=number,
            at=NOW,
            by=by,
        )
    )


def looked_up(own: Resident, number: str, by: User) -> str:
    return answer(lambda: open_record(text=number, reason="核实", today=NOW.date(), by=by))


def learned() -> int:
    return AuditEntry.objects.filter(did=elsewhere.LEARNED).count()


WAYS = [change, register, looked_up]


class TestAStaleVersion:
    def test_is_told_before_anything_else(self, own: Resident, known: Resident, by: User) -> None:
        told = {change(own, number, by, version=0) for number in (known.number, id_number())}
        assert len(told) == 1
        assert "他人修改" in told.pop()
        assert learned() == 0

    def test_costs_no_question(self, own: Resident, known: Resident, by: User) -> None:
        for _ in range(QUESTIONS_A_DAY + 1):
            change(own, known.number, by, version=0)
        assert TOO_OFTEN not in change(own, known.number, by)


class TestTheLimit:
    def test_ends_sixty_probes_after_twenty_and_each_is_on_record(
        self, own: Resident, by: User
    ) -> None:
        people = [make_resident().number for _ in range(30)]
        told = [change(own, number, by) for number in people * 2]
        assert sum(TOO_OFTEN not in sentence for sentence in told) == QUESTIONS_A_DAY
        assert learned() == QUESTIONS_A_DAY

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("spent", WAYS)
    def test_is_one_for_all_ways(
        self, own: Resident, by: User, spent: Callable[..., str], way: Callable[..., str]
    ) -> None:
        # To look somebody up is limited more narrowly where it finds them.
        numbers = [
            id_number() if spent is looked_up else make_resident().number
            for _ in range(QUESTIONS_A_DAY)
        ]
        for number in numbers:
            assert TOO_OFTEN not in spent(own, number, by)
        assert TOO_OFTEN in way(own, make_resident().number, by)

    @pytest.mark.parametrize("way", WAYS)
    def test_lets_nobody_tell_the_known_from_the_unknown_any_more(
        self, own: Resident, known: Resident, by: User, way: Callable[..., str]
    ) -> None:
        for _ in range(QUESTIONS_A_DAY):
            elsewhere.note(by=by)
        assert by.area_paths  # which is remembered
        asked = []
        for number in (known.number, id_number()):
            with CaptureQueriesContext(connection) as queries:
                told = way(own, number, by)
            asked.append((told, len(queries)))
        assert asked[0] == asked[1]
        assert TOO_OFTEN in asked[0][0]

    def test_still_shows_who_is_registered_in_ones_own_area(self, own: Resident, by: User) -> None:
        for _ in range(QUESTIONS_A_DAY):
            elsewhere.note(by=by)
        assert "已登记" in register(own, own.number, by)

    def test_counts_numbers_put_one_after_another_on_one_person(
        self, own: Resident, by: User
    ) -> None:
        for _ in range(QUESTIONS_A_DAY):
            assert change(own, id_number(), by) == ""
        assert TOO_OFTEN in change(own, id_number(), by)

    def test_counts_numbers_that_are_taken_off_between(self, own: Resident, by: User) -> None:
        told = []
        for _ in range(QUESTIONS_A_DAY + 1):
            for kind, number in ((Resident.DocumentType.TO_FOLLOW, ""), (MAINLAND, id_number())):
                own.refresh_from_db()
                act = partial(
                    services.change,
                    resident=own,
                    version=own.version,
                    document_type=kind,
                    number=number,
                    at=NOW,
                    by=by,
                )
                told.append(answer(act))
        assert told[0] == told[1] == ""
        assert TOO_OFTEN in told[-1]

    def test_leaves_registering_newcomers_alone(self, own: Resident, by: User) -> None:
        for _ in range(QUESTIONS_A_DAY + 5):
            assert register(own, id_number(), by) == ""

    def test_counts_a_registration_that_was_taken_back(self, own: Resident, by: User) -> None:
        for _ in range(QUESTIONS_A_DAY):
            newcomer = make_resident(household=own.household, by=by)
            services.take_registration_back(resident=newcomer, on=NOW.date(), by=by)
        assert TOO_OFTEN in register(own, id_number(), by)

    def test_is_each_ones_own(self, own: Resident, known: Resident, by: User) -> None:
        for _ in range(QUESTIONS_A_DAY):
            elsewhere.note(by=by)
        other = make_user(Role.GRID_STAFF, own.grid)
        assert TOO_OFTEN not in register(own, known.number, other)


class TestASearch:
    def test_does_the_same_for_the_known_elsewhere_as_for_nobody(
        self, known: Resident, by: User
    ) -> None:
        asked = []
        assert by.area_paths  # which is remembered
        for number in (known.number, id_number()):
            with CaptureQueriesContext(connection) as queries:
                search(text=number, today=NOW.date(), by=by)
            asked.append(len(queries))
        assert asked[0] == asked[1]


class TestThePages:
    def test_count_and_record_what_they_told(
        self, client: Client, own: Resident, known: Resident, by: User
    ) -> None:
        client.force_login(by)
        person = {"document_type": MAINLAND, "number": known.number, "name": "王小明"}
        new = f"{reverse('resident_new')}?household={own.household.key}"
        assert client.post(new, person).status_code == 200
        url = reverse("resident_change", args=[own.key])
        assert client.post(url, {**person, "version": own.version}).status_code == 200
        assert learned() == 2


@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    def test_the_last_question_is_answered_once(self) -> None:
        own = make_resident()
        by = make_user(Role.GRID_STAFF, own.grid)
        people = [make_resident() for _ in range(6)]
        for _ in range(QUESTIONS_A_DAY - 1):
            elsewhere.note(by=by)
        told = at_once(*[lambda number=one.number: register(own, number, by) for one in people])
        assert sum(TOO_OFTEN not in sentence for sentence in told) == 1
        assert learned() == 1

    def test_ten_registrations_of_one_number_are_one(self) -> None:
        home = make_resident()
        by, number = make_user(Role.GRID_STAFF, home.grid), id_number()
        told = at_once(*[lambda: register(home, number, by) for _ in range(10)])
        assert sorted(told).count("") == 1
        assert all("已登记" in sentence for sentence in told if sentence)
        assert Resident.objects.count() == 2

    def test_ten_people_given_one_number_are_one(self) -> None:
        grid, number = make_grid(), id_number()
        by = make_user(Role.GRID_STAFF, grid)
        people = [make_resident(grid=grid) for _ in range(10)]
        told = at_once(*[lambda one=one: change(one, number, by) for one in people])
        assert sorted(told).count("") == 1
        assert all("已登记" in sentence for sentence in told if sentence)
