"""Plans in the database, and the cases that nothing explains."""

from datetime import date
from typing import Any

import pgtrigger
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from accounts.auditing.models import AuditEntry
from policy.engine.calendars.plans import Plan as EnginePlan
from policy.engine.decisions.facts import Stay
from policy.models import Provision
from quarantine.cases.governing_law import decision_of
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.cases.plans import plan_of, store_plan, store_plans
from quarantine.models import Case, Plan
from quarantine.tasks import check_every_case_follows_from_law, complete_cases_that_are_over
from tests.factories import make_case, make_place, make_result

pytestmark = pytest.mark.django_db

DAY = date(2022, 11, 20)


class TestStorePlan:
    def test_makes_one_row_for_equal_plans(self) -> None:
        plan = plan_of(make_case().plan)

        assert store_plan(plan) == store_plan(EnginePlan.from_json(plan.to_json()))
        assert Plan.objects.count() == 1

    def test_refuses_a_plan_that_rests_on_nothing(self) -> None:
        invented = EnginePlan("yingkou-2022-11", "99", "arrivals")

        with pytest.raises(Provision.DoesNotExist):
            store_plan(invented)

    def test_asks_once_for_plans_that_are_known(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        yingkou = make_place("yingkou-2022-11", "210800")
        high_risk = make_case(yingkou, stays=(Stay("310101", "high", DAY),))
        plans = [plan_of(make_case(yingkou).plan), plan_of(high_risk.plan)]

        with django_assert_num_queries(1):
            assert len(store_plans(plans)) == 2


class TestDecisionOf:
    def test_gives_the_plan_and_the_reasons_again(self) -> None:
        case = make_case()

        decision = decision_of(case)

        assert decision.plan
        assert decision.plan.digest == case.plan.digest
        assert decision.because


class TestUnexplainedCases:
    @pytest.mark.parametrize(
        ("document", "county", "facts"),
        [
            ("yingkou-2022-11", "210800", {}),
            ("yingkou-2022-11", "210800", {"stays": (Stay(None, "high", DAY),)}),
            ("bayannur-2022-71", "150800", {"arrived_from": "620100"}),
            ("cn-2022-113", "140930", {"exposure": "close_contact", "arrived_from": None}),
            ("hequ-2022-58", "140930", {"exposure": "close_contact", "arrived_from": None}),
            ("cn-2022-101", "140930", {"exposure": "close_contact", "arrived_from": None}),
        ],
    )
    def test_are_none_where_the_services_opened_them(
        self, document: str, county: str, facts: dict[str, Any]
    ) -> None:
        make_case(make_place(document, county), **facts)

        assert unexplained_cases() == []

    @pytest.mark.parametrize(
        "forged",
        [
            {"facts": {}},
            {"facts": {"stays": "yes"}},
            {"facts": {"exposure": "close_contact"}},
            {"law": "cn-2022-101"},
            {"law": "nowhere"},
            {"law_from": DAY},
            {"transition": "follows"},
            {"excepted": "stays"},
            {"history": "1-"},
            {"next_test_on": None},
            {"release_on": DAY},
        ],
    )
    def test_show_a_measure_that_somebody_forged(self, forged: dict[str, Any]) -> None:
        case = make_case(stays=(Stay("310101", "high", DAY),))
        Case.objects.filter(pk=case.pk).update(**forged)

        assert unexplained_cases() == [case]

    def test_show_a_case_under_another_plan(self) -> None:
        yingkou = make_place("yingkou-2022-11", "210800")
        lenient = make_case(yingkou)
        strict = make_case(yingkou, stays=(Stay("310101", "high", DAY),))
        with pgtrigger.ignore("quarantine.Case:plan_fits"):  # as the owner of the database may
            Case.objects.filter(pk=lenient.pk).update(plan=strict.plan)

        assert unexplained_cases() == [lenient]

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE quarantine_plan SET content = jsonb_set(content, '{stages}', '[]')",
            "UPDATE quarantine_plan SET content = '{}'",
            "UPDATE quarantine_plan SET digest = repeat('0', 64)",
            "UPDATE quarantine_plan SET provision_id ="
            " (SELECT min(id) FROM policy_provision WHERE id <> provision_id)",
        ],
    )
    def test_show_a_plan_that_the_owner_of_the_database_changed(self, statement: str) -> None:
        case = make_case()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE quarantine_plan DISABLE TRIGGER USER")
            cursor.execute(statement)
            cursor.execute("ALTER TABLE quarantine_plan ENABLE TRIGGER USER")

        assert unexplained_cases() == [case]

    def test_leave_closed_cases_alone(self) -> None:
        case = make_case()
        make_result(case, DAY, outcome="positive")
        Case.objects.filter(pk=case.pk).update(facts={})

        assert unexplained_cases() == []

    def test_ask_the_database_as_often_for_many_as_for_one(
        self, django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("policy.services.FRESH_FOR_SECONDS", 3600)
        yingkou = make_place("yingkou-2022-11", "210800")
        make_case(yingkou)
        assert unexplained_cases() == []  # the documents of the place are known from here on
        with CaptureQueriesContext(connection) as once:
            assert unexplained_cases() == []
        for _ in range(3):
            make_case(yingkou)

        with django_assert_num_queries(len(once)):
            assert unexplained_cases() == []


class TestTheNightlyTasks:
    def test_write_what_nothing_explains_into_the_audit(self) -> None:
        case = make_case()
        Case.objects.filter(pk=case.pk).update(facts={})

        assert check_every_case_follows_from_law() == 1

        entry = AuditEntry.objects.get(did="unexplained case")
        assert entry.subject == f"case:{case.key}"
        assert entry.actor is None

    def test_complete_what_is_over(self) -> None:
        # The clock of the test stands years after the case.
        case = make_case(arrived_from="210100")
        make_result(case, DAY)
        Case.objects.filter(pk=case.pk).update(closed_on=None, closed_as="")

        assert complete_cases_that_are_over() == 1
