"""The reasons of a decision: sentences in both languages, without dates."""

from collections.abc import Iterator, Sequence

from policy.engine.documents.law import Citation, Law, Situation, TableRow
from policy.engine.documents.schema import Provision, values
from policy.engine.text import Text

NO_RULE_FOR_INFECTED = Text(
    "现行政策文件没有感染者管理的规定，转医疗机构。",
    "The documents in force have no rule for infected people; they pass to medical management.",
)
REFERRED = Text("转医疗机构处理。", "Passes to medical management.")
UNCLASSIFIED = Text(
    "未填临床分型，暂按无症状处理，请尽快核实。",
    "No clinical class is recorded: taken as asymptomatic for now. Please confirm it soon.",
)
NOTHING_MATCHES = Text("没有条款适用于此人。", "No provision applies to this person.")
NO_ZONES = Text("没有条款规定高风险区。", "No clause speaks of high-risk areas.")
NOTHING_ASKED = Text("因此无需管控。", "Therefore nothing is asked.")
HOME_UNSUITABLE = Text(
    "不具备居家隔离条件，改为集中隔离，天数和核酸日期以管控日历为准。",
    "The home is unsuitable: central isolation instead. The calendar shows its days and tests.",
)
CHOSE_CENTRAL = Text(
    "本人选择集中隔离，条款允许。",
    "The person asks for central isolation, which the clause offers.",
)
# What a default is called, and how its value is said.
_DEFAULTS: dict[str, tuple[Text, Text]] = {
    "within_days": (Text("回溯天数", "the look-back"), Text("{}天", "{} days")),
    "proof_hours": (Text("核酸证明时限", "the hours of the proof"), Text("{}小时", "{} hours")),
    "age_at_least": (Text("年龄界限", "the age"), Text("{}岁", "{} years")),
    "hours_between": (
        Text("两次核酸的间隔", "the time between two tests"),
        Text("{}小时", "{} hours"),
    ),
}
_UNSAID_DEFAULTS = {
    "landing_test": Text("没有证明时是否做落地检", "whether a landing test stands for a proof"),
    "any_condition": Text("疾病名单", "the list of diseases"),
    "weekdays": Text("每周哪几天做核酸", "the weekdays of the tests"),
    "vehicles": Text("外出用车", "the vehicles"),
    "masks": Text("口罩要求", "the mask"),
}
_EXPOSURES = {
    "close_contact": Text("密切接触者", "a close contact"),
    "secondary_contact": Text("密接的密接", "a contact of a close contact"),
    "infected": Text("感染者", "infected"),
}
_CLINICAL = {
    "asymptomatic": Text("无症状", "asymptomatic"),
    "mild": Text("轻型", "mild"),
    "moderate": Text("普通型", "moderate"),
    "severe": Text("重型", "severe"),
    "critical": Text("危重型", "critical"),
}
_RISKS = {"high": Text("高风险区", "a high-risk area"), "low": Text("低风险区", "a low-risk area")}


def _facts(facts: Situation) -> Iterator[Text]:
    if facts.exposure is not None:
        word = _EXPOSURES[facts.exposure]
        yield Text(f"此人是{word.zh}。", f"The person is {word.en}.")
    if facts.clinical is not None:
        word = _CLINICAL[facts.clinical]
        yield Text(f"临床分型：{word.zh}。", f"Clinical class: {word.en}.")
    if facts.arrived_from is not None:
        yield Text(f"来自{facts.arrived_from}。", f"Arrived from {facts.arrived_from}.")
    for stay in facts.stays:
        where = _RISKS.get(stay.risk or "", Text("该地", "an area"))
        code = f"（{stay.area}）" if stay.area else ""
        area = f" ({stay.area})" if stay.area else ""
        when = f"开始日前第{stay.days_ago}天" if stay.days_ago else "开始当天"
        yield Text(
            f"{when}仍在{where.zh}{code}。",
            f"Was still in {where.en}{area} {stay.days_ago} days before the start."
            if stay.days_ago
            else f"Was still in {where.en}{area} on the day of the start.",
        )
    if facts.inbound is not None:
        central, home = facts.inbound.central_days, facts.inbound.home_days
        yield Text(
            f"入境，已集中隔离{central}天、居家隔离{home}天。",
            f"Came from abroad, with {central} central and {home} home days served.",
        )
    if facts.closed_loop_ended:
        yield Text("高风险岗位闭环已结束。", "A closed-loop high-risk post has ended.")


