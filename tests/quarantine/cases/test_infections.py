"""Since when people are infected, and until when."""

from datetime import date, timedelta

import pytest

from accounts.staff.models import Area
from quarantine.cases.infections import LONG_AGO, Infection, infections_of
from quarantine.models import Case
from residents.register.models import Resident
from tests.factories import make_arrival, make_case, make_place, make_resident, make_result

pytestmark = pytest.mark.django_db

DAY_1 = date(2022, 11, 20)


def nth(number: int) -> date:
    return DAY_1 + timedelta(days=number - 1)


def infections(resident: Resident) -> list[Infection]:
    return list(infections_of([resident.pk])[resident.pk])


@pytest.fixture
def cangshan() -> Area:
    return make_place("cangshan-2022-324", "350104")


@pytest.fixture
def yingkou() -> Area:
    return make_place("yingkou-2022-11", "210800")


def contact(grid: Area) -> Case:
    return make_case(grid, exposure="close_contact", arrived_from=None, on=DAY_1)


class TestAnInfection:
    def test_begins_with_the_first_positive_and_lasts(self, cangshan: Area) -> None:
        case = contact(cangshan)
        make_result(case, nth(3), outcome="positive")
        make_result(case, nth(5), outcome="positive")

        assert infections(case.resident) == [Infection(nth(3), None)]

    def test_begins_with_the_arrival_of_who_came_infected(self, cangshan: Area) -> None:
        came = make_arrival(cangshan, on=DAY_1, exposure="infected", clinical="mild")

        assert infections(came.arrival.resident) == [Infection(DAY_1, None)]

    def test_ends_with_the_release(self, cangshan: Area) -> None:
        case = contact(cangshan)
        opened = make_result(case, nth(2), outcome="positive").opened
        assert opened
        Case.objects.filter(pk=opened.pk).update(
            closed_on=nth(9), closed_as=Case.ClosedAs.RELEASED
        )

        (infection,) = infections(case.resident)

        assert infection == Infection(nth(2), nth(9))
        assert (infection.covers(nth(9)), infection.covers(nth(10))) == (True, False)

    def test_of_somebody_referred_lasts_until_they_come_back(self, yingkou: Area) -> None:
        case = make_case(yingkou, on=DAY_1)
        make_result(case, nth(2), outcome="positive")
        assert infections(case.resident) == [Infection(nth(2), nth(2) + LONG_AGO)]

        make_arrival(yingkou, resident=case.resident, on=nth(12), arrived_from="310000")

        assert infections(case.resident) == [Infection(nth(2), nth(12))]

    def test_is_none_where_nobody_was_found_positive(self, cangshan: Area) -> None:
        case = contact(cangshan)
        make_result(case, nth(1))

        assert infections(case.resident) == []
        assert infections(make_resident(grid=cangshan)) == []
