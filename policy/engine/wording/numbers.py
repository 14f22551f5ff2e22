"""
Where a summary and the values beside it name different numbers.

The summary is the author's, the values decide. Every number of days, hours, years, people, tests
or Ct that stands in either and not in the other is named, in digits or in words (三天, 四十八小时,
forty-eight hours, a week). Numbers of anything else (clauses, kinds of diseases, dates) are not
compared, and neither are values that stand in no text (`defaults`).
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Literal, NamedTuple

from policy.engine.documents.schema import (
    MeasureProvision,
    Provision,
    ScreeningProvision,
    Stage,
    Strict,
)
from policy.engine.text import Text

Unit = Literal["day", "hour", "year", "person", "time", "ct"]
# What the numbers of the schema count; a test finds a field that is missing here.
UNITS: dict[str, Unit | None] = {
    "at_least": "day",
    "at_most": "day",
    "within_days": "day",
    "days": "day",
    "tests": "day",
    "last_from": "day",
    "proof_hours": "hour",
    "proof_hours_in_outbreak": "hour",
    "hours_between": "hour",
    "ct_at_least": "ct",
    "first_day": "day",
    "passes": "time",
    "positive_below_ct": "ct",
    "review_up_to_ct": "ct",
    "persons_at_least": "person",
    "outside_persons_at_least": "person",
    "report_days_ahead": "day",
    "days_ahead": "day",
    "age_at_least": "year",
    "weekdays": None,  # days of the week are named, not counted
}
_SAID: dict[Unit, tuple[str, str]] = {
    "day": ("{}天", "{} days"),
    "hour": ("{}小时", "{} hours"),
    "year": ("{}岁", "{} years"),
    "person": ("{}人", "{} people"),
    "time": ("{}次", "{} times"),
    "ct": ("Ct值{}", "Ct {}"),
}


class Mention(NamedTuple):
    """A number with what it counts; None where the words do not say."""

    number: float
    unit: Unit | None

    @property
    def text(self) -> Text:
        """Return the number in words."""
        zh, en = _SAID[self.unit] if self.unit else ("{}", "{}")
        number = f"{self.number:g}"
        singular = {"1 days": "1 day", "1 hours": "1 hour", "1 times": "1 time"}
        said = en.format(number)
        return Text(zh.format(number), singular.get(said, said))


# --- in Chinese --------------------------------------------------------------------------------

_DIGITS = dict(zip("〇零一二两三四五六七八九", (0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
_PLACES = {"十": 10, "百": 100, "千": 1000}
_ZH_UNITS: dict[str, tuple[Unit, int]] = {
    "天": ("day", 1),
    "日": ("day", 1),
    "周岁": ("year", 1),
    "岁": ("year", 1),
    "周": ("day", 7),
    "星期": ("day", 7),
    "小时": ("hour", 1),
    "钟头": ("hour", 1),
    "人次": ("time", 1),
    "人": ("person", 1),
    "名": ("person", 1),
    "次": ("time", 1),
    "检": ("time", 1),
    "轮": ("time", 1),
}


def _one_of(*words: str) -> str:
    return f"(?:{'|'.join(map(re.escape, words))})"


_TO = _one_of("至", "到", "~", "—", "–", "-")
_AND = _one_of("、", "，", ",", "和", "及", "或", "与", "+", "×")
_NTH, _YEAR, _MONTH, _DAY, _NO = "第", "年", "月", "日", "号"
_BEFORE_UNIT = _one_of("个", "整", "多", "余", "日历", "自然")
_ZH_NUMBER = rf"(?:[0-9]+(?:\.[0-9]+)?|[{''.join((*_DIGITS, *_PLACES))}]+)"
_ZH_SEVERAL = rf"(?P<several>{_ZH_NUMBER}(?:\s*(?:{_AND}|{_TO})\s*{_NTH}?{_ZH_NUMBER})*)"
# Dates, numbers of documents, and fixed words (一人一档) count nothing.
_ZH_NO_NUMBER = re.compile(
    rf"(?:[0-9]{{4}}{_YEAR})?[0-9]{{1,2}}{_MONTH}(?:[0-9]{{1,2}}{_DAY})?|[0-9]{{4}}{_YEAR}"
    rf"|[0-9]+{_NO}|{_one_of('一人一', '一户一', '一家一')}\w"
)
_ZH_FIRST_DAY = re.compile(_one_of("当天", "当日", "首日"))
_ZH_SUM = re.compile(rf"(?P<several>{_ZH_NUMBER}(?:\+{_ZH_NUMBER})+)(?!\s*{_one_of(*_ZH_UNITS)})")
_ZH = re.compile(rf"{_ZH_SEVERAL}\s*{_BEFORE_UNIT}*(?P<unit>{'|'.join(_ZH_UNITS)})")
_ZH_CT = re.compile(rf"(?i:ct)\s*[^0-9{''.join('。；，、')}]{{0,7}}{_ZH_SEVERAL}")
_ZH_EACH = re.compile(rf"({_ZH_NUMBER})|({_TO})")
_LONGEST_RANGE = 60  # as long as anything may last


def _zh_number(word: str) -> float:
    if word[0].isascii():
        return float(word)
    if not set(word) & set(_PLACES):
        return float("".join(str(_DIGITS[sign]) for sign in word))
    total, digit = 0, 0
    for sign in word:
        if sign in _DIGITS:
            digit = _DIGITS[sign]
        else:
            total, digit = total + (digit or 1) * _PLACES[sign], 0
    return float(total + digit)


def _each(
    several: str,
    each: re.Pattern[str],
    read: Callable[[str], float],
    unit: Unit | None,
    times: int,
) -> Iterator[Mention]:
    """Yield the numbers of an enumeration; of days those between the ends of a range, too."""
    before, ranged = 0.0, False
    for word, to in each.findall(several):
        if to:
            ranged = True
            continue
        number = read(word) * times
        if ranged and unit == "day" and number - before <= _LONGEST_RANGE:
            yield from (Mention(float(n), unit) for n in range(int(before) + 1, int(number)))
        yield Mention(number, unit)
        before, ranged = number, False


def in_chinese(text: str) -> list[Mention]:
    """Return the numbers that a Chinese text names, with what they count."""
    left = _ZH_NO_NUMBER.sub("。", unicodedata.normalize("NFKC", text))
    mentions = [Mention(1.0, "day")] if _ZH_FIRST_DAY.search(left) else []
    first: tuple[tuple[re.Pattern[str], Unit], ...] = ((_ZH_CT, "ct"), (_ZH_SUM, "day"))
    for pattern, unit in first:
        for found in pattern.finditer(left):
            mentions += _each(found["several"], _ZH_EACH, _zh_number, unit, 1)
        left = pattern.sub("。", left)
    for found in _ZH.finditer(left):
        counts, times = _ZH_UNITS[found["unit"]]
        mentions += _each(found["several"], _ZH_EACH, _zh_number, counts, times)
    return mentions


# --- in English --------------------------------------------------------------------------------

_ONES: tuple[str, ...] = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_EN_WORDS: dict[str, float] = {
    **{word: float(number) for number, word in enumerate(_ONES)},
    **{word: float(number * 10) for number, word in enumerate(_TENS, start=2)},
}
_EN_NUMBER = (
    rf"(?:[0-9]+(?:\.[0-9]+)?|(?:{'|'.join(_TENS)})[- ](?:{'|'.join(_ONES[1:10])})\b"
    rf"|\b(?:{'|'.join(sorted(_EN_WORDS, key=len, reverse=True))})\b)"
)
_EN_UNITS: dict[str, tuple[Unit, int]] = {
    "day": ("day", 1),
    "week": ("day", 7),
    "fortnight": ("day", 14),
    "hour": ("hour", 1),
    "year": ("year", 1),
    "people": ("person", 1),
    "person": ("person", 1),
    "time": ("time", 1),
    "test": ("time", 1),
}
_EN_UNITS_BEFORE: dict[str, Unit] = {
    "day": "day",
    "days": "day",
    "ct": "ct",
    "age": "year",
    "aged": "year",
}
_EN_SEVERAL = rf"(?P<several>{_EN_NUMBER}(?:\s*(?:,\s*and|,|and|or|to|-|–)\s*{_EN_NUMBER})*)"
_EN_BEFORE = re.compile(rf"(?i)\b(?P<unit>days?|ct|aged?)\s+(?:of\s+)?{_EN_SEVERAL}")
_EN_AFTER = re.compile(
    rf"(?i){_EN_SEVERAL}[\s-]*(?:(?!or\b|and\b)[a-z]+\s+)?(?P<unit>{'|'.join(_EN_UNITS)})s?\b"
)
_EN_BARE = re.compile(rf"(?i)(?<![\w.-]){_EN_SEVERAL}")
_EN_TWICE = re.compile(r"(?i)\b(?:twice)\b")
_EN_NO_NUMBER = re.compile(
    r"(?i)[0-9]+号|\b(?:clauses?|no\.|numbers?|measures?|editions?|opinions?|notice)\s*[0-9]+"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}|\b[0-9]{4}\b|\b[a-z]+[0-9]+\b"
)
_EN_EACH = re.compile(rf"(?i)({_EN_NUMBER})|(\bto\b|-|–)")


def _en_number(word: str) -> float:
    if word[0].isdigit():
        return float(word)
    return sum(_EN_WORDS[part] for part in re.split("[- ]", word.lower()))


def in_english(text: str) -> list[Mention]:
    """Return the numbers that an English text names, with what they count."""
    left = _EN_NO_NUMBER.sub(".", unicodedata.normalize("NFKC", text))
    mentions: list[Mention] = []
    for found in _EN_BEFORE.finditer(left):
        unit = _EN_UNITS_BEFORE[found["unit"].lower()]
        mentions += _each(found["several"], _EN_EACH, _en_number, unit, 1)
    left = _EN_BEFORE.sub(".", left)
    for found in _EN_AFTER.finditer(left):
        unit, times = _EN_UNITS[found["unit"].lower()]
        if found["several"].lower() != "one" or unit != "person":  # one person to a flat
            mentions += _each(found["several"], _EN_EACH, _en_number, unit, times)
    left = _EN_AFTER.sub(".", left)
    mentions += [Mention(2.0, "time") for _ in _EN_TWICE.finditer(left)]
    for found in _EN_BARE.finditer(left):
        # A word of prose ("one of them") is no number.
        if found["several"][0].isdigit():
            mentions += _each(found["several"], _EN_EACH, _en_number, None, 1)
    return mentions


# --- of values ---------------------------------------------------------------------------------


class Given(NamedTuple):
    """A number among the values, with its field."""

    field: str
    mention: Mention


def _leaves(model: Strict) -> Iterator[tuple[str, float]]:
    """Yield the numbers of a model and its parts, each with its field."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Strict):
                yield from _leaves(item)
            elif isinstance(item, int | float) and not isinstance(item, bool):
                yield name, item


