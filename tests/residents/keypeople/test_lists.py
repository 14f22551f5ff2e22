"""Who is listed: counted by kinds of people, and the same as when each is asked about."""

from collections import Counter
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from accounts.staff.models import Area
from policy.engine.decisions.colours import DEFAULT, ColourRule, Standard
from policy.engine.decisions.people import list_person
from policy.services import in_force, library
from residents.keypeople import services, standards
from residents.keypeople.facts import CONDITIONS, NOTHING, KeyFacts
from residents.keypeople.lists import KeyLists, Placing, born_by, key_lists, regimes_over
from residents.keypeople.models import Dose, HealthFile
from residents.keypeople.standards import FULL, KeyRules
from residents.register.models import Resident
from tests.factories import (
    NOW,
    id_number,
    make_community,
    make_dose,
    make_file,
    make_grid,
    make_household,
    make_place,
    make_resident,
    make_user,
    put_in_force,
)

pytestmark = pytest.mark.django_db

TODAY = date(2022, 11, 22)
SIXTY, EIGHTY = date(1962, 11, 22), date(1942, 11, 22)
DAY = timedelta(days=1)


@pytest.fixture
def cangshan() -> Area:
    return make_place("cangshan-2022-324", "350104")


@pytest.fixture
def bayannur() -> Area:
    """101号 lists elders as such; Bayannur's own notice is silent."""
    return make_place("bayannur-2022-71", "150802")


def lists_of(*grids: Area) -> KeyLists:
    regimes = regimes_over(grids, at=NOW)
    return key_lists(residents=Resident.objects.all(), regimes=regimes, on=TODAY)


def listed(placing: Placing) -> bool:
    return placing.listing.listed


def born(grid: Area, day: date, **facts: Any) -> Resident:
    resident = make_resident(grid=grid, number=id_number(day))
    if facts:
        make_file(resident, **facts)
    return resident


class TestBirthdays:
    @given(
        st.dates(date(1900, 1, 1), date(2022, 12, 31)),
        st.dates(date(2022, 11, 1), date(2032, 3, 1)),
        st.integers(1, 90),
    )
    def test_bound_the_age_as_the_page_counts_it(self, day: date, on: date, age: int) -> None:
        full_years = Resident(birth_date=day).age(on)
        assert full_years is not None
        assert (day <= born_by(age, on)) == (full_years >= age)

    @pytest.mark.parametrize(("age", "day"), [(60, SIXTY), (80, EIGHTY)])
    def test_put_somebody_on_the_list_of_that_age_on_the_day_itself(
        self, bayannur: Area, age: int, day: date
    ) -> None:
        born(bayannur, day)
        born(bayannur, day + DAY)
        lists = lists_of(bayannur)
        assert lists.count(lambda placing: placing.age >= age and placing.to_vaccinate) == 1


