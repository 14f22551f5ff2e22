"""What the register says of somebody: a number that is owed, a phone of somebody gone."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.staff.models import Role, User
from residents.duplicates.candidates import MatchReason, find_pairs_of
from residents.register import services
from residents.register.models import Household, Resident
from residents.register.services import AlreadyRegisteredError
from residents.relocation import moves
from residents.search.people import search
from tests.factories import NOW, id_number, make_household, make_resident, make_user

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def household() -> Household:
    return make_household()


@pytest.fixture
def by(household: Household) -> User:
    return make_user(Role.GRID_STAFF, household.building.grid)


def without_papers(household: Household, by: User, name: str = "李大明") -> Resident:
    return make_resident(
        household=household,
        by=by,
        name=name,
        document_type=Resident.DocumentType.TO_FOLLOW,
        number=" ",
        phone="13900139000",
    )


def complete(resident: Resident, number: str, by: User) -> None:
    services.change(
        resident=resident,
        version=resident.version,
        document_type=Resident.DocumentType.MAINLAND_ID,
        number=number,
        at=NOW,
        by=by,
    )


class TestANumberToFollow:
    def test_is_owed_until_it_comes(self, household: Household, by: User) -> None:
        resident = without_papers(household, by)
        assert list(Resident.objects.number_to_follow()) == [resident]

        complete(resident, id_number(), by)

        assert not Resident.objects.number_to_follow().exists()

    @pytest.mark.parametrize("text", ["李大明", "lidaming", "13900139000"])
    def test_keeps_nobody_from_being_found(
        self, text: str, household: Household, by: User
    ) -> None:
        resident = without_papers(household, by)

        found = search(text=text, today=NOW.date(), by=by)

        assert found.page.rows == [resident]

    def test_may_be_owed_by_several(self, household: Household, by: User) -> None:
        both = {without_papers(household, by), without_papers(household, by, "李小明")}

        assert set(Resident.objects.number_to_follow()) == both

    def test_stands_with_no_number(self, household: Household, by: User) -> None:
        with pytest.raises(ValidationError):
            make_resident(
                household=household,
                by=by,
                document_type=Resident.DocumentType.TO_FOLLOW,
                number=id_number(),
            )
        resident = without_papers(household, by)
        with pytest.raises(IntegrityError), transaction.atomic():
            Resident.objects.filter(pk=resident.pk).update(number_hash="x")

    def test_that_somebody_has_already_leads_to_that_person(
        self, household: Household, by: User
    ) -> None:
        registered = make_resident(household=household, by=by)
        resident = without_papers(household, by)

        with pytest.raises(AlreadyRegisteredError) as refused:
            complete(resident, registered.number, by)

        assert refused.value.resident == registered

    def test_makes_a_pair_with_the_same_name_behind_the_same_door(
        self, household: Household, by: User
    ) -> None:
        registered = make_resident(household=household, by=by, name="李大明")
        resident = without_papers(household, by)

        (pair,) = find_pairs_of(resident, by=by).pairs

        assert (pair.first, pair.second) == (registered, resident)
        assert pair.reasons == (MatchReason.TO_FOLLOW,)


class TestThePhoneOfSomebodyGone:
    def gone(self, household: Household, by: User) -> Resident:
        mother = make_resident(household=household, by=by, phone="13900139000")
        moves.die(resident=mother, version=mother.version, day=NOW.date(), at=NOW + DAY, by=by)
        return mother

    def test_is_marked_where_it_reaches_others(self, household: Household, by: User) -> None:
        child = make_resident(household=household, by=by, phone="13900139000")
        other = make_resident(household=household, by=by, phone="13800138000")
        before = child.phone_of_gone

        self.gone(household, by)

        assert (before, child.phone_of_gone, other.phone_of_gone) == (False, True, False)

    @pytest.mark.parametrize("phone", ["13700137000", "13900139000"])
    def test_is_marked_until_another_is_entered_or_the_same_again(
        self, phone: str, household: Household, by: User
    ) -> None:
        child = make_resident(household=household, by=by, phone="13900139000")
        self.gone(household, by)

        services.change(
            resident=child, version=child.version, phone=phone, at=NOW + 2 * DAY, by=by
        )

        assert not child.phone_of_gone

    def test_is_known_as_that_of_an_emergency_contact(
        self, household: Household, by: User
    ) -> None:
        child = make_resident(household=household, by=by, emergency_phone="13900139000")
        before = services.gone_under(child.emergency_phone, by=by)

        mother = self.gone(household, by)

        assert before is None
        assert services.gone_under(child.emergency_phone, by=by) == mother
        assert services.gone_under("", by=by) is None
        make_resident(household=household, by=by, phone="13900139000", at=NOW + 2 * DAY)
        assert services.gone_under(child.emergency_phone, by=by) is None

    def test_of_somebody_elsewhere_tells_nobody_that_they_are_gone(
        self, household: Household, by: User
    ) -> None:
        child = make_resident(household=household, by=by, emergency_phone="13900139000")
        elsewhere = make_household()
        self.gone(elsewhere, make_user(Role.GRID_STAFF, elsewhere.building.grid))

        assert services.gone_under(child.emergency_phone, by=by) is None

    def test_is_no_matter_once_the_death_is_taken_back(
        self, household: Household, by: User
    ) -> None:
        child = make_resident(household=household, by=by, phone="13900139000")
        mother = self.gone(household, by)

        moves.take_back(move=mother.moves.get(), at=NOW + DAY, by=by)

        assert not child.phone_of_gone
