"""What is known of a person, in the words of the contract; read strictly, packed without dates."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, TypeAdapter

from policy.engine.errors import ContradictoryValueError
from policy.engine.moments import local_day, seconds_between, start_of
from policy.engine.questions.reading import (
    ONLY_KNOWN_KEYS,
    AreaCode,
    Day,
    Flag,
    Moment,
    Several,
    decimal,
    read,
    whole_number,
)

Exposure = Literal["close_contact", "secondary_contact", "infected"]
Clinical = Literal["asymptomatic", "mild", "moderate", "severe", "critical"]
Risk = Literal["high", "low"]
Setting = Literal["central", "home", "monitoring"]

Outcome = Literal["negative", "positive"]

EXPOSURES: tuple[Exposure, ...] = get_args(Exposure)
CLINICALS: tuple[Clinical, ...] = get_args(Clinical)
RISKS: tuple[Risk, ...] = get_args(Risk)
SETTINGS: tuple[Setting, ...] = get_args(Setting)
MOST_DAYS = 3650
# A machine runs 40 to 45 cycles, never more than 50.
MOST_CT = 50

Days = Annotated[int, whole_number(MOST_DAYS)]
Ct = Annotated[float, decimal(MOST_CT)]


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay in an area; `transit` means passing through without leaving the station."""

    __pydantic_config__ = ONLY_KNOWN_KEYS

    area: Annotated[AreaCode | None, Field(default=None)]
    risk: Annotated[Risk | None, Field(default=None)]
    last_day: Day
    transit: Flag = False


@dataclass(frozen=True, slots=True)
class Inbound:
    """Came from abroad, with the days already served at the first entry point."""

    __pydantic_config__ = ONLY_KNOWN_KEYS

    central_days: Days = 0
    home_days: Days = 0
    entered_via: AreaCode | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """A negative test that is shown; the sampling time counts, the report time only without it."""

    __pydantic_config__ = ONLY_KNOWN_KEYS

    sampled_at: Moment | None = None
    reported_at: Moment | None = None

    @property
    def counts_from(self) -> datetime | None:
        """The moment from which the hours of this proof are counted."""
        return self.sampled_at or self.reported_at


def _shown_in_order(proof: Proof) -> Proof:
    sampled, reported = proof.sampled_at, proof.reported_at
    if sampled is not None and reported is not None and reported < sampled:
        raise ContradictoryValueError(
            "reported_at", "早于 sampled_at", "it lies before sampled_at"
        )
    return proof


ShownProof = Annotated[Proof, AfterValidator(_shown_in_order)]


@dataclass(frozen=True, slots=True)
class Served:
    """A stage, or a part of one, that was served already, first and last day included."""

    __pydantic_config__ = ONLY_KNOWN_KEYS

    setting: Setting
    first_day: Day
    last_day: Day


def _in_order(served: Served) -> Served:
    if served.last_day < served.first_day:
        raise ContradictoryValueError("last_day", "早于 first_day", "it lies before first_day")
    if (served.last_day - served.first_day).days > MOST_DAYS:
        raise ContradictoryValueError("last_day", "时间过长", "the stage is longer than any")
    return served


@dataclass(frozen=True, slots=True)
class NATResult:
    """The result of a nucleic acid test, by its sampling day; of two genes the lower Ct."""

    __pydantic_config__ = ONLY_KNOWN_KEYS

    day: Day
    result: Outcome
    ct: Ct | None = None
    reported_at: Moment | None = None


def _sampled_before(result: NATResult) -> NATResult:
    if result.reported_at is not None and local_day(result.reported_at) < result.day:
        raise ContradictoryValueError(
            "reported_at", "早于采样日", "it lies before the sampling day"
        )
    return result


@dataclass(frozen=True, slots=True)
class Person:
    """The facts on which a measure is decided; every key of the contract's `person`."""

    __pydantic_config__ = ONLY_KNOWN_KEYS

    start: Day | None = None
    exposure: Exposure | None = None
    clinical: Clinical | None = None
    serious_underlying_disease: Flag = False
    arrived_from: AreaCode | None = None
    spread_at_origin: Flag = False
    stays: Several[Stay] = ()
    inbound: Inbound | None = None
    closed_loop_post_ended: Day | None = None
    freight_crew: Flag = False
    proof: ShownProof | None = None
    home_conditions_met: Flag = True
    chooses_central: Flag = False
    served: Several[Annotated[Served, AfterValidator(_in_order)]] = ()
    tests: Several[Annotated[NATResult, AfterValidator(_sampled_before)]] = ()
    missed: Several[Day] = ()

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


_PERSON = TypeAdapter(Person)


def read_person(mapping: object) -> Person:
    """
    Return the person that a question describes.

    Raises `BadQuestionError`, which names the key, for anything that the contract does not know.
    """
    return read(_PERSON.validate_python, mapping, "person")


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
