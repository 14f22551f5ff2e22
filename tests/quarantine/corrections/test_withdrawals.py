"""Taking back what was just recorded."""

from datetime import date, timedelta
from typing import Any

import pytest

from accounts.staff.models import Area, Role
from common.undo_window import UNDO, TooLateToUndoError
from policy.engine.decisions.facts import Stay
from quarantine.acts.contacts import open_contacts
from quarantine.acts.household import proposed_contacts
from quarantine.acts.outings import Mask, OutingPurpose, Vehicle, approve_outing, ask_outing
from quarantine.acts.release import release
from quarantine.acts.results import mark_missed, take_sample
from quarantine.cases.lifecycle import change_clinical, change_home_conditions
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.corrections.withdrawals import (
    take_back_contacts,
    take_back_event,
    take_back_move,
    take_back_result,
    take_back_sample,
)
from quarantine.models import Case, Event
from quarantine.relocation.moves import die, take_over
from residents.register import services as residents
from residents.relocation import handovers, moves
from residents.relocation.models import Handover
from tests.factories import (
    make_arrival,
    make_case,
    make_community,
    make_grid,
    make_household,
    make_place,
    make_resident,
    make_result,
    make_user,
    moment,
    put_in_force,
)

pytestmark = pytest.mark.django_db

DAY_1 = date(2022, 11, 20)


def nth(number: int) -> date:
    return DAY_1 + timedelta(days=number - 1)


@pytest.fixture
def yingkou() -> Area:
    return make_place("yingkou-2022-11", "210800")


@pytest.fixture
def case(yingkou: Area) -> Case:
    """Seven days at home after a high-risk stay (Yingkou 2)."""
    return make_case(yingkou, stays=(Stay("310101", "high", DAY_1),))


@pytest.fixture
def contact() -> Case:
    cangshan = make_place("cangshan-2022-324", "350104")
    return make_case(cangshan, exposure="close_contact", arrived_from=None)


def state(case: Case) -> dict[str, Any]:
    """Return all that an undo must bring back."""
    case.refresh_from_db()
    names = ("facts", "plan_id", "next_test_on", "release_on", "closed_on", "closed_as")
    return {name: getattr(case, name) for name in names}


class TestASample:
    def test_taken_back_is_due_again(self, case: Case) -> None:
        before = state(case)
        sample = take_sample(case=case, taken_at=moment(nth(1)), at=moment(nth(1)), by=make_user())

        take_back_sample(sample=sample, at=moment(nth(1)), by=make_user())

        assert state(case) == before


class TestAResult:
    def test_that_was_negative_is_awaited_again(self, case: Case) -> None:
        result = make_result(case, nth(1)).result

        take_back_result(result=result, at=result.recorded_at, by=make_user())

        case.refresh_from_db()
        assert case.next_test_on == nth(3)
        assert case.resident.samples.get().results.filter(withdrawn_at=None).count() == 0

    def test_that_completed_a_case_opens_it_again(self, yingkou: Area) -> None:
        case = make_case(yingkou, arrived_from="210100")
        result = make_result(case, nth(1)).result
        assert case.closed_on

        take_back_result(result=result, at=result.recorded_at, by=make_user())

        case.refresh_from_db()
        assert case.closed_on is None

    def test_that_referred_a_case_opens_it_again(self, case: Case) -> None:
        before = {**state(case), "next_test_on": nth(3)}
        result = make_result(case, nth(1), outcome="positive").result

        take_back_result(result=result, at=result.recorded_at, by=make_user())

        assert state(case) == before
        kinds = set(case.events.filter(withdrawn_at=None).values_list("kind", flat=True))
        assert kinds == {"opened"}

    def test_that_opened_an_infected_case_brings_the_old_one_back(self, contact: Case) -> None:
        recorded = make_result(contact, nth(1), outcome="positive")
        assert recorded.opened

        take_back_result(result=recorded.result, at=recorded.result.recorded_at, by=make_user())

        contact.refresh_from_db()
        recorded.opened.refresh_from_db()
        assert contact.closed_on is None
        assert recorded.opened.closed_as == Case.ClosedAs.WITHDRAWN
        assert unexplained_cases() == []

    def test_is_kept_once_contacts_were_opened(self, contact: Case) -> None:
        make_resident(household=contact.resident.household)
        recorded = make_result(contact, nth(1), outcome="positive")
        assert recorded.opened
        at = recorded.result.recorded_at
        proposed = proposed_contacts(case=recorded.opened, at=at)
        contacts = [one.resident for one in proposed]
        open_contacts(case=recorded.opened, residents=contacts, at=at, by=make_user())

        with pytest.raises(TooLateToUndoError):
            take_back_result(result=recorded.result, at=at, by=make_user())

        assert recorded.opened in Case.objects.open()