def that_decide(provision: Provision) -> list[Given]:
    """Return the numbers that a provision gives, without those that stand in no text."""
    return [
        Given(name, Mention(float(number), unit))
        for name, number in dict.fromkeys(_leaves(provision))
        # A bound of none is no bound.
        if (unit := UNITS[name]) and name not in provision.defaults and number
    ]


def _implied(provision: Provision) -> Iterator[Mention]:
    """Yield the numbers that may be said instead of those that stand in the values."""
    for name, number in _leaves(provision):
        if unit := UNITS[name]:
            yield Mention(float(number), unit)
            if unit == "hour" and number % 24 == 0:
                yield Mention(number / 24, "day")
    if isinstance(provision, MeasureProvision):
        yield from _implied_by_measure(provision)
    if isinstance(provision, ScreeningProvision):
        yield Mention(len(provision.weekdays), "time")
        yield Mention(1, "time")
        yield Mention(7, "day")


def _implied_by_measure(provision: MeasureProvision) -> Iterator[Mention]:
    yield from _implied_by_stages(provision.stages)
    yield from _implied_by_stages(provision.instead)
    if provision.tests is not None:
        yield Mention(len(provision.tests.days), "time")
    if (rule := provision.release) is not None:
        last = rule.first_day + rule.passes
        yield from (Mention(number, "day") for number in range(rule.first_day, last))
    if provision.on_arrival is not None:
        yield Mention(1, "time")


