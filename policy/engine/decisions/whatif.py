"""What-if: which single facts, changed one at a time, would change a decision."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from policy.engine.decisions.decide import Decision, decide, proof_is_valid
from policy.engine.decisions.facts import Inbound, Person, Proof, Risk
from policy.engine.documents.law import Law
from policy.engine.documents.schema import Entered
from policy.engine.moments import start_of
from policy.engine.text import Text, in_chinese


@dataclass(frozen=True, slots=True)
class Alternative:
    """A changed fact, the sentence that describes it, and the decision that follows."""

    key: str
    text: Text
    person: Person
    decision: Decision


def what_would_change(law: Law, person: Person, day: date) -> tuple[Alternative, ...]:
    """Return the single facts that would change the decision."""
    now = decide(law, person, day)
    alternatives = []
    for key, text, varied in _variations(law, person, day):
        decision = decide(law, varied, day)
        if requirements(decision) != requirements(now):
            alternatives.append(Alternative(key, text, varied, decision))
    return tuple(alternatives)


def requirements(decision: Decision) -> tuple[object, ...]:
    """Return what a decision asks, without its reasons."""
    return decision.start, decision.outcome._replace(because=(), also=())


_Variation = tuple[str, Text, Person]


def _variations(law: Law, person: Person, day: date) -> Iterator[_Variation]:
    yield from _proofs(law, person, person.starts_on(day))
    if person.home_conditions_met:
        without = Text("若不具备居家条件", "If the home were unsuitable")
        yield "home_conditions_met", without, replace(person, home_conditions_met=False)
    else:
        with_home = Text("若具备居家条件", "If the home were suitable")
        yield "home_conditions_met", with_home, replace(person, home_conditions_met=True)
    chosen = (
        Text("若本人不选择集中隔离", "If the person did not ask for central isolation")
        if person.chooses_central
        else Text("若本人选择集中隔离", "If the person asked for central isolation")
    )
    yield "chooses_central", chosen, replace(person, chooses_central=not person.chooses_central)
    yield from _origins(person)
    yield from _stays(person)
    yield from _inbounds(law, person)


def _proofs(law: Law, person: Person, start: date) -> Iterator[_Variation]:
    for hours in law.proof_hours:
        if proof_is_valid(person.proof, hours, start):
            yield (
                "proof",
                Text("若没有核酸阴性证明", "Without a negative proof"),
                replace(person, proof=None),
            )
            continue
        sampled = start_of(start) - timedelta(hours=hours)
        yield (
            "proof",
            Text(
                f"若持有{in_chinese(sampled)}{sampled:%H:%M}以后采样的核酸阴性证明",
                f"With a negative proof sampled at {sampled:%Y-%m-%d %H:%M} or later",
            ),
            replace(person, proof=Proof(sampled_at=sampled)),
        )


def _origins(person: Person) -> Iterator[_Variation]:
    if person.arrived_from is None:
        return
    text = (
        Text("若来源地没有社会面传播", "If there were no community spread at the origin")
        if person.spread_at_origin
        else Text("若来源地有社会面传播", "If there were community spread at the origin")
    )
    yield "spread_at_origin", text, replace(person, spread_at_origin=not person.spread_at_origin)


_RISKS: tuple[tuple[Risk | None, Text], ...] = (
    ("high", Text("高风险区", "a high-risk area")),
    ("low", Text("低风险区", "a low-risk area")),
    (None, Text("无风险的地方", "an area of no named risk")),
)


def _stays(person: Person) -> Iterator[_Variation]:
    for place, stay in enumerate(person.stays):
        for risk, words in _RISKS:
            if risk == stay.risk:
                continue
            altered = replace(stay, risk=risk)
            where = f"（{stay.area}）" if stay.area else ""
            area = f" in {stay.area}" if stay.area else ""
            yield (
                "stays",
                Text(f"若停留地{where}是{words.zh}", f"If the stay{area} had been in {words.en}"),
                replace(
                    person, stays=(*person.stays[:place], altered, *person.stays[place + 1 :])
                ),
            )


def _inbounds(law: Law, person: Person) -> Iterator[_Variation]:
    """Return the days at the entry point from which each provision on them speaks."""
    if person.inbound is None:
        return
    served = (person.inbound.central_days, person.inbound.home_days)
    entered = (row.provision.who.inbound for table in law.rows["inbound"] for row in table)
    bounds = {
        (days.central_days.at_least, days.home_days.at_least)
        for days in entered
        if isinstance(days, Entered)
    }
    for central, home in sorted(bounds - {served}):
        yield (
            "inbound",
            Text(
                f"若已在第一入境点集中隔离{central}天、居家隔离{home}天",
                f"With {central} central and {home} home days served at the entry point",
            ),
            replace(person, inbound=Inbound(central, home, person.inbound.entered_via)),
        )
