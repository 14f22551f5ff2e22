"""
Ten simulated days of the demo: arrivals, their cases, and the acts done and missed on them.

Everything is done through the services that pages use, as if each day were the present one.
"""

import random
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.utils import timezone

from accounts.staff.models import Area, User
from common import clock
from policy import services as policy
from policy.activations.decisions import approve_activation, propose_activation
from policy.engine.decisions.facts import Inbound, Person, Proof, Stay
from policy.engine.documents.library import Law
from portal.demo.places import BAYANNUR, CANGSHAN
from quarantine.acts import contacts, daily_checks, household, results
from quarantine.acts.release import release, release_proposals
from quarantine.arrivals.services import log_arrival
from quarantine.models import Case, CaseQuerySet
from quarantine.todo import services as todos
from quarantine.todo.models import Todo
from residents.register.models import Resident
from testing.models import NATResult, Sample

DAYS = 10
ARRIVALS_A_DAY = 11
# The activations began long before the first arrival.
IN_FORCE_SINCE = timedelta(days=45)
# The grids that somebody can sign in for see more than their share.
BUSY = 4

# Which document holds where: national, provincial, of the city and of the district.
ACTIVATIONS = (
    ("cn-2022-101", "000000", "全国施行二十条措施"),
    ("bayannur-2022-71", "150800", "全市施行71号通告"),
    ("cn-2022-113", "350000", "全省先行施行十条措施"),
    ("fujian-2022-12", "350000", "全省施行省转发通知"),
    ("cangshan-2022-324", "350104", "全区施行324号方案"),
)

Facts = Callable[[date, datetime], Person]


def _from(area: str) -> Facts:
    """Return the facts of a person who comes from an area, without any others."""
    return lambda day, at: Person(start=day, arrived_from=area)


def _with_proof(area: str) -> Facts:
    def facts(day: date, at: datetime) -> Person:
        proof = Proof(sampled_at=at - timedelta(hours=20))
        return Person(start=day, arrived_from=area, proof=proof)

    return facts


def _stayed(area: str, risk: str | None, *, home: bool = True) -> Facts:
    def facts(day: date, at: datetime) -> Person:
        stay = Stay(area, risk, day - timedelta(days=2))  # type: ignore[arg-type]
        return Person(start=day, arrived_from=area, stays=(stay,), home_conditions_met=home)

    return facts


def _abroad(central: int, home: int = 0, via: str = "310000") -> Facts:
    def facts(day: date, at: datetime) -> Person:
        proof = Proof(sampled_at=at - timedelta(hours=20))
        return Person(start=day, inbound=Inbound(central, home, via), proof=proof)

    return facts


def _contact(*, home: bool = True) -> Facts:
    return lambda day, at: Person(start=day, exposure="close_contact", home_conditions_met=home)


def _after_post(day: date, at: datetime) -> Person:
    return Person(start=day, closed_loop_post_ended=day)


# How often, from where (GB/T 2260, "" from abroad), and with which facts.
KINDS: dict[str, list[tuple[int, str, Facts]]] = {
    BAYANNUR: [
        (5, "620100", _stayed("620100", None)),
        (2, "410100", _stayed("410100", None)),
        (2, "150100", _stayed("150100", None)),
        (1, "440100", _stayed("440100", None, home=False)),
        (2, "110105", _stayed("110105", "high")),
        (1, "130100", _stayed("130100", "high", home=False)),
        (3, "510100", _stayed("510100", "low")),
        (3, "110000", _with_proof("110000")),
        (2, "610100", _from("610100")),
        (2, "150200", _with_proof("150200")),
        (1, "", _abroad(5)),
        (1, "", _abroad(3, via="150781")),
        (1, "150825", _after_post),
    ],
    CANGSHAN: [
        (4, "310000", _from("310000")),
        (2, "440300", _with_proof("440300")),
        (2, "350200", _from("350200")),
        (4, "350100", _contact()),
        (1, "350100", _contact(home=False)),
        (2, "440100", _stayed("440100", "high")),
        (2, "", _abroad(5)),
        (1, "", _abroad(4)),
    ],
}