def _implied_by_stages(stages: tuple[Stage, ...]) -> Iterator[Mention]:
    """Yield days of stages together, tests by their day of the whole, and their count."""
    for first in range(len(stages)):
        for total in accumulate(stage.days for stage in stages[first:]):
            yield Mention(total, "day")
    before, several = 0, 0
    for stage in stages:
        yield from (Mention(before + day, "day") for day in stage.tests or ())
        before += stage.days
        several += len(stage.tests or ())
        yield Mention(len(stage.tests or ()), "time")
    yield Mention(several, "time")


_DAILY = re.compile("每天|每日|逐日|天天|daily|every day|each day", re.IGNORECASE)


def warnings(provision: Provision, together: Iterable[Provision]) -> tuple[Text, ...]:
    """
    Return a sentence for each way in which a summary and the values name different numbers.

    A summary may be written for several provisions (`together`): what it names must be a value of
    one of them, and must name each value of this one.
    """
    summary = provision.summary
    in_values = [mention for other in together for mention in _implied(other)]
    zh, en = in_chinese(summary.zh), in_english(summary.en)
    only_said = _differing([*zh, *en], in_values)
    daily = _DAILY.search(summary.zh) is not None
    missing = dict.fromkeys(
        given.mention
        for given in that_decide(provision)
        if not _named(given, provision, zh, daily)
    )
    if not only_said and not missing:
        return ()
    said, given = _list(only_said), _list(missing)
    if only_said and missing:
        return (
            Text(
                f"概要写的是{said.zh}，取值是{given.zh}",
                f"the summary says {said.en}, the values say {given.en}",
            ),
        )
    if only_said:
        return (
            Text(
                f"概要提到{said.zh}，取值里没有",
                f"the summary names {said.en}, which no value gives",
            ),
        )
    return (
        Text(
            f"取值有{given.zh}，概要没有提到",
            f"the values give {given.en}, which the summary does not name",
        ),
    )


