"""Why: the sentences that a decision gives, in both languages and without dates."""

from collections.abc import Iterator, Sequence

from policy.engine.documents.law import Citation, Law, Situation, TableRow
from policy.engine.documents.schema import Provision
from policy.engine.text import Text

NO_RULE_FOR_INFECTED = Text(
    "现行文件没有感染者管理的规定，转医疗机构。",
    "The documents in force have no rule for infected people; they pass to medical management.",
)
REFERRED = Text("转医疗机构处理。", "Passes to medical management.")
UNCLASSIFIED = Text(
    "临床分型未记录，按无症状处理（默认）。",
    "The clinical class is not recorded; taken as asymptomatic (default).",
)
NOTHING_MATCHES = Text("没有条款适用于此人。", "No provision applies to this person.")
NOTHING_ASKED = Text("因此不采取措施。", "Therefore nothing is asked.")
HOME_UNSUITABLE = Text(
    "不具备居家条件，改为集中隔离，天数和检测日不变或依本条另定。",
    "The home is unsuitable: central isolation instead, with the same days and tests or those "
    "that the clause names.",
)
CHOSE_CENTRAL = Text(
    "本人选择集中隔离，条款允许。",
    "The person asks for central isolation, which the clause offers.",
)
DEFAULT_NAMES = {
    "within_days": Text("回溯天数", "the look-back"),
    "landing_test": Text("无证明时的落地检", "the landing test without a proof"),
    "proof_hours": Text("证明时限", "the hours of the proof"),
    "age_at_least": Text("年龄界限", "the age"),
    "any_condition": Text("疾病名单", "the list of diseases"),
    "weekdays": Text("检测日", "the weekdays"),
    "hours_between": Text("间隔小时", "the hours between two tests"),
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
        yield Text(
            f"开始日前{stay.days_ago}天在{where.zh}{code}。",
            f"Was in {where.en}{' (' + stay.area + ')' if stay.area else ''} "
            f"{stay.days_ago} days before the start.",
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
    """Return where a provision stands."""
    title = law.titles[at.document]
    number = at.clause
    return Text(f"《{title.zh}》第{number}条", f"{title.en}, clause {number}")


def default(name: str) -> Text:
    """Return the sentence that says a value stands in no text."""
    word = DEFAULT_NAMES.get(name, Text(name, name))
    return Text(
        f"{word.zh}为默认值，条文未规定。",
        f"A default: {word.en} stands in no text of the clause.",
    )


def cited(law: Law, at: Citation, provision: Provision) -> tuple[Text, ...]:
    """Return the clause that decides, in our words, and which of its values are defaults."""
    place, summary = clause(law, at), provision.summary
    return (
        Text(f"依据{place.zh}：{summary.zh}", f"By {place.en}: {summary.en}"),
        *(default(name) for name in provision.defaults),
    )


def of_clause(law: Law, row: TableRow) -> tuple[Text, ...]:
    """Return the clause of a measure that decides."""
    return cited(law, row.cited, row.provision)


def on_arrival(law: Law, row: TableRow, *, valid: bool | None) -> list[Text]:
    """Return what is asked on arrival, and how the proof that was shown stands."""
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
                f"隔离开始日为第1天；第{rule.first_day}天起连续{rule.passes}天Ct值不低于"
                f"{rule.ct_at_least:g}即解除，最早第{last}天。",
                f"Day 1 is the day isolation starts; released after {rule.passes} consecutive "
                f"daily results of Ct {rule.ct_at_least:g} or more from day {rule.first_day} "
                f"on, day {last} at the earliest.",
            ),
        )
    return (
        Text(
            "开始日为第1天，第N天为开始日加N-1天；最后一天检测阴性后解除。",
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
