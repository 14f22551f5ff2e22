"""
Compare two documents: one finding for each clause and subject of the first.

Every class of persons, venues, posts, gatherings … that the two documents can tell apart (see
`classes`) is put to both. A clause is stricter where it asks more of one class, looser where it
asks less and nowhere more, equal otherwise; silent means that the other document, with what it
inherits, has no provision on the subject. Advice never counts, nor do fallbacks and services
(readings.md, Switching and comparing).
"""

import dataclasses
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, TypeVar

from policy.engine.calendars.plans import MOVEMENTS, Force, Movement
from policy.engine.comparison.classes import DAY, persons
from policy.engine.decisions import doors, gatherings, people, roads, screening, zones
from policy.engine.decisions.decide import Decision, decide, matching_rows, reaches
from policy.engine.decisions.facts import Person, Proof
from policy.engine.documents.law import Citation, Law, TableRow
from policy.engine.documents.schema import (
    MEASURE_SUBJECTS,
    Condition,
    FreightProvision,
    Gathering,
    GatheringProvision,
    InboundResults,
    Level,
    MeasureSubject,
    Post,
    Provision,
    RegistrationProvision,
    RegistryEnd,
    RegistryProvision,
    Relation,
    Role,
    ScreeningProvision,
    Venue,
    WhitelistPost,
    ZoneProvision,
    words_of,
)
from policy.engine.moments import start_of
from policy.engine.text import Text

# What a person, a venue with who comes, a post, a gathering … is told apart as.
Class = Person | people.ListedFacts | tuple[object, ...]
# Enough to see what differs; every class is looked at.
SHOWN = 12

Verdict = Literal["stricter", "equal", "looser", "silent"]
P = TypeVar("P", bound=Provision)


@dataclass(frozen=True, slots=True)
class Finding:
    """
    How one clause of a document compares with the other document on one subject.

    `parent` is the clause that answers, of the other document or of what it inherits; `more_for`
    and `less_for` are classes (persons, venues, posts …) of which more or less is asked.
    """

    subject: str
    verdict: Verdict
    clause: str
    parent: Citation | None
    force: Force
    because: Text
    more_for: tuple[Class, ...] = ()
    less_for: tuple[Class, ...] = ()

    @property
    def parent_clause(self) -> str | None:
        """Return the number of the clause that answers."""
        return self.parent.clause if self.parent else None


class Difference(NamedTuple):
    """The difference for one class: what is more, what is less, the other document's clause."""

    clause: str
    more: tuple[Text, ...]
    less: tuple[Text, ...]
    other: Citation | None
    about: Class | None = None


DAYS = Text("天数", "days")
CENTRAL = Text("集中隔离天数", "days of central isolation")
MOVEMENT = Text("外出限制", "limits on going out")
TESTS = Text("核酸次数", "tests")
LANDING = Text("落地检", "the landing test")
PROOF = Text("核酸证明", "the proof")
MEDICAL = Text("收治", "medical care")
CHECKS = Text("场所查验", "checks at the door")
PEOPLE = Text("所涉人员", "the people concerned")
LIFTING = Text("解封日", "the day of lifting")
LEVELS = Text("划定范围", "how large a zone may be")
FREQUENCY = Text("核酸频次", "how often tests are")
DUTIES = Text("义务", "duties")
ENTRY = Text("进入条件", "conditions of entry")
TERM = Text("报备期限", "the term of registering")
CT = Text("Ct界值", "the Ct that decides")


class _Subject(NamedTuple):
    """How one subject of the contract is compared, and the kinds of provisions it is made of."""

    name: str
    kinds: tuple[str, ...]
    differences: Callable[[Law, Law], Iterable[Difference]]


def compare(law: Law, other: Law) -> tuple[Finding, ...]:
    """
    Return one finding for each clause and subject of the law's own document.

    Both are applied in the place of the first: what lies outside it lies outside for both.
    """
    own_document, other = law.documents[0], other.at(law.place)
    other_subjects = {p.subject for document in other.documents for p in document.provisions}
    findings = []
    for subject in _subjects():
        provisions = [p for p in own_document.provisions if p.subject in subject.kinds]
        if not provisions:
            continue
        silent = not other_subjects & set(subject.kinds)
        differences = () if silent else tuple(subject.differences(law, other))
        for clause in dict.fromkeys(p.clause for p in provisions):
            must = any(p.force == "must" for p in provisions if p.clause == clause)
            about = [item for item in differences if item.clause == clause]
            force: Force = "must" if must else "advise"
            speaking = None if silent else other
            findings.append(_finding(subject.name, clause, force, about, speaking))
    return tuple(findings)


