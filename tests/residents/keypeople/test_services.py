"""Writing health files, doses, needs and contacts."""

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, User
from common.errors import RefusedError
from residents.keypeople import services
from residents.keypeople.facts import KeyFacts
from residents.keypeople.models import Contact, HealthFile, Need
from residents.register.models import Resident
from tests.factories import (
    NOW,
    make_dose,
    make_file,
    make_grid,
    make_need,
    make_resident,
    make_user,
)

pytestmark = pytest.mark.django_db

TODAY = NOW.date()


@pytest.fixture
def grid() -> Area:
    return make_grid()


@pytest.fixture
def resident(grid: Area) -> Resident:
    return make_resident(grid=grid)


@pytest.fixture
def staff(grid: Area) -> User:
    return make_user("grid_staff", grid)


class TestTheFile:
    def test_is_one_for_one_person(self, resident: Resident) -> None:
        make_file(resident, conditions=("copd",))
        make_dose(resident)
        file = make_file(resident, living_alone=True)
        assert HealthFile.objects.filter(resident=resident).count() == 1
        assert file.known == KeyFacts(living_alone=True, doses=(("inactivated", 1),))

    def test_is_not_written_over_what_somebody_else_saved(
        self, resident: Resident, staff: User
    ) -> None:
        make_file(resident, disabled=True)
        with pytest.raises(services.ChangedError):
            services.note_facts(
                resident=resident, facts=KeyFacts(), contraindication="", note="", version=0,
                at=NOW, by=staff,
            )  # fmt: skip
        assert HealthFile.objects.get().known.disabled

    def test_tells_the_audit_that_it_changed_and_not_what(self, resident: Resident) -> None:
        make_file(resident, pregnant=True)
        entry = AuditEntry.objects.get(did="changed health file")
        assert "pregnant" not in f"{entry.detail}{entry.reason}"


class TestADose:
    @pytest.mark.parametrize("day", [TODAY + timedelta(days=1), date(1900, 1, 1)])
    def test_lies_in_the_life_of_the_person(self, resident: Resident, day: date) -> None:
        with pytest.raises(services.DoseError):
            make_dose(resident, day)

    def test_is_one_a_day_unless_the_first_was_taken_back(
        self, resident: Resident, staff: User
    ) -> None:
        dose = make_dose(resident)
        with pytest.raises(services.DoseError):
            make_dose(resident)
        services.withdraw_dose(dose=dose, at=NOW, by=staff)
        assert make_dose(resident, product="vector").product == "vector"
        assert HealthFile.objects.get().known.doses == (("vector", 1),)


class TestAColour:
    def test_by_hand_needs_a_reason(self, resident: Resident, staff: User) -> None:
        with pytest.raises(services.WordsMissingError):
            services.give_colour(resident=resident, colour="red", reason=" ", at=NOW, by=staff)


class TestANeed:
    def test_is_due_from_its_day_on_until_it_is_closed(
        self, resident: Resident, staff: User
    ) -> None:
        need = make_need(resident, next_on=TODAY + timedelta(days=1), by=staff)
        assert not Need.objects.due(TODAY)
        assert list(Need.objects.due(TODAY + timedelta(days=5))) == [need]
        self.contact(need, staff, next_on=None)
        assert not Need.objects.due(TODAY + timedelta(days=5))

    def test_counts_two_taps_as_one_contact(self, resident: Resident, staff: User) -> None:
        need, key = make_need(resident, by=staff), uuid4()
        for _tap in range(2):
            self.contact(need, staff, key=key, next_on=TODAY + timedelta(days=3))
        assert Contact.objects.count() == 1

    def test_takes_no_contact_once_it_is_closed(self, resident: Resident, staff: User) -> None:
        need = make_need(resident, by=staff)
        self.contact(need, staff, next_on=None)
        with pytest.raises(services.ClosedError):
            self.contact(need, staff, next_on=TODAY)

    def test_has_its_next_contact_in_the_future_and_somebody_of_the_place(
        self, resident: Resident
    ) -> None:
        for given in ({"next_on": TODAY - timedelta(days=1)}, {"by": make_user("grid_staff")}):
            with pytest.raises(RefusedError):
                make_need(resident, **given)

    @staticmethod
    def contact(need: Need, by: User, *, next_on: date | None, key: UUID | None = None) -> None:
        services.record_contact(
            need=need,
            key=key or uuid4(),
            how=Contact.How.CALL,
            words="",
            next_on=next_on,
            at=NOW,
            by=by,
        )
