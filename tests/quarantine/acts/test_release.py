"""Who may be released, and the release."""

from datetime import date, timedelta

import pytest
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from accounts.staff.models import Area
from quarantine.acts.release import Proposals, release, release_proposals
from quarantine.acts.results import mark_missed, take_sample
from quarantine.models import Case, Event
from tests.factories import make_case, make_place, make_result, make_user, moment

pytestmark = pytest.mark.django_db

DAY_1 = date(2022, 11, 20)


def nth(number: int) -> date:
    return DAY_1 + timedelta(days=number - 1)


@pytest.fixture
def yingkou() -> Area:
    return make_place("yingkou-2022-11", "210800")


@pytest.fixture
def case(yingkou: Area) -> Case:
    """Five days at home, tests on days 1, 3 and 5 (Yingkou 3)."""
    return make_case(yingkou)


def with_negatives(case: Case, *numbers: int) -> Case:
    for number in numbers:
        make_result(case, nth(number))
    return case


def proposed(number: int) -> Proposals:
    return release_proposals(cases=Case.objects.all(), today=nth(number))


class TestProposals:
    def test_name_who_is_ready_on_the_last_day(self, case: Case) -> None:
        with_negatives(case, 1, 3, 5)

        assert [each.case for each in proposed(5).ready] == [case]
        assert proposed(5).blocked == []

    def test_name_nobody_the_day_before(self, case: Case) -> None:
        with_negatives(case, 1, 3)

        assert proposed(4) == Proposals([], [], [])

    def test_name_the_missing_test(self, case: Case) -> None:
        with_negatives(case, 1, 5)

        (blocked,) = proposed(5).blocked
        assert len(blocked.blockers) == 1
        assert "11月22日" in blocked.blockers[0]

    def test_say_it_in_the_language_of_the_page(self, case: Case) -> None:
        with_negatives(case, 1, 5)

        with translation.override("en"):
            english = proposed(5).blocked[0].blockers[0]
        with translation.override("zh-hans"):
            chinese = proposed(5).blocked[0].blockers[0]
        assert english.isascii()
        assert not chinese.isascii()

    def test_change_by_themselves_when_a_result_arrives_late(self, case: Case) -> None:
        with_negatives(case, 1, 3)
        make_result(case, nth(5), hours=24)

        assert proposed(5) == Proposals([], [], [])
        assert [each.case for each in proposed(6).ready] == [case]

    def test_wait_for_a_result(self, case: Case) -> None:
        with_negatives(case, 1, 3)
        take_sample(case=case, taken_at=moment(nth(5)), at=moment(nth(5)), by=make_user())

        assert len(proposed(5).blocked) == 1

    def test_need_no_more_queries_for_many(
        self, yingkou: Area, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(3):
            with_negatives(make_case(yingkou), 1, 3, 5)

        with django_assert_num_queries(4):
            assert len(proposed(5).ready) == 3


class TestRelease:
    def test_closes_the_case(self, case: Case) -> None:
        with_negatives(case, 1, 3, 5)

        done = release(cases=[case], at=moment(nth(5), 16), by=make_user())

        assert done.released == [case]
        case.refresh_from_db()
        assert (case.closed_on, case.closed_as) == (nth(5), Case.ClosedAs.RELEASED)
        event = case.events.get(kind=Event.Kind.RELEASED)
        assert event.clause == "yingkou-2022-11 3"

    def test_refuses_those_not_ready_and_says_why(self, yingkou: Area) -> None:
        ready, unready = (
            with_negatives(make_case(yingkou), 1, 3, 5),
            with_negatives(make_case(yingkou), 1, 5),
        )

        done = release(cases=[ready, unready], at=moment(nth(5), 16), by=make_user())

        assert done.released == [ready]
        ((refused, sentence),) = done.refused
        assert refused == unready
        assert "11月22日" in sentence

    def test_waits_for_the_make_up_of_a_missed_last_test(self, case: Case) -> None:
        with_negatives(case, 1, 3)
        mark_missed(case=case, day=nth(5), reason="", at=moment(nth(6)), by=make_user())
        assert release(cases=[case], at=moment(nth(6)), by=make_user()).released == []

        with_negatives(case, 6)

        assert release(cases=[case], at=moment(nth(6), 16), by=make_user()).released == [case]

    def test_happens_once(self, case: Case) -> None:
        with_negatives(case, 1, 3, 5)
        same = Case.objects.get(pk=case.pk)
        release(cases=[case], at=moment(nth(5), 16), by=make_user())

        again = release(cases=[same, case], at=moment(nth(5), 16), by=make_user())

        assert again.released == []
        assert len(again.refused) == 2
        assert case.events.filter(kind=Event.Kind.RELEASED).count() == 1

    def test_leaves_alone_what_changed_since_it_was_shown(self, case: Case) -> None:
        with_negatives(case, 1, 3, 5)
        shown = Case.objects.get(pk=case.pk)
        with_negatives(case, 6)

        assert release(cases=[shown], at=moment(nth(6), 16), by=make_user()).released == []

    def test_refuses_a_case_that_holds_nobody(self, yingkou: Area) -> None:
        case = make_case(yingkou, arrived_from="210100")

        done = release(cases=[case], at=moment(nth(9)), by=make_user())

        assert done.refused[0][1]
        assert done.released == []

    def test_of_an_infected_person_needs_two_passing_days(self) -> None:
        cangshan = make_place("cangshan-2022-324", "350104")
        contact = make_case(cangshan, exposure="close_contact", arrived_from=None)
        infected = make_result(contact, nth(1), outcome="positive", ct="20").opened
        assert infected
        make_result(infected, nth(6), outcome="positive", ct="35")
        make_result(infected, nth(7), outcome="positive", ct="34.99")
        assert release(cases=[infected], at=moment(nth(7)), by=make_user()).released == []

        make_result(infected, nth(8), outcome="positive", ct="35")
        make_result(infected, nth(9), outcome="negative")

        done = release(cases=[infected], at=moment(nth(9), 16), by=make_user())
        assert done.released == [infected]