class TestContacts:
    def test_taken_back_are_free_again_and_what_they_were_under_goes_on(self, case: Case) -> None:
        make_result(case, DAY_1, outcome="positive")
        home = case.resident.household
        free, held = make_resident(household=home), make_resident(household=home)
        stays = (Stay("310101", "high", DAY_1),)
        before = make_case(case.grid, resident=held, stays=stays)
        kept = state(before)
        at, by = moment(DAY_1, 13), make_user()
        open_contacts(case=case, residents=[free, held], at=at, by=by)

        assert take_back_contacts(index=case, at=at + UNDO, by=by) == 2

        # Nothing but that it had been asked meanwhile which ground governs.
        assert state(before) == kept
        assert list(Case.objects.open()) == [before]
        again = proposed_contacts(case=case, at=at)
        assert {one.resident for one in again} == {free, held}
        with pytest.raises(TooLateToUndoError):
            take_back_contacts(index=case, at=at, by=by)

    def test_stay_when_the_time_is_over_or_something_happened(self, contact: Case) -> None:
        infected = make_result(contact, DAY_1, outcome="positive").opened
        assert infected
        flatmate = make_resident(household=contact.resident.household)
        at, by = moment(DAY_1, 13), make_user()
        (opened,) = open_contacts(case=infected, residents=[flatmate], at=at, by=by)
        with pytest.raises(TooLateToUndoError):
            take_back_contacts(index=infected, at=at + UNDO + timedelta(seconds=1), by=by)
        make_result(opened, DAY_1)
        with pytest.raises(TooLateToUndoError):
            take_back_contacts(index=infected, at=at, by=by)
        assert opened in Case.objects.open()


class TestAMissedTest:
    def test_taken_back_is_due_on_its_own_day_again(self, case: Case) -> None:
        before = state(case)
        at = moment(nth(2))
        event = mark_missed(case=case, day=nth(1), reason="", at=at, by=make_user())

        take_back_event(event=event, at=at + UNDO, by=make_user())

        assert state(case) == before

    def test_stays_when_the_time_is_over(self, case: Case) -> None:
        at = moment(nth(2))
        event = mark_missed(case=case, day=nth(1), reason="", at=at, by=make_user())

        with pytest.raises(TooLateToUndoError):
            take_back_event(event=event, at=at + UNDO + timedelta(seconds=1), by=make_user())

    def test_is_taken_back_once(self, case: Case) -> None:
        at = moment(nth(2))
        event = mark_missed(case=case, day=nth(1), reason="", at=at, by=make_user())
        take_back_event(event=event, at=at, by=make_user())

        with pytest.raises(TooLateToUndoError):
            take_back_event(event=event, at=at, by=make_user())


