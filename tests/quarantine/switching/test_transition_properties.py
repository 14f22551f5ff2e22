"""A plan is a function of facts and law: whatever was switched, edited or swept before."""

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from functools import partial
from itertools import permutations, product
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.staff.models import Area, Role, User
from common.errors import RefusedError
from policy.activations.governing import governing
from policy.engine.decisions.facts import Inbound, Stay
from policy.models import Activation, TransitionChoice
from quarantine.acts import results
from quarantine.acts.exceptions import make_exception
from quarantine.cases import lifecycle as acts
from quarantine.cases.calendars import calendars_of, histories_of
from quarantine.cases.governing_law import Followed
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.models import Case
from quarantine.switching.groups import calendar_summary
from quarantine.switching.preview import (
    SwitchOutcome,
    SwitchPreview,
    affected_cases,
    effect_of,
    outcome_of,
    preview,
)
from quarantine.switching.sweep import sweep
from reminders.models import Change
from reminders.sweep import sweep as tell
from tests.factories import make_arrival, make_place, make_user, moment, put_in_force
from tests.tries import tried

pytestmark = pytest.mark.django_db
COUNTY = "350104"
TODAY = date(2022, 12, 7)
SWITCH = moment(TODAY, 0)
DOCUMENTS = ("cn-2022-113", "fujian-2022-12", "cangshan-2022-324")
BOUNDED = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(params=["cn-2022-101", "cn-2022-113"])
def grid(request: pytest.FixtureRequest) -> Area:
    return make_place(request.param, COUNTY)


@pytest.fixture
def people_there(grid: Area) -> list[Case]:
    """Make cases as unlike as the law can tell apart, with tests taken, awaited and missed."""
    chance = random.Random(7)  # noqa: S311 - the same people each time
    staff = make_user(Role.GRID_STAFF, grid)
    found = []
    for _ in range(18):
        day_1 = TODAY - timedelta(days=chance.randint(0, 8))
        logged = make_arrival(grid, on=day_1, at=moment(day_1), by=staff, **_facts(day_1, chance))
        if logged.case:
            _live(logged.case, chance, staff)
            found.append(logged.case)
    return found


def _facts(day: date, chance: random.Random) -> dict[str, Any]:
    home = {"home_conditions_met": chance.random() < 0.7, "chooses_central": chance.random() < 0.2}
    stay = Stay("310000", chance.choice(("high", "low")), day - timedelta(chance.randint(0, 8)))
    return chance.choice(
        (
            {"exposure": "close_contact", **home},
            {"arrived_from": "310000", "stays": (stay,), **home},
            {"inbound": Inbound(5, 0, "310000"), **home},
            {"exposure": "infected", "clinical": "mild", **home},
        )
    )


def _live(case: Case, chance: random.Random, staff: User) -> None:
    """Let the days until now pass over a case."""
    day = case.day_1
    while day <= TODAY and case.closed_on is None:
        case.refresh_from_db()
        at, luck = moment(day, 9), chance.random()
        if case.next_test_on == day and luck < 0.8:
            sample = results.take_sample(case=case, taken_at=at, at=at, by=staff)
            if luck < 0.75:
                results.record_result(
                    sample=sample,
                    outcome="negative",  # type: ignore[arg-type]
                    ct=None,
                    reported_at=at + timedelta(hours=chance.choice((3, 20))),
                    at=at + timedelta(hours=20),
                    by=staff,
                )
        elif case.next_test_on and case.next_test_on < day and luck < 0.5:
            results.mark_missed(case=case, day=case.next_test_on, reason="示例", at=at, by=staff)
        day += timedelta(days=1)
        case.refresh_from_db()


def state() -> list[dict[str, Any]]:
    """Return all that stands on the open cases but how often and by whose decision."""
    rows = Case.objects.open().order_by("pk").annotate(digest=F("plan__digest")).values()
    return [{**row, "version": 0, "activation_id": 0, "plan_id": 0} for row in rows]


def put(document: str, *, at: datetime = SWITCH) -> Activation:
    return put_in_force(document, Area.objects.get(code=COUNTY), effective_from=at)


def take_back(activation: Activation, *, at: datetime) -> None:
    Activation.objects.filter(pk=activation.pk).update(
        withdrawn_at=at, withdrawn_by=activation.approved_by, withdrawal_reason="示例"
    )


