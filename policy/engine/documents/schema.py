"""
The schema of a policy document: one published notice, clause by clause.

Conditions are typed fields that are ANDed. Within a document the provisions of one subject are
read from top to bottom and the first that matches decides, so the special rule stands above the
general one. Provisions of a subject that match nobody leave the person to the parent document.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from policy.engine import areas
from policy.engine.calendars.plans import Force, Movement
from policy.engine.decisions.facts import MOST_CT, Clinical, Exposure, Risk, Setting
from policy.engine.errors import WrongValueError
from policy.engine.text import Text

MeasureSubject = Literal[
    "infected",
    "close_contacts",
    "high_risk_stay",
    "inbound",
    "freight",
    "listed_areas",
    "low_risk_stay",
    "closed_loop_posts",
    "arrivals",
    "secondary_contacts",
]
# Which subject goes first when several match; the order of readings.md, "Who matches".
MEASURE_SUBJECTS: tuple[MeasureSubject, ...] = (
    "infected",
    "close_contacts",
    "high_risk_stay",
    "inbound",
    "freight",
    "listed_areas",
    "low_risk_stay",
    "closed_loop_posts",
    "arrivals",
    "secondary_contacts",
)
Level = Literal["household", "floor", "unit", "building", "compound", "street", "district"]
Venue = Literal[
    "nursing_home", "welfare_institution", "children_welfare", "prison", "kindergarten", "nursery",
    "school", "university", "hospital", "clinic", "pharmacy", "internet_cafe", "bar", "chess_room",
    "ktv", "nightclub", "dance_hall", "sauna", "script_club", "cinema", "theatre", "museum",
    "library", "scenic_spot", "mall", "supermarket", "market", "restaurant", "hotel", "office",
    "government_hall", "compound", "village", "construction_site", "cold_chain", "courier_station",
    "bus", "taxi", "train_station", "airport", "gym",
]  # fmt: skip
Check = Literal["temperature", "scan", "travel_code", "health_code", "proof", "appointment"]
Role = Literal["visitor", "patient", "outsider", "member"]
Post = Literal[
    "border_contact", "isolation_site", "fever_clinic", "sea_fisher", "sea_fisher_family",
    "aquaculture", "aquatic_trader", "fruit_grower", "fruit_buyer", "courier", "hotel",
    "renovation_loading", "transport", "supermarket", "market", "enclosed_venue", "nursing_home",
    "prison", "school", "port_service", "hospital_other", "resident",
]  # fmt: skip
Gathering = Literal[
    "banquet", "rural_feast", "conference", "performance", "exhibition", "sports", "wedding"
]
GatheringDuty = Literal[
    "plan", "report_community", "report_township", "venue_code", "scan", "proof", "approval"
]
WhitelistPost = Literal[
    "medical", "police", "transport_logistics", "supermarket", "supply", "utilities", "other"
]
WhitelistDuty = Literal[
    "protection", "vaccination", "health_monitoring", "reduced_contact", "proof"
]
Condition = Literal[
    "cardiovascular", "cerebrovascular", "copd", "diabetes", "ckd", "tumour", "immunodeficiency",
    "hypertension", "haemodialysis",
]  # fmt: skip
Category = Literal[
    "elderly", "living_alone_elder", "chronic_disease", "pregnant", "child_in_difficulty",
    "haemodialysis", "disabled",
]  # fmt: skip
OutingPurpose = Literal["medical", "other"]
OutingVehicle = Literal["escorted", "ambulance", "own", "on_foot"]
OutingMask = Literal["n95", "surgical"]
Relation = Literal["cohabitant", "close_contact", "none"]
Origin = Literal["anywhere", "outside_area", "outside_province"]
Duty = Literal[
    "everyone", "community", "employers", "venues", "medical", "schools", "police", "transport",
    "health_authority", "local_government", "national_authorities",
]  # fmt: skip
Page = Literal[
    "supplies", "needs", "hotline", "vehicles", "key_people", "vaccination", "schools",
    "complaints", "stranded", "stock", "care", "isolation_sites", "safety", "information",
    "enterprises", "outings", "clinics", "checkpoints",
]  # fmt: skip


def words_of(vocabulary: Any) -> tuple[Any, ...]:
    """Return the words of a closed vocabulary, in its order."""
    return get_args(vocabulary)


def _text(value: object) -> object:
    if isinstance(value, Text):
        return value
    if not isinstance(value, Mapping):
        raise WrongValueError(
            "须有中文（zh）和英文（en）各一句",
            "must hold a sentence in zh and one in en",
        )
    if extra := sorted(set(map(str, value)) - {"zh", "en"}):
        raise WrongValueError(
            f"除 zh、en 外不应有键{extra[0]!r}",
            f"unknown key {extra[0]!r} beside zh and en",
        )
    for language in ("zh", "en"):
        words = value.get(language)
        if not isinstance(words, str) or not words.strip():
            raise WrongValueError(
                f"缺少“{language}”的句子",
                f"the sentence in {language} is missing",
            )
    return Text(value["zh"], value["en"])


def _area(value: object) -> object:
    if isinstance(value, str) and areas.is_code(value):
        return value
    raise WrongValueError(
        "须为加引号的六位行政区划代码（GB/T 2260）",
        "must be a six-digit GB/T 2260 code in quotation marks",
    )


def _distinct(value: object) -> object:
    if isinstance(value, tuple) and len(set(value)) != len(value):
        raise WrongValueError(
            "同一项写了两次",
            "names the same thing twice",
        )
    return value


# Who or what a provision names: a list that names nothing would read as everybody.
NAMED = (Field(min_length=1), BeforeValidator(_distinct))

Words = Annotated[Text, BeforeValidator(_text)]
Area = Annotated[str, BeforeValidator(_area)]
Clause = Annotated[str, Field(pattern=r"^[1-9][0-9]?$")]
DocumentId = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
DayNumber = Annotated[int, Field(ge=1, le=60)]
Hours = Annotated[int, Field(ge=1, le=240)]
Head = Annotated[int, Field(ge=1, le=100_000)]
Ct = Annotated[float, Field(gt=0, le=MOST_CT)]


class Strict(BaseModel):
    """No unknown key, no guessed type, no change afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Range(Strict):
    """Whole days between two bounds, both included."""

    at_least: Annotated[int, Field(ge=0, le=60)] = 0
    at_most: Annotated[int, Field(ge=0, le=60)] | None = None

    def __contains__(self, number: int) -> bool:
        return self.at_least <= number and (self.at_most is None or number <= self.at_most)

    @model_validator(mode="after")
    def _holds_a_number(self) -> Self:
        if self.at_most is not None and self.at_most < self.at_least:
            raise WrongValueError(
                "at_least 与 at_most 之间没有数",
                "no number lies between at_least and at_most",
            )
        return self