class TestLists:
    def test_follow_the_law_of_each_grid(self, bayannur: Area, cangshan: Area) -> None:
        healthy_elder = born(bayannur, SIXTY)
        born(cangshan, SIXTY)
        ill = born(cangshan, date(1957, 11, 22), conditions=("diabetes",))
        born(cangshan, date(1957, 11, 23), conditions=("diabetes",))  # 64: not Cangshan's list
        lists = lists_of(bayannur, cangshan)
        assert set(lists.residents_where(listed)) == {healthy_elder, ill}
        assert lists.by_category() == {"elderly": 1, "chronic_disease": 1}

    def test_say_the_same_as_the_engine_asked_for_each_person(
        self, bayannur: Area, cangshan: Area
    ) -> None:
        chance = Random(7)  # noqa: S311
        grids = (bayannur, cangshan)
        for number in range(60):
            resident = born(
                grids[number % 2],
                date(1930, 1, 1) + timedelta(days=chance.randrange(33_000)),
                conditions=tuple(chance.sample(CONDITIONS, chance.choice((0, 0, 1, 2)))),
                living_alone=chance.random() < 0.3,
                pregnant=chance.random() < 0.1,
                disabled=chance.random() < 0.1,
                stable=chance.random() < 0.7,
            )
            if chance.random() < 0.5:
                make_dose(resident, max(date(2022, 3, 1), resident.birth_date or TODAY))
        lists = lists_of(*grids)
        expected: Counter[str] = Counter()
        people = set()
        for resident in Resident.objects.select_related("health_file", "grid"):
            law = in_force(area=resident.grid, at=NOW)
            assert law is not None
            person = resident.health_file.known.resident(resident.age(TODAY) or 0, FULL)
            told = list_person(law, person, DEFAULT)
            expected.update(told.categories)
            people |= {resident} if told.listed else set()
            assert lists.of(resident).listing == told
        assert lists.by_category() == expected
        assert set(lists.residents_where(listed)) == people

    def test_cost_the_same_few_queries_for_any_number_of_people(
        self, bayannur: Area, cangshan: Area, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(12):
            born((bayannur, cangshan)[number % 2], SIXTY, conditions=(CONDITIONS[number % 9],))
        with django_assert_max_num_queries(
            7
        ):  # documents, laws (2), standards, counts, facts; people
            assert len(lists_of(bayannur, cangshan).residents_where(listed)) == 6

    def test_leave_out_nobody_whose_birth_date_is_not_known(self, bayannur: Area) -> None:
        passport = make_resident(
            grid=bayannur, document_type="passport", number="E12345678", birth_date=None
        )
        make_file(passport, pregnant=True)
        assert list(lists_of(bayannur).residents_where(listed)) == [passport]

    def test_are_empty_where_no_document_is_in_force(self) -> None:
        grid = make_grid(make_community("220104"))
        born(grid, EIGHTY, conditions=("tumour",))
        assert lists_of(grid).counts == {}

    def test_follow_another_document_at_once(self, bayannur: Area) -> None:
        born(bayannur, SIXTY)
        assert lists_of(bayannur).count(listed) == 1
        put_in_force("cn-2022-113", bayannur)
        assert lists_of(bayannur).count(listed) == 0

    def test_show_what_another_document_would_change(self, bayannur: Area) -> None:
        born(bayannur, SIXTY)
        born(bayannur, date(1990, 1, 1), disabled=True)
        lists, law = lists_of(bayannur), library().law("cn-2022-113")
        moved = {
            (
                lists.placing(kind).listing.categories,
                lists.placing(kind, law=law).listing.categories,
            )
            for kind in lists.counts
        }
        assert moved == {(("elderly",), ()), ((), ("disabled",))}


class TestColours:
    def test_are_given_only_where_the_clause_has_them(
        self, bayannur: Area, cangshan: Area
    ) -> None:
        for grid in (bayannur, cangshan):
            born(grid, EIGHTY, conditions=("copd",))
        lists = lists_of(bayannur, cangshan)
        assert {lists.placing(kind).colour for kind in lists.counts} == {None, "red"}

    def test_follow_the_standard_of_the_place_from_its_moment_on(self, cangshan: Area) -> None:
        born(cangshan, EIGHTY, conditions=("copd",))
        assert lists_of(cangshan).count(lambda placing: placing.colour == "red") == 1
        rules = KeyRules(
            Standard(red=ColourRule(unstable=True), yellow=ColourRule(age_at_least=80))
        )
        standards.set_rules(
            area=Area.objects.get(code="350104"),
            rules=rules,
            reason="按区卫健局标准",
            at=NOW,
            by=make_user("supervisor"),
        )
        assert lists_of(cangshan).count(lambda placing: placing.colour == "yellow") == 1

    def test_given_by_hand_go_before_the_standard(self, cangshan: Area) -> None:
        resident = born(cangshan, date(1955, 1, 1), conditions=("copd",))
        services.give_colour(
            resident=resident, colour="red", reason="近期两次住院", at=NOW, by=make_user()
        )
        (reds,) = lists_of(cangshan).residents_where(lambda placing: placing.colour == "red")
        assert reds == resident


class TestVaccination:
    def test_is_full_by_the_doses_of_the_product(self, bayannur: Area) -> None:
        resident = born(bayannur, SIXTY)
        for day, state in ((date(2021, 6, 1), "partial"), (date(2021, 8, 1), "full")):
            make_dose(resident, day)
            file = HealthFile.objects.get(resident=resident)
            assert file.known.vaccination(FULL) == state
        assert lists_of(bayannur).count(lambda placing: placing.to_vaccinate) == 0

    def test_is_not_asked_of_somebody_whom_it_would_harm(self, bayannur: Area) -> None:
        services.note_facts(
            resident=born(bayannur, EIGHTY),
            facts=NOTHING,
            contraindication="既往严重过敏",
            note="",
            version=0,
            at=NOW,
            by=make_user("grid_staff", bayannur),
        )
        assert lists_of(bayannur).count(lambda placing: placing.to_vaccinate) == 0
        assert lists_of(bayannur).count(lambda placing: placing.listing.vaccination_target) == 1


class TestTheDatabase:
    def test_holds_nothing_legible_about_health(self, cangshan: Area) -> None:
        resident = make_resident(household=make_household(grid=cangshan))
        make_file(resident, conditions=("haemodialysis",), pregnant=True)
        make_dose(resident)
        with connection.cursor() as cursor:
            for model in (HealthFile, Dose):
                table = model._meta.db_table
                cursor.execute(f"SELECT row_to_json(t)::text FROM {table} t")  # noqa: S608
                text = cursor.fetchone()[0]
                for word in ("haemodialysis", "pregnant", "inactivated", "2022-03-01"):
                    assert word not in text
                    assert word.encode().hex() not in text

    def test_gives_equal_facts_equal_tokens_in_any_order(self) -> None:
        one = KeyFacts(conditions=("copd", "diabetes"))
        assert one.token == KeyFacts(conditions=("diabetes", "copd")).token
        assert one.token != KeyFacts(conditions=("copd",)).token
