"""
The questions of the contract: the keys of each with their types, and how each is answered.

These classes are the only definition: what reads a question, the description of the API and the
fields of the calculator are built from them.
"""

import functools
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from policy.engine.calendars.laying import Calendar
from policy.engine.comparison import compare, switch
from policy.engine.decisions import doors, gatherings, people, reasons, roads, screening, zones
from policy.engine.decisions.decide import Decision, decide
from policy.engine.decisions.facts import Person, ShownProof
from policy.engine.documents import schema
from policy.engine.documents.law import Citation, Law
from policy.engine.documents.library import Library
from policy.engine.errors import ContradictoryValueError
from policy.engine.questions.reading import (
    AREA,
    DAY,
    DOCUMENT,
    AreaCode,
    Day,
    DocumentId,
    Flag,
    Moment,
    Several,
    read,
    refuse,
    refuse_missing,
    refuse_unknown,
    whole_number,
)
from policy.engine.text import Text, in_chinese

Answer = dict[str, Any]
_FINDING = ("subject", "verdict", "clause", "parent_clause", "force", "because")
Persons = Annotated[int, whole_number(1_000_000)]
DaysAhead = Annotated[int, whole_number(3650)]
RELEASED_BEFORE = Text(
    "此人在政策调整前已解除管控，更严的规定不追溯。",
    "This person was released before the switch; a stricter rule does not reach back.",
)


