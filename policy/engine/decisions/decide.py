"""
Which provision governs a person, and what it asks.

Subjects are tried in the order of readings.md ("Who matches"); for each the most local document of
the chain in which a provision matches speaks. Durations are never added: the first subject that
asks for something decides, and the others are named beside it. Proofs and landing tests are due in
addition to any measure.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from policy.engine import areas
from policy.engine.calendars.laying import Refer
from policy.engine.calendars.plans import CtCriterion, Movement, Plan, PlannedStage
from policy.engine.decisions import reasons
from policy.engine.decisions.facts import Inbound, Person, Proof, Setting
from policy.engine.documents.law import Citation, Law, PastStay, Situation, TableRow
from policy.engine.documents.schema import MEASURE_SUBJECTS, MeasureProvision, OnArrival, Stage
from policy.engine.moments import day_number, nth_day, start_of
from policy.engine.text import Text

__all__ = ["Citation", "Decision", "decide"]

MOST_REMEMBERED = 100_000
_DAY = timedelta(days=1)
# Who asks whether nothing is asked of them hears of this subject first.
_ENDING_ORDER = ("secondary_contacts", *MEASURE_SUBJECTS)


class DecisionInput(NamedTuple):
    """What a decision depends on; nothing is dated. `holds` has a bit for each condition."""

    holds: int
    infected: bool
    unclassified: bool
    # Central and home days served at the entry point.
    inbound: tuple[int, int] | None
    proof_valid: tuple[bool, ...]
    home_conditions_met: bool
    chooses_central: bool
    # Day numbers counted from the start, with the setting in which they were served.
    served: tuple[tuple[int, Setting], ...]
    # The number of the assessment day; 0 when nothing was served and it makes no difference.
    today: int


class UndatedDecision(NamedTuple):
    """A decision without its date; `shift` is how many days before the start day 1 lies."""

    measure: Citation | None = None
    subject: str | None = None
    plan: Plan | None = None
    shift: int = 0
    landing_test: bool = False
    proof_hours: int | None = None
    movement: Movement = "free"
    coded: bool = False
    door_sensor: bool = False
    refer: Refer | None = None
    because: tuple[Text, ...] = ()
    also: tuple[Citation, ...] = ()


class Decision(NamedTuple):
    """What applies to a person on a day. `start` is day 1 of the plan."""

    start: date
    outcome: UndatedDecision
    facts: Situation

    @property
    def measure(self) -> Citation | None:
        """The clause that decided; it may say that nothing is asked, and then no plan is set."""
        return self.outcome.measure

    @property
    def subject(self) -> str | None:
        """The subject of that clause."""
        return self.outcome.subject

    @property
    def plan(self) -> Plan | None:
        """What is asked, counted from day 1; None when nothing is."""
        return self.outcome.plan

    @property
    def landing_test(self) -> bool:
        """Whether a test on arrival is asked for (落地检)."""
        return self.outcome.landing_test

    @property
    def proof_hours(self) -> int | None:
        """The hours of the negative proof asked for on arrival."""
        return self.outcome.proof_hours

    @property
    def movement(self) -> Movement:
        """How far the person may go out."""
        return self.outcome.movement

    @property
    def coded(self) -> bool:
        """Whether the clause says 赋码."""
        return self.outcome.coded

    @property
    def door_sensor(self) -> bool:
        """Whether the clause says 门磁."""
        return self.outcome.door_sensor

    @property
    def refer(self) -> Refer | None:
        """Where the person passes to."""
        return self.outcome.refer

    @property
    def because(self) -> tuple[Text, ...]:
        """The facts used, the clause, the counting convention, other clauses that match."""
        return (*reasons.of_facts(self.facts), *self.outcome.because)

    @property
    def also(self) -> tuple[Citation, ...]:
        """The other clauses that match."""
        return self.outcome.also


def proof_is_valid(proof: Proof | None, hours: int, arrival: date) -> bool:
    """
    Say whether a proof is good on a day of arrival.

    Its age is counted to the start of that day, exactly `hours` is still good, and a proof sampled
    on the day itself is good (readings.md, Proofs and hours).
    """
    if proof is None or (sampled := proof.counts_from) is None:
        return False
    return -_DAY < start_of(arrival) - sampled <= timedelta(hours=hours)


def decide(law: Law, person: Person, day: date) -> Decision:
    """Return what the law asks of a person assessed on a day."""
    start = person.starts_on(day)
    facts = situation(person, start, day)
    needs = _decision_input(law, person, facts, start, day)
    outcome: UndatedDecision | None = law.memory.get(needs)
    if outcome is None:
        outcome = _undated_decision(law, needs)
        if len(law.memory) >= MOST_REMEMBERED:
            law.memory.clear()
        law.memory[needs] = outcome
    first = nth_day(start, 1 - outcome.shift) if outcome.shift else start
    return Decision(first, outcome, facts)


def situation(person: Person, start: date, day: date) -> Situation:
    """Return a person's facts with every date relative to the start."""
    stays: tuple[PastStay, ...] = ()
    passed: tuple[str, ...] = ()
    if person.stays:
        first = start.toordinal()
        stays = tuple(
            [
                PastStay(stay.area, stay.risk, first - stay.last_day.toordinal())
                for stay in person.stays
                if not stay.transit
            ]
        )
        passed = tuple([stay.area for stay in person.stays if stay.transit and stay.area])
    ended = person.closed_loop_post_ended
    inbound = _inbound(person)
    return Situation(
        person.exposure,
        person.clinical,
        person.serious_underlying_disease,
        person.arrived_from,
        person.arrived_from or _came_from(inbound, stays),
        person.spread_at_origin,
        stays,
        passed,
        inbound,
        ended is not None and ended <= max(day, start),
        person.freight_crew,
    )