@dataclass
class _Grid:
    """A grid with its staff, its law, and the residents that have not arrived yet."""

    area: Area
    staff: User
    law: Law
    at_home: list[Resident] = field(default_factory=list)


def put_in_force(*, at: datetime, proposer: User, approver: User) -> None:
    """Put the documents of the demo in force, each decided by two people."""
    since = at - IN_FORCE_SINCE
    for order, (document, code, reason) in enumerate(ACTIVATIONS):
        activation = propose_activation(
            document=document,
            area=Area.objects.get(code=code),
            effective_from=since + timedelta(days=4 * order),
            reason=reason,
            at=since - timedelta(days=1),
            by=proposer,
        )
        approve_activation(activation=activation, at=since, by=approver)


def simulate_days(*, at: datetime) -> None:
    """Simulate the days before `at`, and the present one until now."""
    simulation = _Simulation(random.Random(DAYS), at)  # noqa: S311 - the same story each time
    for day in range(-DAYS, 1):
        simulation.pass_day(clock.day_of(at) + timedelta(days=day))
    simulation.leave_to_do()


class _Simulation:
    def __init__(self, chance: random.Random, now: datetime) -> None:
        self.chance, self.now = chance, now
        self.grids = [self._grid(area) for area in Area.objects.filter(level=Area.Level.GRID)]
        self.supervisor = User.objects.get(username="supervisor")
        self.positives = {-4: BAYANNUR, -3: CANGSHAN}

    def _grid(self, area: Area) -> _Grid:
        law = policy.in_force(area=area, at=self.now)
        staff = User.objects.filter(areas=area).get()
        if law is None:
            raise LookupError(f"No document is in force in {area.code}.")
        residents = list(Resident.objects.filter(grid=area).exclude(phone="").order_by("pk"))
        self.chance.shuffle(residents)
        return _Grid(area, staff, law, residents)

    def pass_day(self, day: date) -> None:
        """Log who arrives, test, report results in the afternoon, release in the evening."""
        for _ in range(ARRIVALS_A_DAY):
            self._arrive(self._some_grid(), day)
        for grid in self.grids:
            self._test(grid, day)
        self._report(day)
        for grid in self.grids:
            self._release(grid, day)
        results.complete_what_is_over(at=self._at(day, 23))

    def _some_grid(self) -> _Grid:
        weights = [
            1 if "." + grid.area.code in grid.staff.username else BUSY for grid in self.grids
        ]
        return self.chance.choices(self.grids, weights)[0]

    def _at(self, day: date, hour: int, minute: int = 0) -> datetime:
        """Return a moment of a day, not later than now."""
        moment = timezone.make_aware(datetime.combine(day, time(hour, minute)))
        return min(moment, self.now)

    def _arrive(self, grid: _Grid, day: date) -> None:
        kinds = KINDS[grid.area.county_code]
        _, origin, facts = self.chance.choices(kinds, [weight for weight, *_ in kinds])[0]
        at = self._at(day, self.chance.randint(8, 11), self.chance.randrange(60))
        log_arrival(
            key=uuid.UUID(int=self.chance.getrandbits(128), version=4),
            resident=grid.at_home.pop(),
            grid=grid.area,
            facts=facts(day, at),
            origin=origin,
            from_abroad=not origin,
            law=grid.law,
            at=at,
            by=grid.staff,
        )

    def _test(self, grid: _Grid, day: date) -> None:
        """Note most of the overdue tests as missed, and take most of the day's samples."""
        for case in self._cases(grid).filter(next_test_on__lt=day):
            if self.chance.random() < 0.8 and case.next_test_on:
                results.mark_missed(
                    case=case,
                    day=case.next_test_on,
                    reason="采样时本人不在家",
                    at=self._at(day, 9),
                    by=grid.staff,
                )
        probability = 0.92 if day < clock.day_of(self.now) else 0.45
        for case in self._cases(grid).filter(next_test_on=day):
            if self.chance.random() < probability:
                at = self._at(day, self.chance.randint(12, 15), self.chance.randrange(60))
                results.take_sample(case=case, taken_at=at, at=at, by=grid.staff)

    def _report(self, day: date) -> None:
        """Record the results that come in: a few are late, those of today mostly still to come."""
        today = clock.day_of(self.now)
        waiting = Sample.objects.valid().filter(results=None).select_related("resident__grid")
        for sample in waiting.order_by("pk"):
            if self.chance.random() < (0.04 if day < today else 0.7):
                continue
            at = self._at(day, 17, self.chance.randrange(60))
            outcome = self._outcome(sample, (day - today).days)
            staff = self._staff_of(sample.resident.grid_id)
            ct = Decimal("27.4") if outcome == NATResult.Outcome.POSITIVE else None
            recorded = results.record_result(
                sample=sample, outcome=outcome, ct=ct, reported_at=at, at=at, by=staff
            )
            if recorded.opened:
                proposed = household.proposed_contacts(case=recorded.opened, at=at)
                people = [one.resident for one in proposed]
                contacts.open_contacts(case=recorded.opened, residents=people, at=at, by=staff)
            self._do(sample.resident, at=min(at + timedelta(hours=1), self.now), by=staff)

    def _do(self, resident: Resident, *, at: datetime, by: User) -> None:
        """Hand over who is passed on, and ask a clinician about who stays at home."""
        for todo in Todo.objects.open().filter(resident=resident):
            if todo.kind == Todo.Kind.REFER:
                todos.hand_over(
                    todo=todo,
                    to="示例医院感染科",
                    handed_over_at=at,
                    vehicle=Todo.Vehicle.AMBULANCE,
                    at=at,
                    by=by,
                )
            elif todo.kind in todos.LOOKED_AT:
                done = "已联系医生，已询问同住人员"
                todos.look_at(todo=todo, what_was_done=done, at=at, by=self.supervisor)

    def leave_to_do(self) -> None:
        """Leave somebody with a fever in each county, whom nobody has looked at yet."""
        day = clock.day_of(self.now)
        for county in (BAYANNUR, CANGSHAN):
            held = Case.objects.open().filter(grid__code__startswith=county, release_on__gt=day)
            if case := held.select_related("plan", "resident").order_by("pk").first():
                daily_checks.daily_check(
                    case=case,
                    temperature=Decimal("38.1"),
                    symptoms=[daily_checks.Symptom.COUGH],
                    note="",
                    at=self._at(day, 8),
                    by=self._staff_of(case.grid_id),
                )

    def _outcome(self, sample: Sample, day: int) -> NATResult.Outcome:
        """Return the result: negative, but for one positive in each county."""
        if self.positives.get(day) == sample.resident.grid.county_code:
            del self.positives[day]
            return NATResult.Outcome.POSITIVE
        return NATResult.Outcome.NEGATIVE

    def _staff_of(self, grid: int) -> User:
        return next(row.staff for row in self.grids if row.area.pk == grid)

    def _release(self, grid: _Grid, day: date) -> None:
        """Release most of those who may be released, and check the others."""
        at = self._at(day, 19)
        if day < clock.day_of(self.now):
            proposals = release_proposals(cases=Case.objects.filter(grid=grid.area), today=day)
            ready = [proposal.case for proposal in proposals.ready if self.chance.random() < 0.9]
            release(cases=ready, at=at, by=grid.staff)
            self._check(self._cases(grid).exclude(release_on=None), at, grid.staff)

    def _check(self, cases: Iterable[Case], at: datetime, staff: User) -> None:
        for case in cases:
            if self.chance.random() < 0.6:
                temperature = Decimal(self.chance.randint(361, 371)) / 10
                daily_checks.daily_check(
                    case=case, temperature=temperature, symptoms=(), note="", at=at, by=staff
                )

    def _cases(self, grid: _Grid) -> CaseQuerySet:
        return (
            Case.objects.governing()
            .filter(grid=grid.area)
            .select_related("plan__provision", "resident", "grid")
            .order_by("pk")
        )