class StayedIn(Strict):
    """A stay in an area of a risk level that ended at most so many days before the start."""

    risk: Risk
    within_days: Annotated[int, Field(ge=0, le=60)]
    outside_area: bool = False


class BeenIn(Strict):
    """A stay in, or an arrival from, one of the named areas, whatever their risk."""

    areas: Annotated[tuple[Area, ...], *NAMED]
    within_days: Annotated[int, Field(ge=0, le=60)]


class Entered(Strict):
    """Came from abroad, with days served at the first entry point."""

    central_days: Range = Range()
    home_days: Range = Range()


class Who(Strict):
    """Conditions on a person; all that are given must hold."""

    exposure: Exposure | None = None
    clinical: Annotated[tuple[Clinical, ...], *NAMED] | None = None
    serious_underlying_disease: bool | None = None
    arrived_from: Origin | None = None
    spread_at_origin: bool | None = None
    stayed_in: StayedIn | None = None
    been_in: BeenIn | None = None
    inbound: Entered | Literal["none"] | None = None
    closed_loop_ended: bool | None = None
    freight_crew: bool | None = None


class Stage(Strict):
    """A stage; its tests are days of the stage, null where they stand in no text."""

    setting: Setting
    days: DayNumber
    tests: Annotated[tuple[DayNumber, ...] | None, BeforeValidator(_distinct)] = ()
    force: Force | None = None
    movement: Movement | None = None
    coded: bool = False
    door_sensor: bool = False

    @model_validator(mode="after")
    def _tests_lie_inside(self) -> Self:
        for day in self.tests or ():
            if day > self.days:
                raise WrongValueError(
                    f"第{day}天的核酸不在{self.days}天的阶段之内",
                    f"the test of day {day} lies outside a stage of {self.days} days",
                )
        if list(self.tests or ()) != sorted(self.tests or ()):
            raise WrongValueError(
                "核酸日期须由小到大",
                "the test days must ascend",
            )
        return self