@pytest.mark.usefixtures("people_there")
class TestThreeSwitches:
    def test_end_in_every_order_as_the_last_one_alone(self) -> None:
        alone = {}
        later = [SWITCH + timedelta(minutes=number) for number in range(3)]
        for document in DOCUMENTS:
            with tried():
                put(document, at=later[2])
                sweep(at=later[2])
                alone[document] = state()
        for order in permutations(DOCUMENTS):
            with tried():
                for document, at in zip(order, later, strict=True):
                    put(document, at=at)
                    sweep(at=at)
                assert state() == alone[order[-1]]
                assert unexplained_cases() == []

    def test_end_where_they_began_when_all_are_withdrawn(self) -> None:
        before = state()
        made = [put(document, at=SWITCH) for document in DOCUMENTS]
        sweep(at=SWITCH)
        assert state() != before
        for activation in made:
            take_back(activation, at=SWITCH)
            sweep(at=SWITCH)
        assert state() == before


@pytest.mark.usefixtures("people_there")
class TestAPreview:
    def test_gives_the_numbers_that_applying_gives(self) -> None:
        for document, chosen in product(DOCUMENTS, (False, True)):
            with tried():
                proposed = _propose(document, chosen=chosen)
                found = preview(activation=proposed, at=SWITCH)
                behind = self._assert_same_when_applied(found, partial(_approve, proposed))
                same = behind[SwitchOutcome.KEPT] | behind[SwitchOutcome.DECISION]
                assert _told(at=SWITCH) == set().union(*behind.values()) - same

    def test_of_a_withdrawal_gives_the_numbers_of_the_way_back(self) -> None:
        ten = put("cn-2022-113")
        sweep(at=SWITCH)
        told = _told(at=SWITCH)
        found = preview(activation=ten, at=SWITCH, withdrawn=True)
        self._assert_same_when_applied(found, lambda: take_back(ten, at=SWITCH))
        assert _told(at=SWITCH) == told
        assert all(each.correction for each in Change.objects.unticked())

    def _assert_same_when_applied(
        self, found: SwitchPreview, apply: Callable[[], None]
    ) -> dict[SwitchOutcome, set[int]]:
        opened = Case.objects.open().select_related("plan").order_by("pk")
        before = calendars_of(list(opened), today=TODAY)
        behind = {each: _behind(found, each) for each in SwitchOutcome}

        apply()
        sweep(at=SWITCH)

        rows = list(opened.all())
        after = calendars_of(rows, today=TODAY)
        counts, tests = Counter[str](), Counter[date]()
        for case in rows:
            outcome = _outcome(case, before, after)
            counts[outcome] += 1
            assert case.pk in behind[outcome]
            tests.update(
                day.day
                for day in after[case.pk].days
                if day.test in ("due", "make_up") and day.day >= TODAY
            )
        assert counts == found.counts
        assert found.total == len(rows)
        assert {day: n for day, n in found.tests_after.items() if day >= TODAY} == tests
        assert sum(sum(there.values()) for there in found.in_grid.values()) == len(rows)
        return behind


class TestPeopleUnderSeveralGrounds:
    def test_are_counted_once_and_in_the_end_as_the_preview_said(
        self, grid: Area, people_there: list[Case]
    ) -> None:
        for number, case in enumerate(people_there[:8]):
            on = TODAY - timedelta(days=9 + number % 3)
            facts: dict[str, Any] = {"arrived_from": "310000"}
            if number % 2:
                facts = {"exposure": "close_contact"}
            make_arrival(grid, on=on, at=moment(TODAY), resident=case.resident, **facts)
        assert Case.objects.beside().count() > 3
        for document in DOCUMENTS:
            with tried():
                proposed = _propose(document, chosen=True)
                found = preview(activation=proposed, at=SWITCH)
                behind = {each: _behind(found, each) for each in SwitchOutcome}
                assert found.total == Case.objects.governing().count()

                _approve(proposed)
                sweep(at=SWITCH)

                applied = effect_of(activation=proposed, at=SWITCH)
                assert applied.counts == found.counts
                people = dict(Case.objects.values_list("pk", "resident"))
                for each in SwitchOutcome:
                    now = {people[pk] for pk in _behind(applied, each)}
                    assert now == {people[pk] for pk in behind[each]}
                assert unexplained_cases() == []


def _told(*, at: datetime) -> set[int]:
    """Tell people what has changed, and return the cases that their staff have to see to."""
    tell(at=at)
    return set(Change.objects.unticked().values_list("case", flat=True))


def _behind(found: SwitchPreview, outcome: SwitchOutcome) -> set[int]:
    """Return the cases behind a number, page by page."""
    pks: list[int] = []
    while page := affected_cases(
        switch_preview=found,
        outcome=outcome,
        cases=Case.objects.all(),
        after=pks[-1] if pks else None,
        size=5,
    ):
        assert all(person.outcome == outcome for person in page)
        pks += [person.case.pk for person in page]
    assert len(pks) == len(set(pks)) == found.counts[outcome]
    return set(pks)