class Question(BaseModel):
    """What all questions have in common; `ask` says which it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ask: str

    def answer(self, documents: Library) -> Answer:
        """Return the answer with its reasons in both languages."""
        raise NotImplementedError


class QuestionOfALaw(Question):
    """A question to one law, which it names by its document or by an area and a day."""

    # Each may be left out, none may be null.
    policy: Annotated[str | None, DOCUMENT] = None
    area: Annotated[str | None, AREA] = None
    day: Annotated[date | None, DAY] = None

    @model_validator(mode="before")
    @classmethod
    def _name_one_law(cls, keys: dict[str, object]) -> dict[str, object]:
        if "policy" not in keys and "area" not in keys:
            refuse_missing("policy")
        if "policy" in keys and "area" in keys:
            refuse(
                "area",
                "policy 与 area 只能给一个",
                "give either policy or area and day, not both.",
            )
        return keys

    def law(self, documents: Library) -> Law:
        """Return the law that the question names."""
        if self.policy is not None:
            return documents.law(self.policy)
        if self.area is None or self.day is None:
            refuse_missing("day")
        return documents.law(documents.in_force(self.area, self.day), self.area)


class MeasureQuestion(QuestionOfALaw):
    """What applies to a person."""

    ask: Literal["measure"]
    day: Day
    person: Person

    def answer(self, documents: Library) -> Answer:
        """Return the measure with its calendar."""
        law = self.law(documents)
        decision = decide(law, self.person, self.day)
        answer = _measure_answer(decision, switch.calendar_of(decision, self.person, self.day))
        answer["because"] += _review_reasons(law, self.person)
        return answer

    def calendar(self, documents: Library) -> Calendar | None:
        """Return the calendar that the answer describes."""
        decision = decide(self.law(documents), self.person, self.day)
        return switch.calendar_of(decision, self.person, self.day)


class SwitchQuestion(Question):
    """What a change of policy does to an open case."""

    ask: Literal["switch"]
    old: Annotated[DocumentId, Field(alias="from")]
    new: Annotated[DocumentId, Field(alias="to")]
    day: Day
    person: Person

    def answer(self, documents: Library) -> Answer:
        """Return the measure under the new document, and the tests that it cancels."""
        switched = self._switched(documents)
        if switched.already_released:
            answer = _measure_answer(switched.decision, None)
            answer |= {"measure": None, "movement": "free", "coded": False, "door_sensor": False}
            answer["because"] = [RELEASED_BEFORE]
        else:
            answer = _measure_answer(switched.decision, switched.calendar)
        return {**answer, "cancelled_tests": _plain(switched.cancelled_tests)}

    def calendar(self, documents: Library) -> Calendar | None:
        """Return the calendar that the answer describes."""
        switched = self._switched(documents)
        return None if switched.already_released else switched.calendar

    def _switched(self, documents: Library) -> switch.Switched:
        old, new = documents.law(self.old), documents.law(self.new)
        return switch.switch(old, new, self.person, self.day)


class EntryQuestion(QuestionOfALaw):
    """Whether a visitor may come in."""

    ask: Literal["entry"]
    venue: schema.Venue
    at: Moment
    local_outbreak: Flag = False
    visitor: doors.Visitor

    def answer(self, documents: Library) -> Answer:
        """Return whether the visitor may come in, and what is checked."""
        entry = doors.may_enter(
            self.law(documents),
            self.venue,
            self.visitor,
            self.at,
            local_outbreak=self.local_outbreak,
        )
        return _answer_from(entry, "allowed", "local_decision", "checks", "proof_hours")


def _monday(day: date) -> date:
    if day.isoweekday() != 1:
        raise ContradictoryValueError("week", "不是星期一", f"{day:%Y-%m-%d} is not a Monday")
    return day


class ScreeningQuestion(QuestionOfALaw):
    """When somebody in a post must be tested."""

    ask: Literal["screening"]
    day: Day
    post: schema.Post
    week: Annotated[Day, AfterValidator(_monday), Field(description="The Monday of the week")]
    done: Several[Day] = ()
    # A missed test changes nothing but what was done.
    missed: Several[Day] = ()

    def answer(self, documents: Library) -> Answer:
        """Return the test days of the week, and whether one is overdue."""
        decision = screening.screen(
            self.law(documents), self.post, self.week, self.day, done=self.done
        )
        return {
            **_answer_from(decision, "frequency", "due", "overdue"),
            "next": _plain(decision.next_on),
        }


class ZoneQuestion(QuestionOfALaw):
    """Whether a high-risk area may be drawn, and when it is lifted."""

    ask: Literal["zone"]
    level: schema.Level
    start: Day
    last_positive: Day
    positives: Several[zones.LaterPositive] = ()
    all_negative_on_lift_day: Flag = True

    def answer(self, documents: Library) -> Answer:
        """Return whether the area may be drawn, and what becomes of it."""
        decision = zones.zone(
            self.law(documents),
            self.level,
            self.start,
            self.last_positive,
            positives=self.positives,
            all_negative_on_lift_day=self.all_negative_on_lift_day,
        )
        return _answer_from(
            decision, "level_allowed", "lift_day", "still_controlled", "zone_stays"
        )


class GatheringQuestion(QuestionOfALaw):
    """What those who hold a gathering must do."""

    ask: Literal["gathering"]
    kind: schema.Gathering
    persons: Persons
    outside_persons: Persons = 0

    def answer(self, documents: Library) -> Answer:
        """Return the duties of the gathering."""
        decision = gatherings.gathering(
            self.law(documents), self.kind, self.persons, self.outside_persons
        )
        return _answer_from(decision, "duties", "proof_hours", "advised_against")


class FreightQuestion(QuestionOfALaw):
    """Whether a truck may come in."""

    ask: Literal["freight"]
    at: Moment
    origin: Annotated[AreaCode, Field(alias="from")]
    reported_days_ahead: DaysAhead | None = None
    proof: ShownProof | None = None

    def answer(self, documents: Library) -> Answer:
        """Return whether the truck may come in, and how."""
        decision = roads.freight(
            self.law(documents), self.at, self.origin, self.reported_days_ahead, self.proof
        )
        return _answer_from(decision, "may_enter", "landing_test", "seal")


class RegistrationQuestion(QuestionOfALaw):
    """Until when somebody registers before an arrival."""

    ask: Literal["registration"]
    arrival: Day
    registered: Day

    def answer(self, documents: Library) -> Answer:
        """Return the last day of registering, and whether it was kept."""
        decision = roads.registration(self.law(documents), self.arrival, self.registered)
        return _answer_from(decision, "deadline", "on_time")


class RegistryQuestion(QuestionOfALaw):
    """On which lists of key populations a person belongs."""

    ask: Literal["registry"]
    person: people.ListedFacts

    def answer(self, documents: Library) -> Answer:
        """Return the lists, and whether the person is to be won for vaccination."""
        decision = people.list_person(self.law(documents), self.person)
        return _answer_from(decision, "listed", "categories", "colour", "vaccination_target")


class WhitelistQuestion(QuestionOfALaw):
    """Whether a post is on the white list, and its holder may work now."""

    ask: Literal["whitelist"]
    post: schema.WhitelistPost
    at: Moment
    proof: ShownProof | None = None

    def answer(self, documents: Library) -> Answer:
        """Return whether the post is listed, and what its holder owes."""
        decision = people.whitelist(self.law(documents), self.post, self.at, self.proof)
        return _answer_from(decision, "listed", "may_work", "duties")


class CompareQuestion(QuestionOfALaw):
    """Whether one document goes further than another."""

    ask: Literal["compare"]
    other: Annotated[DocumentId, Field(alias="with")]

    def answer(self, documents: Library) -> Answer:
        """Return how each clause stands to the other document."""
        law, other = self.law(documents), documents.law(self.other)
        return {
            "findings": [
                {key: getattr(finding, key) for key in _FINDING}
                for finding in compare.compare(law, other)
            ]
        }


QUESTIONS: dict[str, type[Question]] = {
    "measure": MeasureQuestion,
    "switch": SwitchQuestion,
    "entry": EntryQuestion,
    "screening": ScreeningQuestion,
    "zone": ZoneQuestion,
    "gathering": GatheringQuestion,
    "freight": FreightQuestion,
    "registration": RegistrationQuestion,
    "registry": RegistryQuestion,
    "whitelist": WhitelistQuestion,
    "compare": CompareQuestion,
}


def read_question(keys: Mapping[str, object], documents: Library) -> Question:
    """
    Return the question that an object asks about these documents.

    Raises `BadQuestionError`, which names the key, for one that cannot be understood.
    """
    if "ask" not in keys:
        refuse_missing("ask")
    asked = keys["ask"]
    if not isinstance(asked, str) or asked not in QUESTIONS:
        refuse_unknown("ask", asked)
    validate = functools.partial(
        QUESTIONS[asked].model_validate, context=documents.documents.keys()
    )
    return read(validate, keys, "line")


def _answer_from(decided: Any, *keys: str) -> Answer:
    """Return these attributes of a decision, and the clause and the reasons on which it rests."""
    return {key: _plain(getattr(decided, key)) for key in (*keys, "measure", "because")}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; texts stay in both languages, each once in a list."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Citation):
        return {"policy": value.document, "clause": value.clause}
    if isinstance(value, tuple):
        return [_plain(item) for item in dict.fromkeys(value)]
    return value


def _review_reasons(law: Law, person: Person) -> list[Text]:
    """Return the sentence on a Ct that needs a risk assessment (101号 9), where there is one."""
    cited, rule = next(law.cited(schema.InboundResults), (None, None))
    if cited is None or rule is None or person.inbound is None:
        return []
    low, high = rule.positive_below_ct, rule.review_up_to_ct
    if not any(test.ct is not None and low <= test.ct <= high for test in person.tests):
        return []
    place = reasons.clause(law, cited)
    return [
        Text(
            f"Ct值在{low:g}至{high:g}之间，须评估风险（{place.zh}），核酸安排不变。",
            f"A Ct from {low:g} to {high:g} needs a risk assessment ({place.en}); the tests stay.",
        )
    ]


def _measure_answer(decision: Decision, calendar: Calendar | None) -> Answer:
    stages = calendar.stages if calendar else ()
    return {
        "measure": _plain(decision.measure),
        "stages": [
            {
                "setting": stage.setting,
                "first_day": stage.first_day.isoformat(),
                "last_day": stage.last_day.isoformat(),
                "tests": _plain(stage.tests),
                "force": stage.force,
            }
            for stage in stages
        ],
        "required_tests": _plain(calendar.required_tests if calendar else ()),
        "advised_tests": _plain(calendar.advised_tests if calendar else ()),
        "landing_test": decision.landing_test,
        "proof_hours": decision.proof_hours,
        "earliest_release": _plain(calendar.earliest_release if calendar else None),
        "movement": decision.movement,
        "coded": decision.coded,
        "door_sensor": decision.door_sensor,
        "refer": decision.refer or (calendar.refer if calendar else None),
        "because": _plain((*decision.because, *_date_reasons(calendar))),
    }


def _date_reasons(calendar: Calendar | None) -> tuple[Text, ...]:
    if calendar is None:
        return ()
    start = calendar.start
    first = Text(f"第1天是{in_chinese(start)}。", f"Day 1 is {start:%Y-%m-%d}.")
    if calendar.positive_on is not None:
        on = calendar.positive_on
        return (
            first,
            Text(
                f"{in_chinese(on)}核酸阳性，此后的核酸取消。",
                f"A test of {on:%Y-%m-%d} was positive; later tests are cancelled.",
            ),
        )
    return (first,)
