"""
The OpenAPI description of questions and answers: JSON Schemas, exact enough to test against.

Every question that follows its schema is understood; what is left, a law that is not in force on
a day or values that contradict each other, is answered with 409.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from ninja.openapi.schema import REF_TEMPLATE
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import core_schema

from policy.engine.calendars.plans import Force, Movement
from policy.engine.decisions import facts
from policy.engine.decisions.colours import Colour
from policy.engine.questions.contract import QUESTIONS, QuestionOfALaw
from policy.engine.questions.reading import DOCUMENT

Schema = dict[str, Any]


class _Plain(GenerateJsonSchema):
    """Without titles of keys, which repeat their names, and without null as a default."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Say that no key has a title."""
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Schema:
        """Return the schema with its default, where that tells anything."""
        if schema.get("default") is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def questions(documents: Sequence[str]) -> tuple[Schema, dict[str, Schema]]:
    """
    Return the schema of a question and those of its parts, by their names.

    The documents are those that are known, by id.
    """
    _, described = models_json_schema(
        [(model, "validation") for model in QUESTIONS.values()],
        ref_template=REF_TEMPLATE,
        schema_generator=_Plain,
    )
    parts = described["$defs"]
    known = _word(sorted(documents))
    kinds = [
        {**kind, "title": name}
        for name, model in QUESTIONS.items()
        for kind in _by_law(parts.pop(model.__name__), of_a_law=issubclass(model, QuestionOfALaw))
    ]
    for kind in kinds:
        for key, schema in kind["properties"].items():
            if schema == DOCUMENT.described:
                kind["properties"][key] = known
    return {"oneOf": kinds}, parts


def _by_law(question: Schema, *, of_a_law: bool) -> Iterator[Schema]:
    """Yield a question as it names the law: by its document, or by an area and a day."""
    if not of_a_law:
        yield question
        return
    for named, without in (({"policy"}, "area"), ({"area", "day"}, "policy")):
        keys = {key: schema for key, schema in question["properties"].items() if key != without}
        needed = sorted({*question["required"], *named})
        yield {**question, "properties": keys, "required": needed}


FLAG: Schema = {"type": "boolean"}
SENTENCE: Schema = {"type": "string", "minLength": 1}


def _word(words: Sequence[str]) -> Schema:
    return {"type": "string", "enum": list(words)}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(keys: Mapping[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": dict(keys),
        "required": list(keys),
        "additionalProperties": False,
    }


# An answer may lie some days beyond what a question may name.
_DATE: Schema = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_NUMBER: Schema = {"type": "integer"}
_MEASURE = _or_null(_object({"policy": SENTENCE, "clause": SENTENCE}))
_WORDS: Schema = {"type": "array", "items": {"type": "string"}}
_DATES: Schema = {"type": "array", "items": _DATE}
_STAGE = _object(
    {
        "setting": _word(facts.SETTINGS),
        "first_day": _DATE,
        "last_day": _DATE,
        "tests": _DATES,
        "force": _word(get_args(Force)),
    }
)
_MEASURED: dict[str, Schema] = {
    "stages": {"type": "array", "items": _STAGE},
    "required_tests": _DATES,
    "advised_tests": _DATES,
    "landing_test": FLAG,
    "proof_hours": _or_null(_NUMBER),
    "earliest_release": _or_null(_DATE),
    "movement": _word(get_args(Movement)),
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
        "force": _word(get_args(Force)),
        "because": SENTENCE,
    }
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
        "colour": _or_null(_word(get_args(Colour))),
        "vaccination_target": FLAG,
    },
    "whitelist": {"listed": FLAG, "may_work": FLAG, "duties": _WORDS},
}


def answers() -> Schema:
    """Return the schema of an answer."""
    common = {"measure": _MEASURE, "because": {"type": "array", "items": SENTENCE}}
    kinds = [{**_object({**keys, **common}), "title": kind} for kind, keys in _ANSWERS.items()]
    compared = _object({"findings": {"type": "array", "items": _FINDING}})
    return {"oneOf": [*kinds, {**compared, "title": "compare"}]}
