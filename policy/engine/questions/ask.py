"""
The questions of the contract: a JSON object in, a JSON object out.

`because` is given in Chinese, the first language of the portal's users; errors are in English, for
whoever writes the program that asks. Nothing here raises.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, cast, get_args

from policy.engine.calendars.laying import Calendar
from policy.engine.comparison import compare, switch
from policy.engine.decisions import doors, gatherings, people, reasons, roads, screening, zones
from policy.engine.decisions.decide import Decision, decide
from policy.engine.decisions.facts import Person, read_person, read_proof
from policy.engine.documents import library, schema
from policy.engine.documents.law import Citation, Law
from policy.engine.errors import BadQuestionError, ContradictionError
from policy.engine.questions.reading import (
    Fields,
    choice,
    listed,
    optional,
    read_area,
    read_day,
    read_flag,
    read_mapping,
    read_moment,
    read_text,
    refuse,
    whole,
)
from policy.engine.text import Text, in_chinese

LONGEST_LINE = 1 << 24
LONGEST_NUMBER = 40
DEEPEST = 20
NO_UTF_8 = Text("此行不是 UTF-8。", "The line is not UTF-8.")
TOO_DEEP = Text("此行嵌套过深。", "The line is nested too deeply.")
BEYOND = Text(
    "问题中的某个取值超出合理范围。", "A value of the question is beyond any sensible size."
)
NO_OBJECT = Text("此行不是一个 JSON 对象。", "The line is not one JSON object.")
MOST_PERSONS = 1_000_000
OLDEST = 150
RELEASED_BEFORE = Text(
    "此人在政策调整前已解除管控，更严的规定不追溯。",
    "This person was released before the switch; a stricter rule does not reach back.",
)
MOST_DAYS_AHEAD = 3650
# Stands for a number that JSON does not know or that no question can mean.
_NO_NUMBER = object()

Answer = dict[str, Any]
Asked = Callable[[Mapping[str, object], library.Library], Answer]


def answer(question: object, documents: library.Library | None = None) -> Answer:
    """Return the answer to one question, or `{"error": sentence}`; never raises."""
    try:
        return _told(question, documents or library.shipped())
    except BadQuestionError as error:
        return {"error": error.text.en}


def answer_line(line: bytes, documents: library.Library | None = None) -> Answer:
    """Return the answer to one line of JSON in UTF-8, or `{"error": sentence}`; never raises."""
    try:
        return consider_line(line, documents or library.shipped())
    except BadQuestionError as error:
        return {"error": error.text.en}


def consider_line(line: bytes, documents: library.Library) -> Answer:
    """
    Return the answer to one line of JSON in UTF-8.

    Raises `BadQuestionError` for a line that is none or that cannot be understood.
    """
    try:
        question = _parsed(line)
    except UnicodeDecodeError:
        raise BadQuestionError("line", NO_UTF_8) from None
    except RecursionError:
        raise BadQuestionError("line", TOO_DEEP) from None
    except ValueError:
        raise BadQuestionError("line", NO_OBJECT) from None
    return _told(question, documents)


def _told(question: object, documents: library.Library) -> Answer:
    """Return the answer with its reasons in Chinese."""
    try:
        told: Answer = _in_chinese(consider(question, documents))
    except (OverflowError, RecursionError):
        raise ContradictionError("line", BEYOND) from None
    return told


def _parsed(line: bytes) -> object:
    if len(line) > LONGEST_LINE:
        refuse("line", "过长", "it is longer than any question.")
    question = json.loads(
        line.decode("utf-8"),
        object_pairs_hook=_without_repeats,
        parse_constant=_no_constant,
        parse_int=_sensible_int,
        parse_float=_sensible_float,
    )
    if _depth(question) > DEEPEST:
        refuse("line", "嵌套过深", "it is nested too deeply.")
    return question


def _depth(value: object) -> int:
    """Return how deeply a value is nested, as far as it matters."""
    depth, layer = 0, [value]
    while layer and depth <= DEEPEST:
        depth += 1
        layer = [
            inner
            for item in layer
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
    return depth


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            refuse(key, "键重复", "this key stands twice in one object.")
        if value is _NO_NUMBER or (isinstance(value, list) and _NO_NUMBER in value):
            refuse(key, "不是合理的数字", "this is no number of any sensible size.")
        found[key] = value
    return found


def _no_constant(_word: str) -> object:
    return _NO_NUMBER


def _sensible_int(digits: str) -> object:
    return int(digits) if len(digits) <= LONGEST_NUMBER else _NO_NUMBER


def _sensible_float(digits: str) -> object:
    number = float(digits)
    return number if len(digits) <= LONGEST_NUMBER and math.isfinite(number) else _NO_NUMBER


def _in_chinese(value: Any) -> Any:
    if isinstance(value, Text):
        return value.zh
    if isinstance(value, dict):
        return {key: _in_chinese(item) for key, item in value.items()}
    return [_in_chinese(item) for item in value] if isinstance(value, list) else value


def consider(question: object, documents: library.Library) -> Answer:
    """
    Return the answer to one question with its reasons in both languages.

    Raises `BadQuestionError` for a question that cannot be understood.
    """
    if not isinstance(question, dict):
        raise BadQuestionError("line", NO_OBJECT)
    if "ask" not in question:
        refuse("ask", "须填写", "this key is missing.")
    asked = choice(QUESTIONS)("ask", question["ask"])
    return QUESTIONS[asked](question, documents)


def _law(fields: Fields, documents: library.Library) -> Law:
    """Return the law that a question names, by policy or by area and day."""
    if "area" not in fields:
        if "day" in fields:
            fields.get("day", read_day)
        return documents.law(fields.get("policy", choice(documents.documents)))
    if "policy" in fields:
        refuse(
            "area", "policy 与 area 只能给一个", "give either policy or area and day, not both."
        )
    area = fields.get("area", read_area)
    return documents.law(documents.in_force(area, fields.get("day", read_day)), area)


_WHERE = ("ask", "policy", "area", "day")


def _sentences(because: Iterable[Text]) -> list[Text]:
    return list(dict.fromkeys(because))


def _cited(measure: Citation | None) -> Answer | None:
    return None if measure is None else {"policy": measure.document, "clause": measure.clause}


def _days(days: Iterable[date]) -> list[str]:
    return [day.isoformat() for day in days]


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _measure(question: Mapping[str, object], documents: library.Library) -> Answer:
    fields = Fields(question, (*_WHERE, "person"))
    law = _law(fields, documents)
    day = fields.get("day", read_day)
    person = read_person(fields.get("person", _any))
    decision = decide(law, person, day)
    told = _measured(decision, switch.calendar_of(decision, person, day))
    if reviewed := _reviewed(law, person):
        told["because"].append(reviewed.zh)
    return told


def _reviewed(law: Law, person: Person) -> Text | None:
    """Return the sentence on a Ct that needs a risk assessment (101号 9)."""
    found = next(law.cited(schema.InboundResults), None)
    if found is None or person.inbound is None:
        return None
    cited, rule = found
    low, high = rule.positive_below_ct, rule.review_up_to_ct
    if not any(test.ct is not None and low <= test.ct <= high for test in person.tests):
        return None
    place = reasons.clause(law, cited)
    return Text(
        f"Ct值在{low:g}至{high:g}之间，须评估风险（{place.zh}），核酸安排不变。",
        f"A Ct from {low:g} to {high:g} needs a risk assessment ({place.en}); the tests stay.",
    )


def _any(_key: str, value: object) -> object:
    return value


def _measured(decision: Decision, calendar: Calendar | None) -> Answer:
    stages = calendar.stages if calendar else ()
    return {
        "measure": _cited(decision.measure),
        "stages": [
            {
                "setting": stage.setting,
                "first_day": stage.first_day.isoformat(),
                "last_day": stage.last_day.isoformat(),
                "tests": _days(stage.tests),
                "force": stage.force,
            }
            for stage in stages
        ],
        "required_tests": _days(calendar.required_tests if calendar else ()),
        "advised_tests": _days(calendar.advised_tests if calendar else ()),
        "landing_test": decision.landing_test,
        "proof_hours": decision.proof_hours,
        "earliest_release": _day(calendar.earliest_release if calendar else None),
        "movement": decision.movement,
        "coded": decision.coded,
        "door_sensor": decision.door_sensor,
        "refer": decision.refer or (calendar.refer if calendar else None),
        "because": _sentences((*decision.because, *_dated(calendar))),
    }


def _dated(calendar: Calendar | None) -> tuple[Text, ...]:
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


def _switch(question: Mapping[str, object], documents: library.Library) -> Answer:
    fields = Fields(question, ("ask", "from", "to", "day", "person"))
    old, new = (_named_law(fields, key, documents) for key in ("from", "to"))
    day = fields.get("day", read_day)
    switched = switch.switch(old, new, read_person(fields.get("person", _any)), day)
    if switched.already_released:
        told = _measured(switched.decision, None)
        told |= {"measure": None, "movement": "free", "coded": False, "door_sensor": False}
        told["because"] = [RELEASED_BEFORE]
    else:
        told = _measured(switched.decision, switched.calendar)
    return {**told, "cancelled_tests": _days(switched.cancelled_tests)}


def _named_law(fields: Fields, key: str, documents: library.Library) -> Law:
    document = fields.get(key, choice(documents.documents))
    return documents.law(document)


def _words(literal: object) -> Callable[[str, object], Any]:
    return choice(cast("tuple[str, ...]", get_args(literal)))


def _entry(question: Mapping[str, object], documents: library.Library) -> Answer:
    fields = Fields(question, (*_WHERE, "venue", "at", "local_outbreak", "visitor"))
    law = _law(fields, documents)
    entry = doors.may_enter(
        law,
        fields.get("venue", _words(schema.Venue)),
        fields.get("visitor", _visitor),
        fields.get("at", read_moment),
        local_outbreak=fields.get("local_outbreak", read_flag, False),
    )
    return {
        "allowed": entry.allowed,
        "local_decision": entry.local_decision,
        "checks": list(entry.checks),
        "proof_hours": entry.proof_hours,
        "measure": _cited(entry.measure),
        "because": _sentences(entry.because),
    }


def _visitor(key: str, value: object) -> doors.Visitor:
    fields = Fields(
        read_mapping(key, value),
        ("proof", "health_code", "travel_code_ok", "scanned", "temperature_ok", "role"),
    )
    code: str | None = "green"
    return doors.Visitor(
        proof=fields.get("proof", optional(read_proof), None),
        health_code=fields.get("health_code", optional(choice(("green", "yellow", "red"))), code),
        travel_code_ok=fields.get("travel_code_ok", read_flag, True),
        scanned=fields.get("scanned", read_flag, True),
        temperature_ok=fields.get("temperature_ok", read_flag, True),
        role=fields.get("role", _words(schema.Role), "visitor"),
    )


def _screening(question: Mapping[str, object], documents: library.Library) -> Answer:
    fields = Fields(question, (*_WHERE, "post", "week", "done", "missed"))
    law = _law(fields, documents)
    week = fields.get("week", _monday)
    none: tuple[date, ...] = ()
    # A missed test changes nothing but what was done; it is read to be refused when malformed.
    fields.get("missed", listed(read_day), none)
    told = screening.screen(
        law,
        fields.get("post", _words(schema.Post)),
        week,
        fields.get("day", read_day),
        done=fields.get("done", listed(read_day), none),
    )
    return {
        "frequency": told.frequency,
        "due": _days(told.due),
        "overdue": told.overdue,
        "next": _day(told.next_on),
        "measure": _cited(told.measure),
        "because": _sentences(told.because),
    }


def _monday(key: str, value: object) -> date:
    day = read_day(key, value)
    if day.isoweekday() != 1:
        refuse(key, "不是星期一", f"{day:%Y-%m-%d} is not a Monday.", error=ContradictionError)
    return day


def _zone(question: Mapping[str, object], documents: library.Library) -> Answer:
    fields = Fields(
        question,
        (*_WHERE, "level", "start", "last_positive", "positives", "all_negative_on_lift_day"),
    )
    law = _law(fields, documents)
    told = zones.zone(
        law,
        fields.get("level", _words(schema.Level)),
        fields.get("start", read_day),
        fields.get("last_positive", read_day),
        positives=fields.get("positives", listed(_positive), ()),
        all_negative_on_lift_day=fields.get("all_negative_on_lift_day", read_flag, True),
    )
    return {
        "level_allowed": told.level_allowed,
        "lift_day": _day(told.lift_day),
        "still_controlled": list(told.still_controlled),
        "zone_stays": told.zone_stays,
        "measure": _cited(told.measure),
        "because": _sentences(told.because),
    }


def _positive(key: str, value: object) -> zones.LaterPositive:
    fields = Fields(read_mapping(key, value), ("day", "household", "relation"))
    return zones.LaterPositive(
        day=fields.get("day", read_day),
        household=fields.get("household", read_text),
        relation=fields.get("relation", _words(schema.Relation), "none"),
    )


def _gathering(question: Mapping[str, object], documents: library.Library) -> Answer:
    fields = Fields(question, (*_WHERE, "kind", "persons", "outside_persons"))
    law = _law(fields, documents)
    told = gatherings.gathering(
        law,
        fields.get("kind", _words(schema.Gathering)),
        fields.get("persons", whole(MOST_PERSONS)),
        fields.get("outside_persons", whole(MOST_PERSONS), 0),
    )
    return {
        "duties": list(told.duties),
        "proof_hours": told.proof_hours,
        "advised_against": told.advised_against,
        "measure": _cited(told.measure),
        "because": _sentences(told.because),
    }


def _freight(question: Mapping[str, object], documents: library.Library) -> Answer:
    fields = Fields(question, (*_WHERE, "at", "from", "reported_days_ahead", "proof"))
    law = _law(fields, documents)
    told = roads.freight(
        law,
        fields.get("at", read_moment),
        fields.get("from", read_area),
        fields.get("reported_days_ahead", optional(whole(MOST_DAYS_AHEAD)), None),
        fields.get("proof", optional(read_proof), None),
    )
    return {
        "may_enter": told.may_enter,
        "landing_test": told.landing_test,
        "seal": told.seal,
        "measure": _cited(told.measure),
        "because": _sentences(told.because),
    }


def _registration(question: Mapping[str, object], documents: library.Library) -> Answer:
    fields = Fields(question, (*_WHERE, "arrival", "registered"))
    law = _law(fields, documents)
    told = roads.registration(
        law, fields.get("arrival", read_day), fields.get("registered", read_day)
    )
    return {
        "deadline": _day(told.deadline),
        "on_time": told.on_time,
        "measure": _cited(told.measure),
        "because": _sentences(told.because),
    }


def _registry(question: Mapping[str, object], documents: library.Library) -> Answer:
    fields = Fields(question, (*_WHERE, "person"))
    law = _law(fields, documents)
    told = people.list_person(law, fields.get("person", _resident))
    return {
        "listed": told.listed,
        "categories": list(told.categories),
        "colour": told.colour,
        "vaccination_target": told.vaccination_target,
        "measure": _cited(told.measure),
        "because": _sentences(told.because),
    }


def _resident(key: str, value: object) -> people.ListedFacts:
    fields = Fields(read_mapping(key, value), tuple(people.ListedFacts.__dataclass_fields__))
    return people.ListedFacts(
        age=fields.get("age", whole(OLDEST)),
        conditions=fields.get("conditions", listed(_words(schema.Condition)), ()),
        living_alone=fields.get("living_alone", read_flag, False),
        pregnant=fields.get("pregnant", read_flag, False),
        child_in_difficulty=fields.get("child_in_difficulty", read_flag, False),
        disabled=fields.get("disabled", read_flag, False),
        stable=fields.get("stable", read_flag, True),
        vaccination=fields.get("vaccination", _words(people.Vaccination), "full"),
    )


def _whitelist(question: Mapping[str, object], documents: library.Library) -> Answer:
    fields = Fields(question, (*_WHERE, "post", "at", "proof"))
    law = _law(fields, documents)
    told = people.whitelist(
        law,
        fields.get("post", _words(schema.WhitelistPost)),
        fields.get("at", read_moment),
        fields.get("proof", optional(read_proof), None),
    )
    return {
        "listed": told.listed,
        "may_work": told.may_work,
        "duties": list(told.duties),
        "measure": _cited(told.measure),
        "because": _sentences(told.because),
    }


def _compare(question: Mapping[str, object], documents: library.Library) -> Answer:
    fields = Fields(question, (*_WHERE, "with"))
    law = _law(fields, documents)
    other = _named_law(fields, "with", documents)
    return {
        "findings": [
            {
                "subject": finding.subject,
                "verdict": finding.verdict,
                "clause": finding.clause,
                "parent_clause": finding.parent_clause,
                "force": finding.force,
                "because": finding.because,
            }
            for finding in compare.compare(law, other)
        ]
    }


QUESTIONS: dict[str, Asked] = {
    "measure": _measure,
    "switch": _switch,
    "entry": _entry,
    "screening": _screening,
    "zone": _zone,
    "gathering": _gathering,
    "freight": _freight,
    "registration": _registration,
    "registry": _registry,
    "whitelist": _whitelist,
    "compare": _compare,
}