def _inbound(person: Person) -> Inbound | None:
    """Return how somebody entered; who comes from Hong Kong, Macao or Taiwan does enter."""
    if (
        person.inbound is None
        and person.arrived_from
        and areas.is_beyond_border(person.arrived_from)
    ):
        return Inbound()
    return person.inbound


def _came_from(inbound: Inbound | None, stays: Sequence[PastStay]) -> str | None:
    """
    Return the origin of a person for whom none was recorded.

    From abroad they come on from the first entry point; others from where they still were on the
    day of the arrival or the day before.
    """
    if inbound is not None:
        return inbound.entered_via or areas.ABROAD
    last = min(stays, key=lambda stay: stay.days_ago, default=None)
    return last.area if last is not None and 0 <= last.days_ago <= 1 else None


def _decision_input(
    law: Law, person: Person, facts: Situation, start: date, day: date
) -> DecisionInput:
    infected = facts.exposure == "infected"
    unclassified = infected and facts.clinical is None
    read = facts._replace(clinical="asymptomatic") if unclassified else facts
    proof, inbound = person.proof, facts.inbound
    return DecisionInput(
        law.conditions_that_hold(read),
        infected,
        unclassified,
        (inbound.central_days, inbound.home_days) if inbound else None,
        law.unproven
        if proof is None
        else tuple([proof_is_valid(proof, hours, start) for hours in law.proof_hours]),
        person.home_conditions_met,
        person.chooses_central,
        _served(person, start) if person.served else (),
        day_number(day, start) if person.served else 0,
    )


def _served(person: Person, start: date) -> tuple[tuple[int, Setting], ...]:
    days: dict[int, Setting] = {}
    for stage in person.served:
        for number in range(
            day_number(stage.first_day, start), day_number(stage.last_day, start) + 1
        ):
            days[number] = stage.setting
    return tuple(sorted(days.items()))


def _undated_decision(law: Law, needs: DecisionInput) -> UndatedDecision:
    if needs.infected:
        return _infected(law, needs)
    matched = matching_rows(law, needs.holds)
    requiring = [row for row in matched.values() if not row.provision.ends]
    if not requiring:
        ending = next((matched[s] for s in _ENDING_ORDER if s in matched), None)
        return _nothing_asked(law, ending, matched.values())
    winner = requiring[0]
    arrival = _on_arrival(law, needs, winner, matched)
    return _measure_decision(law, needs, winner, arrival, requiring[1:])


def matching_rows(law: Law, holds: int) -> dict[str, TableRow]:
    """Return the provision of each subject that speaks of a person, in the order of precedence."""
    matched: dict[str, TableRow] = {}
    for subject in MEASURE_SUBJECTS:
        row = _first_match(law.rows[subject], holds, matched)
        if row is not None:
            matched[subject] = row
    return matched


def _first_match(
    tables: Sequence[Sequence[TableRow]], holds: int, matched: dict[str, TableRow]
) -> TableRow | None:
    for rows in tables:
        for row in rows:
            if reaches(row, holds, matched):
                return row
    return None


def reaches(row: TableRow, holds: int, matched: dict[str, TableRow]) -> bool:
    """Say whether a provision speaks of a person whom no subject it excepts has caught."""
    if row.mask & holds != row.mask:
        return False
    return not any(
        other in matched and not matched[other].provision.ends for other in row.provision.unless
    )


