"""Until when a to-do should be done, and whose it is at first."""

from datetime import timedelta

import pytest

from quarantine.todo.due import TERMS, due_at
from quarantine.todo.models import Todo
from tests.factories import NOW, moment

Kind = Todo.Kind
DAY = NOW.date()


class TestTerms:
    def test_know_every_kind(self) -> None:
        assert set(TERMS) == set(Kind)


class TestDueAt:
    @pytest.mark.parametrize("kind", [Kind.REFER, Kind.POSITIVE, Kind.SYMPTOMS])
    def test_is_two_hours_for_what_may_be_severe(self, kind: Todo.Kind) -> None:
        assert due_at(kind, opened_at=NOW) == NOW + timedelta(hours=2)

    def test_is_the_end_of_the_day_at_the_latest_for_a_pool(self) -> None:
        late = moment(DAY, 22)

        assert due_at(Kind.POOL, opened_at=NOW) == NOW + timedelta(hours=4)
        assert due_at(Kind.POOL, opened_at=late) == moment(DAY, 0) + timedelta(days=1)

    def test_is_an_hour_for_an_outing_of_the_same_day(self) -> None:
        assert due_at(Kind.OUTING, opened_at=NOW, outing_on=DAY) == NOW + timedelta(hours=1)

    def test_is_before_the_day_of_the_outing(self) -> None:
        tomorrow, late = DAY + timedelta(days=1), moment(DAY, 22)

        assert due_at(Kind.OUTING, opened_at=late, outing_on=tomorrow) == moment(tomorrow, 0)
        assert due_at(Kind.OUTING, opened_at=NOW, outing_on=tomorrow) == NOW + timedelta(hours=4)
