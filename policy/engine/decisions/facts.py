"""What is known of a person, in the words of the contract; read strictly, packed without dates."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal, cast

from policy.engine.errors import ContradictionError
from policy.engine.moments import seconds_between, start_of
from policy.engine.questions.reading import (
    Fields,
    choice,
    decimal,
    listed,
    optional,
    read_area,
    read_day,
    read_flag,
    read_mapping,
    read_moment,
    refuse,
    whole,
)

Exposure = Literal["close_contact", "secondary_contact", "infected"]
Clinical = Literal["asymptomatic", "mild", "moderate", "severe", "critical"]
Risk = Literal["high", "low"]
Setting = Literal["central", "home", "monitoring"]

EXPOSURES: tuple[Exposure, ...] = ("close_contact", "secondary_contact", "infected")
CLINICALS: tuple[Clinical, ...] = ("asymptomatic", "mild", "moderate", "severe", "critical")
RISKS: tuple[Risk, ...] = ("high", "low")
SETTINGS: tuple[Setting, ...] = ("central", "home", "monitoring")
MOST_DAYS = 3650
MOST_CT = 100


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay in an area; `transit` means passing through without leaving the station."""

    area: str | None
    risk: Risk | None
    last_day: date
    transit: bool = False


@dataclass(frozen=True, slots=True)
class Inbound:
    """Came from abroad, with the days already served at the first entry point."""

    central_days: int = 0
    home_days: int = 0
    entered_via: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """A negative test that is shown; the sampling time counts, the report time only without it."""

    sampled_at: datetime | None = None
    reported_at: datetime | None = None

    @property
    def counts_from(self) -> datetime | None:
        """The moment from which the hours of this proof are counted."""
        return self.sampled_at or self.reported_at


@dataclass(frozen=True, slots=True)
class Served:
    """A stage, or a part of one, that was served already, first and last day included."""

    setting: Setting
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class NATResult:
    """The result of a nucleic acid test, by its sampling day; of two genes the lower Ct."""

    day: date
    result: Literal["negative", "positive"]
    ct: float | None = None
    reported_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """The facts on which a measure is decided; every key of the contract's `person`."""

    start: date | None = None
    exposure: Exposure | None = None
    clinical: Clinical | None = None
    serious_underlying_disease: bool = False
    arrived_from: str | None = None
    spread_at_origin: bool = False
    stays: tuple[Stay, ...] = ()
    inbound: Inbound | None = None
    closed_loop_post_ended: date | None = None
    freight_crew: bool = False
    proof: Proof | None = None
    home_conditions_met: bool = True
    chooses_central: bool = False
    served: tuple[Served, ...] = ()
    tests: tuple[NATResult, ...] = ()
    missed: tuple[date, ...] = ()

    def starts_on(self, day: date) -> date:
        """
        Return the day on which the measure starts, for an assessment on `day`.

        For an infected person whose start is not recorded it is the sampling day of the first
        positive; otherwise the assessment day stands in.
        """
        if self.start is not None:
            return self.start
        if self.exposure == "infected":
            positives = [test.day for test in self.tests if test.result == "positive"]
            return min(positives, default=day)
        return day


def _stay(key: str, value: object) -> Stay:
    fields = Fields(read_mapping(key, value), ("area", "risk", "last_day", "transit"))
    return Stay(
        area=fields.get("area", optional(read_area), None),
        risk=cast("Risk | None", fields.get("risk", optional(choice(RISKS)), None)),
        last_day=fields.get("last_day", read_day),
        transit=fields.get("transit", read_flag, False),
    )


def _inbound(key: str, value: object) -> Inbound:
    fields = Fields(read_mapping(key, value), ("central_days", "home_days", "entered_via"))
    return Inbound(
        central_days=fields.get("central_days", whole(MOST_DAYS), 0),
        home_days=fields.get("home_days", whole(MOST_DAYS), 0),
        entered_via=fields.get("entered_via", optional(read_area), None),
    )


def read_proof(key: str, value: object) -> Proof:
    """Return the proof that a question shows."""
    fields = Fields(read_mapping(key, value), ("sampled_at", "reported_at"))
    return Proof(
        sampled_at=fields.get("sampled_at", optional(read_moment), None),
        reported_at=fields.get("reported_at", optional(read_moment), None),
    )


def _served(key: str, value: object) -> Served:
    fields = Fields(read_mapping(key, value), ("setting", "first_day", "last_day"))
    served = Served(
        setting=cast("Setting", fields.get("setting", choice(SETTINGS))),
        first_day=fields.get("first_day", read_day),
        last_day=fields.get("last_day", read_day),
    )
    if served.last_day < served.first_day:
        refuse("last_day", "早于 first_day", "it lies before first_day.", error=ContradictionError)
    if (served.last_day - served.first_day).days > MOST_DAYS:
        refuse("last_day", "时间过长", "the stage is longer than any.", error=ContradictionError)
    return served