def _list(mentions: Iterable[Mention]) -> Text:
    """Return numbers in one text: by what they count, the smallest first."""
    found = tuple(mentions)
    units = list(dict.fromkeys(mention.unit for mention in found))
    several = [m.text for m in sorted(found, key=lambda m: (units.index(m.unit), m.number))]
    return Text("、".join(t.zh for t in several), ", ".join(t.en for t in several))


def _differing(said: Iterable[Mention], values: Iterable[Mention]) -> tuple[Mention, ...]:
    known = set(values)
    numbers = {mention.number for mention in known}
    differing = [
        mention for mention in dict.fromkeys(said) if mention.unit and mention not in known
    ]
    # A bare number may be any of the values.
    numbers |= {mention.number for mention in differing}
    bare = [m for m in dict.fromkeys(said) if m.unit is None and m.number not in numbers]
    return (*differing, *bare)


def _named(given: Given, provision: Provision, said: list[Mention], daily: bool) -> bool:
    """Say whether a summary names a value, in itself or in other words."""
    field, mention = given
    if field == "at_most" and Mention(mention.number + 1, "day") in said:  # fewer than so many
        return True
    if mention in said or Mention(mention.number, None) in said:
        return True
    if mention.unit == "hour" and Mention(mention.number / 24, "day") in said:
        return True
    if field == "passes" and isinstance(provision, MeasureProvision) and provision.release:
        first = provision.release.first_day
        return all(
            Mention(float(day), "day") in said
            for day in range(first, first + provision.release.passes)
        )
    if mention.unit != "day" or not isinstance(provision, MeasureProvision):
        return False
    return _named_as_tests(mention.number, provision, said, daily) or _named_in_all(
        mention.number, provision, said
    )


def _named_as_tests(
    day: float, provision: MeasureProvision, said: list[Mention], daily: bool
) -> bool:
    """Say whether a day is one of tests that are said by their count, or as daily."""
    groups = [stage.tests or () for stage in (*provision.stages, *provision.instead)]
    if provision.tests is not None:
        groups.append(provision.tests.days)
        # A last test that may be earlier is said as "within so many days".
        if day == provision.tests.last_from and Mention(provision.tests.days[-1], "day") in said:
            return True
    for tests in groups:
        if day not in tests:
            continue
        if daily and len(tests) == tests[-1] - tests[0] + 1:
            return True
        if Mention(len(tests), "time") in said and Mention(tests[-1], "day") in said:
            return True
    return False


def _named_in_all(day: float, provision: MeasureProvision, said: list[Mention]) -> bool:
    """Say whether a day is named by its number in the whole measure, stages together."""
    before = 0
    for stage in provision.stages:
        if day in (stage.tests or ()) and Mention(before + day, "day") in said:
            return True
        before += stage.days
        if day == stage.days and Mention(before, "day") in said:
            return True
    return False