def _finding(
    subject: str, clause: str, force: Force, differences: Sequence[Difference], other: Law | None
) -> Finding:
    """Return the finding from the differences; without another law on the subject it is silent."""
    if other is None:
        silent = Text(
            "另一份政策文件没有此类规定。", "The other document has no provision on this."
        )
        return Finding(subject, "silent", clause, None, force, silent)
    more = list(dict.fromkeys(text for item in differences for text in item.more))
    less = list(dict.fromkeys(text for item in differences for text in item.less))
    verdict: Verdict = "equal"
    if more and force == "must":
        verdict = "stricter"
    elif less:
        verdict = "looser"
    cited = _answering_clause(differences, other.documents[0].id)
    return Finding(
        subject,
        verdict,
        clause,
        cited,
        force,
        _because(more, less),
        more_for=_first_classes(item.about for item in differences if item.more),
        less_for=_first_classes(item.about for item in differences if item.less),
    )


def _first_classes(classes: Iterable[Class | None]) -> tuple[Class, ...]:
    known = (about for about in classes if about is not None)
    return tuple(itertools.islice(dict.fromkeys(known), SHOWN))


def _answering_clause(differences: Sequence[Difference], other: str) -> Citation | None:
    """Return the other document's clause that answers most of the classes that differ."""
    differing = [item.other for item in differences if item.other and (item.more or item.less)]
    cited = differing or [item.other for item in differences if item.other]
    counted = Counter([citation for citation in cited if citation.document == other] or cited)
    return counted.most_common(1)[0][0] if counted else None


def _because(more: Sequence[Text], less: Sequence[Text]) -> Text:
    zh, en = [], []
    if more:
        zh.append("更严：" + "、".join(text.zh for text in more))
        en.append("more is asked in " + ", ".join(text.en for text in more))
    if less:
        zh.append("更宽：" + "、".join(text.zh for text in less))
        en.append("less is asked in " + ", ".join(text.en for text in less))
    if not more and not less:
        return Text("各类情形结果相同。", "Every class is treated alike.")
    return Text("；".join(zh) + "。", ("; ".join(en) + ".").capitalize())


def _differences(pairs: Iterable[tuple[Text, float, float]]) -> tuple[list[Text], list[Text]]:
    more, less = [], []
    for text, mine, theirs in pairs:
        if mine > theirs:
            more.append(text)
        elif mine < theirs:
            less.append(text)
    return more, less


def _own_provisions(law: Law, kind: type[P]) -> Iterator[P]:
    """Return the provisions of one kind of the law's own document."""
    for provision in law.documents[0].provisions:
        if isinstance(provision, kind):
            yield provision


class _Burden(NamedTuple):
    """What a decision asks of a person, as numbers of which more is stricter."""

    days: int
    central: int
    movement: int
    tests: int | None
    landing: bool
    proof: int
    medical: bool


_NAMES = (DAYS, CENTRAL, MOVEMENT, TESTS, LANDING, PROOF)


def _strictness(hours: int | None) -> int:
    return 0 if hours is None else 1000 - hours


class _Case(NamedTuple):
    """One class under one law: the decision, the provisions that match and the deciding one."""

    decision: Decision
    holds: int
    matched: dict[str, TableRow]
    row: TableRow | None


def _case(law: Law, person: Person) -> _Case:
    decision = decide(law, person, DAY)
    holds = law.conditions_that_hold(decision.facts)
    matched = matching_rows(law, holds)
    return _Case(decision, holds, matched, matched.get(decision.subject or ""))


