"""Faults of a document whose values are each of the right type."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from policy.engine import areas
from policy.engine.comparison.classes import DAY, class_count, persons
from policy.engine.decisions import doors
from policy.engine.decisions.decide import matching_rows, reaches, situation
from policy.engine.documents.law import Law
from policy.engine.documents.schema import (
    MEASURE_SUBJECTS,
    SUBJECTS,
    Document,
    EntryProvision,
    GatheringProvision,
    MeasureProvision,
    Post,
    Provision,
    RegistryProvision,
    Role,
    ScreeningProvision,
    Venue,
    WhitelistProvision,
    Who,
    values,
    words_of,
)
from policy.engine.text import Text


class Fault(NamedTuple):
    """A fault: its place in the document and a sentence."""

    place: tuple[int | str, ...]
    text: Text


Numbered = tuple[int, Provision]
# The richest notice tells some thousands apart.
MOST_CLASSES = 100_000
_TOO_MANY_CLASSES = Text(
    "此类规定的条件区分出的人群过多，无法逐一核对。",
    "the conditions on this subject tell more classes of people apart than can be looked at.",
)


def faults(document: Document) -> Iterator[Fault]:
    """Return the faults of a document, in the order in which they are best mended."""
    yield from _clauses(document)
    yield from _references(document)
    for number, provision in enumerate(document.provisions):
        yield from _defaults(number, provision)
        if isinstance(provision, MeasureProvision):
            yield from _contradictions(number, provision, document)
    yield from _duplicates(document)
    yield from _never_reached(document)


def _clauses(document: Document) -> Iterator[Fault]:
    """Return the faults of the list of clauses, each of which a provision or a reason covers."""
    known: set[str] = set()
    for number, clause in enumerate(document.clauses):
        if clause in known:
            twice = Text(f"第{clause}条重复列出。", f"clause {clause} stands here twice.")
            yield Fault(("clauses", number), twice)
        known.add(clause)
    for field, items in (
        ("provisions", document.provisions),
        ("no_provision", document.no_provision),
    ):
        for number, item in enumerate(items):
            if item.clause not in known:
                yield Fault(
                    (field, number, "clause"),
                    Text(
                        f"第{item.clause}条不在本文件的条款之列。",
                        f"clause {item.clause} is not among the document's clauses.",
                    ),
                )
    mentioned = {item.clause for item in (*document.provisions, *document.no_provision)}
    for number, clause in enumerate(document.clauses):
        if clause not in mentioned:
            yield Fault(
                ("clauses", number),
                Text(
                    f"第{clause}条既无规定，也未列入 no_provision。",
                    f"clause {clause} has neither a provision nor a line under no_provision.",
                ),
            )


def _references(document: Document) -> Iterator[Fault]:
    if document.id == document.parent:
        yield Fault(
            ("parent",), Text("文件不能以自身为上级。", "a document is not its own parent.")
        )
    if document.checked_on < document.in_force_from:
        yield Fault(
            ("checked_on",),
            Text("核对日早于施行日。", "it was compared with its text before it came into force."),
        )
    if document.parent is None:
        for number, provision in enumerate(document.provisions):
            if isinstance(provision, MeasureProvision) and provision.plan_of_parent:
                yield Fault(
                    ("provisions", number, "plan_of_parent"),
                    Text("本文件没有上级文件。", "this document has no parent."),
                )


def _defaults(number: int, provision: Provision) -> Iterator[Fault]:
    stated = {name for name, _value in values(provision)}
    for name in provision.defaults:
        if name not in stated:
            yield Fault(
                ("provisions", number, "defaults"),
                Text(
                    f"“{name}”列为默认值，但本规定没有给出。",
                    f"'{name}' is called a default but not given in this provision.",
                ),
            )


_EXPOSURE_OF = {
    "infected": "infected",
    "close_contacts": "close_contact",
    "secondary_contacts": "secondary_contact",
}
_NEEDED = {
    "high_risk_stay": "stayed_in",
    "low_risk_stay": "stayed_in",
    "listed_areas": "been_in",
    "inbound": "inbound",
    "freight": "freight_crew",
    "closed_loop_posts": "closed_loop_ended",
    "arrivals": "arrived_from",
}


def _contradictions(
    number: int, provision: MeasureProvision, document: Document
) -> Iterator[Fault]:
    """Conditions that can never hold together, or that do not speak of the subject."""
    place: tuple[int | str, ...] = ("provisions", number, "who")
    for text in (*_wrong_subject(provision), *_impossible(provision.who, document)):
        yield Fault(place, text)
    order = {subject: rank for rank, subject in enumerate(MEASURE_SUBJECTS)}
    for other in provision.unless:
        if order[other] >= order[provision.subject]:
            yield Fault(
                ("provisions", number, "unless"),
                Text(
                    f"“{other}”不在“{provision.subject}”之前，不能作为例外。",
                    f"'{other}' does not go before '{provision.subject}', so it cannot be "
                    "excepted.",
                ),
            )


def _wrong_subject(provision: MeasureProvision) -> Iterator[Text]:
    who, subject = provision.who, provision.subject
    exposure = _EXPOSURE_OF.get(subject)
    if exposure is not None and who.exposure != exposure:
        yield Text(
            f"“{subject}”的规定须有条件“exposure: {exposure}”。",
            f"a provision on {subject} needs exposure: {exposure}.",
        )
    needed = _NEEDED.get(subject)
    if needed is not None and not getattr(who, needed):
        yield Text(
            f"“{subject}”的规定须有条件“{needed}”。",
            f"a provision on {subject} needs the condition {needed}.",
        )
    if subject == "inbound" and who.inbound == "none":
        yield Text(
            "没有从境外来的人不会适用入境规定：永不匹配。",
            "who has not come from abroad cannot be under a provision on inbound: never matches.",
        )
    if who.stayed_in and subject != f"{who.stayed_in.risk}_risk_stay":
        risk = who.stayed_in.risk
        yield Text(
            f"“{risk}”风险的旅居史属于“{risk}_risk_stay”。",
            f"a stay at {risk} risk belongs to {risk}_risk_stay.",
        )


def _impossible(who: Who, document: Document) -> Iterator[Text]:
    if who.exposure != "infected" and (who.clinical or who.serious_underlying_disease is not None):
        yield Text(
            "临床分型只属于感染者，此条件永不匹配。",
            "clinical classes belong to infected people only, so this never matches.",
        )
    if who.spread_at_origin and who.arrived_from is None:
        yield Text(
            "spread_at_origin 须与 arrived_from 同时给出。", "spread_at_origin needs arrived_from."
        )
    if who.stayed_in and who.stayed_in.outside_area and document.area == areas.NATIONAL:
        yield Text(
            "全国之外没有地区，outside_area 永不匹配。",
            "nothing lies outside the nation, so outside_area never matches.",
        )


def _conditions(provision: Provision) -> object:
    """Return what decides whether a provision is reached; its kind of answer left out."""
    if isinstance(provision, MeasureProvision):
        return provision.who, provision.unless
    if isinstance(provision, EntryProvision):
        return (
            frozenset(provision.venues),
            frozenset(provision.except_venues),
            frozenset(provision.roles),
        )
    if isinstance(provision, GatheringProvision):
        return (
            frozenset(provision.kinds),
            provision.persons_at_least,
            provision.outside_persons_at_least,
        )
    if isinstance(provision, ScreeningProvision | WhitelistProvision):
        return frozenset(provision.posts)
    if isinstance(provision, RegistryProvision):
        return provision.group, provision.category
    return None


def _tables(document: Document) -> Iterator[tuple[str, list[Numbered]]]:
    tables: dict[str, list[Numbered]] = {}
    for number, provision in enumerate(document.provisions):
        tables.setdefault(provision.subject, []).append((number, provision))
    yield from tables.items()


def _duplicates(document: Document) -> Iterator[Fault]:
    """Return the provisions with the same conditions as another one."""
    for subject, rows in _tables(document):
        if subject == "zones":
            yield from _zone_duplicates(rows)
            continue
        for (_, first), (number, second) in itertools.combinations(rows, 2):
            if _conditions(first) == _conditions(second):
                yield Fault(
                    ("provisions", number),
                    Text(
                        f"此条“{subject}”规定与上面第{first.clause}条的规定无从区分。",
                        f"nobody can tell this provision on {subject} from the one of clause "
                        f"{first.clause} above it.",
                    ),
                )


def _zone_duplicates(rows: Sequence[Numbered]) -> Iterator[Fault]:
    for name, words in (
        ("levels", Text("划定范围", "how large a zone may be")),
        ("lift", Text("解封规则", "when a zone is lifted")),
    ):
        saying = [number for number, provision in rows if getattr(provision, name)]
        for number in saying[1:]:
            twice = Text(f"{words.zh}在此重复规定。", f"{words.en} is said here a second time.")
            yield Fault(("provisions", number, name), twice)


def _never_reached(document: Document) -> Iterator[Fault]:
    """Return the provisions that match no case, or only cases that an earlier one matches."""
    yield from _measures_never_reached(document)
    for _, rows in _tables(document):
        for place, (number, provision) in enumerate(rows):
            cases = _cases(provision)
            if cases is None:
                continue
            if not cases:
                never = Text("此规定永不匹配。", "this provision never matches.")
                yield Fault(("provisions", number), never)
            for _, above in rows[:place]:
                cases -= _cases(above) or set()
                if not cases:
                    yield _unreachable(number, above.clause)
                    break


def _unreachable(number: int, clause: str) -> Fault:
    return Fault(
        ("provisions", number),
        Text(
            f"此规定永远轮不到：上面的规定（最后是第{clause}条）已涵盖所有情形。",
            f"this provision is never reached: those above it, clause {clause} last, catch "
            "everyone.",
        ),
    )


def _cases(provision: Provision) -> set[object] | None:
    """Return all cases that a provision of a finite subject speaks of; None for other subjects."""
    if isinstance(provision, EntryProvision):
        return {
            (venue, role)
            for venue in words_of(Venue)
            for role in words_of(Role)
            if doors.covers(provision, venue, role)
        }
    if isinstance(provision, ScreeningProvision):
        return set(provision.posts or words_of(Post))
    if isinstance(provision, WhitelistProvision):
        return set(provision.posts)
    return None


def _measures_never_reached(document: Document) -> Iterator[Fault]:
    """Return the measures that match no class of persons, or none before an earlier provision."""
    law = Law(document.id, (document,), document.area)
    for subject in MEASURE_SUBJECTS:
        rows = [row for table in law.rows[subject] for row in table]
        if not rows:
            continue
        if class_count((law,), subject) > MOST_CLASSES:
            number = next(n for n, p in enumerate(document.provisions) if p is rows[0].provision)
            yield Fault(("provisions", number), _TOO_MANY_CLASSES)
            return
        first, matched = set[int](), set[int]()
        for person in persons((law,), subject):
            holds = law.conditions_that_hold(situation(person, DAY, DAY))
            caught = matching_rows(law, holds)
            reached = [place for place, row in enumerate(rows) if reaches(row, holds, caught)]
            matched.update(reached)
            # What is asked on arrival adds up, so such a provision speaks even below another.
            first.update(p for p in reached[1:] if rows[p].provision.on_arrival)
            first.update(reached[:1])
        for place, row in enumerate(rows):
            number = next(n for n, p in enumerate(document.provisions) if p is row.provision)
            if place not in matched:
                nobody = Text("此规定不适用于任何人。", "this provision never matches anybody.")
                yield Fault(("provisions", number), nobody)
            elif place not in first:
                yield _unreachable(number, rows[place - 1].cited.clause)


def family_faults(document: Document, others: Mapping[str, Document]) -> Iterator[Fault]:
    """Return why a document cannot stand beside the others: its parents, and holes in time."""
    if document.id in others:
        taken = Text(f"id“{document.id}”已被占用。", f"the id '{document.id}' is taken.")
        yield Fault(("id",), taken)
        return
    yield from _parent_faults(document, others)
    if document.forwards not in (None, document.parent):
        only = Text("转发文件只能转发其上级。", "a document forwards its parent, no other.")
        yield Fault(("forwards",), only)
    for first, last in coverage_gaps(document.area, {**others, document.id: document}):
        until = f"{last:%Y-%m-%d}" if last else "…"
        yield Fault(
            ("in_force_until",),
            Text(
                f"本地区在{first:%Y-%m-%d}至{until}没有现行政策文件。",
                f"its area is without a document from {first:%Y-%m-%d} to {until}.",
            ),
        )


def _parent_faults(document: Document, others: Mapping[str, Document]) -> Iterator[Fault]:
    seen, current = {document.id}, document
    while current.parent is not None:
        parent = document if current.parent == document.id else others.get(current.parent)
        if parent is None:
            unknown = Text(
                f"未知的上级“{current.parent}”。", f"the parent '{current.parent}' is not known."
            )
            yield Fault(("parent",), unknown)
            return
        if parent.id in seen:
            circle = Text(f"“{parent.id}”成了自己的上级。", f"'{parent.id}' is its own ancestor.")
            yield Fault(("parent",), circle)
            return
        if parent.in_force_from > current.in_force_from:
            later = Text(
                f"上级“{parent.id}”施行更晚。", f"the parent '{parent.id}' comes into force later."
            )
            yield Fault(("parent",), later)
        if _ends_before(parent, document):
            ends = Text(
                f"上级“{parent.id}”在本文件之前停止施行，此后本文件未写明的均无规定。",
                f"'{parent.id}' ends before this document: then nobody speaks where it is silent.",
            )
            yield Fault(("parent",), ends)
        seen.add(parent.id)
        current = parent


def _ends_before(parent: Document, document: Document) -> bool:
    if parent.in_force_until is None:
        return False
    return document.in_force_until is None or parent.in_force_until < document.in_force_until


def coverage_gaps(
    area: str, documents: Mapping[str, Document]
) -> Iterator[tuple[date, date | None]]:
    """Return the periods, from the first document on, without any in force in an area."""
    spans = sorted(
        (known.in_force_from, known.in_force_until or date.max)
        for known in documents.values()
        if areas.lies_in(area, known.area)
    )
    covered = spans[0][0] if spans else date.max
    for first, last in spans:
        if first > covered:
            yield covered, first - timedelta(days=1)
        if last == date.max:
            return
        covered = max(covered, last + timedelta(days=1))
    if spans:
        yield covered, None


def silent_subjects(law: Law) -> tuple[str, ...]:
    """Return the subjects on which neither a document nor what it inherits speaks."""
    spoken = {provision.subject for document in law.documents for provision in document.provisions}
    spoken.add("registry_end")  # says that a list is complete, nothing of its own
    return tuple(subject for subject in SUBJECTS if subject not in spoken)
