"""The database as the last line: no measure without evidence and clause, whoever writes."""

import json
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from policy.engine.decisions.facts import Stay
from policy.models import Provision
from quarantine.models import Case, Plan
from residents.register.models import Resident
from tests.factories import (
    make_arrival,
    make_case,
    make_household,
    make_place,
    make_resident,
    make_result,
)

pytestmark = pytest.mark.django_db

COPY = uuid4()
HIGH_RISK = (Stay("310101", "high", date(2022, 11, 19)),)


@pytest.fixture
def case() -> Case:
    """Make the case of a close contact (Cangshan 2), whose household may follow."""
    cangshan = make_place("cangshan-2022-324", "350104")
    return make_case(cangshan, exposure="close_contact", arrived_from=None)


def execute(statement: str, *values: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def refuses(statement: str, *values: Any) -> str:
    """Run a statement as the application's role would, and return why it was refused."""
    with pytest.raises(DatabaseError) as refused:
        execute(statement, *values)
    return str(refused.value)


def copy_of(case: Case, **changed: Any) -> tuple[str, list[Any]]:
    """Return an INSERT of a row like `case` for somebody else, with some columns changed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM quarantine_case WHERE id = %s", [case.pk])
        row = dict(
            zip([column.name for column in cursor.description], cursor.fetchone(), strict=True)
        )
    del row["id"]
    other = make_resident(household=case.resident.household)
    row.update(
        {
            "key": COPY,
            "resident_id": other.pk,
            "arrival_id": None,
            "index_case_id": case.pk,
            "facts": json.dumps({}),
            **changed,
        }
    )
    columns = ", ".join(row)
    marks = ", ".join(["%s"] * len(row))
    statement = f"INSERT INTO quarantine_case ({columns}) VALUES ({marks})"  # noqa: S608
    return statement, list(row.values())


class TestACase:
    def test_like_a_lawful_one_is_accepted(self, case: Case) -> None:
        statement, values = copy_of(case)

        execute(statement, *values)

        assert Case.objects.count() == 2

    def test_without_a_plan_is_refused(self, case: Case) -> None:
        statement, values = copy_of(case, plan_id=None)

        assert "plan_id" in refuses(statement, *values)

    def test_with_a_plan_that_does_not_exist_is_refused(self, case: Case) -> None:
        statement, values = copy_of(case, plan_id=0)

        assert "plan_id" in refuses(statement, *values)

    def test_without_evidence_is_refused(self, case: Case) -> None:
        statement, values = copy_of(case, index_case_id=None)

        assert "case_has_evidence" in refuses(statement, *values)

    def test_on_the_arrival_of_somebody_else_is_refused(self, case: Case) -> None:
        other = make_arrival(case.grid, arrived_from="310000").arrival
        statement, values = copy_of(case, arrival_id=other.pk, index_case_id=None)

        assert "case_evidence_fits" in refuses(statement, *values)

    def test_on_an_arrival_that_asked_for_nothing_is_refused(self, case: Case) -> None:
        # Zhengzhou, June 2022: people who had only travelled were given a measure by a list.
        traveller = make_arrival(case.grid, arrived_from="310000").arrival
        statement, values = copy_of(
            case, resident_id=traveller.resident_id, arrival_id=traveller.pk, index_case_id=None
        )

        assert "case_evidence_fits" in refuses(statement, *values)

    def test_on_a_case_of_another_household_is_refused(self, case: Case) -> None:
        statement, values = copy_of(case, resident_id=make_resident().pk)

        assert "case_evidence_fits" in refuses(statement, *values)

    def test_on_a_result_of_somebody_else_is_refused(self, case: Case) -> None:
        result = make_result(case, case.day_1).result
        statement, values = copy_of(case, positive_id=result.pk)

        assert "case_evidence_fits" in refuses(statement, *values)

    def test_is_not_given_to_somebody_else(self, case: Case) -> None:
        other = make_resident()

        assert "case_evidence_fits" in refuses(
            "UPDATE quarantine_case SET resident_id = %s", other.pk
        )

    def test_is_not_given_the_plan_of_another_subject(self, case: Case) -> None:
        traveller = make_case(case.grid, arrived_from="310000", stays=HIGH_RISK)
        assert traveller.plan.provision.subject != case.plan.provision.subject

        for one, other in ((case, traveller), (traveller, case)):
            reason = refuses(
                "UPDATE quarantine_case SET plan_id = %s WHERE id = %s", other.plan_id, one.pk
            )
            assert "case_evidence_fits" in reason

    def test_on_a_household_member_is_not_given_the_plan_of_another_subject(
        self, case: Case
    ) -> None:
        statement, values = copy_of(case)
        execute(statement, *values)
        traveller = make_case(case.grid, arrived_from="310000", stays=HIGH_RISK)

        assert "case_evidence_fits" in refuses(
            "UPDATE quarantine_case SET plan_id = %s WHERE key = %s", traveller.plan_id, COPY
        )

    def test_of_an_infected_person_is_not_given_the_plan_of_another_subject(
        self, case: Case
    ) -> None:
        infected = make_result(case, case.day_1, outcome="positive").opened
        assert infected

        assert "case_evidence_fits" in refuses(
            "UPDATE quarantine_case SET plan_id = %s WHERE id = %s", case.plan_id, infected.pk
        )

    def test_is_not_given_the_arrival_of_another_subject(self, case: Case) -> None:
        resident = make_resident(grid=case.grid)
        earlier = make_arrival(
            case.grid, on=date(2022, 11, 1), resident=resident, arrived_from="310000"
        )
        assert earlier.case is None
        contact = make_case(
            case.grid, resident=resident, exposure="close_contact", arrived_from=None
        )

        assert "case_evidence_fits" in refuses(
            "UPDATE quarantine_case SET arrival_id = %s WHERE id = %s",
            earlier.arrival.pk,
            contact.pk,
        )

    def test_of_a_contact_who_moved_away_is_still_replanned(self, case: Case) -> None:
        statement, values = copy_of(case)
        execute(statement, *values)
        contact = Case.objects.get(key=COPY)
        Resident.objects.filter(pk=contact.resident_id).update(household=make_household())

        execute("UPDATE quarantine_case SET plan_id = plan_id WHERE id = %s", contact.pk)

    def test_beside_an_open_one_is_refused(self, case: Case) -> None:
        statement, values = copy_of(case)
        execute(statement, *values)
        again = [uuid4() if value == COPY else value for value in values]

        assert "case_one_governs" in refuses(statement, *again)

    def test_closed_without_saying_how_is_refused(self, case: Case) -> None:
        assert "case_closed_whole" in refuses(
            "UPDATE quarantine_case SET closed_on = %s", date(2022, 11, 25)
        )

    def test_is_not_deleted(self, case: Case) -> None:
        refuses("DELETE FROM quarantine_event")
        assert "Cannot delete" in refuses("DELETE FROM quarantine_case")


class TestAPlan:
    def test_on_a_provision_that_no_document_holds_is_refused(self, case: Case) -> None:
        reason = refuses(
            "INSERT INTO quarantine_plan (digest, provision_id, content) VALUES (%s, %s, %s)",
            "0" * 64,
            0,
            json.dumps(case.plan.content),
        )

        assert "provision_id" in reason

    @pytest.mark.parametrize("said", ["document", "clause", "subject"])
    def test_that_cites_something_else_than_its_provision_is_refused(
        self, case: Case, said: str
    ) -> None:
        for content in (
            {**case.plan.content, said: "other"},
            {key: value for key, value in case.plan.content.items() if key != said},
        ):
            reason = refuses(
                "INSERT INTO quarantine_plan (digest, provision_id, content) VALUES (%s, %s, %s)",
                "0" * 64,
                case.plan.provision_id,
                json.dumps(content),
            )
            assert "plan_rests_on_provision" in reason

    def test_without_a_provision_is_refused(self, case: Case) -> None:
        assert "provision_id" in refuses(
            "INSERT INTO quarantine_plan (digest, content) VALUES (%s, %s)", "0" * 64, "{}"
        )

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE quarantine_plan SET content = '{}'",
            "UPDATE quarantine_plan SET provision_id = %s",
            "DELETE FROM quarantine_plan",
        ],
    )
    def test_is_never_changed(self, case: Case, statement: str) -> None:
        other = Provision.objects.exclude(pk=case.plan.provision_id)[:1]
        values = [other[0].pk] if "%s" in statement else []

        assert "Cannot" in refuses(statement, *values)

    def test_rests_on_a_provision_that_stays(self, case: Case) -> None:
        refuses("DELETE FROM policy_provision WHERE id = %s", case.plan.provision_id)

        assert Plan.objects.filter(pk=case.plan_id).exists()


class TestAProvision:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE policy_provision SET clause = '99'",
            "UPDATE policy_provision SET subject = 'other'",
            "DELETE FROM policy_provision WHERE id NOT IN"
            " (SELECT provision_id FROM quarantine_plan)",
        ],
    )
    def test_is_never_changed(self, case: Case, statement: str) -> None:
        assert "Cannot" in refuses(statement)


class TestAnEvent:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE quarantine_event SET day = day - 1",
            "UPDATE quarantine_event SET kind = 'released'",
            "DELETE FROM quarantine_event",
        ],
    )
    def test_is_never_changed(self, case: Case, statement: str) -> None:
        assert "Cannot" in refuses(statement)


class TestAnArrival:
    @pytest.mark.parametrize(
        "statement",
        ["UPDATE quarantine_arrival SET facts = '{}'", "DELETE FROM quarantine_arrival"],
    )
    def test_is_never_changed(self, case: Case, statement: str) -> None:
        assert "Cannot" in refuses(statement)
