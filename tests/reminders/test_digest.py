from datetime import date

import pytest

from quarantine.lists.worklist import Work, WorkKind
from quarantine.models import Case
from reminders import digest
from reminders.models import Message
from tests import factories

pytestmark = pytest.mark.django_db

ARRIVED = date(2022, 11, 20)


def message_for(case: Case, day: date) -> Message:
    return Message(
        grid=case.grid, kind=Message.Kind.DIGEST, day=day, channel=Message.Channel.EMAIL
    )


class TestCompose:
    def test_counts_what_the_page_of_today_counts(self) -> None:
        grid = factories.make_place("yingkou-2022-11", "210800")
        tested, untested = (factories.make_case(grid, on=ARRIVED) for _ in range(2))
        factories.make_result(tested, ARRIVED)

        _subject, text = digest.compose(message_for(tested, ARRIVED))
        due = Work(cases=Case.objects.filter(grid=grid), today=ARRIVED).counts().of

        assert due[WorkKind.TEST] == 1
        assert [line.rsplit(" ")[-1].rsplit("：")[-1] for line in text.splitlines()[1:6]] == [
            "2",
            "1",
            "0",
            "0",
            "2",
        ]
        assert untested.grid == grid

    def test_calls_nobody_ready_whose_result_is_missing(self) -> None:
        grid = factories.make_place("yingkou-2022-11", "210800")
        case = factories.make_case(grid, on=ARRIVED)

        _subject, text = digest.compose(message_for(case, date(2022, 11, 24)))

        assert text.splitlines()[4].endswith("0")

    def test_names_nobody(self) -> None:
        grid = factories.make_place("yingkou-2022-11", "210800")
        case = factories.make_case(grid, on=ARRIVED)

        words = " ".join(digest.compose(message_for(case, ARRIVED)))

        assert case.resident.name not in words
        assert str(case.key) not in words
