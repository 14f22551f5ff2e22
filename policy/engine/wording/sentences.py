"""
The sentences for every value of a document: one for each field of the schema.

Nothing here is left out because it is usual: a value that the author did not give is said as what
it then means. A field without a sentence fails a test, and so does a value whose change would not
be seen.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from policy.engine.decisions import reasons
from policy.engine.documents import schema
from policy.engine.documents.schema import Strict, values
from policy.engine.text import Text
from policy.engine.wording import vocabulary


@dataclass(frozen=True, slots=True)
class Line:
    """What a field says: its label and its parts, each of which is marked where it differs."""

    field: str
    label: Text
    parts: tuple[Text, ...]

    @property
    def text(self) -> Text:
        """Return the line as one sentence."""
        said = joined(self.parts, "，", ", ")
        return Text(f"{self.label.zh}：{said.zh}。", f"{self.label.en}: {said.en}.")


# From the value of a field and the model that holds it.
Sayer = Callable[[Any, Any], Iterable[Text]]
Said = Callable[[Any, Any], Iterable[tuple[Text, Iterable[Text]]]]


def joined(texts: Iterable[Text], zh: str = "、", en: str = ", ") -> Text:
    """Return several words or sentences as one."""
    several = tuple(texts)
    return Text(zh.join(text.zh for text in several), en.join(text.en for text in several))


def _low(text: Text) -> Text:
    """Return a word as it stands within a sentence; KN95 and Karaoke of two capitals stay."""
    first, rest = text.en[:1], text.en[1:]
    return text if rest[:1].isupper() else Text(text.zh, first.lower() + rest)


def _named(words: Iterable[Any], table: Mapping[Any, Text]) -> Text:
    return joined(_low(table[word]) for word in words)


def _or(words: Iterable[Any], table: Mapping[Any, Text]) -> str:
    return " or ".join(_low(table[word]).en for word in words)


def _number(number: float, zh: str, en: str) -> Text:
    plural = "" if number == 1 else "s"
    return Text(f"{number:g}{zh}", f"{number:g} {en}{plural}")


def days(number: int) -> Text:
    """Return a number of days."""
    return _number(number, "天", "day")


def hours(number: int) -> Text:
    """Return a number of hours."""
    return _number(number, "小时", "hour")


def _numbered_days(numbers: Iterable[int]) -> Text:
    several = tuple(numbers)
    word = "day" if len(several) == 1 else "days"
    return Text(f"第{'、'.join(map(str, several))}天", f"{word} {', '.join(map(str, several))}")


def _day(day: date) -> Text:
    return Text(day.isoformat(), day.isoformat())


def _parts(model: Strict, table: Mapping[str, Sayer]) -> Iterator[Text]:
    for name, say in table.items():
        yield from say(getattr(model, name), model)


def _given(say: Callable[[Any], Text]) -> Sayer:
    """Say a value, and nothing where none is given."""
    return lambda value, _model: () if value is None else (say(value),)


def _flag(yes: Text, no: Text | None = None) -> Sayer:
    """Say whether something holds; nothing where it is not asked, or needs no word."""

    def say(value: bool | None, _model: object) -> Iterable[Text]:
        said = yes if value else no
        return () if value is None or said is None else (said,)

    return say


# --- conditions on a person ------------------------------------------------------------------

_ORIGINS = {
    "anywhere": Text("从外地来返的", "who arrived from elsewhere, wherever"),
    "outside_area": Text("从文件辖区以外来的", "who came from outside the document's area"),
    "outside_province": Text("从外省来的", "who came from another province"),
}


def _range(span: schema.Range) -> Text:
    low, high = span.at_least, span.at_most
    if high is None:
        return Text(f"至少{low}天", f"{low} days or more") if low else Text("不限", "any number")
    if low == high:
        return Text(f"正好{low}天", f"exactly {low} days")
    return Text(f"{low}至{high}天", f"{low} to {high} days")


def _stayed(stay: schema.StayedIn) -> Text:
    risk = vocabulary.RISKS[stay.risk]
    zh, en = (
        ("，本辖区内的除外", ", outside the document's area") if stay.outside_area else ("",) * 2
    )
    within = days(stay.within_days)
    return Text(
        f"离开{risk.zh}不超过{within.zh}的{zh}",
        f"who left a {risk.en} no more than {within.en} ago{en}",
    )


def _been(stay: schema.BeenIn) -> Text:
    within = days(stay.within_days)
    zh, en = "、".join(stay.areas), ", ".join(stay.areas)
    return Text(
        f"离开{zh}不超过{within.zh}的", f"who left one of {en} no more than {within.en} ago"
    )


def _entered(entered: schema.Entered | str) -> Text:
    if isinstance(entered, str):
        return Text("不是入境人员的", "who did not come from abroad")
    served = joined(_parts(entered, ENTERED))
    return Text(f"入境人员，已完成{served.zh}的", f"who came from abroad, with {served.en} served")


RANGE: dict[str, Sayer] = {
    # Both bounds are said together.
    "at_least": lambda _value, span: (_range(span),),
    "at_most": lambda _value, _span: (),
}
STAYED_IN: dict[str, Sayer] = {
    "risk": lambda _value, stay: (_stayed(stay),),
    "within_days": lambda _value, _stay: (),
    "outside_area": lambda _value, _stay: (),
}
BEEN_IN: dict[str, Sayer] = {
    "areas": lambda _value, stay: (_been(stay),),
    "within_days": lambda _value, _stay: (),
}


def _days_in(zh: str, en: str) -> Sayer:
    def say(span: schema.Range, _model: object) -> Iterable[Text]:
        for text in _parts(span, RANGE):
            yield Text(f"{zh}{text.zh}", f"{text.en} of {en}")

    return say


ENTERED: dict[str, Sayer] = {
    "central_days": _days_in("集中隔离", "central isolation"),
    "home_days": _days_in("居家隔离", "home isolation"),
}
WHO: dict[str, Sayer] = {
    "exposure": _given(lambda word: _low(vocabulary.EXPOSURES[word])),
    "clinical": _given(
        lambda words: Text(
            f"临床分型为{_named(words, vocabulary.CLINICAL).zh}的",
            f"whose clinical class is {_or(words, vocabulary.CLINICAL)}",
        )
    ),
    "serious_underlying_disease": _flag(
        Text("基础疾病严重的", "with a serious underlying disease"),
        Text("没有严重基础疾病的", "without a serious underlying disease"),
    ),
    "arrived_from": _given(lambda word: _ORIGINS[word]),
    "spread_at_origin": _flag(
        Text("来源地有社区传播的", "from where there is community spread"),
        Text("来源地没有社区传播的", "from where there is no community spread"),
    ),
    "stayed_in": lambda stay, _who: _parts(stay, STAYED_IN) if stay else (),
    "been_in": lambda stay, _who: _parts(stay, BEEN_IN) if stay else (),
    "inbound": _given(_entered),
    "closed_loop_ended": _flag(
        Text("高风险岗位闭环作业已结束的", "whose closed-loop post has ended"),
        Text("高风险岗位闭环作业未结束的", "whose closed-loop post has not ended"),
    ),
    "freight_crew": _flag(
        Text("闭环货车司乘人员", "of the crew of a closed-loop truck"),
        Text("不是闭环货车司乘人员的", "not of the crew of a closed-loop truck"),
    ),
}

# --- what is asked -----------------------------------------------------------------------------


def _tests(tests: tuple[int, ...] | None, _stage: object) -> Iterable[Text]:
    if tests is None:
        yield Text("核酸日期条文未写明", "the days of the tests stand in no text")
    elif tests:
        said = _numbered_days(tests)
        yield Text(f"{said.zh}核酸", f"tests on {said.en}")
    else:
        yield Text("不做核酸", "no tests")


def _stage_force(force: str | None, _stage: object) -> Iterable[Text]:
    if force is not None:
        yield _FORCE[force]


_FORCE = {
    "must": Text("须执行", "it must be done"),
    "advise": Text("仅为建议", "it is advice only"),
}
STAGE: dict[str, Sayer] = {
    "setting": lambda word, _stage: (_low(vocabulary.SETTINGS[word]),),
    "days": lambda number, _stage: (days(number),),
    "tests": _tests,
    "force": _stage_force,
    "movement": lambda word, _stage: (
        Text("外出未作规定", "going out is not spoken of")
        if word is None
        else _low(vocabulary.MOVEMENTS[word]),
    ),
    "coded": _flag(Text("赋码管理", "a health code is assigned")),
    "door_sensor": _flag(Text("安装门磁", "a door sensor is fitted")),
}
LOOSE_TESTS: dict[str, Sayer] = {
    "days": lambda numbers, _tests: (
        Text(
            f"{_numbered_days(numbers).zh}核酸（抵达当天为第1天）",
            f"on {_numbered_days(numbers).en}, the day of arrival being day 1",
        ),
    ),
    "force": lambda word, _tests: (_FORCE[word],),
    "last_from": _given(
        lambda number: Text(
            f"最后一次自第{number}天起做的即可", f"the last one counts from day {number} on"
        )
    ),
}
_LANDING = {
    None: Text("不做落地检", "no test on arrival"),
    "always": Text("一律做落地检", "a test on arrival, always"),
    "without_proof": Text(
        "没有有效证明的做落地检", "a test on arrival for whoever has no valid proof"
    ),
}


def _proof(number: int) -> Text:
    said = hours(number)
    return Text(f"{said.zh}内核酸阴性证明", f"a negative proof of {said.en}")


ON_ARRIVAL: dict[str, Sayer] = {
    "proof_hours": _given(_proof),
    "landing_test": lambda word, _asked: (_LANDING[word],),
}
OUTING_TERMS: dict[str, Sayer] = {
    "purposes": lambda words, _terms: (_listed("事由", "for", words, vocabulary.OUTINGS),),
    "vehicles": lambda words, _terms: (_listed("出行", "by", words, vocabulary.OUTINGS),),
    "masks": lambda words, _terms: (_listed("口罩", "mask", words, vocabulary.OUTINGS),),
}


def _listed(zh: str, en: str, words: Iterable[Any], table: Mapping[Any, Text]) -> Text:
    said = tuple(words)
    return Text(
        f"{zh}限{_named(said, table).zh}",
        f"{en}: {_or(said, table)}",
    )


CRITERION: dict[str, Sayer] = {
    "ct_at_least": lambda number, _rule: (
        Text(f"每次Ct值不低于{number:g}", f"each with Ct {number:g} or more"),
    ),
    "first_day": lambda number, _rule: (
        Text(f"自第{number}天起计", f"counted from day {number} on"),
    ),
    "passes": lambda number, _rule: (
        Text(f"连续{number}天每天1次核酸合格", f"passes on {days(number).en} running"),
    ),
}
_RELATED: dict[str, Text] = {
    "cohabitant": Text("同住人", "of the household"),
    "close_contact": Text("密接", "a close contact"),
    "none": Text("无接触史人员", "no contact"),
}
LIFT: dict[str, Sayer] = {
    "clock": lambda word, _lift: (
        Text("划定当天为第1天", "the day it is drawn is day 1")
        if word == "start"
        else Text("最后一例阳性当天为第0天", "the day of the last positive is day 0"),
    ),
    "days": lambda number, _lift: (
        Text(f"第{number}天核酸阴性后解封", f"lifted on day {number} when its test is negative"),
    ),
    "later_positive": lambda word, _lift: (
        Text("其间再有阳性的，重新计算天数", "a later positive starts the days again")
        if word == "restarts"
        else Text("其间再有阳性的，只管控其住户", "a later positive keeps its own household only"),
    ),
    "except_relations": lambda words, _lift: (
        (
            Text(
                f"再有的阳性是原阳性人员的{_named(words, _RELATED).zh}的，"
                "不重新计算，只管控其住户",
                f"a later positive who is {_or(words, _RELATED)} of the first"
                " starts nothing again and keeps its own household only",
            ),
        )
        if words
        else ()
    ),
}
GROUP: dict[str, Sayer] = {
    "age_at_least": _given(
        lambda number: Text(f"年满{number}岁的", f"{number} years old or older")
    ),
    "any_condition": _given(
        lambda words: Text(
            f"患有{_named(words, vocabulary.CONDITIONS).zh}之一的",
            f"with {_or(words, vocabulary.CONDITIONS)}",
        )
    ),
    "living_alone": _flag(Text("独居的", "living alone"), Text("非独居的", "not living alone")),
    "pregnant": _flag(Text("孕产妇", "pregnant"), Text("非孕产妇", "not pregnant")),
    "child_in_difficulty": _flag(
        Text("困境儿童", "a child in difficulty"), Text("非困境儿童", "no child in difficulty")
    ),
    "disabled": _flag(Text("残疾人", "disabled"), Text("非残疾人", "not disabled")),
}
# The parts of provisions, with a sentence for each of their fields.
PARTS: dict[type[Strict], Mapping[str, Sayer]] = {
    schema.Range: RANGE,
    schema.StayedIn: STAYED_IN,
    schema.BeenIn: BEEN_IN,
    schema.Entered: ENTERED,
    schema.Who: WHO,
    schema.Stage: STAGE,
    schema.LooseTests: LOOSE_TESTS,
    schema.OnArrival: ON_ARRIVAL,
    schema.OutingTerms: OUTING_TERMS,
    schema.Criterion: CRITERION,
    schema.Lift: LIFT,
    schema.PeopleGroup: GROUP,
}

# --- provisions --------------------------------------------------------------------------------


def _one(zh: str, en: str, say: Sayer) -> Said:
    """Say a field in one line under a label; nothing where there is nothing to say."""
    label = Text(zh, en)

    def said(value: Any, model: Any) -> Iterable[tuple[Text, Iterable[Text]]]:
        parts = tuple(say(value, model))
        return ((label, parts),) if parts else ()

    return said


def _model(zh: str, en: str, none: Text | None = None) -> Said:
    """Say a part of a provision, which has sentences of its own, under a label."""

    def say(value: Strict | None, _model: object) -> Iterable[Text]:
        parts = () if value is None else tuple(_parts(value, PARTS[type(value)]))
        return parts or (() if none is None else (none,))

    return _one(zh, en, say)


def _words(zh: str, en: str, table: Mapping[Any, Text], none: Text | None = None) -> Said:
    """Say words of a closed vocabulary, each a part."""

    def say(value: tuple[Any, ...] | None, _model: object) -> Iterable[Text]:
        parts = tuple(_low(table[word]) for word in value or ())
        return parts or (() if none is None else (none,))

    return _one(zh, en, say)


def _yes(zh: str, en: str, yes: Text, no: Text | None = None) -> Said:
    return _one(zh, en, _flag(yes, no))


def _stages(zh: str, en: str) -> Said:
    def said(
        stages: tuple[schema.Stage, ...], _model: Any
    ) -> Iterable[tuple[Text, Iterable[Text]]]:
        for number, stage in enumerate(stages, start=1):
            yield Text(f"{zh}第{number}阶段", f"{en} {number}"), _parts(stage, STAGE)

    return said


def _defaults(names: tuple[str, ...], provision: Any) -> Iterable[Text]:
    stated = dict(values(provision))
    for name in names:
        said = reasons.default(name, stated.get(name))
        yield Text(said.zh.removesuffix("。"), said.en.removesuffix("."))


_EVERYBODY = Text("所有人", "everybody")
_PROVISION: dict[str, Said] = {
    "force": _one("效力", "Force", lambda word, _provision: (_FORCE[word],)),
    "defaults": _one("系统默认", "Defaults", _defaults),
}
_PROOF = _one("核酸证明", "Negative proof", _given(_proof))
MEASURE: dict[str, Said] = {
    "who": _model("适用对象", "For whom", Text("不设条件", "everybody, without condition")),
    "unless": _words(
        "不适用于已按以下条款管控的", "Not for those held as", vocabulary.SUBJECTS
    ),
    "ends": _yes(
        "终止义务", "End of a duty",
        Text(
            "上级文件的同类要求不再执行",
            "what the parent asks on this subject is asked no more",
        ),
    ),
    "plan_of_parent": _yes(
        "管控方案", "Plan",
        Text(
            "阶段和核酸日期按上级文件同类条款",
            "stages and tests as in the parent's clause on this subject",
        ),
    ),
    "stages": _stages("", "Stage"),
    "central_on_request": _yes(
        "本人选择", "On request",
        Text("可自愿选择集中隔离", "central isolation for who asks for it"),
    ),
    "instead": _stages("不能或不愿居家的，改为", "Where not at home, instead stage"),
    "counts_inbound": _yes(
        "已完成天数", "Days served",
        Text("入境口岸已完成的天数计入", "those served at the first entry point count"),
    ),
    "tests": _model("抵达后核酸", "Tests after arrival"),
    "movement": _one(
        "外出", "Going out", _given(lambda word: _low(vocabulary.MOVEMENTS[word]))
    ),
    "on_arrival": _model("抵达时", "On arrival"),
    "release": _model("解除标准", "Release"),
    "outings": _model("准许外出", "Let out"),
    "refer": _one(
        "转医疗机构", "Referral",
        _given(lambda _word: Text("转医疗机构处理", "passes to medical management")),
    ),
}  # fmt: skip
INBOUND_RESULTS: dict[str, Said] = {
    "positive_below_ct": _one(
        "判为阳性", "Positive",
        lambda number, _rule: (Text(f"Ct值低于{number:g}", f"below Ct {number:g}"),),
    ),
    "review_up_to_ct": _one(
        "评估风险", "Risk assessed",
        lambda number, _rule: (Text(f"Ct值至{number:g}", f"up to Ct {number:g}"),),
    ),
}  # fmt: skip
ZONE: dict[str, Said] = {
    "levels": _words("可划定范围", "May be drawn as", vocabulary.LEVELS),
    "lift": _model("解封", "Lifted"),
}
ENTRY: dict[str, Said] = {
    "venues": _words(
        "场所", "Places", vocabulary.VENUES, Text("所有场所", "every place")
    ),
    "except_venues": _words("除外场所", "Except", vocabulary.VENUES),
    "roles": _words("进入人员", "Who comes", vocabulary.ROLES, _EVERYBODY),
    "checks": _words("查验", "Checked", vocabulary.CHECKS, Text("不查验", "nothing")),
    "proof_hours": _PROOF,
    "proof_hours_in_outbreak": _one(
        "本地有疫情时", "While there is a local outbreak",
        _given(_proof),
    ),
    "local_decision": _yes(
        "属地自定", "Left to the place", Text("可由属地自定", "the place may decide")
    ),
}  # fmt: skip
_WEEKDAYS = {
    1: Text("周一", "Monday"), 2: Text("周二", "Tuesday"), 3: Text("周三", "Wednesday"),
    4: Text("周四", "Thursday"), 5: Text("周五", "Friday"), 6: Text("周六", "Saturday"),
    7: Text("周日", "Sunday"),
}  # fmt: skip
_FREQUENCIES = {
    None: Text("频次未写明", "how often is not in the text"),
    "daily": Text("每天1次", "every day"),
    "twice_weekly": Text("每周2次", "twice a week"),
}
SCREENING: dict[str, Said] = {
    "posts": _words("岗位", "Posts", vocabulary.POSTS, Text("所有岗位", "every post")),
    "frequency": _one("频次", "How often", lambda word, _rule: (_FREQUENCIES[word],)),
    "weekdays": _one(
        "核酸日", "Days", lambda numbers, _rule: (_WEEKDAYS[number] for number in numbers)
    ),
    "hours_between": _one(
        "两次间隔", "Apart",
        _given(lambda number: Text(f"至少{number}小时", f"{hours(number).en} at least")),
    ),
    "sampled": _yes("抽检", "By share", Text("抽取一部分人做核酸", "a share of them is tested")),
}  # fmt: skip


def _people(zh: str, en: str, of: str) -> Said:
    return _one(
        zh, en, _given(lambda number: Text(f"{number}人以上（含）", f"{number} {of} or more"))
    )


GATHERING: dict[str, Said] = {
    "kinds": _words(
        "活动", "Kinds", vocabulary.GATHERINGS, Text("所有聚集性活动", "every gathering")
    ),
    "persons_at_least": _people("人数", "Size", "people"),
    "outside_persons_at_least": _people("外来人数", "From outside", "people"),
    "duties": _words("举办者义务", "Duties", vocabulary.GATHERING_DUTIES, Text("无", "none")),
    "proof_hours": _PROOF,
    "advised_against": _yes("建议", "Advice", Text("建议不举办", "better not held")),
}
FREIGHT: dict[str, Said] = {
    "report_days_ahead": _one(
        "报备", "Reported", lambda number, _rule: (
            Text(f"提前{number}天", f"{days(number).en} ahead"),
        ),
    ),
    "proof_hours": _PROOF,
    "landing_test": _one("落地检", "Test on arrival", lambda word, _rule: (_LANDING[word],)),
    "landing_test_from": _one(
        "一律落地检", "Test on arrival, always",
        _given(lambda word: Text(
            f"{_ORIGINS[word].zh}货车", f"trucks {_ORIGINS[word].en}".replace(" who ", " that ")
        )),
    ),
    "seal": _yes(
        "封签", "Seal", Text("加贴封签", "trucks are sealed"), Text("不加封签", "no seal")
    ),
}  # fmt: skip
REGISTRATION: dict[str, Said] = {
    "days_ahead": _one(
        "报备", "Reported", lambda number, _rule: (
            Text("抵达前报备，期限未写明", "before arrival; no term is named")
            if number is None
            else Text(f"提前{number}天", f"{days(number).en} ahead"),
        ),
    ),
}  # fmt: skip
WHITELIST: dict[str, Said] = {
    "posts": _words("岗位", "Posts", vocabulary.WHITELIST_POSTS),
    "duties": _words("义务", "Duties", vocabulary.WHITELIST_DUTIES, Text("无", "none")),
    "proof_hours": _PROOF,
}
REGISTRY: dict[str, Said] = {
    "group": _model("列入对象", "Who is listed", _EVERYBODY),
    "category": _one("类别", "As", lambda word, _rule: (_low(vocabulary.CATEGORIES[word]),)),
    "colours": _yes(
        "分级",
        "Marked",
        Text("以绿、黄、红标识", "green, yellow or red"),
        Text("不标识", "no colours"),
    ),
}
VACCINATION: dict[str, Said] = {
    "age_at_least": _one(
        "接种对象", "To be vaccinated",
        lambda number, _rule: (
            Text(f"年满{number}岁且未全程接种的", f"from {number} years on, not fully vaccinated"),
        ),
    ),
}  # fmt: skip
OUTINGS: dict[str, Said] = {"outings": _model("准许外出", "Let out")}

# What each kind of provision says, with a line for each of its fields.
PROVISIONS: dict[type[schema.Provision], Mapping[str, Said]] = {
    schema.MeasureProvision: MEASURE,
    schema.InboundResults: INBOUND_RESULTS,
    schema.ZoneProvision: ZONE,
    schema.EntryProvision: ENTRY,
    schema.ScreeningProvision: SCREENING,
    schema.GatheringProvision: GATHERING,
    schema.FreightProvision: FREIGHT,
    schema.RegistrationProvision: REGISTRATION,
    schema.WhitelistProvision: WHITELIST,
    schema.RegistryProvision: REGISTRY,
    schema.RegistryEnd: {},
    schema.VaccinationProvision: VACCINATION,
    schema.OutingsProvision: OUTINGS,
}
_REGISTRY_ENDS = Line(
    "subject",
    Text("名单范围", "The list"),
    (Text("到此为止，上级文件不再增列", "is complete; the parents add nobody"),),
)


def _text(zh: str, en: str) -> Said:
    return _one(zh, en, _given(lambda text: text))


def _plain(zh: str, en: str, none: Text) -> Said:
    return _one(
        zh, en, lambda word, _document: (none if word is None else Text(str(word), str(word)),)
    )


_NONE = Text("无", "none")
# What the head of a document says; its provisions and clauses without one come after.
HEAD: dict[str, Said] = {
    "id": _plain("系统编号", "Id", _NONE),
    "title": _text("标题", "Title"),
    "number": _text("文号", "Number"),
    "issuer": _text("发布单位", "Issued by"),
    "area": _plain("适用辖区", "Area", _NONE),
    "in_force_from": _one("施行日", "In force from", _given(_day)),
    "in_force_until": _one(
        "施行至", "In force until",
        lambda day, _document: (Text("未写明", "not named") if day is None else _day(day),),
    ),
    "parent": _plain("上级文件", "Parent", _NONE),
    "forwards": _one(
        "原样转发", "Forwards unchanged", _given(lambda word: Text(word, word))
    ),
    "checked_on": _one("与原文核对日", "Compared with the text on", _given(_day)),
    "clauses": _one(
        "条款", "Clauses", lambda numbers, _document: (
            Text(f"第{'、'.join(numbers)}条", ", ".join(numbers)),
        ) if numbers else (),
    ),
}  # fmt: skip
WITHOUT: dict[str, Said] = {
    "duty": _one("职责属于", "Duty of", lambda word, _line: (vocabulary.DUTIES[word],)),
    "page": _one("见页面", "Page", _given(lambda word: vocabulary.PAGES[word])),
}


def _lines(model: Strict, table: Mapping[str, Said]) -> Iterator[Line]:
    for name, said in table.items():
        for label, parts in said(getattr(model, name), model):
            yield Line(name, label, tuple(parts))


def lines_of(provision: schema.Provision) -> tuple[Line, ...]:
    """Return what a provision says, a line for each of its fields that has something to say."""
    own = tuple(_lines(provision, PROVISIONS[type(provision)]))
    if isinstance(provision, schema.RegistryEnd):
        own = (_REGISTRY_ENDS,)
    return (*own, *_lines(provision, _PROVISION))


def lines_of_head(document: schema.Document) -> tuple[Line, ...]:
    """Return what the head of a document says."""
    return tuple(_lines(document, HEAD))


def lines_without(line: schema.NoProvision) -> tuple[Line, ...]:
    """Return what is said of a clause that needs no provision."""
    return tuple(_lines(line, WITHOUT))