def _infected(law: Law, needs: DecisionInput) -> UndatedDecision:
    row = _first_match(law.rows["infected"], needs.holds, {})
    if row is None:
        return UndatedDecision(refer="medical", because=(reasons.NO_RULE_FOR_INFECTED,))
    note = (reasons.UNCLASSIFIED,) if needs.unclassified else ()
    if row.provision.refer is not None:
        return UndatedDecision(
            measure=row.cited,
            subject="infected",
            refer="medical",
            because=(*note, *reasons.of_clause(law, row), reasons.REFERRED),
        )
    outcome = _measure_decision(law, needs, row, _Arrival(False, None, ()), [])
    return outcome._replace(because=(*note, *outcome.because))


class _Arrival(NamedTuple):
    landing_test: bool
    proof_hours: int | None
    because: tuple[Text, ...]


def _on_arrival(
    law: Law, needs: DecisionInput, winner: TableRow, matched: dict[str, TableRow]
) -> _Arrival:
    """Join what is asked on arrival: by the deciding provision, and by all about arrivals."""
    rows = [winner] if winner.provision.on_arrival else []
    speaking = matched.get("arrivals")
    if speaking is not None:
        table = next(rows for rows in law.rows["arrivals"] if speaking in rows)
        rows += [
            row
            for row in table
            if row is not winner
            and row.provision.on_arrival
            and reaches(row, needs.holds, matched)
        ]
    landing, hours, because = False, None, list[Text]()
    for row in rows:
        asked = row.provision.on_arrival
        if asked is None:
            continue
        landing = landing or _landing(law, needs, asked)
        if asked.proof_hours is not None:
            hours = min(hours or asked.proof_hours, asked.proof_hours)
        because += reasons.on_arrival(law, row, valid=_has_proof(law, needs, asked))
    return _Arrival(landing, hours, tuple(because))


def _has_proof(law: Law, needs: DecisionInput, asked: OnArrival) -> bool | None:
    if asked.proof_hours is None:
        return None
    return needs.proof_valid[law.proof_hours.index(asked.proof_hours)]


def _landing(law: Law, needs: DecisionInput, asked: OnArrival) -> bool:
    if asked.landing_test == "without_proof":
        return not _has_proof(law, needs, asked)
    return asked.landing_test == "always"


def _nothing_asked(
    law: Law, ending: TableRow | None, matched: Iterable[TableRow]
) -> UndatedDecision:
    if ending is None:
        return UndatedDecision(because=(reasons.NOTHING_MATCHES,))
    return UndatedDecision(
        measure=ending.cited,
        subject=ending.provision.subject,
        because=(*reasons.of_clause(law, ending), reasons.NOTHING_ASKED),
        also=tuple(dict.fromkeys(row.cited for row in matched if row.cited != ending.cited)),
    )


def _measure_decision(
    law: Law, needs: DecisionInput, row: TableRow, arrival: _Arrival, others: Sequence[TableRow]
) -> UndatedDecision:
    stages, how = _stages(row, needs)
    # Days served elsewhere before the start count; those of an infected person's time as a contact
    # do not, and those of an entry point are counted by the stage.
    counts = stages and row.provision.subject != "infected" and not row.provision.counts_inbound
    shift = sum(1 for number, _ in needs.served if number < 1) if counts else 0
    if needs.served:
        stages = _with_served_settings(
            stages, [(n + shift, s) for n, s in needs.served], needs.today + shift
        )
    plan = _plan(law, needs, row, stages=stages, landing_test=arrival.landing_test, shift=shift)
    mandatory = [stage for stage in stages if stage.force == "must"]
    movement: Movement = mandatory[0].movement if mandatory else "free"
    if not stages:
        movement = row.provision.movement or "free"
    also = tuple(dict.fromkeys(other.cited for other in others if other.cited != row.cited))
    because = (
        *reasons.of_clause(law, row),
        *how,
        *arrival.because,
        *(reasons.counting(row) if stages else ()),
        *((reasons.served(shift),) if shift else ()),
        *reasons.others(law, others),
    )
    return UndatedDecision(
        row.cited,
        row.provision.subject,
        plan if plan.stages or plan.required_tests or plan.advised_tests else None,
        shift,
        arrival.landing_test,
        arrival.proof_hours,
        movement,
        any(stage.coded for stage in mandatory),
        any(stage.door_sensor for stage in mandatory),
        None,
        because,
        also,
    )


