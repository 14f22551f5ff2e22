"""
The questions of the contract as forms.

Each field is one key of a question, named by its path (`person-stays-0-area`), and reads what was
typed as the engine does, so that a bad value gets the engine's own sentence. Only facts can be
entered; nothing here can name a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.places import read_place
from policy import services, words
from policy.engine.decisions.facts import MOST_CT, MOST_DAYS
from policy.engine.errors import BadQuestionError
from policy.engine.questions.reading import decimal, read_area, read_day, read_moment, whole

# What a field holds when nothing was entered: the key is left out of the question.
ABSENT = object()
MOST_PERSONS = 1_000_000
OLDEST = 150
STAYS, SERVED, RESULTS, POSITIVES = range(2), range(2), range(5), range(3)
FLAGS = [("", "–"), ("true", _("Yes")), ("false", _("No"))]

Words = Mapping[str, Any]
Reader = Callable[[str, object], object]
_WIDGETS = {
    "day": {"type": "date"},
    "moment": {"type": "datetime-local"},
    "number": {"inputmode": "decimal", "autocomplete": "off"},
}


class Value(forms.CharField):
    """A value that the engine reads; its sentence stands at the field."""

    def __init__(self, label: Any, kind: str, reader: Reader, help_text: Any = "") -> None:
        super().__init__(
            label=label,
            required=False,
            max_length=100,
            help_text=help_text,
            widget=forms.TextInput(attrs=_WIDGETS[kind]),
        )
        self.kind, self.reader = kind, reader

    def clean(self, value: Any) -> Any:
        """Return the value as the contract writes it."""
        text = super().clean(value)
        if not text:
            return ABSENT
        written = self._written(text)
        try:
            self.reader(str(self.label), written)
        except BadQuestionError as refused:
            raise ValidationError(words.say(refused.text)) from refused
        return written

    def _written(self, text: str) -> object:
        if self.kind == "moment" and re.fullmatch(r"[-0-9]{10}T[0-9:.]{5,15}", text):
            return text + "+08:00"
        if self.kind == "number" and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,4})?", text):
            return float(text) if "." in text else int(text)
        return text


class Days(forms.CharField):
    """Several days, with spaces or commas between."""

    def clean(self, value: Any) -> Any:
        """Return the days as a list."""
        days = re.split(r"[\s,，、;；]+", super().clean(value)) if value else []
        days = [day for day in days if day]
        try:
            for day in days:
                read_day(str(self.label), day)
        except BadQuestionError as refused:
            raise ValidationError(words.say(refused.text)) from refused
        return days or ABSENT


class AreaField(forms.CharField):
    """An area by name, pinyin or code."""

    def clean(self, value: Any) -> Any:
        """Return the area's code."""
        text = super().clean(value)
        if not text:
            return ABSENT
        if not text.isdigit():
            return read_place(text).code
        try:
            return read_area(str(self.label), text)
        except BadQuestionError as refused:
            raise ValidationError(words.say(refused.text)) from refused


class Word(forms.ChoiceField):
    """A word of a closed vocabulary; yes and no are words too."""

    def clean(self, value: Any) -> Any:
        """Return the word as the contract writes it."""
        word = super().clean(value)
        return {"": ABSENT, "true": True, "false": False, "null": None}.get(word, word)


class SeveralWords(forms.MultipleChoiceField):
    """Several words of a closed vocabulary."""

    def clean(self, value: Any) -> Any:
        """Return the words."""
        return super().clean(value) or ABSENT


def word(label: Any, table: Words, *, empty: Any = "–") -> Word:
    """Return a field for one word of a table."""
    return Word(label=label, required=False, choices=[("", empty), *table.items()])


def flag(label: Any) -> Word:
    """Return a field for yes or no; left open, the question's own default holds."""
    return Word(label=label, required=False, choices=FLAGS)


def day(label: Any, help_text: Any = "") -> Value:
    """Return a field for a day."""
    return Value(label, "day", read_day, help_text)


def moment(label: Any) -> Value:
    """Return a field for a moment in Asia/Shanghai."""
    return Value(label, "moment", read_moment)


def number(label: Any, most: int, help_text: Any = "") -> Value:
    """Return a field for a whole number."""
    return Value(label, "number", whole(most), help_text)


def days(label: Any) -> Days:
    """Return a field for several days."""
    return Days(
        label=label,
        required=False,
        max_length=500,
        help_text=_("For example 2022-12-01, 2022-12-03"),
    )


