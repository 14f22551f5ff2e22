"""Samples, results, missed days, and what a positive sets off."""

from datetime import date, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area
from policy.engine.calendars.laying import Calendar
from policy.engine.decisions.facts import Inbound
from quarantine.acts.results import (
    BeforeCaseError,
    NotMissedError,
    complete_what_is_over,
    mark_missed,
    record_result,
    take_sample,
)
from quarantine.cases.calendars import calendar_of, calendars_of
from quarantine.cases.lifecycle import StaleCaseError
from quarantine.models import Case, Event
from testing import services as testing
from testing.models import NATResult
from tests.factories import (
    make_case,
    make_place,
    make_resident,
    make_result,
    make_user,
    moment,
    put_in_force,
)

pytestmark = pytest.mark.django_db

DAY_1 = date(2022, 11, 20)


def nth(number: int, start: date = DAY_1) -> date:
    return start + timedelta(days=number - 1)


def seen_on(case: Case, day: date) -> Calendar:
    case = Case.objects.select_related("plan").get(pk=case.pk)
    return calendar_of(case, today=day)


def missed(case: Case, day: date, at: datetime) -> Event:
    case.refresh_from_db()
    return mark_missed(case=case, day=day, reason="不在家", at=at, by=make_user())


@pytest.fixture
def yingkou() -> Area:
    return make_place("yingkou-2022-11", "210800")


@pytest.fixture
def cangshan() -> Area:
    return make_place("cangshan-2022-324", "350104")


@pytest.fixture
def case(yingkou: Area) -> Case:
    """Five days at home, tests on days 1, 3 and 5 (Yingkou 3)."""
    return make_case(yingkou)


def contact_of_cangshan(cangshan: Area, **given: object) -> Case:
    """Five days at home, one test on day 5 (113号 3, Cangshan 2)."""
    return make_case(cangshan, exposure="close_contact", arrived_from=None, **given)


class TestTakeSample:
    def test_makes_the_next_test_the_next_one(self, case: Case) -> None:
        take_sample(case=case, taken_at=moment(nth(1)), at=moment(nth(1)), by=make_user())

        case.refresh_from_db()
        assert case.next_test_on == nth(3)

    def test_leaves_the_release_waiting_for_the_result(self, case: Case) -> None:
        for number in (1, 3):
            make_result(case, nth(number))
        take_sample(case=case, taken_at=moment(nth(5)), at=moment(nth(5)), by=make_user())

        assert case.release_on == nth(5)
        assert not seen_on(case, nth(5)).may_be_released

    def test_of_the_day_before_day_1_is_refused(self, case: Case) -> None:
        with pytest.raises(BeforeCaseError):
            take_sample(case=case, taken_at=moment(nth(0), 23), at=moment(nth(1)), by=make_user())

    def test_of_a_case_that_somebody_else_changed_is_not_done(self, case: Case) -> None:
        stale = Case.objects.get(pk=case.pk)
        make_result(case, nth(1))

        with pytest.raises(StaleCaseError):
            take_sample(case=stale, taken_at=moment(nth(3)), at=moment(nth(3)), by=make_user())

        assert case.resident.samples.count() == 1


class TestANegativeResult:
    def test_on_the_last_day_makes_the_person_ready(self, case: Case) -> None:
        for number in (1, 3, 5):
            make_result(case, nth(number))

        assert seen_on(case, nth(5)).may_be_released
        assert (case.next_test_on, case.release_on) == (None, nth(5))

    @pytest.mark.parametrize(("hours", "release"), [(15, nth(5)), (16, nth(6))])
    def test_that_is_reported_after_midnight_moves_the_release(
        self, case: Case, hours: int, release: date
    ) -> None:
        for number in (1, 3):
            make_result(case, nth(number))
        make_result(case, nth(5), hours=hours)  # sampled at eight

        assert case.release_on == release

    def test_completes_a_case_that_only_asked_for_a_landing_test(self, yingkou: Area) -> None:
        case = make_case(yingkou, arrived_from="210100")
        assert case.plan.provision.clause == "1"

        make_result(case, nth(1))

        assert (case.closed_as, case.closed_on) == (Case.ClosedAs.COMPLETED, nth(1))

    def test_without_a_case_is_only_kept(self) -> None:
        sample = testing.take_sample(
            resident=make_resident(),
            taken_at=moment(DAY_1),
            at=moment(DAY_1),
            by=make_user(),
        )

        recorded = record_result(
            sample=sample,
            outcome=NATResult.Outcome.NEGATIVE,
            ct=None,
            reported_at=moment(DAY_1, 13),
            at=moment(DAY_1, 13),
            by=make_user(),
        )

        assert (recorded.case, recorded.opened) == (None, None)


