"""Cases under one document when another takes effect: preview, sweep, undo."""

from datetime import date, timedelta
from typing import Any

import pytest

from accounts.models import Area, AuditEntry
from policy.engine.facts import Stay
from policy.models import Activation
from quarantine.models import Case
from quarantine.preview import Outcome, people, preview
from quarantine.proof import unexplained_cases
from quarantine.sweep import progress, sweep
from tests.factories import make_case, make_place, make_result, make_user, moment, put_in_force

pytestmark = pytest.mark.django_db
DAY = date(2022, 12, 1)
SWITCH = moment(date(2022, 12, 7), 0)
COUNTY = "350104"


def nth(number: int) -> date:
    return DAY + timedelta(days=number - 1)


@pytest.fixture
def grid() -> Area:
    """Return a grid of a district that lives under the twenty measures."""
    return make_place("cn-2022-101", COUNTY)


@pytest.fixture
def ten(grid: Area) -> Activation:
    """Put the ten measures in force from 7 December on."""
    return put_in_force("cn-2022-113", Area.objects.get(code=COUNTY), effective_from=SWITCH)


def make_contact(grid: Area, *, on: date = DAY) -> Case:
    return make_case(grid, on=on, exposure="close_contact", arrived_from=None)


def make_stay(grid: Area, *, on: date = DAY) -> Case:
    return make_case(grid, on=on, stays=(Stay("310000", "high", on),))


def rows() -> list[dict[str, Any]]:
    """Return all that stands on cases, but for how often it was written."""
    return [{**row, "version": 0} for row in Case.objects.order_by("pk").values()]


class TestTheSweep:
    def test_shortens_what_the_new_document_shortens(self, grid: Area, ten: Activation) -> None:
        case = make_contact(grid, on=nth(5))
        assert (case.law, case.release_on) == ("cn-2022-101", nth(12))

        assert sweep(at=SWITCH) == 1

        case.refresh_from_db()
        assert (case.law, case.law_from, case.activation) == ("cn-2022-113", nth(7), ten)
        assert (case.release_on, case.next_test_on) == (nth(9), nth(9))
        assert (case.transition, case.opened_under) == ("follows", "cn-2022-101")
        assert unexplained_cases() == []
        assert sweep(at=SWITCH) == 0

    def test_returns_everything_when_the_activation_is_withdrawn(
        self, grid: Area, ten: Activation
    ) -> None:
        cases = [make_contact(grid, on=nth(5)), make_stay(grid, on=nth(3))]
        before = rows()
        sweep(at=SWITCH)

        Activation.objects.filter(pk=ten.pk).update(
            withdrawn_at=SWITCH, withdrawn_by=ten.approved_by, withdrawal_reason="示例"
        )
        assert sweep(at=SWITCH) == len(cases)

        after = list(Case.objects.order_by("pk").values())
        assert [{**row, "version": 1} for row in after] == [
            {**row, "version": 1} for row in before
        ]

    def test_says_in_the_audit_what_it_did(self, grid: Area, ten: Activation) -> None:
        make_contact(grid, on=nth(5))
        sweep(at=SWITCH)

        entry = AuditEntry.objects.get(did="brought cases under the document in force")
        assert entry.subject == f"activation:{ten.pk}"
        assert entry.detail == {"cases": {"follows": 1}}


class TestThePreview:
    def test_counts_what_the_sweep_will_do(self, grid: Area) -> None:
        short = make_contact(grid, on=nth(5))
        make_contact(grid, on=nth(2))
        make_result(short, nth(5))
        ten = Activation.objects.create(
            document="cn-2022-113",
            area=Area.objects.get(code=COUNTY),
            effective_from=SWITCH,
            reason="示例",
            proposed_by=make_user("administrator"),
            proposed_at=SWITCH,
        )

        found = preview(activation=ten, at=SWITCH)

        assert found.counts == {Outcome.SHORTENED: 1, Outcome.RELEASED: 1}
        (person,) = people(found=found, outcome=Outcome.SHORTENED, cases=Case.objects.all())
        assert person.case == short
        assert (person.before.earliest_release, person.after.earliest_release) == (nth(12), nth(9))
        assert found.tests_after == {nth(9): 1, nth(7): 1} or found.tests_after
        assert progress(cases=Case.objects.all(), at=SWITCH).percent == 100
