"""What is due today, counted by the database and by the cards."""

from datetime import date, timedelta

import pytest

from accounts.staff.models import Area
from quarantine.acts.results import mark_missed, record_result, take_sample
from quarantine.lists.worklist import Work, WorkKind, worklist
from quarantine.models import Case
from testing.models import NATResult
from tests.factories import make_case, make_place, make_result, make_user, moment

pytestmark = pytest.mark.django_db

# Yingkou asks for tests on days 1, 3 and 5, and lets go on day 5.
DAY_1 = date(2022, 11, 20)
KINDS = (
    WorkKind.OVERDUE,
    WorkKind.TEST,
    WorkKind.RESULT,
    WorkKind.RELEASE,
    WorkKind.CHECK,
)


def nth(number: int) -> date:
    return DAY_1 + timedelta(days=number - 1)


@pytest.fixture
def grid() -> Area:
    return make_place("yingkou-2022-11", "210800")


@pytest.fixture
def case(grid: Area) -> Case:
    return make_case(grid, on=DAY_1)


def sampled(case: Case, on: date) -> None:
    case.refresh_from_db()
    take_sample(case=case, taken_at=moment(on, 8), at=moment(on, 8), by=make_user())


def counted(today: date) -> tuple[int, ...]:
    """Return how much of each kind is due, having asked in each of the four ways."""
    cases = Case.objects.all()
    work = Work(cases=cases, today=today)
    asked = work.counts()
    shown = worklist(cases=cases, today=today)

    assert shown.counts == asked
    assert len(shown.cards) == asked.together == work.due().count()
    assert {kind: work.due(kind).count() for kind in WorkKind} == asked.of
    return tuple(asked.of[kind] for kind in KINDS)


class TestAResult:
    def test_is_awaited_from_its_sample_on(self, case: Case) -> None:
        assert counted(nth(1)) == (0, 1, 0, 0, 1)

        sampled(case, nth(1))

        assert counted(nth(1)) == (0, 0, 1, 0, 1)

    def test_is_awaited_once_for_each_case(self, grid: Area, case: Case) -> None:
        other = make_case(grid, on=DAY_1)
        for one in (case, other):
            sampled(one, nth(1))
        sampled(case, nth(3))

        assert counted(nth(3)) == (0, 1, 2, 0, 2)

    def test_is_awaited_no_more_once_it_came(self, case: Case) -> None:
        make_result(case, nth(1))

        assert counted(nth(1)) == (0, 0, 0, 0, 1)

    def test_is_still_awaited_among_others_that_came(self, case: Case) -> None:
        make_result(case, nth(1))
        sampled(case, nth(3))
        make_result(case, nth(4))

        assert counted(nth(4)) == (0, 0, 1, 0, 1)

    def test_of_a_missed_test_is_not_awaited(self, case: Case) -> None:
        mark_missed(case=case, day=nth(1), reason="示例", at=moment(nth(2)), by=make_user())

        assert counted(nth(2)) == (0, 1, 0, 0, 1)


class TestATest:
    @pytest.mark.parametrize(("today", "due"), [(1, (0, 1)), (2, (1, 0)), (3, (1, 1))])
    def test_is_overdue_from_the_day_after(
        self, case: Case, today: int, due: tuple[int, int]
    ) -> None:
        assert counted(nth(today))[:2] == due

    def test_of_tomorrow_is_counted_today(self, case: Case) -> None:
        make_result(case, nth(1))

        assert Work(cases=Case.objects.all(), today=nth(1)).counts().tomorrow == 0
        assert Work(cases=Case.objects.all(), today=nth(2)).counts().tomorrow == 1
        assert Work(cases=Case.objects.all(), today=nth(3)).counts().tomorrow == 0


class TestARelease:
    def test_is_due_from_its_day_once_all_results_came(self, case: Case) -> None:
        make_result(case, nth(1))
        make_result(case, nth(3))
        sampled(case, nth(5))
        assert counted(nth(5)) == (0, 0, 1, 0, 1)

        record_result(
            sample=case.resident.samples.get(day=nth(5)),
            outcome=NATResult.Outcome.NEGATIVE,
            ct=None,
            reported_at=moment(nth(5), 14),
            at=moment(nth(5), 14),
            by=make_user(),
        )

        assert counted(nth(5)) == (0, 0, 0, 1, 0)
        assert counted(nth(6)) == (0, 0, 0, 1, 0)
