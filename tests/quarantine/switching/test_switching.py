"""Cases under one document when another takes effect: preview, sweep, undo."""

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils.translation import override

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area
from policy.activations.choices import let_stricter_reach_open_cases
from policy.activations.decisions import ActivationNotWaitingError
from policy.engine.decisions.facts import Inbound, Stay
from policy.models import Activation, TransitionChoice
from quarantine.acts.exceptions import (
    ExceptedError,
    GroundsError,
    make_exception,
    withdraw_exception,
)
from quarantine.acts.results import complete_what_is_over, mark_missed, take_sample
from quarantine.cases.calendars import calendar_of
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.cases.words import switched
from quarantine.models import NEEDS_DECISION, Case, Plan
from quarantine.relocation.moves import move_resident
from quarantine.switching.preview import SwitchOutcome, affected_cases, preview
from quarantine.switching.sweep import outdated_grids, progress, sweep
from reminders.models import Change, Message
from reminders.sweep import sweep as tell
from reminders.texts import source_of
from residents.register.models import Resident
from tests.factories import (
    make_case,
    make_household,
    make_place,
    make_result,
    make_user,
    moment,
    put_in_force,
)

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


def withdraw(activation: Activation) -> None:
    Activation.objects.filter(pk=activation.pk).update(
        withdrawn_at=SWITCH, withdrawn_by=activation.approved_by, withdrawal_reason="示例"
    )


def propose(document: str) -> Activation:
    return Activation.objects.create(
        document=document,
        area=Area.objects.get(code=COUNTY),
        effective_from=SWITCH,
        reason="示例",
        proposed_by=make_user("administrator"),
        proposed_at=SWITCH,
    )


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

        withdraw(ten)
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


class TestTheWordsOfACase:
    def test_name_the_document_that_its_dates_come_from_and_since_when(
        self, grid: Area, ten: Activation
    ) -> None:
        case = make_contact(grid, on=nth(5))
        assert switched(case) == ""
        sweep(at=SWITCH)
        case.refresh_from_db()
        with override("en"):
            said = switched(case)
        assert said.startswith("Opened under ")
        assert "From December 7 on the dates come from" in said

    def test_say_why_a_case_stays(self, grid: Area) -> None:
        put_in_force(
            "cn-2022-113", Area.objects.get(code=COUNTY), effective_from=moment(nth(1), 0)
        )
        contact = make_contact(grid, on=nth(6))
        infected = make_case(
            grid, on=nth(6), exposure="infected", clinical="mild", arrived_from=None
        )
        put_in_force("cn-2022-101", Area.objects.get(code=COUNTY), effective_from=SWITCH)
        sweep(at=SWITCH)
        with override("en"):
            contact.refresh_from_db()
            infected.refresh_from_db()
            assert "asks more of this person" in switched(contact)
            assert "medical care" in switched(infected)
        undecided = Case.objects.open().filter(transition__in=NEEDS_DECISION)
        assert list(undecided) == [infected]
        assert unexplained_cases() == []


class TestADocumentThatAsksTheSame:
    def test_moves_no_date_not_even_one_that_has_passed(self) -> None:
        grid = make_place("cn-2022-101", "150802")
        overdue, midway = make_contact(grid, on=nth(-3)), make_contact(grid, on=nth(3))
        before = [(each.plan, each.next_test_on, each.release_on) for each in (overdue, midway)]
        county = Area.objects.get(code="150802")
        put_in_force("bayannur-2022-71", county, effective_from=SWITCH)  # silent on contacts

        assert sweep(at=SWITCH) == 2

        for case in (overdue, midway):
            case.refresh_from_db()
            assert (case.law, case.transition) == ("bayannur-2022-71", "follows")
        after = [(each.plan, each.next_test_on, each.release_on) for each in (overdue, midway)]
        assert after == before
        assert not Case.objects.untold()
        assert unexplained_cases() == []
        with override("en"):
            assert "asks the very same" in switched(midway)

    def test_moves_no_make_up_where_the_clause_before_goes_on(self, grid: Area) -> None:
        # Through a port of the province, so that nothing is asked on arrival.
        case = make_case(grid, on=nth(3), inbound=Inbound(3, 0, "350100"), arrived_from=None)
        mark_missed(
            case=case,
            day=nth(5),
            reason="示例",
            at=moment(nth(6)),
            by=make_user("supervisor", grid),
        )
        case.refresh_from_db()
        before = (case.next_test_on, case.release_on)
        proposed = propose("cn-2022-113")  # silent on inbound
        assert preview(activation=proposed, at=SWITCH).counts == {SwitchOutcome.KEPT: 1}
        put_in_force("cn-2022-113", Area.objects.get(code=COUNTY), effective_from=SWITCH)
        sweep(at=SWITCH)

        case.refresh_from_db()
        assert (case.next_test_on, case.release_on, case.law_from) == (*before, None)


