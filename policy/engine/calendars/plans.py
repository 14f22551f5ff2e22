"""A plan: what a provision asks of a person, counted from day 1 and without dates."""

import functools
import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from policy.engine.decisions.facts import Setting

Force = Literal["must", "advise"]
Movement = Literal["forbidden", "stay_indoors", "non_essential_no", "low_contact", "free"]
MOVEMENTS: tuple[Movement, ...] = (
    "forbidden",
    "stay_indoors",
    "non_essential_no",
    "low_contact",
    "free",
)


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """
    One stage of a plan.

    `tests` are days of this stage, 1 being its first; `served` days of it were served before this
    plan begins (at a first entry point), so that its first day here is day `served` + 1 of the
    stage as the clause numbers it.
    """

    setting: Setting
    days: int
    tests: tuple[int, ...] = ()
    force: Force = "must"
    movement: Movement = "free"
    coded: bool = False
    door_sensor: bool = False
    served: int = 0


@dataclass(frozen=True, slots=True)
class CtCriterion:
    """Release of an infected person: consecutive daily passes, none before `first_day`."""

    ct_at_least: float
    first_day: int
    passes: int


@dataclass(frozen=True)
class Plan:
    """
    What one provision asks, as day numbers counted from day 1.

    Stages follow each other without a gap. `required_tests` and `advised_tests` are those outside
    the stages, a landing test among them; a result on `last_test_from` or a later day stands for
    the last of them. `positive_below_ct`, where the law has it, decides what
    counts as positive, whatever the word on the result (101号 9). `positive_refers` is true where
    no rule for infected people exists and a positive passes to medical management.
    """

    document: str
    clause: str
    subject: str
    stages: tuple[PlannedStage, ...] = ()
    required_tests: tuple[int, ...] = ()
    advised_tests: tuple[int, ...] = ()
    last_test_from: int | None = None
    release: CtCriterion | None = None
    positive_below_ct: float | None = None
    positive_refers: bool = False

    @property
    def mandatory_days(self) -> int:
        """The number of the last day of the last mandatory stage; 0 when nothing holds."""
        end = last = 0
        for stage in self.stages:
            end += stage.days
            last = end if stage.force == "must" else last
        return last

    def spans(self) -> list[tuple[PlannedStage, int, int]]:
        """Return the stages with the numbers of their first and last days."""
        before, spans = 0, list[tuple[PlannedStage, int, int]]()
        for stage in self.stages:
            spans.append((stage, before + 1, before + stage.days))
            before += stage.days
        return spans

    def days_asked(self, force: Force) -> list[int]:
        """Return the days of the tests that are required (`must`) or advised."""
        days = set(self.required_tests if force == "must" else self.advised_tests)
        for stage, first, _ in self.spans():
            if stage.force == force:
                days.update(first - 1 + number for number in stage.tests)
        return sorted(days)

    def asks_as(self, other: "Plan") -> bool:
        """Say whether another law asks the same by the same clause, being silent itself."""
        return replace(self, positive_refers=other.positive_refers) == other

    def without_tests(self, days: Collection[int]) -> "Plan":
        """Return the plan without the required tests of some days."""
        if not days:
            return self
        stages = [
            replace(stage, tests=tuple(n for n in stage.tests if first - 1 + n not in days))
            if stage.force == "must"
            else stage
            for stage, first, _ in self.spans()
        ]
        required = tuple(day for day in self.required_tests if day not in days)
        return replace(self, stages=tuple(stages), required_tests=required)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Plan":
        """Return the plan that was written by `to_json`."""
        release = values["release"]
        stages = (PlannedStage(**{**s, "tests": tuple(s["tests"])}) for s in values["stages"])
        return cls(
            **{
                **values,
                "stages": tuple(stages),
                "required_tests": tuple(values["required_tests"]),
                "advised_tests": tuple(values["advised_tests"]),
                "release": None if release is None else CtCriterion(**release),
            }
        )

    @functools.cached_property
    def digest(self) -> str:
        """The SHA-256 of the plan's canonical JSON: equal plans, equal digests."""
        canonical = json.dumps(
            self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=True
        )
        return hashlib.sha256(canonical.encode()).hexdigest()