class TestAChangeOfFacts:
    def change(self, case: Case, *, met: bool) -> Event:
        return change_home_conditions(
            case=case, met=met, reason="示例", at=moment(nth(3)), by=make_user()
        )

    def test_taken_back_restores_plan_and_facts(self, case: Case) -> None:
        before = state(case)
        event = self.change(case, met=False)

        take_back_event(event=event, at=moment(nth(3)), by=make_user())

        assert state(case) == before
        assert unexplained_cases() == []

    def test_stays_when_another_followed(self, case: Case) -> None:
        first = self.change(case, met=False)
        self.change(case, met=True)

        with pytest.raises(TooLateToUndoError):
            take_back_event(event=first, at=moment(nth(3)), by=make_user())

    def test_that_referred_the_person_opens_the_case_again(self, contact: Case) -> None:
        infected = make_result(contact, nth(1), outcome="positive").opened
        assert infected
        before = state(infected)
        event = change_clinical(
            case=infected, state="severe", reason="", at=moment(nth(2)), by=make_user()
        )
        assert state(infected)["closed_as"] == Case.ClosedAs.REFERRED

        take_back_event(event=event, at=moment(nth(2)), by=make_user())

        assert state(infected) == before


class TestARelease:
    @pytest.fixture
    def released(self, yingkou: Area) -> Case:
        case = make_case(yingkou)
        for number in (1, 3, 5):
            make_result(case, nth(number))
        assert release(cases=[case], at=moment(nth(5), 16), by=make_user()).released
        return case

    def take_back(self, case: Case) -> None:
        event = case.events.get(kind=Event.Kind.RELEASED)
        take_back_event(event=event, at=event.at, by=make_user())

    def test_taken_back_opens_the_case_again(self, released: Case) -> None:
        self.take_back(released)

        assert state(released)["closed_as"] == ""
        assert released.release_on == nth(5)

    def test_taken_back_opens_it_beside_another_that_was_opened_since(
        self, yingkou: Area, released: Case
    ) -> None:
        made = make_arrival(yingkou, on=nth(6), resident=released.resident, arrived_from="310000")

        self.take_back(released)

        assert state(released)["closed_as"] == ""
        assert list(Case.objects.governing()) == [made.case]


class TestAnOuting:
    def test_with_an_answer_is_kept_until_the_answer_is_taken_back(self, case: Case) -> None:
        at = moment(nth(1))
        asked = ask_outing(
            case=case,
            day=nth(1),
            purpose=OutingPurpose.MEDICAL,
            vehicle=Vehicle.ESCORTED,
            mask=Mask.N95,
            reason="透析",
            at=at,
            by=make_user(),
        )
        answer = approve_outing(asked=asked, at=at, by=make_user())

        with pytest.raises(TooLateToUndoError):
            take_back_event(event=asked, at=at, by=make_user())
        take_back_event(event=answer, at=at, by=make_user())
        take_back_event(event=asked, at=at, by=make_user())

        assert not Event.objects.valid().filter(kind__startswith="outing").exists()


class TestWhatFollowsFromSomethingElse:
    def test_is_not_taken_back_by_itself(self, case: Case) -> None:
        opened = case.events.get(kind=Event.Kind.OPENED)

        with pytest.raises(TooLateToUndoError):
            take_back_event(event=opened, at=opened.at, by=make_user())