class LooseTests(Strict):
    """
    Tests that belong to no stage; day 1 is the day of arrival.

    A result on `last_from` or a later day is as good as one on the last of the days.
    """

    days: Annotated[tuple[DayNumber, ...], *NAMED]
    force: Force
    last_from: DayNumber | None = None

    @model_validator(mode="after")
    def _last_may_come_earlier(self) -> Self:
        if list(self.days) != sorted(self.days):
            raise WrongValueError(
                "核酸日期须由小到大",
                "the test days must ascend",
            )
        if self.last_from is not None and self.last_from not in range(
            self.days[-2] + 1 if len(self.days) > 1 else 1, self.days[-1]
        ):
            raise WrongValueError(
                "last_from 须在最后两个核酸日期之间",
                "last_from must lie between the last two test days",
            )
        return self


class OnArrival(Strict):
    """What is asked on arrival, in addition to any measure."""

    proof_hours: Hours | None = None
    landing_test: Literal["always", "without_proof"] | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if self.proof_hours is None and self.landing_test is None:
            raise WrongValueError(
                "没有任何要求：须给出 proof_hours 或 landing_test",
                "asks nothing: give proof_hours or landing_test",
            )
        if self.landing_test == "without_proof" and self.proof_hours is None:
            raise WrongValueError(
                "无证明才落地检的，须给出证明的时限 proof_hours",
                "a landing test without a proof needs the proof's hours",
            )
        return self


class OutingTerms(Strict):
    """Under which terms somebody who may not go out is let out; what is not named is barred."""

    purposes: Annotated[tuple[OutingPurpose, ...], *NAMED]
    vehicles: Annotated[tuple[OutingVehicle, ...], *NAMED]
    masks: Annotated[tuple[OutingMask, ...], *NAMED]

    @property
    def words(self) -> tuple[str, ...]:
        """All that is allowed, purposes first."""
        return (*self.purposes, *self.vehicles, *self.masks)


class Criterion(Strict):
    """Consecutive daily passes that end the isolation of an infected person."""

    ct_at_least: Ct
    first_day: DayNumber
    passes: Annotated[int, Field(ge=1, le=7)]


class Provision(Strict):
    """
    What one clause says on one subject.

    `defaults` names the values here that stand in no text but are this installation's choice.
    """

    clause: Clause
    force: Force = "must"
    summary: Words
    defaults: Annotated[tuple[str, ...], BeforeValidator(_distinct)] = ()

    @property
    def binds(self) -> bool:
        """Whether somebody must do something: not advice, not the end of a duty."""
        return self.force == "must"


