"""
The questions of the contract as forms.

Each field is one key of a question, named by its path (`person-stays-0-area`). What it offers,
what it needs and how it reads what was typed follows from the contract, so that a bad value gets
the engine's own sentence; only labels and order are written here. Only facts can be entered;
nothing here can name a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from typing import Any, cast, get_args

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from pydantic import TypeAdapter

from common.places import LONGEST_PLACE, read_place
from common.text import TextField
from policy import services, words
from policy.engine.decisions import doors, facts, people
from policy.engine.documents import schema
from policy.engine.errors import BadQuestionError
from policy.engine.questions.keys import Key, key_at
from policy.engine.questions.reading import DOCUMENT, LINE, read

# What a field holds when nothing was entered: the key is left out of the question.
ABSENT = object()
STAYS, SERVED, RESULTS, POSITIVES = range(2), range(2), range(5), range(3)
FLAGS = [("", "–"), ("true", _("Yes")), ("false", _("No"))]

Labels = Mapping[str, Any]
# What the words of each vocabulary are called.
_NAMES: dict[Any, Mapping[str, Any]] = {
    facts.Exposure: words.EXPOSURES,
    facts.Clinical: words.CLINICAL,
    facts.Risk: words.RISKS,
    facts.Setting: words.SETTINGS,
    facts.Outcome: {"negative": _("Negative"), "positive": _("Positive")},
    doors.HealthCode: words.CODES,
    people.Vaccination: words.VACCINATIONS,
    schema.Venue: words.VENUES,
    schema.Role: words.ROLES,
    schema.Post: words.POSTS,
    schema.Level: words.LEVELS,
    schema.Relation: words.RELATIONS,
    schema.Gathering: words.GATHERINGS,
    schema.Condition: words.CONDITIONS,
    schema.WhitelistPost: words.WHITELIST_POSTS,
}
_HELP = {
    "person-start": _("Left open, the day of the question."),
    "person-inbound-central_days": _("0 for none yet"),
}
_LEFT_OPEN = {
    "person-exposure": pgettext_lazy("no contact", "None"),
    "policy": _("Whichever is in force there"),
}


@dataclass(frozen=True)
class InputFormat:
    """How values of a type are entered: attributes of the input, `parse` for its text."""

    attrs: dict[str, str]
    parse: Callable[[str], object] = str
    help_text: Any = ""
    max_length: int = 100


def _with_offset(text: str) -> str:
    return text + "+08:00" if re.fullmatch(r"[-0-9]{10}T[0-9:.]{5,15}", text) else text


def _parse_number(text: str) -> object:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,4})?", text):
        return text
    return float(text) if "." in text else int(text)


_NUMBER = InputFormat({"inputmode": "decimal", "autocomplete": "off"}, _parse_number)
_FORMATS: dict[type, InputFormat] = {
    date: InputFormat({"type": "date"}),
    datetime: InputFormat({"type": "datetime-local"}, _with_offset),
    int: _NUMBER,
    float: _NUMBER,
    # The only texts are areas, by name, pinyin or code.
    str: InputFormat(
        {"autocomplete": "off"},
        lambda text: text if text.isdigit() else read_place(text).code,
        _("Name, pinyin or six digits"),
        LONGEST_PLACE,
    ),
}
_DAY_LIST = InputFormat(
    {},
    lambda text: [day for day in re.split(r"[\s,，、;；]+", text) if day],
    _("For example 2022-12-01, 2022-12-03"),
    500,
)


class ValueField(TextField):
    """A field whose value the engine reads and refuses, with the sentence of the engine."""

    def __init__(self, key: Key, input_format: InputFormat, help_text: Any, **kwargs: Any) -> None:
        super().__init__(
            widget=forms.TextInput(attrs=input_format.attrs),
            help_text=help_text or input_format.help_text,
            max_length=input_format.max_length,
            **kwargs,
        )
        self.key, self.input_format = key, input_format

    def clean(self, value: Any) -> Any:
        """Return the value as the contract writes it."""
        text = super().clean(value)
        if not text:
            return ABSENT
        parsed = self.input_format.parse(text)
        try:
            read(TypeAdapter(self.key.type).validate_python, parsed, str(self.label))
        except BadQuestionError as refused:
            raise ValidationError(words.say(refused.text)) from refused
        return parsed


class WordField(forms.ChoiceField):
    """A field for a word of a closed vocabulary, yes and no among them."""

    def clean(self, value: Any) -> Any:
        """Return the word as the contract writes it."""
        word = super().clean(value)
        return {"": ABSENT, "true": True, "false": False, "null": None}.get(word, word)


class WordsField(forms.MultipleChoiceField):
    """A field for several words of a closed vocabulary."""

    def clean(self, value: Any) -> Any:
        """Return the words."""
        return super().clean(value) or ABSENT


def form_field(question: str, name: str, label: Any) -> forms.Field:
    """Return the form field for a key of the contract; one in a row of a list may stay empty."""
    path = name.split("-")
    key = key_at(question, [step for step in path if not step.isdigit()])
    in_a_row = any(step.isdigit() for step in path)
    options = {
        "label": label,
        "required": key.required and not in_a_row,
        "help_text": _HELP.get(name, ""),
    }
    if key.items is bool:
        return WordField(choices=FLAGS, **options)
    if choices := _choices(key):
        if key.several:
            return WordsField(choices=choices, widget=forms.CheckboxSelectMultiple, **options)
        return WordField(choices=[("", _LEFT_OPEN.get(name, "–")), *choices], **options)
    return ValueField(key, _DAY_LIST if key.several else _FORMATS[key.items], **options)


def _choices(key: Key) -> list[tuple[str, Any]]:
    """Return the words that a key may hold, [] where these are not counted."""
    if DOCUMENT in get_args(key.type):
        return _documents()
    if LINE in get_args(key.type):
        return [(letter, _("Household %s") % letter) for letter in "ABC"]
    names = _NAMES.get(key.items, {})
    choices = [(word, label) for word, label in names.items() if word in get_args(key.items)]
    if choices and type(None) in get_args(key.type) and key.default is not None:
        choices.append(("null", pgettext_lazy("no code", "None")))
    return choices


def _documents() -> list[tuple[str, str]]:
    known = sorted(services.library().documents.values(), key=lambda d: (d.in_force_from, d.id))
    return [(document.id, words.document_title(document.id)) for document in reversed(known)]


@dataclass(frozen=True)
class FieldGroup:
    """Fields shown together, by their labels; a folded group opens once one has a value."""

    title: Any
    labels: Labels
    folded: bool = False


# A law is named by its document, or by an area and a day.
_LAW = FieldGroup(
    _("Which law"), {"policy": _("Policy document"), "area": _("or area"), "day": _("and day")}
)


def _proof(path: str = "") -> Labels:
    return {
        f"{path}proof-sampled_at": _("Negative proof: sampled at"),
        f"{path}proof-reported_at": _("Negative proof: reported at"),
    }


def _rows(path: str, numbers: Iterable[int], labels: Callable[[int], Labels]) -> Labels:
    """Return the labels of numbered rows."""
    return {
        f"{path}-{row}-{name}": label for row in numbers for name, label in labels(row + 1).items()
    }


def _person() -> Iterator[FieldGroup]:
    """Return the facts on which a measure rests."""
    yield FieldGroup(
        _("The facts"),
        {
            "person-start": _("Day 1"),
            "person-exposure": _("Contact"),
            "person-arrived_from": _("Came from"),
            "person-spread_at_origin": _("Community spread there"),
            **_proof("person-"),
        },
    )
    yield FieldGroup(
        _("Stays"),
        _rows(
            "person-stays",
            STAYS,
            lambda n: {
                "area": _("Stay %d: area") % n,
                "risk": _("Stay %d: risk") % n,
                "last_day": _("Stay %d: last day") % n,
                "transit": _("Stay %d: in transit only") % n,
            },
        ),
        folded=True,
    )
    yield FieldGroup(
        _("Infected people"),
        {
            "person-clinical": _("Clinical class"),
            "person-serious_underlying_disease": _("Serious underlying disease"),
        },
        folded=True,
    )
    yield FieldGroup(
        _("From abroad, posts, trucks, home"),
        {
            "person-inbound-central_days": _("From abroad: central days served"),
            "person-inbound-home_days": _("From abroad: home days served"),
            "person-inbound-entered_via": _("From abroad: entered in"),
            "person-closed_loop_post_ended": _("Closed-loop post ended on"),
            "person-freight_crew": _("Crew of a closed-loop truck"),
            "person-home_conditions_met": _("Home fit for isolation"),
            "person-chooses_central": _("Asks for central isolation"),
        },
        folded=True,
    )
    yield _results()


def _results() -> FieldGroup:
    """Return what has happened since."""
    return FieldGroup(
        _("Tests and days served"),
        {
            **_rows(
                "person-tests",
                RESULTS,
                lambda n: {
                    "day": _("Test %d: day") % n,
                    "result": _("Test %d: result") % n,
                    "ct": _("Test %d: Ct") % n,
                    "reported_at": _("Test %d: reported at") % n,
                },
            ),
            "person-missed": _("Days of missed tests"),
            **_rows(
                "person-served",
                SERVED,
                lambda n: {
                    "setting": _("Served %d: setting") % n,
                    "first_day": _("Served %d: first day") % n,
                    "last_day": _("Served %d: last day") % n,
                },
            ),
        },
        folded=True,
    )


def _switch() -> Iterator[FieldGroup]:
    yield FieldGroup(
        _("Which law"),
        {
            "from": _("From the document"),
            "to": _("to the document"),
            "day": _("Day of the change"),
        },
    )
    yield from _person()


def _zone() -> Iterator[FieldGroup]:
    yield FieldGroup(
        _("High-risk area"),
        {
            "level": _("How large"),
            "start": _("Drawn on"),
            "last_positive": _("Last positive before"),
            "all_negative_on_lift_day": _("All negative on the day of lifting"),
        },
    )
    yield FieldGroup(
        _("Later positives"),
        _rows(
            "positives",
            POSITIVES,
            lambda n: {
                "day": _("Positive %d: day") % n,
                "household": _("Positive %d: household") % n,
                "relation": _("Positive %d: relation") % n,
            },
        ),
        folded=True,
    )


def _with_law(*groups: FieldGroup) -> Callable[[], Iterator[FieldGroup]]:
    return lambda: iter((_LAW, *groups))


_GROUPS: dict[str, Callable[[], Iterator[FieldGroup]]] = {
    "measure": lambda: chain([_LAW], _person()),
    "switch": _switch,
    "entry": _with_law(
        FieldGroup(
            _("At the door"),
            {
                "venue": _("Venue"),
                "at": _("Moment"),
                "local_outbreak": _("Outbreak in the place"),
                "visitor-role": _("Who comes"),
                **_proof("visitor-"),
                "visitor-health_code": _("Health code"),
                "visitor-travel_code_ok": _("Travel code normal"),
                "visitor-scanned": _("Place code scanned"),
                "visitor-temperature_ok": _("Temperature normal"),
            },
        )
    ),
    "screening": _with_law(
        FieldGroup(
            _("Post and week"),
            {
                "post": _("Post"),
                "week": _("Week: its Monday"),
                "done": _("Days on which a sample was taken"),
                "missed": _("Days of missed tests"),
            },
        )
    ),
    "zone": lambda: chain([_LAW], _zone()),
    "gathering": _with_law(
        FieldGroup(
            _("Gathering"),
            {
                "kind": _("Kind"),
                "persons": _("People"),
                "outside_persons": _("of them from outside"),
            },
        )
    ),
    "freight": _with_law(
        FieldGroup(
            _("Truck"),
            {
                "at": _("Moment"),
                "from": _("Comes from"),
                "reported_days_ahead": _("Reported so many days ahead"),
                **_proof(),
            },
        )
    ),
    "registration": _with_law(
        FieldGroup(
            _("Reporting before arrival"),
            {"arrival": _("Arrives on"), "registered": _("Reported on")},
        )
    ),
    "registry": _with_law(
        FieldGroup(
            _("Key populations"),
            {
                "person-age": _("Age"),
                "person-conditions": _("Diseases"),
                "person-living_alone": _("Lives alone"),
                "person-pregnant": _("Pregnant"),
                "person-child_in_difficulty": _("Child in difficulty"),
                "person-disabled": _("Disabled"),
                "person-stable": _("In a stable state"),
                "person-vaccination": _("Vaccination"),
            },
        )
    ),
    "whitelist": _with_law(
        FieldGroup(
            _("Whitelist workers"),
            {
                "post": _("Post"),
                "at": _("Moment"),
                **_proof(),
            },
        )
    ),
}
KINDS = tuple(_GROUPS)


class QuestionForm(forms.Form):
    """One question of the contract."""

    def __init__(self, kind: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        self._groups = list(_GROUPS[kind]())
        for group in self._groups:
            for name, label in group.labels.items():
                self.fields[name] = form_field(kind, name, label)

    @property
    def groups(self) -> Iterator[tuple[FieldGroup, list[forms.BoundField], bool]]:
        """Yield the groups with their fields, and whether each is open."""
        for group in self._groups:
            fields = [self[name] for name in group.labels]
            used = any(field.data or field.errors for field in fields)
            yield group, fields, used or not group.folded

    def question(self) -> dict[str, Any]:
        """Return the question as the contract writes it."""
        asked: dict[str, Any] = {"ask": self.kind}
        for name, value in self.cleaned_data.items():
            if value is not ABSENT:
                _set_path(asked, name.split("-"), value)
        # The engine asks for the whole object even where nothing in it is known.
        for part in ("person", "visitor"):
            if any(name.startswith(f"{part}-") for name in self.fields):
                asked.setdefault(part, {})
        return cast("dict[str, Any]", _rows_as_lists(asked))

    def refuse(self, refused: BadQuestionError) -> None:
        """Say at the field what the engine did not understand; at the form if no field is it."""
        named = [name for name in self.fields if name.split("-")[-1] == refused.key]
        empty = [name for name in named if self.cleaned_data.get(name) is ABSENT]
        field = next(iter(self._empty_in_started_rows(empty)), None) or next(iter(named), None)
        sentence = words.say(refused.text)
        label = self.fields[field].label if field else None
        self.add_error(
            field, sentence.replace(f"“{refused.key}”", f"“{label}”") if label else sentence
        )

    def _empty_in_started_rows(self, names: Sequence[str]) -> list[str]:
        """Return the empty fields of rows in which something was entered."""
        entered = [name for name, value in self.cleaned_data.items() if value is not ABSENT]
        return [
            name
            for name in names
            if any(
                entered_name.startswith(name.rpartition("-")[0] + "-") for entered_name in entered
            )
        ]


def _set_path(tree: dict[str, Any], path: Sequence[str], value: Any) -> None:
    *above, last = path
    for step in above:
        tree = tree.setdefault(step, {})
    tree[last] = value


def _rows_as_lists(tree: Any) -> Any:
    """Return the tree with its numbered rows as lists."""
    if not isinstance(tree, dict):
        return tree
    if tree and all(key.isdigit() for key in tree):
        return [_rows_as_lists(tree[key]) for key in sorted(tree, key=int)]
    return {key: _rows_as_lists(value) for key, value in tree.items()}