def _burden(case: _Case, *, own: bool) -> _Burden:
    """Return what a law asks; with `own`, on arrival only what the clause itself asks."""
    decision, row = case.decision, case.row
    plan, asked = decision.plan, row.provision.on_arrival if row else None
    must = [stage for stage in plan.stages if stage.force == "must"] if plan else []
    tests: int | None = sum(len(stage.tests) for stage in must)
    landing, hours = decision.landing_test, decision.proof_hours
    if plan and tests is not None:
        tests += len([day for day in plan.required_tests if day > 1 or not landing])
    if own:
        hours = asked.proof_hours if asked else None
        landing = landing and asked is not None and asked.landing_test is not None
    # Limits are compared over the whole measure, days served at an entry point included; tests
    # only where the text names them.
    stages = [s for s in row.plan.stages if s.force != "advise"] if row and must else []
    if any(stage.tests is None for stage in stages):
        tests = None
    return _Burden(
        days=sum(stage.days for stage in must),
        central=sum(stage.days for stage in must if stage.setting == "central"),
        movement=max((_limit(stage.movement) for stage in stages), default=_limit(None)),
        tests=tests,
        landing=landing,
        proof=_strictness(hours),
        medical=decision.refer is not None,
    )


def _limit(movement: Movement | None) -> int:
    return -MOVEMENTS.index(movement or "free")


def _measures(law: Law, other: Law, subject: MeasureSubject) -> Iterator[Difference]:
    own_id = law.documents[0].id
    for person in persons((law, other), subject):
        mine = _case(law, person)
        row = mine.matched.get(subject)
        if row is None or row.cited.document != own_id:
            continue
        theirs = _case(other, person)
        if mine.decision.subject == subject:
            yield _deciding_difference(mine, theirs, row, person)
        for extra in law.rows[subject][0] if subject == "arrivals" else ():
            if (
                extra is not row
                and extra.provision.on_arrival
                and reaches(extra, mine.holds, mine.matched)
            ):
                yield _arrival_difference(mine, theirs, extra, person)


def _deciding_difference(mine: _Case, theirs: _Case, row: TableRow, person: Person) -> Difference:
    """Return what the clause itself asks beyond the other law, and what is no longer asked."""
    clause_burden, law_burden, other_burden = (
        _burden(mine, own=True),
        _burden(mine, own=False),
        _burden(theirs, own=False),
    )
    if law_burden.medical or other_burden.medical:
        more, less = _differences([(MEDICAL, law_burden.medical, other_burden.medical)])
    else:
        more, _ = _differences(_burden_pairs(clause_burden, other_burden))
        _, less = _differences(_burden_pairs(law_burden, other_burden))
    return Difference(row.cited.clause, tuple(more), tuple(less), theirs.decision.measure, person)


def _burden_pairs(mine: _Burden, their: _Burden) -> Iterator[tuple[Text, float, float]]:
    for name, value, other_value in zip(_NAMES, mine, their, strict=False):
        if value is not None and other_value is not None:
            yield name, value, other_value


def _arrival_difference(mine: _Case, theirs: _Case, row: TableRow, person: Person) -> Difference:
    """Return the difference between what a provision adds on arrival and the other law."""
    asked, decision = row.provision.on_arrival, theirs.decision
    landing = mine.decision.landing_test and asked is not None and asked.landing_test is not None
    hours = _strictness(asked.proof_hours if asked else None)
    more, _ = _differences(
        [
            (LANDING, landing, decision.landing_test),
            (PROOF, hours, _strictness(decision.proof_hours)),
        ]
    )
    return Difference(row.cited.clause, tuple(more), (), decision.measure, person)


def _doors(law: Law, other: Law) -> Iterator[Difference]:
    for venue, role in itertools.product(words_of(Venue), words_of(Role)):
        mine = doors.governing(law, venue, role, "entry")
        if mine is None or mine[0].document != law.documents[0].id or role == "patient":
            continue
        theirs = doors.governing(other, venue, role, "entry")
        # An appointment is a service of the venue, not a proof.
        checks = set(mine[1].checks) - {"appointment"}
        others = set(theirs[1].checks) - {"appointment"} if theirs else set()
        hours = _strictness(mine[1].proof_hours)
        more, less = _differences(
            [
                (CHECKS, bool(checks - others), False),
                (CHECKS, False, bool(others - checks)),
                (PROOF, hours, _strictness(theirs[1].proof_hours if theirs else None)),
            ]
        )
        cited = theirs[0] if theirs else None
        yield Difference(mine[0].clause, tuple(more), tuple(less), cited, (venue, role))


_SIZES: tuple[Level, ...] = words_of(Level)


