"""Moving, leaving, dying, coming back: who lives where since when."""

from datetime import date, timedelta

import pytest

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, Role, User
from residents.register import services
from residents.register.models import Resident
from residents.relocation import handovers, moves
from residents.relocation.models import Handover, Move
from tests.factories import (
    NOW,
    make_community,
    make_grid,
    make_household,
    make_resident,
    make_user,
)

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def resident() -> Resident:
    return make_resident()


@pytest.fixture
def by(resident: Resident) -> User:
    return make_user(Role.SUPERVISOR, Area.objects.get_parent(resident.grid))


def left(resident: Resident, by: User, day: date = TODAY) -> Move:
    return moves.leave(
        resident=resident, version=resident.version, day=day, place="兰州", at=NOW, by=by
    )


def moved(resident: Resident, by: User, day: date = TODAY) -> Move:
    home = make_household(grid=resident.grid)
    return moves.move(
        resident=resident, household=home, version=resident.version, day=day, at=NOW, by=by
    )


class TestAMove:
    def test_takes_the_grid_along_and_is_written_down(self, resident: Resident, by: User) -> None:
        home = make_household()

        made = moves.move(resident=resident, household=home, version=1, day=TODAY, at=NOW, by=by)

        assert (resident.household, resident.grid) == (home, home.building.grid)
        entry = AuditEntry.objects.get(did="moved")
        assert (entry.actor, entry.detail) == (by.key, {"move": str(made.key)})

    def test_is_refused_when_somebody_else_was_faster(self, resident: Resident, by: User) -> None:
        moved(resident, by)

        with pytest.raises(services.ChangedMeanwhileError):
            moves.move(
                resident=resident, household=make_household(), version=1, day=TODAY, at=NOW, by=by
            )

    def test_to_the_same_door_is_none(self, resident: Resident, by: User) -> None:
        with pytest.raises(moves.SameDoorError):
            moves.move(
                resident=resident,
                household=resident.household,
                version=1,
                day=TODAY,
                at=NOW,
                by=by,
            )

    @pytest.mark.parametrize("day", [TODAY + timedelta(days=1), date(1900, 1, 1)])
    def test_of_an_impossible_day_is_refused(
        self, resident: Resident, by: User, day: date
    ) -> None:
        with pytest.raises(moves.MoveDayError):
            left(resident, by, day)

    def test_before_an_earlier_one_is_refused(self, resident: Resident, by: User) -> None:
        moved(resident, by)

        with pytest.raises(moves.MoveDayError, match=f"{TODAY.month}月{TODAY.day}日"):
            left(resident, by, YESTERDAY)


class TestWhoLeft:
    def test_is_no_longer_listed_and_can_still_be_opened(
        self, resident: Resident, by: User
    ) -> None:
        left(resident, by)

        assert not Resident.objects.visible_to(by).here().exists()
        assert Resident.objects.visible_to(by).get() == resident

    def test_may_not_move_before_coming_back(self, resident: Resident, by: User) -> None:
        left(resident, by)

        with pytest.raises(moves.GoneError):
            moved(resident, by)

    def test_comes_back_to_a_door_and_a_death_in_error_is_mended(
        self, resident: Resident, by: User
    ) -> None:
        moves.die(resident=resident, version=1, day=TODAY, at=NOW, by=by)
        home = make_household(grid=resident.grid)

        moves.come_back(resident=resident, household=home, version=2, day=TODAY, at=NOW, by=by)

        assert (resident.gone_as, resident.gone_on, resident.household) == ("", None, home)
        with pytest.raises(moves.HereError):
            moves.come_back(resident=resident, household=home, version=3, day=TODAY, at=NOW, by=by)

    def test_may_have_said_where_to_which_the_database_does_not_hold_legibly(
        self, resident: Resident, by: User
    ) -> None:
        made = left(resident, by)

        assert Move.objects.get(pk=made.pk).place == "兰州"