class MeasureProvision(Provision):
    """Who is under which measure, and what is asked on arrival."""

    subject: MeasureSubject
    who: Who
    unless: Annotated[tuple[MeasureSubject, ...], *NAMED] = ()
    stages: tuple[Stage, ...] = ()
    instead: tuple[Stage, ...] = ()
    central_on_request: bool = False
    counts_inbound: bool = False
    tests: LooseTests | None = None
    movement: Movement | None = None
    on_arrival: OnArrival | None = None
    release: Criterion | None = None
    outings: OutingTerms | None = None
    plan_of_parent: bool = False
    refer: Literal["medical"] | None = None
    ends: bool = False

    @property
    def asks(self) -> tuple[object, ...]:
        """Everything this provision asks of a person; empty for one that ends a duty."""
        asked = (self.stages, self.tests, self.on_arrival, self.plan_of_parent, self.refer)
        return tuple(item for item in asked if item)

    @property
    def binds(self) -> bool:
        """Whether somebody must do something: not advice, not the end of a duty."""
        return self.force == "must" and not self.ends

    @model_validator(mode="after")
    def _asks_or_ends(self) -> Self:
        if self.ends == bool(self.asks):
            raise WrongValueError(
                "要么有要求，要么终止义务（ends: true），二者取一",
                "asks something or ends a duty (ends: true), one of the two",
            )
        return self

    @model_validator(mode="after")
    def _stages_fit(self) -> Self:
        if self.release is not None and len(self.stages) != 1:
            raise WrongValueError(
                "解除标准只能属于单一阶段",
                "a release criterion belongs to one single stage",
            )
        stage_options = (
            self.instead or self.counts_inbound or self.central_on_request or self.outings
        )
        if stage_options and not (self.stages or self.plan_of_parent):
            raise WrongValueError(
                "instead、counts_inbound、central_on_request、outings 须有阶段",
                "instead, counts_inbound, central_on_request and outings need stages",
            )
        return self


class InboundResults(Provision):
    """When a test of somebody from abroad is positive: below this Ct, whatever the word."""

    subject: Literal["inbound_results"]
    positive_below_ct: Ct
    review_up_to_ct: Ct


class Lift(Strict):
    """When a zone is lifted and what a later positive does."""

    clock: Literal["last_positive", "start"]
    days: DayNumber
    later_positive: Literal["restarts", "own_household"]
    except_relations: tuple[Relation, ...] = ()


class ZoneProvision(Provision):
    """How large a zone may be drawn, or when it is lifted."""

    subject: Literal["zones"]
    levels: Annotated[tuple[Level, ...], *NAMED] = ()
    lift: Lift | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.levels and self.lift is None:
            raise WrongValueError(
                "既没有划定范围，也没有解封规则",
                "says neither levels nor when the zone is lifted",
            )
        return self


class EntryProvision(Provision):
    """What is checked at a door; without `venues` at every door not in `except_venues`."""

    subject: Literal["entry", "care"]
    venues: Annotated[tuple[Venue, ...], *NAMED] = ()
    except_venues: Annotated[tuple[Venue, ...], *NAMED] = ()
    roles: Annotated[tuple[Role, ...], *NAMED] = ()
    checks: Annotated[tuple[Check, ...], BeforeValidator(_distinct)] = ()
    proof_hours: Hours | None = None
    proof_hours_in_outbreak: Hours | None = None
    local_decision: bool = False

    @property
    def binds(self) -> bool:
        """Whether anything is checked."""
        return self.force == "must" and bool(self.checks)

    @model_validator(mode="after")
    def _hours_with_proof(self) -> Self:
        if ("proof" in self.checks) != (self.proof_hours is not None):
            raise WrongValueError(
                "查验 proof 与 proof_hours 须同时给出",
                "the check 'proof' and proof_hours need each other",
            )
        if self.proof_hours_in_outbreak is not None and self.proof_hours is None:
            raise WrongValueError(
                "有 proof_hours_in_outbreak 须有 proof_hours",
                "proof_hours_in_outbreak needs proof_hours",
            )
        return self


