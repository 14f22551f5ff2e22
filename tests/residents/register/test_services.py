import uuid

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from accounts.auditing.audit import words_of
from accounts.auditing.models import AuditEntry
from accounts.staff.models import Role
from residents.register import elsewhere, services
from residents.register.models import Household, Resident
from tests.factories import (
    NOW,
    id_number,
    make_building,
    make_community,
    make_grid,
    make_household,
    make_resident,
    make_user,
)

pytestmark = pytest.mark.django_db
MAINLAND = Resident.DocumentType.MAINLAND_ID


def did(what: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(did=what))


class TestRegister:
    def test_takes_sex_and_birth_date_from_the_number(self) -> None:
        resident = make_resident(number="11010519491231002X", sex=Resident.Sex.MALE)

        assert str(resident.birth_date) == "1949-12-31"
        assert resident.sex == Resident.Sex.FEMALE

    def test_seals_number_phone_and_door_in_the_database(self) -> None:
        household = make_household(door="502")
        make_resident(household=household, number="11010519491231002X", phone="13800138000")

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT r::text, h::text FROM residents_resident r, residents_household h"
            )
            stored = " ".join(map(str, cursor.fetchone()))
        assert "502" not in stored.split(",")
        for secret in ("11010519491231002", "13800138000", b"13800138000".hex()):
            assert secret not in stored

    def test_writes_down_who_did_it_without_personal_data(self) -> None:
        by = make_user(Role.GRID_STAFF, grid := make_grid())

        resident = make_resident(grid=grid, by=by, name="王小明")

        entry = did("registered")[0]
        assert (entry.actor, entry.subject) == (by.key, f"resident:{resident.key}")
        assert "王" not in str(entry.detail)

    def test_refuses_a_number_twice_and_says_whom_to_open(self) -> None:
        resident = make_resident(number="11010519491231002X")
        by = make_user(Role.GRID_STAFF, resident.grid)

        with pytest.raises(services.AlreadyRegisteredError) as caught:
            make_resident(household=resident.household, number="11010519491231002x", by=by)
        assert caught.value.resident == resident

    def test_refuses_a_number_known_elsewhere_without_telling_where(self) -> None:
        known = make_resident(number="11010519491231002X")

        with pytest.raises(elsewhere.RegisteredElsewhereError) as caught:
            make_resident(grid=make_grid(), number="11010519491231002X")
        for told in (known.grid.name, str(known.household), known.name):
            assert told not in caught.value.messages[0]

    def test_takes_one_number_on_two_kinds_of_document_as_two_people(self) -> None:
        make_resident(number="E12345678", document_type=Resident.DocumentType.PASSPORT)
        number = "CAN350190051701"
        make_resident(number=number, document_type=Resident.DocumentType.PASSPORT)
        make_resident(number=number, document_type=Resident.DocumentType.FOREIGN_RESIDENCE)

        assert Resident.objects.count() == 3

    def test_takes_twins_without_a_number(self) -> None:
        household = make_household()
        for _ in range(2):
            make_resident(
                household=household,
                number=" ",
                document_type=Resident.DocumentType.NONE,
                birth_date=NOW.date(),
            )

        assert household.residents.count() == 2

    def test_stores_nothing_when_one_field_is_wrong(self) -> None:
        with pytest.raises(ValidationError):
            make_resident(phone="123")
        assert not Resident.objects.exists()

    def test_is_held_to_one_number_by_the_database_too(self) -> None:
        resident = make_resident()
        resident.pk, resident.key = None, uuid.uuid4()

        with pytest.raises(IntegrityError), transaction.atomic():
            resident.save(force_insert=True)


class TestHouseholdAt:
    def test_returns_the_same_household_for_the_same_door(self) -> None:
        building = make_building()

        first = services.household_at(building=building, unit="2", door="502", floor=5)
        second = services.household_at(building=building, unit=" ２ ", door="５０２")

        assert first == second
        assert Household.objects.count() == 1

    def test_fills_in_a_floor_that_was_not_known(self) -> None:
        building = make_building()
        services.household_at(building=building, unit="2", door="502")

        assert services.household_at(building=building, unit="2", door="502", floor=5).floor == 5

    def test_asks_for_a_door(self) -> None:
        with pytest.raises(ValidationError):
            services.household_at(building=make_building(), door=" ")

    def test_shows_its_address_without_the_door(self) -> None:
        household = make_household(building=make_building(name="3号楼"), unit="2", door="502")

        assert str(household) == "3号楼-2-***"
        assert household.address == "3号楼-2-502"


