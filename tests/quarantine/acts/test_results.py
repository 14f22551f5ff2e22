"""Samples, results, missed days, and what a positive sets off."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils.translation import override
from pytest_django import DjangoAssertNumQueries

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area
from policy.engine.calendars.laying import Calendar
from policy.engine.decisions.facts import Inbound
from quarantine.acts.household import proposed_contacts
from quarantine.acts.release import release
from quarantine.acts.results import (
    BeforeCaseError,
    ContradictionError,
    NotMissedError,
    Recorded,
    complete_what_is_over,
    mark_missed,
    record_result,
    take_check,
    take_sample,
)
from quarantine.cases.calendars import calendar_of, calendars_of
from quarantine.cases.lifecycle import StaleCaseError, open_case_of
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.corrections.withdrawals import take_back_result
from quarantine.models import Case, Event
from quarantine.relocation.moves import die
from residents.register.models import Resident
from testing import services as testing
from testing.models import NATResult, Sample
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

    def test_long_ago_is_made_up_today_or_later(self, case: Case) -> None:
        for number in (1, 3, 5):
            missed(case, nth(number), at=moment(nth(7)))

        case.refresh_from_db()
        assert seen_on(case, nth(7)).required_tests == (nth(7), nth(8), nth(9))
        assert (case.next_test_on, case.release_on) == (nth(7), nth(9))
        assert unexplained_cases() == []

    def test_is_settled_by_a_sample_that_is_taken_now(self, case: Case) -> None:
        make_result(case, nth(7))

        assert seen_on(case, nth(7)).required_tests == (nth(3), nth(5), nth(7))
        assert (case.next_test_on, case.release_on) == (nth(3), nth(7))
        assert unexplained_cases() == []


class TestASampleWithoutAResult:
    @pytest.mark.parametrize("outcome", ["lost", "spoilt", "invalid"])
    def test_counts_as_a_missed_test_that_is_made_up(self, case: Case, outcome: str) -> None:
        make_result(case, nth(1), outcome=outcome)

        assert case.next_test_on == nth(2)
        assert seen_on(case, nth(2)).required_tests == (nth(2), nth(3), nth(5))
        assert unexplained_cases() == []

    def test_known_late_is_made_up_later(self, case: Case) -> None:
        make_result(case, nth(1), outcome="lost", hours=24 * 3)

        assert seen_on(case, nth(4)).required_tests == (nth(3), nth(4), nth(5))

    def test_releases_nobody(self, case: Case) -> None:
        for number in (1, 3):
            make_result(case, nth(number))
        make_result(case, nth(5), outcome="invalid")

        assert not seen_on(case, nth(5)).may_be_released
        assert case.release_on == nth(6)

    def test_completes_no_case_that_asks_for_tests_only(self, yingkou: Area) -> None:
        case = make_case(yingkou, arrived_from="210100")

        make_result(case, nth(1), outcome="lost")

        assert (case.closed_on, case.next_test_on) == (None, nth(2))

    def test_breaks_the_row_of_an_infected_person(self, cangshan: Area) -> None:
        infected = make_result(contact_of_cangshan(cangshan), nth(1), outcome="positive").opened
        assert infected
        make_result(infected, nth(6), outcome="positive", ct="36")

        make_result(infected, nth(7), outcome="spoilt")

        assert infected.release_on == nth(9)


class TestAPositiveOfADayBeforeTheCase:
    def test_stops_the_case_when_it_comes(self, cangshan: Area) -> None:
        resident = make_resident(grid=cangshan)
        sample = sample_of(resident, nth(0))
        case = contact_of_cangshan(cangshan, resident=resident)

        opened = result_of(sample, moment(nth(1)), "positive").opened

        case.refresh_from_db()
        assert opened
        assert (opened.day_1, opened.governs, case.governs) == (nth(0), True, False)

    @pytest.mark.parametrize(
        ("day", "newer", "closed_as"),
        [(0, None, "referred"), (-6, None, "referred"), (-7, None, ""), (-1, "negative", "")],
    )
    def test_stops_a_case_that_is_opened_later(
        self, yingkou: Area, day: int, newer: str | None, closed_as: str
    ) -> None:
        resident = make_resident(grid=yingkou)
        result_of(sample_of(resident, nth(day)), moment(nth(day)), "positive")
        if newer:
            result_of(sample_of(resident, nth(0)), moment(nth(0)), newer)

        case = make_case(yingkou, resident=resident)

        assert case.closed_as == closed_as


def sample_of(resident: Resident, day: date, **given: Any) -> Sample:
    given |= {"taken_at": moment(day, 8), "at": moment(day, 8), "by": make_user()}
    if case := open_case_of(resident):
        return take_sample(case=case, **given)
    return testing.take_sample(resident=resident, **given)


def result_of(sample: Sample, at: datetime, outcome: str, **given: Any) -> Recorded:
    return record_result(
        sample=sample,
        outcome=NATResult.Outcome(outcome),
        ct=given.pop("ct", None),
        reported_at=at,
        at=at,
        by=make_user(),
        **given,
    )


class TestAResultAfterClosing:
    @pytest.fixture
    def extra(self, cangshan: Area) -> Sample:
        """Return an extra sample of a contact that was entered after the release."""
        case = contact_of_cangshan(cangshan)
        make_resident(household=case.resident.household)
        make_result(case, nth(5))
        assert release(cases=[case], at=moment(nth(5), 16), by=make_user()).released
        sample = testing.take_sample(
            resident=case.resident,
            taken_at=moment(nth(4)),
            at=moment(nth(5), 18),
            by=make_user(),
        )
        return Sample.objects.select_related("resident__grid").get(pk=sample.pk)

    def test_that_is_positive_opens_the_infected_case_and_proposes_the_household(
        self, extra: Sample
    ) -> None:
        recorded = result_of(extra, moment(nth(6)), "positive")

        assert recorded.opened
        assert recorded.opened.day_1 == nth(4)
        assert len(proposed_contacts(case=recorded.opened, at=moment(nth(6)))) == 1

    def test_is_awaited_before_anybody_is_released(self, cangshan: Area) -> None:
        case = contact_of_cangshan(cangshan)
        sample_of(case.resident, nth(4))
        make_result(case, nth(5))

        assert release(cases=[case], at=moment(nth(5), 16), by=make_user()).refused

    def test_that_is_negative_is_kept(self, extra: Sample) -> None:
        recorded = result_of(extra, moment(nth(6)), "negative")

        assert recorded.opened is None
        assert recorded.case
        assert recorded.case.closed_as == Case.ClosedAs.RELEASED

    def test_of_somebody_who_died_opens_no_case_and_proposes_the_household(
        self, cangshan: Area
    ) -> None:
        case = contact_of_cangshan(cangshan)
        make_resident(household=case.resident.household)
        sample = sample_of(case.resident, nth(1))
        gone = case.resident
        gone.refresh_from_db()
        die(
            resident=gone,
            version=gone.version,
            day=nth(2),
            at=moment(nth(2)),
            by=make_user("supervisor", cangshan),
        )

        recorded = result_of(Sample.objects.get(pk=sample.pk), moment(nth(2), 15), "positive")

        assert recorded.opened is None
        assert not Case.objects.open().filter(resident=gone).exists()
        assert recorded.case
        assert recorded.case.closed_as == Case.ClosedAs.DIED
        assert len(proposed_contacts(case=recorded.case, at=moment(nth(2), 15))) == 1

    def test_stands_on_the_closed_case_where_the_law_has_no_rule_for_infected_people(
        self, yingkou: Area
    ) -> None:
        case = make_case(yingkou, arrived_from="210100")
        make_resident(household=case.resident.household)
        make_result(case, nth(1))
        late = sample_of(case.resident, nth(9))

        recorded = result_of(late, moment(nth(9), 15), "positive")

        assert recorded.opened is None
        assert case.events.filter(kind=Event.Kind.POSITIVE, day=nth(9)).exists()
        assert len(proposed_contacts(case=case, at=moment(nth(9), 15))) == 1

    def test_is_taken_back_with_the_contacts_it_led_to(self, extra: Sample) -> None:
        recorded = result_of(extra, moment(nth(6)), "positive")
        assert recorded.opened
        at = moment(nth(6), 12, 5)
        take_back_result(result=recorded.result, at=at, by=make_user())

        recorded.opened.refresh_from_db()
        assert recorded.opened.closed_as == Case.ClosedAs.WITHDRAWN


class TestAWordAndACtThatContradictEachOther:
    @pytest.mark.parametrize(
        ("word", "ct"), [("negative", "20"), ("negative", "34.99"), ("positive", "38")]
    )
    def test_are_asked_about_before_they_count(self, cangshan: Area, word: str, ct: str) -> None:
        case = contact_of_cangshan(cangshan)
        sample = sample_of(case.resident, nth(5))

        with override("en"), pytest.raises(ContradictionError) as refused:
            result_of(sample, moment(nth(5)), word, ct=Decimal(ct))

        assert "contradict" in refused.value.sentence
        assert not NATResult.objects.exists()
        assert result_of(sample, moment(nth(5)), word, ct=Decimal(ct), confirmed=True).result

    def test_are_measured_by_the_law_of_the_case(self, yingkou: Area) -> None:
        case = make_case(yingkou, arrived_from=None, inbound=Inbound(central_days=5))
        sample = sample_of(case.resident, nth(1))

        with override("en"), pytest.raises(ContradictionError) as refused:
            result_of(sample, moment(nth(1)), "negative", ct=Decimal("34.9"))

        assert "below 35 is positive" in refused.value.sentence

    def test_are_none_where_the_law_waits_for_a_higher_ct(self, cangshan: Area) -> None:
        infected = make_result(contact_of_cangshan(cangshan), nth(1), outcome="positive").opened
        assert infected
        sample = sample_of(infected.resident, nth(6))

        assert result_of(sample, moment(nth(6)), "positive", ct=Decimal(36)).result


class TestAPool:
    """Two contacts in one tube on day 5, and a third in another."""

    @pytest.fixture
    def pool(self, cangshan: Area) -> list[Case]:
        cases = [contact_of_cangshan(cangshan) for _ in range(3)]
        for case, tube in zip(cases, ("A1", "A1", "B2"), strict=True):
            sample_of(case.resident, nth(5), pooled=True, tube=tube)
        self.say(cases[0], "positive")
        return cases

    def say(self, case: Case, outcome: str, *, pooled: bool = True, hour: int = 14) -> Recorded:
        sample = Sample.objects.filter(resident=case.resident, pooled=pooled).latest("pk")
        return result_of(sample, moment(nth(5), hour), outcome)

    def single(self, case: Case) -> None:
        case.refresh_from_db()
        at = moment(nth(5), 15)
        take_sample(case=case, taken_at=at, at=at, by=make_user())

    def test_that_is_positive_opens_no_infected_case_and_holds_everybody_in_it(
        self, pool: list[Case]
    ) -> None:
        assert Case.objects.count() == 3
        for case in pool[:2]:
            case.refresh_from_db()
            laid = seen_on(case, nth(5))
            assert not laid.may_be_released
            assert (case.next_test_on, laid.checks) == (nth(5), (nth(5),))
        pool[2].refresh_from_db()
        assert pool[2].next_test_on is None
        assert unexplained_cases() == []

    def test_is_as_if_negative_for_who_is_negative_alone(self, pool: list[Case]) -> None:
        first, second = pool[:2]
        self.single(first)
        assert not seen_on(first, nth(5)).may_be_released
        assert unexplained_cases() == []

        self.say(first, "negative", pooled=False, hour=18)

        assert seen_on(first, nth(5)).may_be_released
        first.refresh_from_db()
        assert (first.next_test_on, first.release_on) == (None, nth(5))
        assert not seen_on(second, nth(5)).may_be_released
        assert unexplained_cases() == []

    def test_has_its_consequences_for_who_is_positive_alone(self, pool: list[Case]) -> None:
        self.single(pool[1])

        opened = self.say(pool[1], "positive", pooled=False, hour=18).opened

        assert opened
        assert opened.resident == pool[1].resident
        assert Case.objects.filter(plan__provision__subject="infected").count() == 1

    def test_stays_to_be_checked_where_the_single_tube_was_lost(self, pool: list[Case]) -> None:
        self.single(pool[0])
        self.say(pool[0], "lost", pooled=False, hour=18)

        assert seen_on(pool[0], nth(6)).checks == (nth(5),)
        assert not seen_on(pool[0], nth(6)).may_be_released
        assert unexplained_cases() == []

    def test_that_is_negative_counts_for_everybody_in_it(self, pool: list[Case]) -> None:
        self.say(pool[2], "negative")

        assert seen_on(pool[2], nth(5)).may_be_released

    def test_is_taken_back_for_everybody_in_it(self, pool: list[Case]) -> None:
        result = NATResult.objects.filter(sample__resident=pool[0].resident).get()

        take_back_result(result=result, at=result.recorded_at, by=make_user())

        assert not NATResult.objects.valid().exists()
        assert [seen_on(case, nth(5)).checks for case in pool[:2]] == [(), ()]
        assert unexplained_cases() == []

    def test_lets_who_is_under_no_measure_be_checked_too(self, cangshan: Area) -> None:
        pool = sample_of(make_resident(grid=cangshan), nth(5), pooled=True, tube="C3")
        recorded = result_of(pool, moment(nth(5)), "positive")
        assert (recorded.case, recorded.opened) == (None, None)

        single = take_check(sample=pool, at=moment(nth(5), 15), by=make_user())

        assert result_of(single, moment(nth(5), 18), "positive").opened


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

    def test_waits_for_every_result_that_is_awaited(self, yingkou: Area) -> None:
        case = make_case(yingkou, arrived_from=None, inbound=Inbound(5, 3, "210804"))
        sample = sample_of(case.resident, nth(2))

        assert complete_what_is_over(at=moment(nth(9), 0)) == 0
        result_of(sample, moment(nth(9)), "negative")

        case.refresh_from_db()
        assert case.closed_as == Case.ClosedAs.COMPLETED

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


class TestTheActsOfEveryDay:
    def test_ask_few_queries(
        self, yingkou: Area, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        """Of one ground: savepoints, the audit and the lock of the person are among them."""
        case, by, at = make_case(yingkou), make_user(), moment(nth(1), 8)
        case = Case.objects.select_related("plan", "grid", "resident").get(pk=case.pk)
        with django_assert_max_num_queries(14):
            sample = take_sample(case=case, taken_at=at, at=at, by=by)
        with django_assert_max_num_queries(16):
            record_result(
                sample=sample,
                outcome=NATResult.Outcome.NEGATIVE,
                ct=None,
                reported_at=at,
                at=at,
                by=by,
            )