def _lifts(law: Law, other: Law) -> Iterator[Difference]:
    theirs = list(other.cited(ZoneProvision))
    for provision in _own_provisions(law, ZoneProvision):
        if provision.lift is None:
            cited, rule = next(((c, p) for c, p in theirs if p.levels), (None, None))
            mine = {_SIZES.index(level) for level in provision.levels}
            others = {_SIZES.index(level) for level in rule.levels} if rule else set()
            more, less = _differences([(LEVELS, max(mine), max(others, default=-1))])
            if not more and min(mine) < min(others, default=0):
                less = [LEVELS]
            yield Difference(provision.clause, tuple(more), tuple(less), cited)
        else:
            cited = next((c for c, p in theirs if p.lift is not None), None)
            for later in _later_positives():
                days = [
                    zones.zone(compared_law, "building", DAY, DAY, positives=later).lift_day
                    for compared_law in (law, other)
                ]
                mine_day, their_day = (day.toordinal() if day else 0 for day in days)
                more, less = _differences([(LIFTING, mine_day, their_day)])
                yield Difference(provision.clause, tuple(more), tuple(less), cited)


def _later_positives() -> Iterator[tuple[zones.LaterPositive, ...]]:
    """Return the later positives to compare, for a zone drawn on the day of its positive."""
    yield ()
    for relation in words_of(Relation):
        yield (zones.LaterPositive(DAY + timedelta(days=3), "1", relation),)


def _tests_a_week(rule: ScreeningProvision | None) -> float:
    if rule is None or rule.force == "advise":
        return 0
    return len(rule.weekdays) or (0.5 if rule.sampled else 0)


def _frequencies(law: Law, other: Law) -> Iterator[Difference]:
    for post in words_of(Post):
        mine, theirs = screening.governing(law, post), screening.governing(other, post)
        if mine is None or mine[0].document != law.documents[0].id:
            continue
        more, less = _differences(
            [(FREQUENCY, _tests_a_week(mine[1]), _tests_a_week(theirs[1] if theirs else None))]
        )
        cited = theirs[0] if theirs else None
        yield Difference(mine[0].clause, tuple(more), tuple(less), cited, (post,))


def _gathering_rules(law: Law, other: Law) -> Iterator[Difference]:
    rules = [*law.provisions(GatheringProvision), *other.provisions(GatheringProvision)]
    sizes = sorted({0, *(n for r in rules for n in _both_sides(r.persons_at_least))})
    outside = sorted({0, *(n for r in rules for n in _both_sides(r.outside_persons_at_least))})
    for kind, persons_, strangers in itertools.product(words_of(Gathering), sizes, outside):
        mine = gatherings.gathering(law, kind, persons_, strangers)
        theirs = gatherings.gathering(other, kind, persons_, strangers)
        more, less = _differences(
            [
                (DUTIES, bool(set(mine.duties) - set(theirs.duties)), False),
                (DUTIES, False, bool(set(theirs.duties) - set(mine.duties))),
                (PROOF, _strictness(mine.proof_hours), _strictness(theirs.proof_hours)),
            ]
        )
        for rule in _own_provisions(law, GatheringProvision):
            if gatherings.covers(rule, kind, persons_, strangers):
                about = (kind, persons_, strangers)
                yield Difference(rule.clause, tuple(more), tuple(less), theirs.measure, about)


def _both_sides(bound: int | None) -> tuple[int, ...]:
    return () if bound is None else (bound - 1, bound)


def _moment(hours: int) -> datetime:
    return start_of(DAY) - timedelta(hours=hours)


def _freight(law: Law, other: Law) -> Iterator[Difference]:
    """Return the differences for crews and for trucks."""
    yield from _measures(law, other, "freight")
    yield from _trucks(law, other)


def _trucks(law: Law, other: Law) -> Iterator[Difference]:
    rules = [*law.provisions(FreightProvision), *other.provisions(FreightProvision)]
    ahead = [None, *sorted({n for r in rules for n in _both_sides(r.report_days_ahead)})]
    proofs = [None, *(Proof(_moment(r.proof_hours)) for r in rules)]
    mine_cited = next((c for c, _ in law.cited(FreightProvision)), None)
    for origin, days, proof in itertools.product(
        (law.place, law.place[:2] + "0000", "460000"), ahead, proofs
    ):
        mine, theirs = (
            roads.freight(compared_law, start_of(DAY), origin, days, proof)
            for compared_law in (law, other)
        )
        more, less = _differences(
            [
                (ENTRY, not mine.may_enter, not theirs.may_enter),
                (LANDING, mine.landing_test, theirs.landing_test),
                (DUTIES, mine.seal, theirs.seal),
            ]
        )
        if mine_cited is not None:
            yield Difference(mine_cited.clause, tuple(more), tuple(less), theirs.measure)