class TestLate:
    """After the time to undo a supervisor does it, with a reason; what followed goes along."""

    WHY = "登记错误"

    def test_a_death_of_somebody_else_gives_the_case_back_as_it_was(self, case: Case) -> None:
        by = make_user(Role.SUPERVISOR, case.grid)
        make_result(case, nth(1))
        before = state(case)
        resident = case.resident
        resident.refresh_from_db()
        died = die(
            resident=resident, version=resident.version, day=nth(2), at=moment(nth(2)), by=by
        )
        residents.change(
            resident=resident,
            version=resident.version,
            phone="13900139000",
            at=moment(nth(2)),
            by=by,
        )
        assert state(case)["closed_as"] == Case.ClosedAs.DIED

        take_back_move(move=died, reason=self.WHY, at=moment(nth(3)), by=by)

        resident.refresh_from_db()
        assert resident.gone_as == ""
        assert state(case) == before
        assert case.day_1 == DAY_1
        assert Event.objects.valid().filter(kind=Event.Kind.CORRECTED).get().reason == self.WHY

    def test_a_case_comes_back_under_the_law_in_force_now(self, case: Case) -> None:
        by = make_user(Role.SUPERVISOR, case.grid)
        resident = case.resident
        resident.refresh_from_db()
        gone = die(
            resident=resident, version=resident.version, day=nth(2), at=moment(nth(2)), by=by
        )
        ten = put_in_force("cn-2022-113", case.grid, effective_from=moment(nth(2), 20))

        take_back_move(move=gone, reason=self.WHY, at=moment(nth(3)), by=by)

        case.refresh_from_db()
        assert (case.closed_on, case.activation, case.law) == (None, ten, "cn-2022-113")
        assert unexplained_cases() == []

    def test_a_handover_waits_again_for_its_answer(self, case: Case) -> None:
        there = make_community()
        taker = make_user(Role.SUPERVISOR, there)
        handover = handovers.offer(
            resident=case.resident,
            to=there,
            day=nth(2),
            at=moment(nth(2)),
            by=make_user(Role.SUPERVISOR, case.grid),
        )
        household = make_household(grid=make_grid(there))
        made = take_over(
            handover=handover, household=household, day=nth(2), at=moment(nth(2)), by=taker
        )
        assert not Handover.objects.waiting().exists()

        take_back_move(move=made, at=moment(nth(2)), by=taker)

        assert Handover.objects.waiting().get() == handover

    def test_a_death_is_kept_while_a_later_move_stands(self, case: Case) -> None:
        by = make_user(Role.SUPERVISOR, case.grid)
        resident = case.resident
        resident.refresh_from_db()
        died = die(
            resident=resident, version=resident.version, day=nth(2), at=moment(nth(2)), by=by
        )
        moves.come_back(
            resident=resident,
            household=resident.household,
            version=resident.version,
            day=nth(2),
            at=moment(nth(2)),
            by=by,
        )
        with pytest.raises(moves.FollowedError):
            take_back_move(move=died, reason=self.WHY, at=moment(nth(3)), by=by)

    def test_a_change_of_facts_goes_whatever_came_after_it(self, case: Case) -> None:
        by = make_user(Role.SUPERVISOR, case.grid)
        first = change_home_conditions(
            case=case, met=False, reason="示例", at=moment(nth(1)), by=by
        )
        change_home_conditions(case=case, met=True, reason="示例", at=moment(nth(2)), by=by)

        take_back_event(event=first, reason=self.WHY, at=moment(nth(3)), by=by)

        case.refresh_from_db()
        assert "home_conditions_met" not in case.facts
        assert unexplained_cases() == []

    def test_a_missed_test_is_due_on_its_own_day_again(self, case: Case) -> None:
        by = make_user(Role.SUPERVISOR, case.grid)
        before = state(case)
        event = mark_missed(case=case, day=nth(1), reason="", at=moment(nth(2)), by=by)

        take_back_event(event=event, reason=self.WHY, at=moment(nth(3)), by=by)

        assert state(case) == before

    def test_a_release_opens_the_case_again_for_its_grid_to_be_told(self, yingkou: Area) -> None:
        case = make_case(yingkou)
        by = make_user(Role.SUPERVISOR, yingkou)
        for number in (1, 3, 5):
            make_result(case, nth(number))
        assert release(cases=[case], at=moment(nth(5), 16), by=by).released
        event = case.events.get(kind=Event.Kind.RELEASED)

        take_back_event(event=event, reason=self.WHY, at=moment(nth(6)), by=by)

        assert state(case)["closed_as"] == ""
        assert case.release_on == nth(5)

    def test_a_result_opens_the_case_again_that_it_completed(self, yingkou: Area) -> None:
        case = make_case(yingkou, arrived_from="210100")
        result = make_result(case, nth(1)).result
        assert case.closed_as == Case.ClosedAs.COMPLETED

        take_back_result(
            result=result,
            reason=self.WHY,
            at=moment(nth(2)),
            by=make_user(Role.SUPERVISOR, yingkou),
        )

        case.refresh_from_db()
        assert case.closed_on is None
        assert unexplained_cases() == []