class TestTheHistoryOfACase:
    def test_is_written_by_acts_as_the_nightly_check_derives_it(self, grid: Area) -> None:
        case, other = make_contact(grid), make_stay(grid)
        make_result(case, nth(1), hours=20)
        make_result(case, nth(2), ct="38.50")
        by = make_user("grid_staff", grid)
        mark_missed(case=case, day=nth(3), reason="示例", at=moment(nth(4)), by=by)
        make_result(other, nth(1))
        case.refresh_from_db()
        take_sample(case=case, taken_at=moment(nth(5)), at=moment(nth(5)), by=by)
        other.refresh_from_db()
        assert case.history == "1-@2 2-38.5 3! 5"
        assert other.history == "1-"
        assert unexplained_cases() == []


class TestAnException:
    def test_keeps_a_case_under_the_document_of_its_opening(
        self, grid: Area, ten: Activation
    ) -> None:
        case = make_contact(grid, on=nth(5))
        before = case.release_on
        by = make_user("supervisor", grid)
        make_exception(
            case=case,
            excepted=Case.Excepted.STAYS,
            reason="透析",
            clause="cn-2022-101 17",
            at=SWITCH,
            by=by,
        )
        sweep(at=SWITCH)
        case.refresh_from_db()
        assert (case.law, case.release_on, case.activation) == ("cn-2022-101", before, ten)
        assert unexplained_cases() == []

        withdraw_exception(case=case, at=SWITCH, by=by)
        assert (case.law, case.release_on) == ("cn-2022-113", nth(9))
        assert unexplained_cases() == []

    def test_lets_a_case_follow_a_stricter_document(self, grid: Area, ten: Activation) -> None:
        sweep(at=SWITCH)
        case = make_contact(grid, on=nth(8))
        put_in_force(
            "cn-2022-101", Area.objects.get(code=COUNTY), effective_from=moment(nth(9), 0)
        )
        at = moment(nth(9))
        sweep(at=at)
        case.refresh_from_db()
        assert (case.law, case.transition) == ("cn-2022-113", "stays")

        by = make_user("supervisor", grid)
        make_exception(
            case=case,
            excepted=Case.Excepted.FOLLOWS,
            reason="本人要求",
            clause="cn-2022-101 1",
            at=at,
            by=by,
        )
        assert (case.law, case.release_on) == ("cn-2022-101", nth(15))
        assert unexplained_cases() == []

    @pytest.mark.parametrize("given", [{"reason": " "}, {"clause": ""}])
    def test_needs_a_reason_and_a_clause(self, grid: Area, given: dict[str, str]) -> None:
        case = make_contact(grid)
        words = {"reason": "透析", "clause": "cn-2022-101 17", **given}
        with pytest.raises(GroundsError):
            make_exception(
                case=case,
                excepted=Case.Excepted.STAYS,
                at=SWITCH,
                by=make_user("supervisor", grid),
                **words,
            )

    def test_is_made_once(self, grid: Area) -> None:
        case, by = make_contact(grid), make_user("supervisor", grid)
        again = partial(make_exception, case=case, reason="透析", clause="17", at=SWITCH, by=by)
        again(excepted=Case.Excepted.STAYS)
        with pytest.raises(ExceptedError):
            again(excepted=Case.Excepted.FOLLOWS)


