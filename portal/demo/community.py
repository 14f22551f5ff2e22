"""The demo's buildings, households and residents, generated and clearly so."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from stdnum.iso7064 import mod_11_2

from accounts.staff.models import Area
from common.encryption import search_hash
from portal.demo.places import BAYANNUR
from residents.register.addresses import building_key
from residents.register.models import Building, Household, Resident
from residents.register.services import (
    DOOR,
    door_columns,
    name_columns,
    number_columns,
    phone_columns,
)

MAINLAND_ID = Resident.DocumentType.MAINLAND_ID
SEED = 20221114
# No county has this code: numbers under it were never given to anybody.
NO_COUNTY = "199901"
SURNAMES = "示例样范演"
# The first hundred-odd characters of the Thousand Character Classic: given names that look it.
GIVEN = (
    "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳云腾致雨露结为霜"
    "金生丽水玉出昆冈剑号巨阙珠称夜光果珍李柰菜重芥姜海咸河淡鳞潜羽翔龙师火帝鸟官人皇"
)
_BUILDINGS, _UNITS, _FLOORS, _DOORS = 4, 2, 6, 2


@dataclass
class _People:
    """Generates people, each number once."""

    chance: random.Random
    today: date
    made: int = 0

    def household(self, household: Household, grid: Area, *, at: datetime) -> Iterator[Resident]:
        """Yield those who live behind one door: one to five, of ages that go together."""
        adult = self.chance.randint(24, 82)
        ages = [adult]
        if self.chance.random() < 0.7:
            ages.append(max(20, adult + self.chance.randint(-4, 4)))
        children = 0 if adult > 50 else self.chance.choice((0, 0, 1, 1, 2))
        ages += [max(0, adult - self.chance.randint(22, 30)) for _ in range(children)]
        if adult < 50 and self.chance.random() < 0.15:
            ages.append(adult + 26)
        for age in ages:
            yield self._person(household, grid, age, at=at)

    def _person(self, household: Household, grid: Area, age: int, *, at: datetime) -> Resident:
        self.made += 1
        born = self.today - timedelta(days=age * 365 + self.chance.randint(1, 364))
        stem = f"{NO_COUNTY}{born:%Y%m%d}{self.made % 1000:03}"
        number = stem + mod_11_2.calc_check_digit(stem)
        phone = "" if age < 12 else f"+86100{self.made:08}"
        name = self._name(grid)
        return Resident(
            household=household,
            grid=grid,
            **name_columns(name),
            **number_columns(MAINLAND_ID, number),
            sex=Resident.Sex.MALE if int(number[16]) % 2 else Resident.Sex.FEMALE,
            birth_date=born,
            **phone_columns(phone),
            created_at=at,
        )

    def _name(self, grid: Area) -> str:
        given_name = "".join(self.chance.sample(GIVEN, self.chance.choice((1, 2, 2))))
        if grid.code.startswith(BAYANNUR) and self.chance.random() < 0.1:
            return f"示例·{given_name}"  # names with a dot, as many have there
        return self.chance.choice(SURNAMES) + given_name


def create_residents(grids: Iterable[Area], *, at: datetime) -> None:
    """Create residents: four buildings a grid, a household behind two doors of three."""
    # Not for secrets: the same community each time.
    people = _People(random.Random(SEED), at.date())  # noqa: S311
    moved_in = at - timedelta(days=90)
    homes = [
        Household(
            building=building,
            unit=f"{unit}单元",
            floor=floor,
            door=f"{floor}{door:02}",
            door_hash=search_hash(f"{floor}{door:02}", context=DOOR),
            **door_columns(f"{unit}单元", f"{floor}{door:02}"),
        )
        for building in _build(grids)
        for unit in range(1, _UNITS + 1)
        for floor in range(1, _FLOORS + 1)
        for door in range(1, _DOORS + 1)
        if people.chance.random() < 0.67
    ]
    Household.objects.bulk_create(homes)
    Resident.objects.bulk_create(
        [
            resident
            for home in homes
            for resident in people.household(home, home.building.grid, at=moved_in)
        ]
    )


def _build(grids: Iterable[Area]) -> list[Building]:
    names = [f"{number}号楼" for number in range(1, _BUILDINGS + 1)]
    return Building.objects.bulk_create(
        [
            Building(grid=grid, name=name, name_key=building_key(name))
            for grid in grids
            for name in names
        ]
    )