class ScreeningProvision(Provision):
    """How often somebody in a post is tested; weekdays count from Monday, 1."""

    subject: Literal["screening"]
    posts: Annotated[tuple[Post, ...], *NAMED] = ()
    frequency: Literal["daily", "twice_weekly"] | None = None
    weekdays: Annotated[tuple[Annotated[int, Field(ge=1, le=7)], ...], *NAMED] = ()
    hours_between: Hours | None = None
    sampled: bool = False

    @property
    def binds(self) -> bool:
        """Whether anybody is tested."""
        return self.force == "must" and (self.frequency is not None or self.sampled)

    @model_validator(mode="after")
    def _days_with_frequency(self) -> Self:
        counts = {"daily": 7, "twice_weekly": 2, None: 0}
        if len(self.weekdays) != counts[self.frequency]:
            raise WrongValueError(
                f"{self.frequency or '无频次'}须对应{counts[self.frequency]}个星期日期",
                f"{self.frequency or 'no frequency'} goes with {counts[self.frequency]} weekdays",
            )
        return self


class GatheringProvision(Provision):
    """What those who hold a gathering must do."""

    subject: Literal["gatherings"]
    kinds: Annotated[tuple[Gathering, ...], *NAMED] = ()
    persons_at_least: Head | None = None
    outside_persons_at_least: Head | None = None
    duties: Annotated[tuple[GatheringDuty, ...], BeforeValidator(_distinct)] = ()
    proof_hours: Hours | None = None
    advised_against: bool = False

    @property
    def binds(self) -> bool:
        """Whether those who hold one have duties."""
        return self.force == "must" and bool(self.duties)

    @model_validator(mode="after")
    def _hours_with_proof(self) -> Self:
        if ("proof" in self.duties) != (self.proof_hours is not None):
            raise WrongValueError(
                "义务 proof 与 proof_hours 须同时给出",
                "the duty 'proof' and proof_hours need each other",
            )
        return self


class FreightProvision(Provision):
    """Which trucks may come in."""

    subject: Literal["freight_entry"]
    report_days_ahead: Annotated[int, Field(ge=1, le=30)]
    proof_hours: Hours
    landing_test: Literal["without_proof", "always"]
    landing_test_from: Origin | None = None
    seal: bool


class RegistrationProvision(Provision):
    """How long before arrival somebody reports; without days, simply before arriving."""

    subject: Literal["registration"]
    days_ahead: Annotated[int, Field(ge=1, le=30)] | None = None


class WhitelistProvision(Provision):
    """Who keeps society running, and what they owe."""

    subject: Literal["whitelist"]
    posts: Annotated[tuple[WhitelistPost, ...], *NAMED]
    duties: Annotated[tuple[WhitelistDuty, ...], BeforeValidator(_distinct)]
    proof_hours: Hours | None = None

    @model_validator(mode="after")
    def _hours_with_proof(self) -> Self:
        if ("proof" in self.duties) != (self.proof_hours is not None):
            raise WrongValueError(
                "义务 proof 与 proof_hours 须同时给出",
                "the duty 'proof' and proof_hours need each other",
            )
        return self


class PeopleGroup(Strict):
    """Conditions on somebody of the key population; all that are given must hold."""

    age_at_least: Annotated[int, Field(ge=1, le=120)] | None = None
    any_condition: Annotated[tuple[Condition, ...], *NAMED] | None = None
    living_alone: bool | None = None
    pregnant: bool | None = None
    child_in_difficulty: bool | None = None
    disabled: bool | None = None


class RegistryProvision(Provision):
    """Who is listed, under which category; `colours` where they are marked green, yellow, red."""

    subject: Literal["registry"]
    group: PeopleGroup
    category: Category
    colours: bool = False


class RegistryEnd(Provision):
    """The list of this document is complete: its parents add nobody."""

    subject: Literal["registry_end"]


class VaccinationProvision(Provision):
    """From which age everybody who is not fully vaccinated is to be won for vaccination."""

    subject: Literal["vaccination"]
    age_at_least: Annotated[int, Field(ge=1, le=120)]