class TestAChoice:
    def test_lets_what_is_stricter_reach_open_cases(self, grid: Area) -> None:
        put_in_force(
            "cn-2022-113", Area.objects.get(code=COUNTY), effective_from=moment(nth(1), 0)
        )
        case = make_contact(grid, on=nth(6))
        assert case.release_on == nth(10)
        proposed = propose("cn-2022-101")
        let_stricter_reach_open_cases(
            activation=proposed,
            subject="close_contacts",
            reason="示例",
            at=SWITCH,
            by=proposed.proposed_by,
        )

        assert preview(activation=proposed, at=SWITCH).counts == {SwitchOutcome.LENGTHENED: 1}

    def test_asks_for_no_test_of_a_day_that_was_over(self) -> None:
        grid = make_place("cn-2022-113", COUNTY)
        case = make_contact(grid, on=nth(5))
        assert case.next_test_on == nth(9)
        put_in_force("cn-2022-101", Area.objects.get(code=COUNTY), effective_from=SWITCH)
        make_exception(
            case=case,
            excepted=Case.Excepted.FOLLOWS,
            reason="示例",
            clause="cn-2022-101 1",
            at=SWITCH,
            by=make_user("supervisor", grid),
        )

        case.refresh_from_db()
        assert (case.law, case.release_on) == ("cn-2022-101", nth(12))
        asked = calendar_of(case, today=nth(7)).required_tests  # 101号 asks on days 1 and 2, too
        assert asked == (nth(7), nth(9), nth(10), nth(12))
        assert unexplained_cases() == []

    def test_is_refused_once_the_activation_is_approved(self, ten: Activation) -> None:
        with pytest.raises(ActivationNotWaitingError):
            let_stricter_reach_open_cases(
                activation=ten,
                subject="close_contacts",
                reason="示例",
                at=SWITCH,
                by=ten.proposed_by,
            )
        with pytest.raises(DatabaseError, match="choice_before_approval"), transaction.atomic():
            TransitionChoice.objects.create(
                activation=ten,
                subject="close_contacts",
                reason="示例",
                by=ten.proposed_by,
                at=SWITCH,
            )


class TestWhoIsFreed:
    """The ten measures know no rule for people from a listed city (Bayannur 4)."""

    def test_keeps_a_plan_whose_tests_are_cancelled_and_is_released_by_a_human(
        self, grid: Area
    ) -> None:
        city = make_place("bayannur-2022-71", "150802")
        stays = (Stay("620100", None, nth(5)),)
        case = make_case(city, on=nth(5), stays=stays, arrived_from="620100")
        put_in_force("cn-2022-113", Area.objects.get(code="150802"), effective_from=SWITCH)

        sweep(at=SWITCH)

        case.refresh_from_db()
        assert (case.transition, case.freed_on, case.law) == ("freed", nth(7), "cn-2022-113")
        assert (case.next_test_on, case.release_on, case.closed_on) == (None, nth(7), None)
        assert case.plan.content["document"] == "bayannur-2022-71"
        laid = calendar_of(case, today=nth(7))
        assert laid.may_be_released
        assert [day.test for day in laid.days if day.day >= nth(7) and day.test] == [
            "cancelled"
        ] * 3
        assert unexplained_cases() == []
        assert complete_what_is_over(at=moment(nth(8))) == 0
        with override("en"):
            assert "asks nothing more" in switched(case)
            tell(at=SWITCH)
            assert source_of(Change.objects.get()).endswith("clause 2")


