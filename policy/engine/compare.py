"""
Does a document go further than another: one finding for each of its clauses and subjects.

Every class of persons, venues, posts, gatherings … that the two documents can tell apart (see
`classes`) is put to both. A clause is stricter where it asks more of one class, looser where it
asks less and nowhere more, equal otherwise; silent means that the other document, with what it
inherits, has no provision on the subject. Advice never counts, nor do fallbacks and services
(readings.md, Switching and comparing).
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, TypeVar

from policy.engine import doors, gatherings, people, roads, screening, zones
from policy.engine.classes import DAY, persons
from policy.engine.decide import decide, matching_rows, needs_of, reaches
from policy.engine.facts import Person, Proof
from policy.engine.law import Citation, Law, Row
from policy.engine.moments import start_of
from policy.engine.plans import MOVEMENTS, Force
from policy.engine.schema import (
    MEASURE_SUBJECTS,
    Condition,
    Document,
    EntryProvision,
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
    WhitelistProvision,
    ZoneProvision,
    words_of,
)
from policy.engine.text import Text

Verdict = Literal["stricter", "equal", "looser", "silent"]
P = TypeVar("P", bound=Provision)


@dataclass(frozen=True, slots=True)
class Finding:
    """How one clause of a document stands to the other document on one subject."""

    subject: str
    verdict: Verdict
    clause: str
    parent_clause: str | None
    force: Force
    because: Text


class Seen(NamedTuple):
    """What was found for one class: what is more, what is less, and the other document's clause."""

    clause: str
    more: tuple[Text, ...]
    less: tuple[Text, ...]
    other: Citation | None


DAYS = Text("天数", "days")
CENTRAL = Text("集中隔离天数", "days of central isolation")
MOVEMENT = Text("外出限制", "limits on going out")
TESTS = Text("检测次数", "tests")
LANDING = Text("落地检", "the landing test")
PROOF = Text("核酸证明", "the proof")
MEDICAL = Text("收治", "medical care")
CHECKS = Text("门口查验", "checks at the door")
PEOPLE = Text("所涉人员", "the people concerned")
LIFTING = Text("解封日", "the day of lifting")
LEVELS = Text("划定范围", "how large a zone may be")
FREQUENCY = Text("检测频次", "how often tests are")
DUTIES = Text("义务", "duties")
ENTRY = Text("进入条件", "conditions of entry")
TERM = Text("报备期限", "the term of registering")
CT = Text("Ct界值", "the Ct that decides")


def compare(law: Law, other: Law) -> tuple[Finding, ...]:
    """Return one finding for each clause and subject of the law's own document."""
    own = law.documents[0]
    found: list[Finding] = []
    for subject in MEASURE_SUBJECTS:
        if any(p.subject == subject for p in own.provisions) and subject != "freight":
            silent = not other.rows[subject]
            found += _findings(own, subject, [subject], silent, _measures(law, other, subject))
    for look in (_entries, _zones, _screenings, _gatherings, _freights, _registrations):
        found += look(law, other, own)
    for look in (_whitelists, _registries, _results):
        found += look(law, other, own)
    return tuple(found)


def _findings(
    own: Document,
    subject: str,
    kinds: Sequence[str],
    silent: bool,
    seen: Iterable[Seen],  # noqa: FBT001
) -> Iterator[Finding]:
    by_clause: dict[str, list[Seen]] = {}
    for item in () if silent else seen:
        by_clause.setdefault(item.clause, []).append(item)
    provisions = [p for p in own.provisions if p.subject in kinds]
    for clause in dict.fromkeys(p.clause for p in provisions):
        force: Force = (
            "must"
            if any(p.force == "must" for p in provisions if p.clause == clause)
            else "advise"
        )
        yield _finding(subject, clause, force, by_clause.get(clause, []), silent=silent)


def _finding(
    subject: str, clause: str, force: Force, seen: Sequence[Seen], *, silent: bool
) -> Finding:
    more = list(dict.fromkeys(text for item in seen for text in item.more))
    less = list(dict.fromkeys(text for item in seen for text in item.less))
    verdict: Verdict = "equal"
    if silent:
        verdict = "silent"
    elif more and force == "must":
        verdict = "stricter"
    elif less:
        verdict = "looser"
    others = [item.other for item in seen if item.other is not None]
    telling = [item.other for item in seen if item.other and (item.more or item.less)]
    cited = (telling or others)[0].clause if others else None
    return Finding(
        subject,
        verdict,
        clause,
        None if silent else cited,
        force,
        _because(more, less, silent=silent),
    )