class TestAPositiveResult:
    def test_refers_to_medical_care_where_no_rule_for_infected_people_exists(
        self, case: Case
    ) -> None:
        recorded = make_result(case, nth(1), outcome="positive", ct="28")

        assert recorded.opened is None
        assert case.closed_as == Case.ClosedAs.REFERRED
        assert {event.kind for event in case.events.all()} >= {"positive", "referred"}

    def test_opens_an_infected_case_in_the_family_of_113(self, cangshan: Area) -> None:
        contact = contact_of_cangshan(cangshan)

        recorded = make_result(contact, nth(3), outcome="positive", ct="28")

        assert recorded.opened
        assert contact.closed_on is None
        assert (contact.governs, recorded.opened.governs) == (False, True)
        assert recorded.opened.positive == recorded.result
        assert recorded.opened.day_1 == nth(3)
        assert recorded.opened.plan.provision.subject == "infected"
        assert recorded.opened.release_on == nth(7, recorded.opened.day_1)

    def test_opens_a_case_for_somebody_who_had_none(self, cangshan: Area) -> None:
        resident = make_resident(grid=cangshan)
        sample = testing.take_sample(
            resident=resident, taken_at=moment(DAY_1), at=moment(DAY_1), by=make_user()
        )

        recorded = record_result(
            sample=sample,
            outcome=NATResult.Outcome.POSITIVE,
            ct=None,
            reported_at=moment(nth(2)),
            at=moment(nth(2)),
            by=make_user(),
        )

        assert recorded.opened
        assert recorded.opened.day_1 == DAY_1

    def test_of_an_infected_person_leaves_the_case_open(self, cangshan: Area) -> None:
        infected = make_result(contact_of_cangshan(cangshan), nth(1), outcome="positive").opened
        assert infected

        make_result(infected, nth(6), outcome="positive", ct="34.9")

        assert infected.closed_on is None
        assert infected.release_on == nth(8)

    @pytest.mark.parametrize(("ct", "closed_as"), [("34.99", "referred"), ("35.00", "")])
    def test_from_abroad_is_judged_by_its_ct(self, yingkou: Area, ct: str, closed_as: str) -> None:
        case = make_case(yingkou, arrived_from=None, inbound=Inbound(central_days=5))

        make_result(case, nth(1), outcome="positive", ct=ct)

        assert case.closed_as == closed_as

    def test_follows_the_law_in_force_by_now(self, yingkou: Area, case: Case) -> None:
        put_in_force("cn-2022-113", yingkou, effective_from=moment(nth(2), 0))

        recorded = make_result(case, nth(3), outcome="positive")

        assert recorded.opened
        assert recorded.opened.law == "cn-2022-113"


class TestMarkMissed:
    def test_makes_the_test_up_on_the_next_day(self, case: Case) -> None:
        missed(case, nth(1), at=moment(nth(2)))

        case.refresh_from_db()
        assert case.next_test_on == nth(2)
        assert seen_on(case, nth(2)).required_tests == (nth(2), nth(3), nth(5))

    def test_of_the_last_day_moves_the_release(self, case: Case) -> None:
        for number in (1, 3):
            make_result(case, nth(number))

        missed(case, nth(5), at=moment(nth(6)))

        case.refresh_from_db()
        assert case.release_on == nth(6)

    def test_is_refused_while_the_day_lasts(self, case: Case) -> None:
        with pytest.raises(NotMissedError):
            missed(case, nth(1), at=moment(nth(1), 23, 59))

    def test_is_accepted_one_minute_later(self, case: Case) -> None:
        assert missed(case, nth(1), at=moment(nth(2), 0, 0))

    def test_is_refused_on_a_day_without_a_required_test(self, case: Case) -> None:
        with pytest.raises(NotMissedError):
            missed(case, nth(2), at=moment(nth(4)))

    def test_is_refused_on_a_day_with_a_sample(self, case: Case) -> None:
        make_result(case, nth(1))

        with pytest.raises(NotMissedError):
            missed(case, nth(1), at=moment(nth(2)))

    def test_is_refused_twice(self, case: Case) -> None:
        missed(case, nth(1), at=moment(nth(2)))

        with pytest.raises(NotMissedError):
            missed(case, nth(1), at=moment(nth(2)))

    def test_is_overtaken_by_a_sample_that_turns_up(self, case: Case) -> None:
        missed(case, nth(1), at=moment(nth(2)))
        make_result(case, nth(1))

        assert seen_on(case, nth(2)).required_tests == (nth(1), nth(3), nth(5))


class TestCompletingWhatIsOver:
    @pytest.mark.parametrize(("number", "completed"), [(3, 0), (4, 1)])
    def test_waits_for_the_last_advised_day_to_pass(
        self, yingkou: Area, number: int, completed: int
    ) -> None:
        # Through Yingkou's own port, so that nothing is asked on arrival.
        make_case(yingkou, arrived_from=None, inbound=Inbound(5, 3, "210804"))

        assert complete_what_is_over(at=moment(nth(number), 0)) == completed

    def test_waits_for_a_landing_test(self, yingkou: Area) -> None:
        make_case(yingkou, arrived_from="210100")

        assert complete_what_is_over(at=moment(nth(9))) == 0

    def test_leaves_those_alone_whom_the_law_holds(self, case: Case) -> None:
        assert complete_what_is_over(at=moment(nth(60))) == 0


class TestCalendars:
    def test_of_many_cases_need_no_more_queries_than_of_one(
        self, yingkou: Area, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in (1, 2, 3):
            make_result(make_case(yingkou, on=nth(number)), nth(number))
        cases = list(Case.objects.select_related("plan"))

        with django_assert_num_queries(2):
            laid = calendars_of(cases, today=nth(3))

        assert {case.pk: laid[case.pk].next_test_on for case in cases} == {
            case.pk: case.next_test_on for case in cases
        }

    def test_leave_out_what_was_taken_back(self, case: Case) -> None:
        result = make_result(case, nth(1)).result
        testing.withdraw_result(result=result, at=result.recorded_at, by=make_user())

        assert seen_on(case, nth(1)).days[0].result is None


class TestTheAudit:
    def test_holds_no_personal_data(self, case: Case) -> None:
        make_result(case, nth(1), outcome="positive", ct="28")

        written = " ".join(str(entry.__dict__) for entry in AuditEntry.objects.all())
        assert case.resident.name not in written
        assert case.resident.number not in written