class TestTakingBack:
    def test_puts_everything_where_it_was(self, resident: Resident, by: User) -> None:
        home = resident.household
        moves.take_back(move=moved(resident, by), at=NOW, by=by)
        resident.refresh_from_db()
        assert (resident.household, resident.grid) == (home, home.building.grid)

        moves.take_back(move=left(resident, by), at=NOW, by=by)
        resident.refresh_from_db()
        assert resident.gone_as == ""

    def test_of_a_return_leaves_them_gone(self, resident: Resident, by: User) -> None:
        left(resident, by, YESTERDAY)
        back = moves.come_back(
            resident=resident, household=make_household(), version=2, day=TODAY, at=NOW, by=by
        )

        moves.take_back(move=back, at=NOW, by=by)

        resident.refresh_from_db()
        assert (resident.gone_as, resident.gone_on) == ("left", YESTERDAY)

    def test_is_refused_once_something_else_changed(self, resident: Resident, by: User) -> None:
        made = moved(resident, by)
        services.change(resident=resident, version=2, phone="13900139000", at=NOW, by=by)

        with pytest.raises(moves.FollowedError):
            moves.take_back(move=made, at=NOW, by=by)
        assert Move.objects.valid().get() == made

    def test_is_done_once(self, resident: Resident, by: User) -> None:
        made = moved(resident, by)
        moves.take_back(move=made, at=NOW, by=by)

        with pytest.raises(moves.FollowedError):
            moves.take_back(move=made, at=NOW, by=by)


def test_where_somebody_lived_is_told_from_day_to_day(resident: Resident, by: User) -> None:
    first, days = resident.household, [TODAY - timedelta(days=n) for n in (9, 6, 3)]
    second = moved(resident, by, days[0]).entered
    left(resident, by, days[1])
    third = make_household()
    moves.come_back(resident=resident, household=third, version=3, day=days[2], at=NOW, by=by)

    assert [(home.household, home.since, home.until) for home in moves.homes_of(resident)] == [
        (third, days[2], None),
        (second, days[0], days[1]),
        (first, None, days[0]),
    ]


class TestAHandover:
    def offered(self, resident: Resident, by: User) -> Handover:
        other = make_community()
        return handovers.offer(resident=resident, to=other, day=TODAY, at=NOW, by=by)

    def test_is_seen_from_both_sides_and_changes_nothing_yet(
        self, resident: Resident, by: User
    ) -> None:
        grid = resident.grid
        handover = self.offered(resident, by)
        other = make_user(Role.SUPERVISOR, handover.to)

        assert Handover.objects.visible_to(by).waiting().get() == handover
        assert Handover.objects.coming_to(other).waiting().get() == handover
        assert not Handover.objects.visible_to(make_user(Role.SUPERVISOR, make_grid())).exists()
        assert Resident.objects.get().grid == grid
        assert not Resident.objects.visible_to(other).exists()

    def test_is_offered_once_at_a_time(self, resident: Resident, by: User) -> None:
        handover = self.offered(resident, by)
        with pytest.raises(handovers.HandoverError):
            self.offered(resident, by)

        handovers.withdraw(handover=handover, at=NOW, by=by)
        self.offered(resident, by)

    def test_is_answered_once(self, resident: Resident, by: User) -> None:
        handover = self.offered(resident, by)
        handovers.refuse(handover=handover, reason="不住在本社区", at=NOW, by=by)

        with pytest.raises(handovers.HandoverError):
            handovers.accept(handover=handover, at=NOW, by=by)

    def test_to_an_area_of_ones_own_is_a_move(self, resident: Resident, by: User) -> None:
        own = Area.objects.get_parent(resident.grid)

        with pytest.raises(handovers.OwnAreaError):
            handovers.offer(resident=resident, to=own, day=TODAY, at=NOW, by=by)

    def test_finds_the_community_by_code_or_by_its_only_name(self) -> None:
        community = make_community()

        assert handovers.find_community(f"{community.name} {community.code}") == community
        assert handovers.find_community(community.name) == community
        with pytest.raises(handovers.OwnAreaError):
            handovers.find_community("没有这个社区")