def _registration_terms(law: Law, other: Law) -> Iterator[Difference]:
    theirs = next(other.cited(RegistrationProvision), None)
    for rule in _own_provisions(law, RegistrationProvision):
        days = (theirs[1].days_ahead or 0) if theirs else 0
        more, less = _differences([(TERM, rule.days_ahead or 0, days)])
        yield Difference(rule.clause, tuple(more), tuple(less), theirs[0] if theirs else None)


def _whitelist_posts(law: Law, other: Law) -> Iterator[Difference]:
    for post in words_of(WhitelistPost):
        mine, theirs = (
            people.whitelist(compared_law, post, start_of(DAY)) for compared_law in (law, other)
        )
        if mine.measure is None or mine.measure.document != law.documents[0].id:
            continue
        more, less = _differences(
            [
                (DUTIES, bool(set(mine.duties) - set(theirs.duties)), False),
                (DUTIES, False, bool(set(theirs.duties) - set(mine.duties))),
            ]
        )
        yield Difference(mine.measure.clause, tuple(more), tuple(less), theirs.measure, (post,))


def _registries(law: Law, other: Law) -> Iterator[Difference]:
    ends = next((end.clause for end in _own_provisions(law, RegistryEnd)), None)
    for person in _residents(law, other):
        mine, theirs = people.list_person(law, person), people.list_person(other, person)
        more, less = _differences([(PEOPLE, mine.listed, theirs.listed)])
        citation = theirs.measure if theirs.listed else None
        if (
            mine.listed
            and mine.measure is not None
            and mine.measure.document == law.documents[0].id
        ):
            yield Difference(mine.measure.clause, tuple(more), tuple(less), citation, person)
        elif less and ends is not None:
            yield Difference(ends, (), tuple(less), None, person)


def _residents(law: Law, other: Law) -> Iterator[people.ListedFacts]:
    rules = [*law.provisions(RegistryProvision), *other.provisions(RegistryProvision)]
    ages = sorted({30, *(n for r in rules for n in _both_sides(r.group.age_at_least))})
    conditions: list[tuple[Condition, ...]] = [(), *((word,) for word in words_of(Condition))]
    flags = ("", "living_alone", "pregnant", "child_in_difficulty", "disabled")
    for age, condition, flag in itertools.product(ages, conditions, flags):
        person = people.ListedFacts(age, condition)
        yield _with_flag(person, flag)


def _with_flag(person: people.ListedFacts, flag: str) -> people.ListedFacts:
    changes: dict[str, Any] = {flag: True} if flag else {}
    return dataclasses.replace(person, **changes)


def _results(law: Law, other: Law) -> Iterator[Difference]:
    theirs = next(other.cited(InboundResults), None)
    for rule in _own_provisions(law, InboundResults):
        bound = theirs[1].positive_below_ct if theirs else 0
        more, less = _differences([(CT, rule.positive_below_ct, bound)])
        yield Difference(rule.clause, tuple(more), tuple(less), theirs[0] if theirs else None)


def _subjects() -> tuple[_Subject, ...]:
    """Return the subjects of the contract, in its order of precedence for measures first."""

    def measured(subject: MeasureSubject) -> _Subject:
        return _Subject(subject, (subject,), lambda law, other: _measures(law, other, subject))

    return (
        *(measured(subject) for subject in MEASURE_SUBJECTS if subject != "freight"),
        _Subject("inbound", ("inbound_results",), _results),
        _Subject("zones", ("zones",), _lifts),
        _Subject("screening", ("screening",), _frequencies),
        _Subject("entry", ("entry",), _doors),
        _Subject("gatherings", ("gatherings",), _gathering_rules),
        _Subject("freight", ("freight", "freight_entry"), _freight),
        _Subject("registration", ("registration",), _registration_terms),
        _Subject("whitelist", ("whitelist",), _whitelist_posts),
        _Subject("registry", ("registry",), _registries),
    )