def _because(more: Sequence[Text], less: Sequence[Text], *, silent: bool) -> Text:
    if silent:
        return Text("对方没有此类规定。", "The other document has no provision on this.")
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


def _burden(law: Law, person: Person, row: Row | None) -> _Burden:
    """Return what a law asks; with a row only what that row itself asks on arrival."""
    decision = decide(law, person, DAY)
    plan, asked = decision.plan, row.provision.on_arrival if row else None
    must = [stage for stage in plan.stages if stage.force == "must"] if plan else []
    tests: int | None = sum(len(stage.tests) for stage in must)
    landing, hours = decision.landing_test, decision.proof_hours
    if plan and tests is not None:
        tests += len([day for day in plan.required_tests if day > 1 or not landing])
    if row is not None:
        hours = asked.proof_hours if asked else None
        landing = landing and asked is not None and asked.landing_test is not None
    if plan and _tests_unknown(law, person):
        tests = None
    return _Burden(
        days=sum(stage.days for stage in must),
        central=sum(stage.days for stage in must if stage.setting == "central"),
        movement=max(
            (-MOVEMENTS.index(stage.movement) for stage in must), default=-len(MOVEMENTS)
        ),
        tests=tests,
        landing=landing,
        proof=_strictness(hours),
        medical=decision.refer is not None,
    )


def _tests_unknown(law: Law, person: Person) -> bool:
    """Say whether the deciding clause's test days stand in no text."""
    measure, subject = decide(law, person, DAY).measure, decide(law, person, DAY).subject
    return any(
        stage.tests is None
        for rows in law.rows.get(subject, ())  # type: ignore[call-overload]
        for row in rows
        if row.cited == measure
        for stage in row.plan.stages
    )


def _measures(law: Law, other: Law, subject: MeasureSubject) -> Iterator[Seen]:
    own = law.documents[0].id
    for person in persons((law, other), subject):
        decision = decide(law, person, DAY)
        facts = needs_of(law, person, DAY, DAY).facts
        matched = matching_rows(law, facts)
        row = matched.get(subject)
        if row is None or row.cited.document != own:
            continue
        if decision.subject == subject:
            yield _deciding(law, other, person, row)
        if subject == "arrivals":
            for extra in law.rows[subject][0]:
                if (
                    extra is not row
                    and extra.provision.on_arrival
                    and reaches(extra, facts, matched)
                ):
                    yield _adding(other, person, extra, decision_landing=decision.landing_test)


def _deciding(law: Law, other: Law, person: Person, row: Row) -> Seen:
    mine, theirs = _burden(law, person, row), _burden(other, person, None)
    told = decide(other, person, DAY).measure
    if mine.medical or theirs.medical:
        more, less = _differences([(MEDICAL, mine.medical, theirs.medical)])
    else:
        more, less = _differences(
            (name, a, b)
            for name, a, b in zip(_NAMES, mine, theirs, strict=False)
            if a is not None and b is not None
        )
    return Seen(row.cited.clause, tuple(more), tuple(less), told)


def _adding(other: Law, person: Person, row: Row, *, decision_landing: bool) -> Seen:
    """Return how what a provision adds on arrival stands to what the other law asks."""
    theirs, asked = decide(other, person, DAY), row.provision.on_arrival
    more, _ = _differences(
        [
            (
                LANDING,
                decision_landing and asked is not None and asked.landing_test is not None,
                theirs.landing_test,
            ),
            (
                PROOF,
                _strictness(asked.proof_hours if asked else None),
                _strictness(theirs.proof_hours),
            ),
        ]
    )
    return Seen(row.cited.clause, tuple(more), (), theirs.measure)


def _speaks(law: Law, kind: type[P], subject: str | None = None) -> bool:
    return any(subject is None or p.subject == subject for p in law.provisions(kind))  # type: ignore[attr-defined]


def _entries(law: Law, other: Law, own: Document) -> Iterator[Finding]:
    return _findings(
        own,
        "entry",
        ["entry"],
        not _speaks(other, EntryProvision, "entry"),
        _doors(law, other, own),
    )