class OutingsProvision(Provision):
    """Under which terms people are let out whose own clause forbids it and names no exception."""

    subject: Literal["outings"]
    outings: OutingTerms


_KINDS: dict[str, str] = {
    **dict.fromkeys(MEASURE_SUBJECTS, "measure"),
    "inbound_results": "inbound_results",
    "zones": "zones",
    "entry": "entry",
    "care": "entry",
    "screening": "screening",
    "gatherings": "gatherings",
    "freight_entry": "freight_entry",
    "registration": "registration",
    "whitelist": "whitelist",
    "registry": "registry",
    "registry_end": "registry_end",
    "vaccination": "vaccination",
    "outings": "outings",
}
SUBJECTS = tuple(_KINDS)


def _kind(value: Any) -> str | None:
    subject = value.get("subject") if isinstance(value, Mapping) else value.subject
    return _KINDS.get(subject) if isinstance(subject, str) else None


AnyProvision = Annotated[
    Annotated[MeasureProvision, Tag("measure")]
    | Annotated[InboundResults, Tag("inbound_results")]
    | Annotated[ZoneProvision, Tag("zones")]
    | Annotated[EntryProvision, Tag("entry")]
    | Annotated[ScreeningProvision, Tag("screening")]
    | Annotated[GatheringProvision, Tag("gatherings")]
    | Annotated[FreightProvision, Tag("freight_entry")]
    | Annotated[RegistrationProvision, Tag("registration")]
    | Annotated[WhitelistProvision, Tag("whitelist")]
    | Annotated[RegistryProvision, Tag("registry")]
    | Annotated[RegistryEnd, Tag("registry_end")]
    | Annotated[VaccinationProvision, Tag("vaccination")]
    | Annotated[OutingsProvision, Tag("outings")],
    Discriminator(_kind),
]


class NoProvision(Strict):
    """A clause, or a part of one, that needs no provision: whose duty it is and why."""

    clause: Clause
    duty: Duty
    page: Page | None = None
    why: Words


class Document(Strict):
    """One published notice."""

    id: DocumentId
    title: Words
    number: Words | None
    issuer: Words
    area: Area
    in_force_from: date
    in_force_until: date | None = None
    parent: DocumentId | None
    forwards: DocumentId | None = None
    checked_on: date
    clauses: tuple[Clause, ...] = ()
    provisions: tuple[AnyProvision, ...] = ()
    no_provision: tuple[NoProvision, ...] = ()

    @property
    def cited_as(self) -> Text:
        """Return what a sentence calls it: 《…通告》（71号）."""
        # Marks within a title are the single ones.
        title = f"《{self.title.zh.translate(str.maketrans('《》', '〈〉'))}》"
        if self.number is None:
            return Text(title, self.title.en)
        short = self.number.zh.rpartition("〕")[2]
        number = self.number.en[max(self.number.en.rfind("No."), 0) :]
        return Text(f"{title}（{short}）", f"{self.title.en} ({number})")

    @model_validator(mode="after")
    def _days_in_order(self) -> Self:
        if self.in_force_until is not None and self.in_force_until < self.in_force_from:
            raise WrongValueError(
                "in_force_until 早于 in_force_from",
                "in_force_until lies before in_force_from",
            )
        return self

    @model_validator(mode="after")
    def _forwards_or_speaks(self) -> Self:
        if self.forwards and (self.provisions or self.clauses):
            raise WrongValueError(
                "转发文件没有自己的条款",
                "a document that forwards another has no clauses of its own",
            )
        return self


def values(model: object) -> Iterator[tuple[str, object]]:
    """Yield every value that a provision gives with its name, those of its parts included."""
    if isinstance(model, tuple):
        for item in model:
            yield from values(item)
    elif isinstance(model, Strict):
        for name in sorted(model.model_fields_set):
            value = getattr(model, name)
            yield name, value
            yield from values(value)