class TestKnown:
    def test_finds_somebody_in_ones_areas_and_writes_it_down(self) -> None:
        resident = make_resident(number="11010519491231002X")
        by = make_user(Role.GRID_STAFF, resident.grid)

        found = services.find_visible_by_number(
            document_type=MAINLAND, number="11010519491231002X", by=by
        )

        assert found == resident
        assert did("read")[0].actor == by.key

    def test_finds_nobody_for_a_new_number(self) -> None:
        assert (
            services.find_visible_by_number(
                document_type=MAINLAND, number=id_number(), by=make_user()
            )
            is None
        )

    def test_does_not_show_people_of_other_areas(self) -> None:
        make_resident(number="11010519491231002X")
        by = make_user(Role.GRID_STAFF, make_grid())

        assert not services.find_visible_by_number(
            document_type=MAINLAND, number="11010519491231002X", by=by
        )


class TestChange:
    def test_refuses_when_somebody_else_was_faster(self) -> None:
        resident = make_resident()
        by = make_user(Role.GRID_STAFF, resident.grid)
        new = {"document_type": MAINLAND, "number": resident.number, "at": NOW, "by": by}
        services.change(resident=resident, version=1, name="李四", **new)

        with pytest.raises(services.ChangedMeanwhileError):
            services.change(resident=resident, version=1, name="王五", **new)
        resident.refresh_from_db()
        assert (resident.name, resident.version) == ("李四", 2)

    def test_writes_down_which_fields_changed_and_no_values(self) -> None:
        resident = make_resident(phone="13800138000")

        services.change(
            resident=resident,
            version=1,
            name=resident.name,
            document_type=MAINLAND,
            number=resident.number,
            phone="13900139000",
            at=NOW,
            by=make_user(Role.GRID_STAFF, resident.grid),
        )

        assert did("changed")[0].detail == {"fields": ["phone"]}
        assert resident.phone == "+8613900139000"


class TestUncover:
    @pytest.mark.parametrize(
        ("field", "shown"),
        [("name", "张三"), ("phone", "+8613800138000"), ("number", "11010519491231002X")],
    )
    def test_shows_one_field_and_writes_down_the_reason(self, field: str, shown: str) -> None:
        resident = make_resident(number="11010519491231002X")
        by = make_user(Role.GRID_STAFF, resident.grid)

        assert services.uncover(resident=resident, field=field, reason="电话核实", by=by) == shown

        entry = did("uncovered")[0]
        assert (entry.actor, entry.reason, entry.detail["field"]) == (by.key, "", field)
        assert "电话核实" not in str(AuditEntry.objects.values())
        assert words_of(entry) == "电话核实"

    def test_asks_for_a_reason(self) -> None:
        with pytest.raises(ValidationError):
            services.uncover(resident=make_resident(), field="phone", reason=" ", by=make_user())
        assert not did("uncovered")

    def test_shows_nothing_else_of_the_row(self) -> None:
        with pytest.raises(ValueError, match="number_hash"):
            services.uncover(
                resident=make_resident(), field="number_hash", reason="why", by=make_user()
            )


class TestVisibleTo:
    def test_is_what_lies_below_ones_areas(self) -> None:
        community = make_community()
        own = make_resident(grid=make_grid(community))
        make_resident()

        for by, sees in (
            (make_user(Role.SUPERVISOR, community), [own]),
            (make_user(Role.GRID_STAFF, own.grid), [own]),
            (make_user(Role.GRID_STAFF), []),
            (make_user(Role.ADMINISTRATOR, community), []),
            (make_user(Role.AUDITOR, community), []),
            (make_user(Role.SUPERVISOR, community, is_active=False), []),
        ):
            assert list(Resident.objects.visible_to(by)) == sees
