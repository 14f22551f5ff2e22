"""
What the API says of its questions and answers: JSON Schemas, exact enough to test against.

Every question that follows its schema is understood; what is left, a law that is not in force on
a day or values that contradict each other, is answered with 409.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from policy.engine.calendars.plans import MOVEMENTS
from policy.engine.decisions import facts
from policy.engine.decisions.people import Vaccination
from policy.engine.documents import schema
from policy.engine.questions import ask
from policy.engine.questions.reading import LONGEST_LIST, LONGEST_TEXT

Schema = dict[str, Any]
# Keys that a question needs, and keys that it may have.
_Keys = tuple[dict[str, Schema], dict[str, Schema]]

# Months of 31 and 30 days, and February in common and in leap years.
_DAY = (
    r"(20[0-9]{2}|2100)-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
    r"|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
    r"|20([02468][048]|[13579][26])-02-29"
)
_HOUR = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_MOMENT = rf"({_DAY})T{_HOUR}(:[0-5][0-9](\.[0-9]{{1,6}})?)?(Z|[+-]{_HOUR})"
_AREA = r"0{6}|(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12])[0-9]{4}"
_CONTROL = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"


def _pattern(expression: str, description: str) -> Schema:
    return {"type": "string", "pattern": f"^({expression})$", "description": description}


DAY = _pattern(_DAY, "A local day in Asia/Shanghai, 2000 to 2100: YYYY-MM-DD")
MOMENT = _pattern(_MOMENT, "A moment, 2000 to 2100: ISO 8601 with offset")
AREA = _pattern(_AREA, "A six-digit GB/T 2260 code")
FLAG: Schema = {"type": "boolean"}
SENTENCE: Schema = {"type": "string", "minLength": 1}
TEXT = {
    **_pattern(rf"[^{_CONTROL}]+", "A short text on one line"),
    "minLength": 1,
    "maxLength": LONGEST_TEXT,
}


def _word(vocabulary: Any) -> Schema:
    words = vocabulary if isinstance(vocabulary, tuple) else get_args(vocabulary)
    return {"type": "string", "enum": list(words)}


def _whole(most: int) -> Schema:
    return {"type": "integer", "minimum": 0, "maximum": most}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items, "maxItems": LONGEST_LIST}


def _or_null(one: Schema) -> Schema:
    return {"anyOf": [one, {"type": "null"}]}


def _object(required: Mapping[str, Schema], optional: Mapping[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


PROOF = _object({}, {"sampled_at": _or_null(MOMENT), "reported_at": _or_null(MOMENT)})
_DAYS_SERVED = _whole(facts.MOST_DAYS)
PERSON = _object(
    {},
    {
        "start": _or_null(DAY),
        "exposure": _or_null(_word(facts.EXPOSURES)),
        "clinical": _or_null(_word(facts.CLINICALS)),
        "serious_underlying_disease": FLAG,
        "arrived_from": _or_null(AREA),
        "spread_at_origin": FLAG,
        "stays": _list(
            _object(
                {"last_day": DAY},
                {"area": _or_null(AREA), "risk": _or_null(_word(facts.RISKS)), "transit": FLAG},
            )
        ),
        "inbound": _or_null(
            _object(
                {},
                {
                    "central_days": _DAYS_SERVED,
                    "home_days": _DAYS_SERVED,
                    "entered_via": _or_null(AREA),
                },
            )
        ),
        "closed_loop_post_ended": _or_null(DAY),
        "freight_crew": FLAG,
        "proof": _or_null(PROOF),
        "home_conditions_met": FLAG,
        "chooses_central": FLAG,
        "served": _list(
            _object({"setting": _word(facts.SETTINGS), "first_day": DAY, "last_day": DAY}, {})
        ),
        "tests": _list(
            _object(
                {"day": DAY, "result": _word(("negative", "positive"))},
                {
                    "ct": _or_null({"type": "number", "minimum": 0, "maximum": facts.MOST_CT}),
                    "reported_at": _or_null(MOMENT),
                },
            )
        ),
        "missed": _list(DAY),
    },
)
VISITOR = _object(
    {},
    {
        "proof": _or_null(PROOF),
        "health_code": _or_null(_word(("green", "yellow", "red"))),
        "travel_code_ok": FLAG,
        "scanned": FLAG,
        "temperature_ok": FLAG,
        "role": _word(schema.Role),
    },
)
RESIDENT = _object(
    {"age": _whole(ask.OLDEST)},
    {
        "conditions": _list(_word(schema.Condition)),
        "living_alone": FLAG,
        "pregnant": FLAG,
        "child_in_difficulty": FLAG,
        "disabled": FLAG,
        "stable": FLAG,
        "vaccination": _word(Vaccination),
    },
)
POSITIVE = _object(
    {"day": DAY, "household": TEXT},
    {"relation": _word(schema.Relation)},
)

# The keys of each question beside those that name the law: required ones, and the others.
_KEYS: dict[str, _Keys] = {
    "measure": ({"day": DAY, "person": PERSON}, {}),
    "entry": (
        {"venue": _word(schema.Venue), "visitor": VISITOR, "at": MOMENT},
        {"local_outbreak": FLAG},
    ),
    "screening": (
        {
            "post": _word(schema.Post),
            "week": {**DAY, "description": "The Monday of the week"},
            "day": DAY,
        },
        {"done": _list(DAY), "missed": _list(DAY)},
    ),
    "zone": (
        {"level": _word(schema.Level), "start": DAY, "last_positive": DAY},
        {"positives": _list(POSITIVE), "all_negative_on_lift_day": FLAG},
    ),
    "gathering": (
        {"kind": _word(schema.Gathering), "persons": _whole(ask.MOST_PERSONS)},
        {"outside_persons": _whole(ask.MOST_PERSONS)},
    ),
    "freight": (
        {"at": MOMENT, "from": AREA},
        {"reported_days_ahead": _or_null(_whole(ask.MOST_DAYS_AHEAD)), "proof": _or_null(PROOF)},
    ),
    "registration": ({"arrival": DAY, "registered": DAY}, {}),
    "registry": ({"person": RESIDENT}, {}),
    "whitelist": (
        {"post": _word(schema.WhitelistPost), "at": MOMENT},
        {"proof": _or_null(PROOF)},
    ),
}


KINDS = (*_KEYS, "compare", "switch")


def questions(documents: Sequence[str]) -> Schema:
    """Return the schema of a question, given the ids of the documents that are known."""
    return {"oneOf": list(_questions(_word(tuple(sorted(documents)))))}


def _questions(policy: Schema) -> Iterator[Schema]:
    by_document: _Keys = ({"policy": policy}, {"day": DAY})
    by_place: _Keys = ({"area": AREA, "day": DAY}, {})
    kinds: dict[str, _Keys] = {**_KEYS, "compare": ({"with": policy}, {})}
    for kind, (required, optional) in kinds.items():
        for named, besides in (by_document, by_place):
            needed = {"ask": _word((kind,)), **named, **required}
            more = {name: one for name, one in besides.items() if name not in needed}
            yield {**_object(needed, {**more, **optional}), "title": kind}
    switch = {"ask": _word(("switch",)), "from": policy, "to": policy, "day": DAY}
    yield {**_object({**switch, "person": PERSON}, {}), "title": "switch"}


# An answer may lie some days beyond what a question may name.
_DATE: Schema = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_NUMBER: Schema = {"type": "integer"}
_MEASURE = _or_null(_object({"policy": SENTENCE, "clause": SENTENCE}, {}))
_WORDS: Schema = {"type": "array", "items": {"type": "string"}}
_DATES: Schema = {"type": "array", "items": _DATE}
_STAGE = _object(
    {
        "setting": _word(facts.SETTINGS),
        "first_day": _DATE,
        "last_day": _DATE,
        "tests": _DATES,
        "force": _word(("must", "advise")),
    },
    {},
)
_MEASURED: dict[str, Schema] = {
    "stages": {"type": "array", "items": _STAGE},
    "required_tests": _DATES,
    "advised_tests": _DATES,
    "landing_test": FLAG,
    "proof_hours": _or_null(_NUMBER),
    "earliest_release": _or_null(_DATE),
    "movement": _word(tuple(MOVEMENTS)),
    "coded": FLAG,
    "door_sensor": FLAG,
    "refer": _or_null(_word(("medical",))),
}
_FINDING = _object(
    {
        "subject": SENTENCE,
        "verdict": _word(("stricter", "equal", "looser", "silent")),
        "clause": SENTENCE,
        "parent_clause": _or_null(SENTENCE),
        "force": _word(("must", "advise")),
        "because": SENTENCE,
    },
    {},
)
_ANSWERS: dict[str, dict[str, Schema]] = {
    "measure": _MEASURED,
    "switch": {**_MEASURED, "cancelled_tests": _DATES},
    "entry": {
        "allowed": FLAG,
        "local_decision": FLAG,
        "checks": _WORDS,
        "proof_hours": _or_null(_NUMBER),
    },
    "screening": {
        "frequency": _or_null(_word(("daily", "twice_weekly"))),
        "due": _DATES,
        "overdue": FLAG,
        "next": _or_null(_DATE),
    },
    "zone": {
        "level_allowed": FLAG,
        "lift_day": _or_null(_DATE),
        "still_controlled": _WORDS,
        "zone_stays": FLAG,
    },
    "gathering": {
        "duties": _WORDS,
        "proof_hours": _or_null(_NUMBER),
        "advised_against": FLAG,
    },
    "freight": {"may_enter": FLAG, "landing_test": FLAG, "seal": FLAG},
    "registration": {"deadline": _or_null(_DATE), "on_time": FLAG},
    "registry": {
        "listed": FLAG,
        "categories": _WORDS,
        "colour": _or_null(_word(("green", "yellow", "red"))),
        "vaccination_target": FLAG,
    },
    "whitelist": {"listed": FLAG, "may_work": FLAG, "duties": _WORDS},
}


def answers() -> Schema:
    """Return the schema of an answer."""
    told = {"measure": _MEASURE, "because": {"type": "array", "items": SENTENCE}}
    kinds = [{**_object({**keys, **told}, {}), "title": kind} for kind, keys in _ANSWERS.items()]
    compared = _object({"findings": {"type": "array", "items": _FINDING}}, {})
    return {"oneOf": [*kinds, {**compared, "title": "compare"}]}
