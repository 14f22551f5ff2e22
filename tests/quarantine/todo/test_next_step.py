"""What a to-do asks next, with the clause."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from accounts.staff.models import Area, Role, User
from quarantine.acts.daily_checks import Symptom, daily_check
from quarantine.arrivals.services import Logged
from quarantine.models import Case
from quarantine.todo.models import Todo
from quarantine.todo.next_step import brief, cause_text, next_step
from tests.factories import NOW, make_arrival, make_place, make_resident, make_result, make_user

pytestmark = pytest.mark.django_db
Arrive = Callable[..., Logged]


def fever(case: Case, by: User) -> Todo:
    daily_check(
        case=case, temperature=Decimal("38.6"), symptoms=[Symptom.COUGH], note="", at=NOW, by=by
    )
    return Todo.objects.with_details().get(case=case, kind=Todo.Kind.SYMPTOMS)


class TestNextStep:
    def test_of_symptoms_says_how_to_see_a_doctor_and_by_which_clause(
        self, arrive: Arrive, staff: User
    ) -> None:
        case: Any = arrive().case

        step = next_step(fever(case, staff), at=NOW)

        assert step.cited
        assert step.cited.document in {"bayannur-2022-71", "cn-2022-101"}
        assert "救护" in step.terms or "专车" in step.terms or "Ambulance" in step.terms

    def test_of_an_infected_person_with_symptoms_asks_for_the_clinical_class(self) -> None:
        grid = make_place("cangshan-2022-324", "350104")
        staff = make_user(Role.GRID_STAFF, grid)
        case: Any = make_arrival(grid, on=NOW.date(), at=NOW, by=staff, exposure="infected").case

        step = next_step(fever(case, staff), at=NOW)

        assert step.cited
        assert (step.cited.document, step.cited.clause) == ("cangshan-2022-324", "6")

    def test_of_a_referral_cites_nothing_where_no_text_knows_infected_people(
        self, grid: Area, staff: User
    ) -> None:
        make_arrival(grid, on=NOW.date(), at=NOW, by=staff, exposure="infected")
        todo = Todo.objects.with_details().get()

        assert next_step(todo, at=NOW) == (brief(todo), "", None)

    def test_of_a_severe_case_cites_the_clause_that_passes_it_on(self) -> None:
        grid = make_place("cn-2022-113", "150802")
        staff = make_user(Role.GRID_STAFF, grid)
        make_arrival(grid, on=NOW.date(), at=NOW, by=staff, exposure="infected", clinical="severe")

        step = next_step(Todo.objects.with_details().get(), at=NOW)

        assert step.cited
        assert (step.cited.document, step.cited.clause) == ("cn-2022-113", "3")

    def test_of_a_household_cites_the_clause_on_contacts(self, grid: Area, staff: User) -> None:
        resident = make_resident(grid=grid, by=staff)
        make_resident(household=resident.household, by=staff)
        make_arrival(grid, on=NOW.date(), at=NOW, by=staff, exposure="infected", resident=resident)
        todo = Todo.objects.with_details().get(kind=Todo.Kind.HOUSEHOLD)

        assert next_step(todo, at=NOW).cited


class TestCauseText:
    def test_says_the_temperature_and_the_symptoms(self, arrive: Arrive, staff: User) -> None:
        case: Any = arrive().case

        assert "38.6" in cause_text(fever(case, staff))

    def test_says_the_result(self, grid: Area, staff: User) -> None:
        case: Any = make_arrival(grid, on=NOW.date(), at=NOW, by=staff, arrived_from="620100").case
        make_result(case, NOW.date(), outcome="positive", ct="22")

        todo = Todo.objects.with_details().get(kind=Todo.Kind.REFER)
        assert cause_text(todo) is not None

    @pytest.mark.parametrize("kind", list(Todo.Kind))
    def test_every_kind_asks_something(self, kind: Todo.Kind) -> None:
        assert brief(Todo(kind=kind))