def _doors(law: Law, other: Law, own: Document) -> Iterator[Seen]:
    for venue, role in itertools.product(words_of(Venue), words_of(Role)):
        mine = doors.governing(law, venue, role, "entry")
        if mine is None or mine[0].document != own.id or role == "patient":
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
        yield Seen(mine[0].clause, tuple(more), tuple(less), theirs[0] if theirs else None)


def _zones(law: Law, other: Law, own: Document) -> Iterator[Finding]:
    return _findings(
        own, "zones", ["zones"], not _speaks(other, ZoneProvision), _lifts(law, other, own)
    )


_SIZES: tuple[Level, ...] = words_of(Level)


def _lifts(law: Law, other: Law, own: Document) -> Iterator[Seen]:
    theirs = list(other.cited(ZoneProvision))
    for provision in own.provisions:
        if not isinstance(provision, ZoneProvision):
            continue
        if provision.lift is None:
            cited, rule = next(((c, p) for c, p in theirs if p.levels), (None, None))
            mine = {_SIZES.index(level) for level in provision.levels}
            others = {_SIZES.index(level) for level in rule.levels} if rule else set()
            more, less = _differences([(LEVELS, max(mine), max(others, default=-1))])
            if not more and min(mine) < min(others, default=0):
                less = [LEVELS]
            yield Seen(provision.clause, tuple(more), tuple(less), cited)
        else:
            cited = next((c for c, p in theirs if p.lift is not None), None)
            for later in _later_positives():
                days = [
                    zones.zone(one, "building", DAY, DAY, positives=later).lift_day
                    for one in (law, other)
                ]
                mine_day, their_day = (day.toordinal() if day else 0 for day in days)
                more, less = _differences([(LIFTING, mine_day, their_day)])
                yield Seen(provision.clause, tuple(more), tuple(less), cited)


def _later_positives() -> Iterator[tuple[zones.LaterPositive, ...]]:
    """A zone is drawn on the day of its positive; later ones of every relation follow, or none."""
    yield ()
    for relation in words_of(Relation):
        yield (zones.LaterPositive(DAY + timedelta(days=3), "1", relation),)


def _screenings(law: Law, other: Law, own: Document) -> Iterator[Finding]:
    return _findings(
        own,
        "screening",
        ["screening"],
        not _speaks(other, ScreeningProvision),
        _frequencies(law, other, own),
    )


def _times(rule: ScreeningProvision | None) -> float:
    if rule is None or rule.force == "advise":
        return 0
    return len(rule.weekdays) or (0.5 if rule.sampled else 0)


def _frequencies(law: Law, other: Law, own: Document) -> Iterator[Seen]:
    for post in words_of(Post):
        mine, theirs = screening.governing(law, post), screening.governing(other, post)
        if mine is None or mine[0].document != own.id:
            continue
        more, less = _differences(
            [(FREQUENCY, _times(mine[1]), _times(theirs[1] if theirs else None))]
        )
        yield Seen(mine[0].clause, tuple(more), tuple(less), theirs[0] if theirs else None)


def _gatherings(law: Law, other: Law, own: Document) -> Iterator[Finding]:
    return _findings(
        own,
        "gatherings",
        ["gatherings"],
        not _speaks(other, GatheringProvision),
        _held(law, other, own),
    )


def _held(law: Law, other: Law, own: Document) -> Iterator[Seen]:
    rules = [*law.provisions(GatheringProvision), *other.provisions(GatheringProvision)]
    sizes = sorted({0, *(n for r in rules for n in _around(r.persons_at_least))})
    outside = sorted({0, *(n for r in rules for n in _around(r.outside_persons_at_least))})
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
        for rule in own.provisions:
            if isinstance(rule, GatheringProvision) and gatherings.covers(
                rule, kind, persons_, strangers
            ):
                yield Seen(rule.clause, tuple(more), tuple(less), theirs.measure)


def _around(bound: int | None) -> tuple[int, ...]:
    return () if bound is None else (bound - 1, bound)


def _freights(law: Law, other: Law, own: Document) -> Iterator[Finding]:
    return _findings(
        own,
        "freight",
        ["freight", "freight_entry"],
        not _speaks(other, FreightProvision),
        _trucks(law, other),
    )


def _moment(hours: int) -> datetime:
    return start_of(DAY) - timedelta(hours=hours)


