"""What is to be done about a danger: opened by the fact, done only by an act."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, Role, User
from common.undo_window import TooLateToUndoError
from quarantine.acts import results
from quarantine.acts.contacts import decline_contacts, open_contacts
from quarantine.acts.daily_checks import Symptom, daily_check
from quarantine.acts.outings import (
    Mask,
    OutingPurpose,
    Vehicle,
    approve_outing,
    ask_outing,
    refuse_outing,
)
from quarantine.acts.results import record_result
from quarantine.arrivals.services import Logged, take_back_arrival
from quarantine.cases.lifecycle import change_clinical
from quarantine.corrections.withdrawals import (
    take_back_contacts,
    take_back_event,
    take_back_move,
    take_back_result,
)
from quarantine.models import Case, Event
from quarantine.relocation.moves import die, leave, move_resident
from quarantine.todo import services
from quarantine.todo.models import Todo
from testing.models import NATResult, Sample
from testing.services import take_sample
from tests.factories import (
    NOW,
    make_arrival,
    make_grid,
    make_household,
    make_place,
    make_resident,
    make_result,
    make_user,
    moment,
)

pytestmark = pytest.mark.django_db

Arrive = Callable[..., Logged]
Kind = Todo.Kind
LATER = NOW + timedelta(minutes=5)


def kinds(**about: Any) -> list[str]:
    return sorted(Todo.objects.open().filter(**about).values_list("kind", flat=True))


def only(kind: Todo.Kind) -> Todo:
    return Todo.objects.open().get(kind=kind)


def infected(grid: Area, by: User, **facts: Any) -> Logged:
    """Log somebody who comes infected."""
    return make_arrival(grid, on=NOW.date(), at=NOW, by=by, exposure="infected", **facts)


def feverish(case: Case, by: User, temperature: str | None = "38.6", *symptoms: Symptom) -> Event:
    known = None if temperature is None else Decimal(temperature)
    return daily_check(case=case, temperature=known, symptoms=symptoms, note="", at=NOW, by=by)


def outing(case: Case, by: User, *, days: int = 1) -> Event:
    return ask_outing(
        case=case,
        day=NOW.date() + timedelta(days=days),
        purpose=OutingPurpose.MEDICAL,
        vehicle=Vehicle.ESCORTED,
        mask=Mask.N95,
        reason="透析",
        at=NOW,
        by=by,
    )


def positive(resident: Any, by: User) -> NATResult:
    sample = take_sample(resident=resident, taken_at=NOW, at=NOW, by=by)
    return record_result(
        sample=sample,
        outcome=NATResult.Outcome.POSITIVE,
        ct=Decimal(24),
        reported_at=NOW,
        at=NOW,
        by=by,
    ).result


class TestAnInfectedArrivalWhoIsPassedOn:
    """Under Bayannur 71号 nobody infected stays at home."""

    def test_is_to_be_referred_by_grid_staff_within_hours(self, grid: Area, staff: User) -> None:
        logged = infected(grid, staff)

        todo = only(Kind.REFER)
        assert logged.case is None
        assert (todo.resident, todo.arrival) == (logged.arrival.resident, logged.arrival)
        assert (todo.owner, todo.due_at) == (Role.GRID_STAFF, NOW + timedelta(hours=2))

    def test_is_done_by_the_handing_over(self, grid: Area, staff: User) -> None:
        infected(grid, staff)
        todo = only(Kind.REFER)

        services.hand_over(
            todo=todo,
            to="市医院 感染科",
            handed_over_at=LATER,
            vehicle=Todo.Vehicle.AMBULANCE,
            at=LATER,
            by=staff,
        )

        todo.refresh_from_db()
        assert kinds() == []
        assert (todo.done_text, todo.handed_over_at, todo.vehicle, todo.done_by) == (
            "市医院 感染科",
            LATER,
            "ambulance",
            staff,
        )

    def test_is_handed_over_once(self, grid: Area, staff: User) -> None:
        infected(grid, staff)
        first, second = only(Kind.REFER), only(Kind.REFER)
        how: Any = {"handed_over_at": LATER, "vehicle": "ambulance", "at": LATER, "by": staff}
        services.hand_over(todo=first, to="市医院", **how)

        with pytest.raises(services.TodoEndedError):
            services.hand_over(todo=second, to="县医院", **how)

    @pytest.mark.parametrize("when", [timedelta(minutes=1), -timedelta(days=2)])
    def test_is_not_handed_over_at_a_moment_that_cannot_be(
        self, grid: Area, staff: User, when: timedelta
    ) -> None:
        infected(grid, staff)

        with pytest.raises(services.HandoverMomentError):
            services.hand_over(
                todo=only(Kind.REFER),
                to="市医院",
                handed_over_at=NOW + when,
                vehicle=Todo.Vehicle.AMBULANCE,
                at=NOW,
                by=staff,
            )

    def test_is_to_be_handed_over_again_when_that_is_taken_back(
        self, grid: Area, staff: User
    ) -> None:
        infected(grid, staff)
        todo = only(Kind.REFER)
        how: Any = {"to": "市医院", "handed_over_at": NOW, "vehicle": "ambulance"}
        services.hand_over(todo=todo, **how, at=NOW, by=staff)

        services.take_back(todo=todo, at=LATER, by=staff)

        todo.refresh_from_db()
        assert (kinds(), todo.done_text, todo.vehicle) == (["refer"], "", "")

    def test_keeps_the_handing_over_after_the_undo_time(self, grid: Area, staff: User) -> None:
        infected(grid, staff)
        todo = only(Kind.REFER)
        how: Any = {"to": "市医院", "handed_over_at": NOW, "vehicle": "ambulance"}
        services.hand_over(todo=todo, **how, at=NOW, by=staff)

        with pytest.raises(TooLateToUndoError):
            services.take_back(todo=todo, at=NOW + timedelta(minutes=11), by=staff)

    def test_is_not_to_be_referred_when_the_arrival_is_taken_back(
        self, grid: Area, staff: User
    ) -> None:
        logged = infected(grid, staff)

        take_back_arrival(arrival=logged.arrival, at=LATER, by=staff)

        todo = Todo.objects.get()
        assert kinds() == []
        assert (todo.withdrawn_at, todo.withdrawn_by, todo.done_at) == (LATER, staff, None)

    def test_follows_corrected_facts_there_and_back(self, grid: Area, staff: User) -> None:
        logged = infected(grid, staff)
        again: Any = {"arrival": logged.arrival, "at": LATER, "by": staff}

        services.follow_arrival(**again, case=None, refers=True, household=False)
        assert Todo.objects.count() == 1
        services.follow_arrival(**again, case=None, refers=False, household=False)
        assert kinds() == []
        services.follow_arrival(**again, case=None, refers=True, household=False)

        assert kinds() == ["refer"]

    def test_is_still_to_be_referred_after_leaving(self, grid: Area, staff: User) -> None:
        resident = infected(grid, staff).arrival.resident

        leave(
            resident=resident,
            version=resident.version,
            day=NOW.date(),
            place="外地",
            case_told=True,
            at=NOW,
            by=staff,
        )

        assert kinds() == ["refer"]

    def test_brings_the_household_where_the_law_knows_contacts(
        self, grid: Area, staff: User
    ) -> None:
        resident = make_resident(grid=grid, by=staff)
        make_resident(household=resident.household, by=staff)

        infected(grid, staff, resident=resident)

        assert kinds(resident=resident) == ["household", "refer"]

    def test_is_written_to_the_audit_without_a_name(self, grid: Area, staff: User) -> None:
        resident = infected(grid, staff).arrival.resident

        entries = AuditEntry.objects.filter(did="opened a to-do")

        assert entries.count() == 1
        assert resident.name not in str([(entry.subject, entry.detail) for entry in entries])


class TestAnInfectedArrivalWhoStaysAtHome:
    """Under Cangshan 324号 mild cases isolate at home."""

    def test_is_not_referred_but_the_household_is_proposed(self) -> None:
        grid = make_place("cangshan-2022-324", "350104")
        staff = make_user(Role.GRID_STAFF, grid)
        resident = make_resident(grid=grid, by=staff)
        make_resident(household=resident.household, by=staff)

        logged = infected(grid, staff, resident=resident)

        assert logged.case
        assert kinds() == ["household"]
        assert only(Kind.HOUSEHOLD).case == logged.case


class TestSymptoms:
    @pytest.mark.parametrize(
        ("temperature", "symptoms"),
        [
            ("37.3", ()),
            ("38.6", (Symptom.COUGH,)),
            (None, (Symptom.BREATH,)),
            ("36.4", ("cough",)),
        ],
    )
    def test_are_for_the_supervisor_to_look_at(
        self, arrive: Arrive, staff: User, temperature: str | None, symptoms: Any
    ) -> None:
        case: Any = arrive().case

        event = feverish(case, staff, temperature, *symptoms)

        todo = only(Kind.SYMPTOMS)
        assert (todo.event, todo.case, todo.owner) == (event, case, Role.SUPERVISOR)

    @pytest.mark.parametrize("temperature", ["37.2", "36.0", None])
    def test_are_none_below_the_threshold(
        self, arrive: Arrive, staff: User, temperature: str | None
    ) -> None:
        case: Any = arrive().case

        feverish(case, staff, temperature)

        assert kinds() == []

    def test_end_by_being_looked_at_all_of_one_person_together(
        self, arrive: Arrive, staff: User, supervisor: User
    ) -> None:
        case, other = (arrive().case for _ in range(2))
        assert case
        assert other
        first = feverish(case, staff)
        feverish(case, staff, "37.9")
        feverish(other, staff)

        services.look_at(
            todo=Todo.objects.get(event=first), what_was_done="已联系诊所", at=LATER, by=supervisor
        )

        assert kinds(resident=case.resident) == []
        assert kinds(resident=other.resident) == ["symptoms"]
        assert {todo.done_text for todo in Todo.objects.filter(case=case)} == {"已联系诊所"}

    def test_are_not_ended_by_grid_staff_nor_by_a_better_day(
        self, arrive: Arrive, staff: User
    ) -> None:
        case: Any = arrive().case
        feverish(case, staff)

        with pytest.raises(services.NotYoursError):
            services.look_at(todo=only(Kind.SYMPTOMS), what_was_done="好了", at=LATER, by=staff)
        feverish(case, staff, "36.5")

        assert kinds() == ["symptoms"]

    def test_go_when_the_check_is_taken_back(self, arrive: Arrive, staff: User) -> None:
        case: Any = arrive().case
        event = feverish(case, staff)

        take_back_event(event=event, at=LATER, by=staff)

        assert kinds() == []

    def test_are_asked_once_for_a_form_sent_twice(self, arrive: Arrive, staff: User) -> None:
        case: Any = arrive().case
        for _ in range(2):
            daily_check(
                case=case,
                temperature=Decimal(39),
                symptoms=[],
                note="",
                at=NOW,
                by=staff,
                key=case.key,
            )

        assert kinds() == ["symptoms"]


class TestAnOuting:
    def test_is_for_the_supervisor_to_decide_before_its_day(
        self, arrive: Arrive, staff: User
    ) -> None:
        case: Any = arrive().case

        asked = outing(case, staff)

        todo = only(Kind.OUTING)
        assert (todo.event, todo.owner) == (asked, Role.SUPERVISOR)
        assert todo.due_at <= moment(asked.day, 0)

    @pytest.mark.parametrize("agrees", [True, False])
    def test_is_done_by_its_answer(
        self, arrive: Arrive, staff: User, supervisor: User, agrees: bool
    ) -> None:
        case: Any = arrive().case
        asked = outing(case, staff)

        if agrees:
            answer = approve_outing(asked=asked, at=LATER, by=supervisor)
        else:
            answer = refuse_outing(asked=asked, reason="可居家就诊", at=LATER, by=supervisor)

        assert kinds() == []
        assert Todo.objects.get().done_event == answer

    def test_is_to_be_decided_again_when_the_answer_is_taken_back(
        self, arrive: Arrive, staff: User, supervisor: User
    ) -> None:
        case: Any = arrive().case
        answer = approve_outing(asked=outing(case, staff), at=NOW, by=supervisor)

        take_back_event(event=answer, at=LATER, by=supervisor)

        assert kinds() == ["outing"]

    def test_goes_with_the_request(self, arrive: Arrive, staff: User) -> None:
        case: Any = arrive().case
        asked = outing(case, staff)

        take_back_event(event=asked, at=LATER, by=staff)

        assert kinds() == []


class TestAPositive:
    def test_of_somebody_passed_on_is_a_referral(self, arrive: Arrive, staff: User) -> None:
        case: Any = arrive().case

        recorded = make_result(case, NOW.date(), outcome="positive", ct="22")

        assert recorded.opened is None
        assert kinds(resident=case.resident) == ["refer"]

    def test_goes_as_a_whole_when_the_result_is_taken_back(
        self, arrive: Arrive, staff: User
    ) -> None:
        case: Any = arrive().case
        make_resident(household=case.resident.household, by=staff)
        recorded = make_result(case, NOW.date(), outcome="positive", ct="22")
        assert kinds() == ["household", "refer"]

        supervisor = make_user(Role.SUPERVISOR, case.grid)
        take_back_result(result=recorded.result, at=LATER, by=supervisor, reason="示例")

        assert kinds() == []

    def test_at_home_is_done_by_the_clinical_class(self) -> None:
        grid = make_place("cangshan-2022-324", "350104")
        staff = make_user(Role.GRID_STAFF, grid)
        contact = make_arrival(
            grid, on=NOW.date(), at=NOW, by=staff, exposure="close_contact"
        ).case
        assert contact
        opened = make_result(contact, NOW.date(), outcome="positive", ct="22").opened
        assert opened
        assert kinds() == ["positive"]

        change_clinical(case=opened, state="mild", reason="医生电话", at=LATER, by=staff)

        assert kinds() == []

    def test_of_somebody_under_no_measure_is_a_referral(self, grid: Area, staff: User) -> None:
        resident = make_resident(grid=grid, by=staff)

        positive(resident, staff)

        assert kinds(resident=resident) == ["refer"]

    def test_of_the_dead_leaves_the_household_to_be_asked(self, grid: Area, staff: User) -> None:
        resident = make_resident(grid=grid, by=staff)
        make_resident(household=resident.household, by=staff)
        sample = take_sample(resident=resident, taken_at=NOW, at=NOW, by=staff)
        die(resident=resident, version=resident.version, day=NOW.date(), at=NOW, by=staff)
        sample.refresh_from_db()

        record_result(
            sample=sample,
            outcome=NATResult.Outcome.POSITIVE,
            ct=None,
            reported_at=NOW,
            at=NOW,
            by=staff,
        )

        assert kinds(resident=resident) == ["household"]


class TestAHousehold:
    @pytest.fixture
    def index(self) -> Case:
        """Return the case of an infected person who lives with somebody else."""
        grid = make_place("cangshan-2022-324", "350104")
        staff = make_user(Role.GRID_STAFF, grid)
        contact = make_arrival(
            grid, on=NOW.date(), at=NOW, by=staff, exposure="close_contact"
        ).case
        assert contact
        make_resident(household=contact.resident.household, by=staff)
        opened = make_result(contact, NOW.date(), outcome="positive", ct="22").opened
        assert opened
        return opened

    def test_is_done_by_its_contacts_and_open_again_without_them(self, index: Case) -> None:
        by = make_user(Role.GRID_STAFF, index.grid)
        others = list(index.resident.household.residents.exclude(pk=index.resident_id))

        open_contacts(case=index, residents=others, at=LATER, by=by)
        assert "household" not in kinds()
        take_back_contacts(index=index, at=LATER, by=by)

        assert "household" in kinds()

    def test_is_done_by_saying_why_nobody_is_a_contact(self, index: Case) -> None:
        by = make_user(Role.GRID_STAFF, index.grid)
        others = list(index.resident.household.residents.exclude(pk=index.resident_id))

        event = decline_contacts(
            case=index, residents=others, reason="本月在外地", at=LATER, by=by
        )
        assert "household" not in kinds()
        take_back_event(event=event, at=LATER, by=by)

        assert "household" in kinds()

    def test_is_not_done_while_somebody_is_not_decided_on(self, index: Case) -> None:
        by = make_user(Role.GRID_STAFF, index.grid)
        make_resident(household=index.resident.household, by=by)
        others = list(index.resident.household.residents.exclude(pk=index.resident_id))

        open_contacts(case=index, residents=others[:1], at=LATER, by=by)

        assert "household" in kinds()

    def test_of_somebody_who_lives_alone_asks_nothing(self, grid: Area, staff: User) -> None:
        infected(grid, staff)

        assert kinds() == ["refer"]


class TestAPooledPositive:
    @pytest.fixture
    def pool(self, arrive: Arrive, staff: User) -> list[NATResult]:
        """Return the results of two people in one positive tube."""
        samples = []
        for _ in range(2):
            case: Any = arrive().case
            samples.append(
                results.take_sample(
                    case=case, taken_at=NOW, at=NOW, by=staff, pooled=True, tube="T1"
                )
            )
        self.record(samples[0], staff)
        return [sample.results.get() for sample in samples]

    def record(self, sample: Sample, by: User, outcome: str = "positive") -> NATResult:
        return record_result(
            sample=sample,
            outcome=NATResult.Outcome(outcome),
            ct=None,
            reported_at=LATER,
            at=LATER,
            by=by,
        ).result

    def test_is_to_be_checked_for_everybody_of_the_tube(self, pool: list[NATResult]) -> None:
        assert [kinds(resident=result.sample.resident) for result in pool] == [["pool"]] * 2

    @pytest.mark.parametrize(("outcome", "left"), [("negative", []), ("positive", ["refer"])])
    def test_is_done_for_one_by_a_tube_of_their_own(
        self, pool: list[NATResult], staff: User, outcome: str, left: list[str]
    ) -> None:
        one, other = pool
        single = results.take_check(sample=one.sample, at=LATER, by=staff)

        result = self.record(single, staff, outcome)

        assert Todo.objects.get(result=one, kind=Kind.POOL).done_result == result
        assert kinds(resident=one.sample.resident) == left
        assert kinds(resident=other.sample.resident) == ["pool"]

    def test_is_still_to_be_checked_when_that_result_is_taken_back(
        self, pool: list[NATResult], staff: User
    ) -> None:
        single = results.take_check(sample=pool[0].sample, at=LATER, by=staff)
        result = self.record(single, staff, "negative")

        take_back_result(result=result, at=LATER, by=staff)

        assert kinds(resident=single.resident) == ["pool"]

    def test_goes_when_the_result_of_the_tube_is_taken_back(
        self, pool: list[NATResult], staff: User
    ) -> None:
        take_back_result(result=pool[0], at=LATER, by=staff)

        assert kinds(resident=pool[0].sample.resident) == []


class TestNothing:
    def test_rests_on_a_fact_that_was_withdrawn_by_whatever_way(
        self, arrive: Arrive, grid: Area, staff: User
    ) -> None:
        case: Any = arrive().case
        event = feverish(case, staff)
        arrival = infected(grid, staff).arrival
        result = positive(make_resident(grid=grid, by=staff), staff)
        assert len(kinds()) == 3

        for fact in (event, arrival, result):
            type(fact).objects.filter(pk=fact.pk).update(withdrawn_at=LATER, withdrawn_by=staff)

        assert kinds() == []


class TestWhoSeesIt:
    def test_is_their_own_grid_and_no_other(
        self, arrive: Arrive, staff: User, supervisor: User, grid: Area
    ) -> None:
        case: Any = arrive().case
        feverish(case, staff)
        next_door = make_user(Role.GRID_STAFF, make_grid(Area.objects.get_parent(grid)))

        assert Todo.objects.visible_to(staff).count() == 1
        assert Todo.objects.visible_to(supervisor).count() == 1
        for other in (next_door, make_user(Role.AUDITOR, grid), make_user(Role.GRID_STAFF)):
            assert not Todo.objects.visible_to(other).exists()

    def test_moves_with_the_person_and_back(self, arrive: Arrive, staff: User, grid: Area) -> None:
        case: Any = arrive().case
        feverish(case, staff)
        elsewhere = make_grid(Area.objects.get_parent(grid))
        theirs = make_user(Role.GRID_STAFF, elsewhere)

        move = move_resident(
            resident=case.resident,
            household=make_household(grid=elsewhere),
            version=case.resident.version,
            at=NOW,
            by=staff,
        )
        assert Todo.objects.visible_to(theirs).open().count() == 1
        assert not Todo.objects.visible_to(staff).exists()
        take_back_move(move=move, at=LATER, by=staff)

        assert not Todo.objects.visible_to(theirs).exists()
        assert Todo.objects.visible_to(staff).open().count() == 1

    def test_is_nobody_after_a_death_until_that_is_taken_back(
        self, arrive: Arrive, staff: User
    ) -> None:
        case: Any = arrive().case
        feverish(case, staff)

        move = die(
            resident=case.resident,
            version=case.resident.version,
            day=NOW.date(),
            at=NOW,
            by=staff,
        )
        assert kinds() == []
        take_back_move(move=move, at=LATER, by=staff)

        assert kinds() == ["symptoms"]
