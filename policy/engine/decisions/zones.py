"""Whether a zone may be drawn, and when it is lifted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from policy.engine.decisions import reasons
from policy.engine.documents.law import Citation, Law
from policy.engine.documents.schema import Level, Lift, Relation, ZoneProvision
from policy.engine.moments import nth_day
from policy.engine.questions.reading import ONLY_KNOWN_KEYS, Day, Line
from policy.engine.text import Text


@dataclass(frozen=True, slots=True)
class LaterPositive:
    """A positive found after the zone was drawn."""

    __pydantic_config__ = ONLY_KNOWN_KEYS

    day: Day
    household: Line
    relation: Relation = "none"


@dataclass(frozen=True, slots=True)
class Zone:
    """The decision on a zone."""

    level_allowed: bool
    lift_day: date | None
    still_controlled: tuple[str, ...]
    zone_stays: bool
    measure: Citation | None
    because: tuple[Text, ...]


def zone(
    law: Law,
    level: Level,
    start: date,
    last_positive: date,
    *,
    positives: Sequence[LaterPositive] = (),
    all_negative_on_lift_day: bool = True,
) -> Zone:
    """
    Return whether a level may be drawn, when the zone is lifted and who stays controlled after.

    Two clocks exist: five clean days after the last positive, which is day 0 (101号 4, 113号 4,
    Shanxi 2), or the fifth day of control, the first being its start (Fujian 3, Cangshan 1).
    """
    drawn = next(((c, p) for c, p in law.cited(ZoneProvision) if p.levels), None)
    lifted = next(((c, p) for c, p in law.cited(ZoneProvision) if p.lift is not None), None)
    allowed = drawn is not None and level in drawn[1].levels
    deciding = drawn if drawn is not None and not allowed else lifted
    measure = deciding[0] if deciding else None
    because = reasons.cited(law, *deciding) if deciding else (reasons.NO_ZONES,)
    if lifted is None or (lift := lifted[1].lift) is None:
        return Zone(allowed, None, (), zone_stays=False, measure=measure, because=because)
    staying = _households(positives, lift)
    if lift.later_positive == "own_household":
        # Nobody else's days may be prolonged, so a positive that is named explains the test.
        clean = all_negative_on_lift_day or bool(positives)
        day = lift_day(lift, start, last_positive)
    else:
        clean = all_negative_on_lift_day
        day = _restarted_lift_day(lift, start, last_positive, positives)
    extended = day > lift_day(lift, start, last_positive)
    return Zone(
        level_allowed=allowed,
        lift_day=day if clean else None,
        still_controlled=staying,
        zone_stays=extended or not clean,
        measure=measure,
        because=(*because, _counting_rule(lift)),
    )


def lift_day(lift: Lift, start: date, last_positive: date) -> date:
    """Return the day on which a zone is lifted."""
    if lift.clock == "start":
        return nth_day(start, lift.days)
    return last_positive + timedelta(days=lift.days)


def _restarted_lift_day(
    lift: Lift, start: date, last_positive: date, positives: Sequence[LaterPositive]
) -> date:
    """Return the day of lifting when each positive found before it starts the days again."""
    last = last_positive
    for positive in sorted(positives, key=lambda test: test.day):
        if positive.relation not in lift.except_relations and positive.day <= lift_day(
            lift, start, last
        ):
            last = max(last, positive.day)
    return lift_day(lift, start, last)


def _households(positives: Sequence[LaterPositive], lift: Lift) -> tuple[str, ...]:
    kept = [
        p.household
        for p in positives
        if lift.later_positive == "own_household" or p.relation in lift.except_relations
    ]
    return tuple(dict.fromkeys(kept))


def _counting_rule(lift: Lift) -> Text:
    if lift.clock == "start":
        return Text(
            f"管控开始当天算第1天，第{lift.days}天核酸阴性后解封。",
            f"Day 1 is the start of control; lifted on day {lift.days} when its test is negative.",
        )
    return Text(
        f"最后一例阳性之日为第0天，连续{lift.days}天无新增后解封。",
        f"The day of the last positive is day 0; lifted on clean day {lift.days}.",
    )