def _result(key: str, value: object) -> NATResult:
    fields = Fields(read_mapping(key, value), ("day", "result", "ct", "reported_at"))
    return NATResult(
        day=fields.get("day", read_day),
        result=cast(
            'Literal["negative", "positive"]',
            fields.get("result", choice(("negative", "positive"))),
        ),
        ct=fields.get("ct", optional(decimal(MOST_CT)), None),
        reported_at=fields.get("reported_at", optional(read_moment), None),
    )


_PERSON_KEYS = tuple(Person.__dataclass_fields__)


def read_person(mapping: object) -> Person:
    """
    Return the person that a question describes.

    Raises `BadQuestionError`, which names the key, for anything that the contract does not know.
    """
    fields = Fields(read_mapping("person", mapping), _PERSON_KEYS)
    return Person(
        start=fields.get("start", optional(read_day), None),
        exposure=cast(
            "Exposure | None", fields.get("exposure", optional(choice(EXPOSURES)), None)
        ),
        clinical=cast(
            "Clinical | None", fields.get("clinical", optional(choice(CLINICALS)), None)
        ),
        serious_underlying_disease=fields.get("serious_underlying_disease", read_flag, False),
        arrived_from=fields.get("arrived_from", optional(read_area), None),
        spread_at_origin=fields.get("spread_at_origin", read_flag, False),
        stays=fields.get("stays", listed(_stay), ()),
        inbound=fields.get("inbound", optional(_inbound), None),
        closed_loop_post_ended=fields.get("closed_loop_post_ended", optional(read_day), None),
        freight_crew=fields.get("freight_crew", read_flag, False),
        proof=fields.get("proof", optional(read_proof), None),
        home_conditions_met=fields.get("home_conditions_met", read_flag, True),
        chooses_central=fields.get("chooses_central", read_flag, False),
        served=fields.get("served", listed(_served), ()),
        tests=fields.get("tests", listed(_result), ()),
        missed=fields.get("missed", listed(read_day), ()),
    )


_PLAIN = (
    "exposure",
    "clinical",
    "serious_underlying_disease",
    "arrived_from",
    "spread_at_origin",
    "freight_crew",
    "home_conditions_met",
    "chooses_central",
)
_DEFAULTS = {name: Person.__dataclass_fields__[name].default for name in _PLAIN}


def _seconds(moment: datetime | None, start: date) -> int | None:
    return None if moment is None else seconds_between(start_of(start), moment)


def _moment(seconds: int | None, start: date) -> datetime | None:
    return None if seconds is None else start_of(start) + timedelta(seconds=seconds)


def pack(person: Person, start: date) -> dict[str, Any]:
    """
    Return the facts as JSON values in which nothing is dated.

    Days are whole days and moments whole seconds relative to `start` (day 1 counts as 0), so that
    two cases with equal circumstances have equal packs. Facts with their default value are left
    out; so are tests, missed tests and served stages, which are rows of their own.
    """
    packed: dict[str, Any] = {
        name: value for name in _PLAIN if (value := getattr(person, name)) != _DEFAULTS[name]
    }
    if person.stays:
        packed["stays"] = [
            [stay.area, stay.risk, (stay.last_day - start).days, stay.transit]
            for stay in person.stays
        ]
    if (inbound := person.inbound) is not None:
        packed["inbound"] = [inbound.central_days, inbound.home_days, inbound.entered_via]
    if person.closed_loop_post_ended is not None:
        packed["closed_loop_post_ended"] = (person.closed_loop_post_ended - start).days
    if (proof := person.proof) is not None:
        packed["proof"] = [_seconds(proof.sampled_at, start), _seconds(proof.reported_at, start)]
    return packed


def unpack(packed: Mapping[str, Any], start: date) -> Person:
    """Return the person that was packed, with dates laid on `start`; the inverse of `pack`."""
    person = Person(start=start, **{name: packed[name] for name in _PLAIN if name in packed})
    return replace(
        person,
        stays=tuple(
            Stay(area, risk, start + timedelta(days=days), transit)
            for area, risk, days, transit in packed.get("stays", ())
        ),
        inbound=Inbound(*packed["inbound"]) if "inbound" in packed else None,
        closed_loop_post_ended=(
            start + timedelta(days=packed["closed_loop_post_ended"])
            if "closed_loop_post_ended" in packed
            else None
        ),
        proof=(
            Proof(*(_moment(seconds, start) for seconds in packed["proof"]))
            if "proof" in packed
            else None
        ),
    )
