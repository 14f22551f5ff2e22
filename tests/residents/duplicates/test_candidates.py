"""Pairs that may be one person; and what is no reason to think so."""

from datetime import date
from typing import Any

import pytest

from accounts.staff.models import Area, Role, User
from residents.duplicates import candidates
from residents.duplicates.candidates import (
    MatchReason,
    differ_by_one_edit,
    find_pairs,
    mark_as_different,
)
from residents.register.models import Resident
from tests.factories import (
    NOW,
    id_number,
    make_community,
    make_grid,
    make_household,
    make_resident,
    make_user,
)

pytestmark = pytest.mark.django_db

NONE = Resident.DocumentType.NONE
PASSPORT = Resident.DocumentType.PASSPORT
BORN = date(2022, 11, 1)


@pytest.fixture
def grid() -> Area:
    return make_grid()


@pytest.fixture
def by(grid: Area) -> User:
    return make_user(Role.SUPERVISOR, Area.objects.get_parent(grid))


def found(by: User) -> list[tuple[set[int], tuple[MatchReason, ...]]]:
    grids = Area.objects.below(by).filter(level=Area.Level.GRID)
    return [
        ({pair.first.pk, pair.second.pk}, pair.reasons)
        for pair in find_pairs(grids=grids, by=by).pairs
    ]


def newborn(**given: Any) -> Resident:
    return make_resident(document_type=NONE, number=" ", birth_date=BORN, phone="", **given)


class TestAPair:
    def test_has_one_name_and_one_phone_at_two_doors(self, grid: Area, by: User) -> None:
        pair = [make_resident(grid=grid, name="李小明", phone="13900139000") for _ in range(2)]

        assert found(by) == [({r.pk for r in pair}, (MatchReason.PHONE,))]

    def test_has_one_name_birth_date_and_door(self, grid: Area, by: User) -> None:
        home = make_household(grid=grid)
        first = make_resident(
            household=home, number=id_number(date(1980, 1, 1)), phone="13900139000"
        )
        second = make_resident(household=home, number=id_number(date(1980, 1, 1)), phone="")

        assert ({first.pk, second.pk}, (MatchReason.HOME,)) in found(by)

    def test_is_a_newborn_and_the_same_child_with_a_number(self, grid: Area, by: User) -> None:
        home = make_household(grid=grid)
        child = newborn(household=home, name="李宝宝")
        named = make_resident(household=home, name="李天佑", number=id_number(BORN), phone="")

        assert found(by) == [({child.pk, named.pk}, (MatchReason.NEWBORN,))]

    @pytest.mark.parametrize("typed", ["E12345687", "E1234578", "E12345578", "E123456789"])
    def test_has_numbers_that_differ_by_one_slip(self, grid: Area, by: User, typed: str) -> None:
        home = make_household(grid=grid)
        pair = [
            make_resident(household=home, number=number, document_type=PASSPORT, phone=phone)
            for number, phone in (("E12345678", "13900139000"), (typed, ""))
        ]

        assert found(by) == [({r.pk for r in pair}, (MatchReason.NUMBER,))]


class TestNoPair:
    def test_are_twins(self, grid: Area, by: User) -> None:
        home = make_household(grid=grid)
        newborn(household=home, name="李天佑")
        newborn(household=home, name="李天赐")

        assert not found(by)

    def test_are_people_of_one_name(self, grid: Area, by: User) -> None:
        make_resident(grid=grid, phone="13900139000")
        make_resident(grid=grid, phone="13900139001")

        assert not found(by)

    def test_are_a_couple_that_shares_a_phone(self, grid: Area, by: User) -> None:
        home = make_household(grid=grid)
        make_resident(household=home, name="李小明")
        make_resident(household=home, name="王小红")

        assert not found(by)

    def test_lies_partly_in_areas_of_others(self, grid: Area, by: User) -> None:
        make_resident(grid=grid)
        make_resident(grid=make_grid(make_community()))

        assert not found(by)

    def test_is_who_has_left(self, grid: Area, by: User) -> None:
        pair = [make_resident(grid=grid) for _ in range(2)]
        Resident.objects.filter(pk=pair[0].pk).update(gone_as="left", gone_on=BORN)

        assert not found(by)

    def test_are_those_whom_somebody_told_apart(self, grid: Area, by: User) -> None:
        first, second = (make_resident(grid=grid) for _ in range(2))

        mark_as_different(first=second, second=first, at=NOW, by=by)

        assert not found(by)


def test_pairs_come_in_pages(grid: Area, by: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "SHOWN", 2)
    home = make_household(grid=grid)
    for _ in range(3):
        make_resident(household=home)
    grids = Area.objects.filter(pk=grid.pk)

    first = find_pairs(grids=grids, by=by)
    second = find_pairs(grids=grids, after=first.next, by=by)

    assert [len(page.pairs) for page in (first, second)] == [2, 1]
    assert second.next == ""


@pytest.mark.parametrize(
    ("one", "other", "slip"),
    [
        ("12345", "12345", False),
        ("12345", "12354", True),
        ("12345", "12395", True),
        ("12345", "1234", True),
        ("12345", "123456", True),
        ("12345", "21354", False),
        ("12345", "54321", False),
        ("12345", "123", False),
    ],
)
def test_one_slip_is_a_wrong_missing_or_swapped_character(
    one: str, other: str, slip: bool
) -> None:
    assert differ_by_one_edit(one, other) is slip
    assert differ_by_one_edit(other, one) is slip
