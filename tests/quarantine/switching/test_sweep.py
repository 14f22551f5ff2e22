"""The sweep beside people who work at the same time."""

from datetime import date
from typing import Any

import pytest

from accounts.staff.models import Area
from policy.engine.calendars.plans import PlannedStage
from quarantine.cases.lifecycle import change_home_conditions
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.cases.plans import plan_of
from quarantine.models import Case
from quarantine.switching import sweep as sweeping
from quarantine.switching.sweep import progress, sweep
from tests.factories import make_case, make_place, make_user, moment, put_in_force
from tests.pooling import pooled

pytestmark = pytest.mark.django_db
SWITCH = moment(date(2022, 12, 7), 0)
COUNTY = "350104"


@pytest.fixture
def case() -> Case:
    """Make a close contact under the twenty measures, with the ten in force from the switch on."""
    grid = make_place("cn-2022-101", COUNTY)
    put_in_force("cn-2022-113", Area.objects.get(code=COUNTY), effective_from=SWITCH)
    return make_case(grid, on=date(2022, 12, 5), exposure="close_contact", arrived_from=None)


def change(case: Case, *, met: bool) -> None:
    change_home_conditions(
        case=Case.objects.get(pk=case.pk), met=met, reason="示例", at=SWITCH, by=make_user()
    )


class TestAnEditBetweenReadingAndWriting:
    def test_is_not_overwritten_by_what_was_read_before(
        self, case: Case, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write, wrote = sweeping._write, list[int]()

        def edited_first(*chunk: Any, today: date) -> int:
            if not wrote:
                change(case, met=False)
                # As if the act had been begun under the old law.
                Case.objects.filter(pk=case.pk).update(activation=case.activation)
            wrote.append(write(*chunk, today=today))
            return wrote[-1]

        monkeypatch.setattr(sweeping, "_write", edited_first)

        assert sweep(at=SWITCH) == 1
        assert wrote == [0, 1]
        assert unexplained_cases() == []
        assert [one.setting for one in _stages(case)] == ["central"]

    def test_that_closes_the_case_leaves_it_as_it_was_closed(
        self, case: Case, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write = sweeping._write

        def closed_first(*chunk: Any, today: date) -> int:
            Case.objects.filter(pk=case.pk).update(
                closed_on=SWITCH.date(), closed_as=Case.ClosedAs.REFERRED
            )
            return write(*chunk, today=today)

        monkeypatch.setattr(sweeping, "_write", closed_first)
        law = case.law

        assert sweep(at=SWITCH) == 0
        case.refresh_from_db()
        assert case.law == law


@pytest.mark.django_db(transaction=True)
class TestBehindAPooler:
    def test_brings_every_chunk_under_the_document_in_force(self, case: Case) -> None:
        for _ in range(2):
            make_case(case.grid, on=date(2022, 12, 5), exposure="close_contact", arrived_from=None)

        with pooled():
            assert sweep(at=SWITCH, chunk=1) == 3
        assert unexplained_cases() == []


class TestProgress:
    def test_counts_the_open_cases_that_are_left(self, case: Case) -> None:
        make_case(case.grid, on=date(2022, 12, 6), exposure="close_contact", arrived_from=None)
        cases = Case.objects.all()

        before = progress(cases=cases, at=SWITCH)
        sweep(at=SWITCH)
        after = progress(cases=cases, at=SWITCH)

        assert (before.left, before.total, before.percent) == (2, 2, 0)
        assert (after.left, after.total, after.percent) == (0, 2, 100)


def _stages(case: Case) -> list[PlannedStage]:
    case.refresh_from_db()
    return list(plan_of(case.plan).stages)