def _trucks(law: Law, other: Law) -> Iterator[Seen]:
    rules = [*law.provisions(FreightProvision), *other.provisions(FreightProvision)]
    ahead = [None, *sorted({n for r in rules for n in _around(r.report_days_ahead)})]
    proofs = [None, *(Proof(_moment(r.proof_hours)) for r in rules)]
    mine_cited = next((c for c, _ in law.cited(FreightProvision)), None)
    for origin, days, proof in itertools.product(
        (law.place, law.place[:2] + "0000", "460000"), ahead, proofs
    ):
        mine, theirs = (
            roads.freight(one, start_of(DAY), origin, days, proof) for one in (law, other)
        )
        more, less = _differences(
            [
                (ENTRY, not mine.may_enter, not theirs.may_enter),
                (LANDING, mine.landing_test, theirs.landing_test),
                (DUTIES, mine.seal, theirs.seal),
            ]
        )
        if mine_cited is not None:
            yield Seen(mine_cited.clause, tuple(more), tuple(less), theirs.measure)


def _registrations(law: Law, other: Law, own: Document) -> Iterator[Finding]:
    theirs = next(other.cited(RegistrationProvision), None)
    return _findings(
        own,
        "registration",
        ["registration"],
        theirs is None,
        (
            Seen(
                rule.clause,
                *map(
                    tuple,
                    _differences(
                        [
                            (
                                TERM,
                                rule.days_ahead or 0,
                                (theirs[1].days_ahead or 0) if theirs else 0,
                            )
                        ]
                    ),
                ),
                theirs[0] if theirs else None,
            )
            for rule in own.provisions
            if isinstance(rule, RegistrationProvision)
        ),
    )


def _whitelists(law: Law, other: Law, own: Document) -> Iterator[Finding]:
    return _findings(
        own,
        "whitelist",
        ["whitelist"],
        not _speaks(other, WhitelistProvision),
        _workers(law, other, own),
    )


def _workers(law: Law, other: Law, own: Document) -> Iterator[Seen]:
    for post in words_of(WhitelistPost):
        mine, theirs = (people.whitelist(one, post, start_of(DAY)) for one in (law, other))
        if mine.measure is None or mine.measure.document != own.id:
            continue
        more, less = _differences(
            [
                (DUTIES, bool(set(mine.duties) - set(theirs.duties)), False),
                (DUTIES, False, bool(set(theirs.duties) - set(mine.duties))),
            ]
        )
        yield Seen(mine.measure.clause, tuple(more), tuple(less), theirs.measure)


def _registries(law: Law, other: Law, own: Document) -> Iterator[Finding]:
    return _findings(
        own,
        "registry",
        ["registry"],
        not _speaks(other, RegistryProvision),
        _listed(law, other, own),
    )


def _listed(law: Law, other: Law, own: Document) -> Iterator[Seen]:
    ends = next((p.clause for p in own.provisions if isinstance(p, RegistryEnd)), None)
    for person in _residents(law, other):
        mine, theirs = people.list_person(law, person), people.list_person(other, person)
        more, less = _differences([(PEOPLE, mine.listed, theirs.listed)])
        told = theirs.measure if theirs.listed else None
        if mine.listed and mine.measure is not None and mine.measure.document == own.id:
            yield Seen(mine.measure.clause, tuple(more), tuple(less), told)
        elif less and ends is not None:
            yield Seen(ends, (), tuple(less), told)


def _residents(law: Law, other: Law) -> Iterator[people.Resident]:
    rules = [*law.provisions(RegistryProvision), *other.provisions(RegistryProvision)]
    ages = sorted({30, *(n for r in rules for n in _around(r.group.age_at_least))})
    conditions: list[tuple[Condition, ...]] = [(), *((word,) for word in words_of(Condition))]
    flags = ("", "living_alone", "pregnant", "child_in_difficulty", "disabled")
    for age, condition, flag in itertools.product(ages, conditions, flags):
        yield people.Resident(age, condition, **({flag: True} if flag else {}))


def _results(law: Law, other: Law, own: Document) -> Iterator[Finding]:
    theirs = next(other.cited(InboundResults), None)
    seen = (
        Seen(
            rule.clause,
            *map(
                tuple,
                _differences(
                    [(CT, rule.positive_below_ct, theirs[1].positive_below_ct if theirs else 0)]
                ),
            ),
            theirs[0] if theirs else None,
        )
        for rule in own.provisions
        if isinstance(rule, InboundResults)
    )
    return _findings(own, "inbound", ["inbound_results"], theirs is None, seen)