def place(label: Any) -> AreaField:
    """Return a field for an area."""
    return AreaField(
        label=label,
        required=False,
        max_length=60,
        help_text=_("Name, pinyin or six digits"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


@dataclass(frozen=True)
class Part:
    """Fields that stand together; a folded part is opened once it holds something."""

    title: Any
    fields: Mapping[str, forms.Field]
    folded: bool = False


def _documents() -> dict[str, str]:
    known = sorted(services.library().documents.values(), key=lambda d: (d.in_force_from, d.id))
    return {document.id: words.document_title(document.id) for document in reversed(known)}


def _where(*, with_day: bool) -> Part:
    """Return the fields that say which law: a document, or an area and a day."""
    fields: dict[str, forms.Field] = {
        "policy": word(_("Policy document"), _documents(), empty=_("Whichever is in force there")),
        "area": place(_("or area")),
    }
    if with_day:
        fields["day"] = day(_("and day"))
    return Part(_("Which law"), fields)


def _proof(path: str = "") -> dict[str, forms.Field]:
    return {
        f"{path}proof-sampled_at": moment(_("Negative proof: sampled at")),
        f"{path}proof-reported_at": moment(_("Negative proof: reported at")),
    }


def _rows(path: str, numbers: Iterable[int], fields: Callable[[int], Words]) -> dict[str, Any]:
    """Return numbered rows of fields."""
    return {
        f"{path}-{row}-{name}": field for row in numbers for name, field in fields(row + 1).items()
    }


def _person() -> Iterator[Part]:
    """Return the facts on which a measure rests."""
    yield Part(
        _("The facts"),
        {
            "person-start": day(_("Day 1"), _("Left open, the day of the question.")),
            "person-exposure": word(
                _("Contact"), words.EXPOSURES, empty=pgettext_lazy("no contact", "None")
            ),
            "person-arrived_from": place(_("Came from")),
            "person-spread_at_origin": flag(_("Community spread there")),
            **_proof("person-"),
        },
    )
    yield Part(
        _("Stays"),
        _rows(
            "person-stays",
            STAYS,
            lambda n: {
                "area": place(_("Stay %d: area") % n),
                "risk": word(_("Stay %d: risk") % n, words.RISKS),
                "last_day": day(_("Stay %d: last day") % n),
                "transit": flag(_("Stay %d: in transit only") % n),
            },
        ),
        folded=True,
    )
    yield Part(
        _("Infected people"),
        {
            "person-clinical": word(_("Clinical class"), words.CLINICAL),
            "person-serious_underlying_disease": flag(_("Serious underlying disease")),
        },
        folded=True,
    )
    yield Part(
        _("From abroad, posts, trucks, home"),
        {
            "person-inbound-central_days": number(
                _("From abroad: central days served"), MOST_DAYS, _("0 for none yet")
            ),
            "person-inbound-home_days": number(_("From abroad: home days served"), MOST_DAYS),
            "person-inbound-entered_via": place(_("From abroad: entered in")),
            "person-closed_loop_post_ended": day(_("Closed-loop post ended on")),
            "person-freight_crew": flag(_("Crew of a closed-loop truck")),
            "person-home_conditions_met": flag(_("Home fit for isolation")),
            "person-chooses_central": flag(_("Asks for central isolation")),
        },
        folded=True,
    )
    yield _results()


def _results() -> Part:
    """Return the fields of what has happened since."""
    outcomes = {"negative": _("Negative"), "positive": _("Positive")}
    return Part(
        _("Tests and days served"),
        {
            **_rows(
                "person-tests",
                RESULTS,
                lambda n: {
                    "day": day(_("Test %d: day") % n),
                    "result": word(_("Test %d: result") % n, outcomes),
                    "ct": Value(_("Test %d: Ct") % n, "number", decimal(MOST_CT)),
                    "reported_at": moment(_("Test %d: reported at") % n),
                },
            ),
            "person-missed": days(_("Days of missed tests")),
            **_rows(
                "person-served",
                SERVED,
                lambda n: {
                    "setting": word(_("Served %d: setting") % n, words.SETTINGS),
                    "first_day": day(_("Served %d: first day") % n),
                    "last_day": day(_("Served %d: last day") % n),
                },
            ),
        },
        folded=True,
    )


def _measure() -> Iterator[Part]:
    yield _where(with_day=True)
    yield from _person()


def _switch() -> Iterator[Part]:
    yield Part(
        _("Which law"),
        {
            "from": word(_("From the document"), _documents()),
            "to": word(_("to the document"), _documents()),
            "day": day(_("Day of the change")),
        },
    )
    yield from _person()


def _entry() -> Iterator[Part]:
    yield _where(with_day=True)
    codes = {**words.CODES, "null": pgettext_lazy("no code", "None")}
    yield Part(
        _("At the door"),
        {
            "venue": word(_("Venue"), words.VENUES),
            "at": moment(_("Moment")),
            "local_outbreak": flag(_("Outbreak in the place")),
            "visitor-role": word(_("Who comes"), words.ROLES),
            **_proof("visitor-"),
            "visitor-health_code": word(_("Health code"), codes),
            "visitor-travel_code_ok": flag(_("Travel code normal")),
            "visitor-scanned": flag(_("Place code scanned")),
            "visitor-temperature_ok": flag(_("Temperature normal")),
        },
    )


def _screening() -> Iterator[Part]:
    yield _where(with_day=True)
    yield Part(
        _("Post and week"),
        {
            "post": word(_("Post"), words.POSTS),
            "week": day(_("Week: its Monday")),
            "done": days(_("Days on which a sample was taken")),
            "missed": days(_("Days of missed tests")),
        },
    )


def _zone() -> Iterator[Part]:
    yield _where(with_day=True)
    yield Part(
        _("High-risk area"),
        {
            "level": word(_("How large"), words.LEVELS),
            "start": day(_("Drawn on")),
            "last_positive": day(_("Last positive before")),
            "all_negative_on_lift_day": flag(_("All negative on the day of lifting")),
        },
    )
    doors = {letter: _("Household %s") % letter for letter in "ABC"}
    yield Part(
        _("Later positives"),
        _rows(
            "positives",
            POSITIVES,
            lambda n: {
                "day": day(_("Positive %d: day") % n),
                "household": word(_("Positive %d: household") % n, doors),
                "relation": word(_("Positive %d: relation") % n, words.RELATIONS),
            },
        ),
        folded=True,
    )


def _gathering() -> Iterator[Part]:
    yield _where(with_day=True)
    yield Part(
        _("Gathering"),
        {
            "kind": word(_("Kind"), words.GATHERINGS),
            "persons": number(_("People"), MOST_PERSONS),
            "outside_persons": number(_("of them from outside"), MOST_PERSONS),
        },
    )


def _freight() -> Iterator[Part]:
    yield _where(with_day=True)
    yield Part(
        _("Truck"),
        {
            "at": moment(_("Moment")),
            "from": place(_("Comes from")),
            "reported_days_ahead": number(_("Reported so many days ahead"), OLDEST),
            **_proof(),
        },
    )


def _registration() -> Iterator[Part]:
    yield _where(with_day=True)
    yield Part(
        _("Reporting before arrival"),
        {"arrival": day(_("Arrives on")), "registered": day(_("Reported on"))},
    )


def _registry() -> Iterator[Part]:
    yield _where(with_day=True)
    yield Part(
        _("Key populations"),
        {
            "person-age": number(_("Age"), OLDEST),
            "person-conditions": SeveralWords(
                label=_("Diseases"),
                required=False,
                choices=list(words.CONDITIONS.items()),
                widget=forms.CheckboxSelectMultiple,
            ),
            "person-living_alone": flag(_("Lives alone")),
            "person-pregnant": flag(_("Pregnant")),
            "person-child_in_difficulty": flag(_("Child in difficulty")),
            "person-disabled": flag(_("Disabled")),
            "person-stable": flag(_("In a stable state")),
            "person-vaccination": word(_("Vaccination"), words.VACCINATIONS),
        },
    )


def _whitelist() -> Iterator[Part]:
    yield _where(with_day=True)
    yield Part(
        _("Whitelist workers"),
        {
            "post": word(_("Post"), words.WHITELIST_POSTS),
            "at": moment(_("Moment")),
            **_proof(),
        },
    )


_PARTS: dict[str, Callable[[], Iterator[Part]]] = {
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
}
KINDS = tuple(_PARTS)


class QuestionForm(forms.Form):
    """One question of the contract."""

    def __init__(self, kind: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        self.whole = list(_PARTS[kind]())
        for part in self.whole:
            self.fields.update(part.fields)

    @property
    def parts(self) -> Iterator[tuple[Part, list[forms.BoundField], bool]]:
        """Yield the parts with their fields, and whether each stands open."""
        for part in self.whole:
            fields = [self[name] for name in part.fields]
            used = any(field.data or field.errors for field in fields)
            yield part, fields, used or not part.folded

    def question(self) -> dict[str, Any]:
        """Return the question as the contract writes it."""
        asked: dict[str, Any] = {"ask": self.kind}
        for name, value in self.cleaned_data.items():
            if value is not ABSENT:
                _put(asked, name.split("-"), value)
        # The engine asks for the whole object even where nothing in it is known.
        for part in ("person", "visitor"):
            if any(name.startswith(f"{part}-") for name in self.fields):
                asked.setdefault(part, {})
        return cast("dict[str, Any]", _without_gaps(asked))

    def refuse(self, refused: BadQuestionError) -> None:
        """Say at the field what the engine did not understand; at the form if no field is it."""
        named = [name for name in self.fields if name.split("-")[-1] == refused.key]
        empty = [name for name in named if self.cleaned_data.get(name) is ABSENT]
        field = next(iter(self._of_a_started_row(empty)), None) or next(iter(named), None)
        said = words.say(refused.text)
        label = self.fields[field].label if field else None
        self.add_error(field, said.replace(f"“{refused.key}”", f"“{label}”") if label else said)

    def _of_a_started_row(self, names: Sequence[str]) -> list[str]:
        """Return the empty fields of rows in which something was entered."""
        entered = [name for name, value in self.cleaned_data.items() if value is not ABSENT]
        return [
            name
            for name in names
            if any(other.startswith(name.rpartition("-")[0] + "-") for other in entered)
        ]


def _put(tree: dict[str, Any], path: Sequence[str], value: Any) -> None:
    *above, last = path
    for step in above:
        tree = tree.setdefault(step, {})
    tree[last] = value


def _without_gaps(tree: Any) -> Any:
    """Return the tree with its numbered rows as lists."""
    if not isinstance(tree, dict):
        return tree
    if tree and all(key.isdigit() for key in tree):
        return [_without_gaps(tree[key]) for key in sorted(tree, key=int)]
    return {key: _without_gaps(value) for key, value in tree.items()}