def _stages(
    row: TableRow, needs: DecisionInput
) -> tuple[tuple[PlannedStage, ...], tuple[Text, ...]]:
    """Return the stages in the person's setting, less the days served at the entry point."""
    provision, source = row.provision, row.plan
    asked = provision.central_on_request and needs.chooses_central
    leaves_home = any(_is_home(stage) for stage in source.stages) and (
        asked or not needs.home_conditions_met
    )
    how: tuple[Text, ...] = ()
    if leaves_home:
        how = (reasons.CHOSE_CENTRAL if asked else reasons.HOME_UNSUITABLE,)
        if provision.instead:
            return tuple(
                _planned_stage(provision, stage, 0, stage.setting) for stage in provision.instead
            ), how
    planned = []
    for stage in source.stages:
        done = _days_at_entry(stage, needs) if provision.counts_inbound else 0
        if done < stage.days:
            setting: Setting = "central" if leaves_home and _is_home(stage) else stage.setting
            planned.append(_planned_stage(provision, stage, done, setting))
    return tuple(planned), how


def _is_home(stage: Stage) -> bool:
    return stage.setting == "home"


def _days_at_entry(stage: Stage, needs: DecisionInput) -> int:
    """Return how many days of a stage were served at the entry point (101号 10)."""
    inbound = needs.inbound
    if inbound is None or stage.force == "advise":
        return 0
    central, home = inbound
    return central if stage.setting == "central" else home


def _planned_stage(
    provision: MeasureProvision, stage: Stage, done: int, setting: Setting
) -> PlannedStage:
    force = stage.force or provision.force
    return PlannedStage(
        setting=setting,
        days=stage.days - done,
        tests=tuple(day - done for day in stage.tests or () if day > done),
        force=force,
        movement=(stage.movement or "free") if force == "must" else "free",
        coded=stage.coded,
        door_sensor=stage.door_sensor and setting == "home",
        served=done,
    )


def _with_served_settings(
    stages: Sequence[PlannedStage], served: Sequence[tuple[int, Setting]], today: int
) -> tuple[PlannedStage, ...]:
    """
    Return the stages with past days in the setting in which they were really served.

    From the assessment day on the plan's own setting holds, so a contact who may be at home goes
    home on that day and keeps the days that count.
    """
    settings = {number: setting for number, setting in served if number < today}
    parts: list[PlannedStage] = []
    before = 0
    for stage in stages:
        for number in range(1, stage.days + 1):
            setting = settings.get(before + number, stage.setting)
            parts = _with_day_added(parts, stage, number, setting, settings.get(before + number))
        before += stage.days
    return tuple(parts)


def _with_day_added(
    parts: list[PlannedStage],
    stage: PlannedStage,
    number: int,
    setting: Setting,
    served: Setting | None,
) -> list[PlannedStage]:
    """Return the parts with one day more: in the last part where it fits, else in a new one."""
    last = parts[-1] if parts else None
    tests = (number,) if number in stage.tests else ()
    moved = served is not None and served != stage.setting
    if last is not None and last.setting == setting and (number > 1 or moved):
        longer = PlannedStage(
            setting=setting,
            days=last.days + 1,
            tests=last.tests + tuple(last.days + 1 for _ in tests),
            force=last.force,
            movement=last.movement,
            coded=last.coded,
            door_sensor=last.door_sensor,
            served=last.served,
        )
        return [*parts[:-1], longer]
    new_stage = PlannedStage(
        setting=setting,
        days=1,
        tests=(1,) if tests else (),
        force=stage.force,
        movement=stage.movement,
        coded=stage.coded,
        door_sensor=stage.door_sensor and setting == "home",
        served=stage.served + number - 1,
    )
    return [*parts, new_stage]


def _plan(
    law: Law,
    needs: DecisionInput,
    row: TableRow,
    *,
    stages: tuple[PlannedStage, ...],
    landing_test: bool,
    shift: int,
) -> Plan:
    loose_tests, criterion, results = row.provision.tests, row.plan.release, law.inbound_results
    days = tuple(shift + day for day in loose_tests.days) if loose_tests else ()
    required = set(days) if loose_tests and loose_tests.force == "must" else set[int]()
    if landing_test:
        required.add(shift + 1)
    return Plan(
        document=row.cited.document,
        clause=row.cited.clause,
        subject=row.provision.subject,
        stages=stages,
        required_tests=tuple(sorted(required)),
        advised_tests=days if loose_tests and loose_tests.force == "advise" else (),
        last_test_from=shift + loose_tests.last_from
        if loose_tests and loose_tests.last_from
        else None,
        release=CtCriterion(criterion.ct_at_least, criterion.first_day, criterion.passes)
        if criterion
        else None,
        positive_below_ct=results.positive_below_ct
        if results and needs.inbound is not None
        else None,
        positive_refers=not law.rows["infected"],
    )
