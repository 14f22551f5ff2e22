"""
The rule of transition: which law a case follows when another law takes effect.

The document in force on the day of assessment governs. What is more lenient applies at once and
days served count; what is stricter is for new cases, unless it was decided that it reaches open
ones (readings, "Switching and comparing"). Two plans are compared by what they still ask from the
day of the switch on, in the order of `Burden`: first how long somebody is held, then where, then
tests, then limits on going out. Advice never makes a law stricter.
"""

import functools
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from policy.engine.calendars.plans import MOVEMENTS, Plan
from policy.engine.decisions.decide import Decision
from policy.engine.decisions.facts import Setting
from policy.engine.moments import day_number, nth_day

Result = Literal["follows", "freed", "stays", "referred", "undecided"]
Why = Literal["lenient", "chosen", "stricter", "over", "nothing_asked", "no_rule", "other_day_1"]
# The strictest last.
HOLDS: tuple[Setting, ...] = ("monitoring", "home", "central")


class Burden(NamedTuple):
    """What a plan asks from a day on; the greater of two is the stricter."""

    last_day: int  # the number of the last day on which it holds somebody, 0 for nobody
    central_days: int
    home_days: int
    monitoring_days: int
    tests: int
    movement: int
    coded_days: int
    door_sensor_days: int
    criterion: tuple[float, int, int]


@dataclass(frozen=True, slots=True)
class Transition:
    """
    Whether a case `follows` the new law, is `freed` by it, or `stays` under that of its opening.

    `referred` and `undecided` stay, too, until a human has looked. `plan` is the one that the case
    has from then on; `freed_on` the day from which the new law no longer holds the person.
    """

    result: Result
    why: Why
    plan: Plan | None
    freed_on: date | None = None

    @property
    def switched(self) -> bool:
        """Whether the new law governs the case."""
        return self.result in ("follows", "freed")


@functools.lru_cache(maxsize=10_000)
def burden(plan: Plan, number: int) -> Burden:
    """Return what a plan asks from day `number` on."""
    held = [
        stage
        for stage, _, last in plan.spans()
        if stage.force == "must"
        for _ in range(max(number, last - stage.days + 1), last + 1)
    ]
    days = {setting: sum(stage.setting == setting for stage in held) for setting in HOLDS}
    release = plan.release
    return Burden(
        last_day=max(plan.mandatory_days, number) if plan.mandatory_days else 0,
        central_days=days["central"],
        home_days=days["home"],
        monitoring_days=days["monitoring"],
        tests=sum(day >= number for day in plan.days_asked("must")),
        movement=max((-MOVEMENTS.index(stage.movement) for stage in held), default=-99),
        coded_days=sum(stage.coded for stage in held),
        door_sensor_days=sum(stage.door_sensor for stage in held),
        criterion=(release.ct_at_least, release.passes, release.first_day)
        if release
        else (0, 0, 0),
    )


def transition(
    before: Decision,
    after: Decision,
    *,
    day: date,
    reaches_open: bool,
    release_day: date | None = None,
) -> Transition:
    """
    Return what becomes of a case decided `before`, when the law of `after` takes effect on a day.

    `reaches_open` says that the new law reaches open cases though it is stricter. `release_day`,
    where it is known, is the day on which the old law lets the person go; else the plan says it.
    """
    old, new = before.plan, after.plan
    if old is None:
        return Transition("stays", "no_rule", None)
    if new is None:
        if after.refer is not None:
            return Transition("referred", "no_rule", old)
        return Transition("freed", "nothing_asked", old, freed_on=max(day, before.start))
    if after.start != before.start:
        return Transition("undecided", "other_day_1", old)
    why = _switch_reason(old, new, before.start, day, release_day, reaches_open=reaches_open)
    if why in ("over", "stricter"):
        return Transition("stays", why, old)
    # Whom the new plan no longer holds is free from the day of the switch.
    freed = max(day, before.start) if old.mandatory_days and not new.mandatory_days else None
    return Transition("follows", why, new, freed_on=freed)


def _switch_reason(
    old: Plan, new: Plan, start: date, day: date, release_day: date | None, *, reaches_open: bool
) -> Why:
    """Return why the new plan takes the place of the old one, or does not."""
    if old.mandatory_days and (release_day or nth_day(start, old.mandatory_days)) < day:
        # The old law has let the person go: the new one may only ask less.
        less = new.mandatory_days <= old.mandatory_days
        return "lenient" if less and (reaches_open or _asks_nothing_else(new, old)) else "over"
    number = max(day_number(day, start), 1)
    if burden(new, number) <= burden(old, number):
        return "lenient"
    return "chosen" if reaches_open else "stricter"


def _asks_nothing_else(new: Plan, old: Plan) -> bool:
    return set(new.days_asked("must")) <= set(old.days_asked("must")) and new.release in (
        None,
        old.release,
    )