class TestWhoIsFreedAboutTheLastDay:
    """Seven days at home with a test on the last of them; the switch is on the seventh."""

    @pytest.mark.parametrize("taken", [False, True], ids=["test dropped", "test taken"])
    @pytest.mark.parametrize(
        ("last", "told_if_dropped", "told_if_taken"),
        [(nth(6), 0, 0), (nth(7), 1, 0), (nth(8), 1, 1)],
        ids=["the day before", "the day itself", "the day after"],
    )
    def test_is_told_where_a_date_or_a_test_is_another(
        self, last: date, told_if_dropped: int, told_if_taken: int, *, taken: bool
    ) -> None:
        case = self.case_until(last)
        if taken:
            take_sample(
                case=case,
                taken_at=moment(last, 0),
                at=moment(last, 0),
                by=make_user("grid_staff", case.grid),
            )
        put_in_force("cn-2022-113", Area.objects.get(code="150802"), effective_from=SWITCH)
        sweep(at=SWITCH)

        tell(at=SWITCH)
        tell(at=SWITCH)

        told = Message.objects.filter(kind="changed", channel="in_app").count()
        assert told == (told_if_taken if taken else told_if_dropped)

    def test_is_corrected_when_the_test_is_due_again(self) -> None:
        self.case_until(nth(7))
        ten = put_in_force("cn-2022-113", Area.objects.get(code="150802"), effective_from=SWITCH)
        sweep(at=SWITCH)
        tell(at=SWITCH)
        withdraw(ten)
        sweep(at=SWITCH)

        tell(at=SWITCH)

        freed, again = Change.objects.order_by("pk")
        assert (freed.transition, again.transition, again.before_freed) == ("freed", "", True)
        assert not freed.correction
        assert again.correction
        assert not Case.objects.untold()

    def case_until(self, last: date) -> Case:
        """Make a case whose last day is the one given, all earlier tests taken."""
        day_1 = last - timedelta(days=6)
        stays = (Stay("620100", None, day_1),)
        city = make_place("bayannur-2022-71", "150802")
        case = make_case(city, on=day_1, stays=stays, arrived_from="620100")
        for number in (0, 2, 4):
            make_result(case, day_1 + timedelta(days=number))
        assert (case.release_on, case.next_test_on) == (last, last)
        return case


class TestACaseThatMoves:
    def test_follows_the_law_of_the_other_county(self, grid: Area, ten: Activation) -> None:
        elsewhere = make_place("cn-2022-101", "350105")
        case = make_contact(grid, on=nth(5))
        sweep(at=SWITCH)
        resident = Resident.objects.get(pk=case.resident_id)
        move_resident(
            resident=resident,
            household=make_household(grid=elsewhere),
            version=resident.version,
            at=SWITCH,
            by=make_user("supervisor", grid, elsewhere),
        )

        case.refresh_from_db()
        assert (case.grid, case.law, case.release_on) == (elsewhere, "cn-2022-101", nth(12))
        assert outdated_grids(at=SWITCH) == {}
        assert unexplained_cases() == []


class TestThePeopleConcerned:
    def test_are_told_of_a_switch_even_if_somebody_acts_before(
        self, grid: Area, ten: Activation
    ) -> None:
        case = make_contact(grid, on=nth(5))
        assert not Case.objects.untold()
        sweep(at=SWITCH)
        case.refresh_from_db()
        take_sample(
            case=case,
            taken_at=moment(nth(7)),
            at=moment(nth(7)),
            by=make_user("grid_staff", grid),
        )

        (untold,) = Case.objects.untold()
        assert (untold.told_release_on, untold.release_on) == (nth(12), nth(9))

    def test_are_told_nothing_of_what_was_taken_back_before(
        self, grid: Area, ten: Activation
    ) -> None:
        make_contact(grid, on=nth(5))
        sweep(at=SWITCH)
        withdraw(ten)
        sweep(at=SWITCH)
        assert not Case.objects.untold()


class TestThePreview:
    def test_counts_what_the_sweep_will_do(self, grid: Area) -> None:
        short = make_contact(grid, on=nth(5))
        make_contact(grid, on=nth(2))
        make_result(short, nth(5))
        ten = propose("cn-2022-113")

        found = preview(activation=ten, at=SWITCH)

        assert found.counts == {SwitchOutcome.SHORTENED: 1, SwitchOutcome.RELEASED: 1}
        (person,) = affected_cases(
            switch_preview=found, outcome=SwitchOutcome.SHORTENED, cases=Case.objects.all()
        )
        assert person.case == short
        assert (person.before.earliest_release, person.after.earliest_release) == (nth(12), nth(9))
        assert [found.tests_before[day] for day in found.days[:4]] == [2, 0, 2, 1]
        assert [found.tests_after[day] for day in found.days[:4]] == [0, 0, 1, 0]

    def test_writes_nothing(self, grid: Area) -> None:
        make_contact(grid, on=nth(5))
        before, ten = rows(), propose("cn-2022-113")
        plans = Plan.objects.count()
        preview(activation=ten, at=SWITCH)
        assert (rows(), Plan.objects.count()) == (before, plans)
        assert progress(cases=Case.objects.all(), at=SWITCH).percent == 100