def _outcome(case: Case, before: Any, after: Any) -> SwitchOutcome:
    followed = Followed(None, None, "", transition=case.transition)
    laid = (calendar_summary(before[case.pk]), calendar_summary(after[case.pk]))
    return outcome_of(*laid, followed, day=TODAY, today=TODAY)


def _propose(document: str, *, chosen: bool) -> Activation:
    activation = Activation.objects.create(
        document=document,
        area=Area.objects.get(code=COUNTY),
        effective_from=SWITCH,
        reason="示例",
        proposed_by=make_user(Role.ADMINISTRATOR, employer="甲"),
        proposer_employer="甲",
        proposed_at=SWITCH,
    )
    if chosen:
        for subject in ("close_contacts", "high_risk_stay", "inbound", "infected"):
            TransitionChoice.objects.create(
                activation=activation,
                subject=subject,
                reason="示例",
                by=activation.proposed_by,
                at=SWITCH,
            )
    return activation


def _approve(activation: Activation) -> None:
    approver = make_user(Role.ADMINISTRATOR, employer="乙")
    Activation.objects.filter(pk=activation.pk).update(
        approved_by=approver, approver_employer="乙", approved_at=SWITCH
    )


ACTS = st.lists(
    st.tuples(
        st.sampled_from(
            ("put", "withdraw", "sweep", "test", "missed", "home", "except", "infect", "sweep")
        ),
        st.integers(0, 50),
    ),
    min_size=4,
    max_size=12,
)


class TestWhatIsDoneInBetween:
    @BOUNDED
    @given(ACTS)
    def test_leaves_each_case_where_facts_and_law_put_it(
        self, people_there: list[Case], done: list[tuple[str, int]]
    ) -> None:
        with tried():
            staff = make_user(Role.GRID_STAFF, people_there[0].grid)
            at = SWITCH + timedelta(hours=9)
            for act, number in done:
                at += timedelta(minutes=1)
                with suppress(RefusedError), transaction.atomic():
                    _do(act, number, at=at, by=staff)
            sweep(at=at)

            assert unexplained_cases() == []
            governs = governing(at=at)
            opened = list(Case.objects.open().select_related("plan", "grid"))
            calendars = calendars_of(opened, today=TODAY)
            histories = histories_of(opened)
            for case in opened:
                found = governs.at(case.grid.path)
                assert case.activation_id == (found.pk if found else None)
                laid = calendars[case.pk]
                assert (case.next_test_on, case.release_on) == (
                    laid.next_test_on,
                    laid.earliest_release,
                )
                assert case.history == histories[case.pk].encoded_from(case.day_1)


def _do(act: str, number: int, *, at: datetime, by: User) -> None:
    if act == "put":
        put(DOCUMENTS[number % 3], at=at)
    elif act == "withdraw":
        if last := Activation.objects.in_force(at).exclude(document="cn-2022-101").last():
            take_back(last, at=at)
    elif act == "sweep":
        sweep(at=at, chunk=3)
    elif opened := list(Case.objects.open().select_related("plan", "grid", "resident")):
        _edit(act, opened[number % len(opened)], at=at, by=by)


def _edit(act: str, case: Case, *, at: datetime, by: User) -> None:
    if act == "test":
        sample = results.take_sample(case=case, taken_at=at, at=at, by=by)
        results.record_result(
            sample=sample,
            outcome="negative",  # type: ignore[arg-type]
            ct=None,
            reported_at=at,
            at=at,
            by=by,
        )
    elif act == "missed" and case.next_test_on:
        results.mark_missed(case=case, day=case.next_test_on, reason="示例", at=at, by=by)
    elif act == "home":
        fit = not case.facts.get("home_conditions_met", True)
        acts.change_home_conditions(case=case, met=fit, reason="示例", at=at, by=by)
    elif act == "except":
        excepted = Case.Excepted.STAYS if case.pk % 2 else Case.Excepted.FOLLOWS
        make_exception(
            case=case, excepted=excepted, reason="示例", clause="cn-2022-101 3", at=at, by=by
        )
    elif act == "infect":
        sample = results.take_sample(case=case, taken_at=at, at=at, by=by)
        results.record_result(
            sample=sample,
            outcome="positive",  # type: ignore[arg-type]
            ct=None,
            reported_at=at,
            at=at,
            by=by,
        )