def of_facts(facts: Situation) -> tuple[Text, ...]:
    """Return one sentence for each fact that was used."""
    return tuple(_facts(facts))


def clause(law: Law, at: Citation) -> Text:
    """Return the sentence that names the clause of a provision."""
    name = law.names[at.document]
    return Text(f"{name.zh}第{at.clause}条", f"{name.en}, clause {at.clause}")


def default(name: str, value: object) -> Text:
    """Return the sentence that a value is a default, in no text."""
    if name not in _DEFAULTS:
        word = _UNSAID_DEFAULTS.get(name, Text(f"“{name}”", f"'{name}'"))
        return Text(
            f"条文未写明{word.zh}，按系统默认办理。",
            f"The clause does not name {word.en}; this system's default is used.",
        )
    word, unit = _DEFAULTS[name]
    return Text(
        f"条文未写明{word.zh}，按系统默认值{unit.zh.format(value)}。",
        f"The clause does not name {word.en}; this system's default is {unit.en.format(value)}.",
    )


def _defaults(provision: Provision) -> Iterator[Text]:
    if provision.defaults:
        stated = dict(values(provision))
        yield from (default(name, stated.get(name)) for name in provision.defaults)


def cited(law: Law, at: Citation, provision: Provision) -> tuple[Text, ...]:
    """Return the clause that decides, in our words, and which of its values are defaults."""
    place, summary = clause(law, at), provision.summary
    return (
        Text(f"依据{place.zh}：{summary.zh}", f"By {place.en}: {summary.en}"),
        *_defaults(provision),
    )


def of_clause(law: Law, row: TableRow) -> tuple[Text, ...]:
    """Return the clause of a measure that decides."""
    return cited(law, row.cited, row.provision)


def on_arrival(law: Law, row: TableRow, *, valid: bool | None) -> list[Text]:
    """Return what is asked on arrival, and whether the proof that was shown is valid."""
    place, summary = clause(law, row.cited), row.provision.summary
    sentences = [
        Text(f"抵达时，{place.zh}：{summary.zh}", f"On arrival, {place.en}: {summary.en}")
    ]
    if valid is not None and row.provision.on_arrival is not None:
        hours = row.provision.on_arrival.proof_hours
        sentences.append(
            Text(f"{hours}小时核酸证明有效。", f"The proof of {hours} hours is valid.")
            if valid
            else Text(
                f"没有有效的{hours}小时核酸证明。", f"There is no valid proof of {hours} hours."
            )
        )
    return sentences


def counting(row: TableRow) -> tuple[Text, ...]:
    """Return the counting convention."""
    if row.plan.release is not None:
        rule = row.plan.release
        last = rule.first_day + rule.passes - 1
        return (
            Text(
                f"隔离开始当天算第1天；第{rule.first_day}天起连续{rule.passes}天Ct值不低于"
                f"{rule.ct_at_least:g}的可解除，最早第{last}天。",
                f"Day 1 is the day isolation starts; released after {rule.passes} consecutive "
                f"daily results of Ct {rule.ct_at_least:g} or more from day {rule.first_day} "
                f"on, day {last} at the earliest.",
            ),
        )
    return (
        Text(
            "开始当天算第1天，次日第2天；最后一天核酸阴性后解除。",
            "Day 1 is the day the stage starts and day N is N - 1 days later; released on the "
            "last day once its test is negative.",
        ),
    )


def served(days: int) -> Text:
    """Return that days served before the start count."""
    return Text(
        f"开始日前已完成{days}天，计入天数。", f"{days} days served before the start count."
    )


def others(law: Law, rows: Sequence[TableRow]) -> tuple[Text, ...]:
    """Return the clauses that match besides the deciding one."""
    places = dict.fromkeys(clause(law, row.cited) for row in rows)
    return tuple(
        Text(f"同时符合{place.zh}，天数不累加。", f"{place.en} matches too; days are not added.")
        for place in places
    )
