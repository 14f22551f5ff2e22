"""What is wrong with a document although each of its values is of the right type."""

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from policy.engine import areas, doors
from policy.engine.classes import DAY, persons
from policy.engine.decide import matching_rows, reaches, situation
from policy.engine.law import Law
from policy.engine.schema import (
    MEASURE_SUBJECTS,
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
    words_of,
)


class Fault(NamedTuple):
    """A place in the document and a sentence about it."""

    place: tuple[int | str, ...]
    sentence: str


Numbered = tuple[int, Provision]


def faults(document: Document) -> Iterator[Fault]:
    """Return what is wrong with a document, in the order in which it is best mended."""
    yield from _clauses(document)
    yield from _references(document)
    for number, provision in enumerate(document.provisions):
        yield from _defaults(number, provision)
        if isinstance(provision, MeasureProvision):
            yield from _contradictions(number, provision, document)
    yield from _twins(document)
    yield from _never_reached(document)


def _clauses(document: Document) -> Iterator[Fault]:
    """Every numbered clause is carried by a provision or by a line that says why not."""
    known: set[str] = set()
    for number, clause in enumerate(document.clauses):
        if clause in known:
            yield Fault(("clauses", number), f"clause {clause} stands here twice.")
        known.add(clause)
    for field, items in (
        ("provisions", document.provisions),
        ("no_provision", document.no_provision),
    ):
        for number, item in enumerate(items):
            if item.clause not in known:
                yield Fault(
                    (field, number, "clause"),
                    f"clause {item.clause} is not among the document's clauses.",
                )
    told = {item.clause for item in (*document.provisions, *document.no_provision)}
    for number, clause in enumerate(document.clauses):
        if clause not in told:
            yield Fault(
                ("clauses", number),
                f"clause {clause} has neither a provision nor a line under no_provision.",
            )


def _references(document: Document) -> Iterator[Fault]:
    if document.id == document.parent:
        yield Fault(("parent",), "a document is not its own parent.")
    if document.checked_on < document.in_force_from:
        yield Fault(("checked_on",), "it was compared with its text before it came into force.")
    if document.parent is None:
        for number, provision in enumerate(document.provisions):
            if isinstance(provision, MeasureProvision) and provision.plan_of_parent:
                yield Fault(
                    ("provisions", number, "plan_of_parent"), "this document has no parent."
                )


def _named(value: object) -> Iterator[str]:
    """Return the names of all values that a provision gives, inner ones included."""
    if isinstance(value, tuple):
        for item in value:
            yield from _named(item)
    elif hasattr(value, "model_fields_set"):
        for name in value.model_fields_set:
            yield name
            yield from _named(getattr(value, name))


def _defaults(number: int, provision: Provision) -> Iterator[Fault]:
    given = set(_named(provision))
    for name in provision.defaults:
        if name not in given:
            yield Fault(
                ("provisions", number, "defaults"),
                f"'{name}' is called a default but not given in this provision.",
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
    for sentence in (
        *_wrong_subject(provision),
        *_impossible(provision.who, document),
    ):
        yield Fault(place, sentence)
    order = {subject: rank for rank, subject in enumerate(MEASURE_SUBJECTS)}
    for other in provision.unless:
        if order[other] >= order[provision.subject]:
            yield Fault(
                ("provisions", number, "unless"),
                f"'{other}' does not go before '{provision.subject}', so it cannot be excepted.",
            )


def _wrong_subject(provision: MeasureProvision) -> Iterator[str]:
    who, subject = provision.who, provision.subject
    exposure = _EXPOSURE_OF.get(subject)
    if exposure is not None and who.exposure != exposure:
        yield f"a provision on {subject} needs exposure: {exposure}."
    needed = _NEEDED.get(subject)
    if needed is not None and not getattr(who, needed):
        yield f"a provision on {subject} needs the condition {needed}."
    if subject == "inbound" and who.inbound == "none":
        yield "who has not come from abroad cannot be under a provision on inbound: never matches."
    if who.stayed_in and subject != f"{who.stayed_in.risk}_risk_stay":
        yield f"a stay at {who.stayed_in.risk} risk belongs to {who.stayed_in.risk}_risk_stay."


def _impossible(who: Who, document: Document) -> Iterator[str]:
    if who.exposure != "infected" and (who.clinical or who.serious_underlying_disease is not None):
        yield "clinical classes belong to infected people only, so this never matches."
    if who.clinical == ():
        yield "an empty list of clinical classes never matches."
    if who.spread_at_origin and who.arrived_from is None:
        yield "spread_at_origin needs arrived_from."
    if who.stayed_in and who.stayed_in.outside_area and document.area == areas.NATIONAL:
        yield "nothing lies outside the nation, so outside_area never matches."


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
    found: dict[str, list[Numbered]] = {}
    for number, provision in enumerate(document.provisions):
        found.setdefault(provision.subject, []).append((number, provision))
    yield from found.items()


def _twins(document: Document) -> Iterator[Fault]:
    """Two provisions that no fact can tell apart."""
    for subject, rows in _tables(document):
        if subject == "zones":
            yield from _zone_twins(rows)
            continue
        for (_, first), (number, second) in itertools.combinations(rows, 2):
            if _conditions(first) == _conditions(second):
                yield Fault(
                    ("provisions", number),
                    f"nobody can tell this provision on {subject} from the one of clause "
                    f"{first.clause} above it.",
                )


def _zone_twins(rows: Sequence[Numbered]) -> Iterator[Fault]:
    for name, words in (("levels", "how large a zone may be"), ("lift", "when a zone is lifted")):
        saying = [number for number, provision in rows if getattr(provision, name)]
        for number in saying[1:]:
            yield Fault(("provisions", number, name), f"{words} is said here a second time.")


def _never_reached(document: Document) -> Iterator[Fault]:
    """Provisions that match no case at all, or whose every case is caught above them."""
    yield from _measures_never_reached(document)
    for _, rows in _tables(document):
        for place, (number, provision) in enumerate(rows):
            cases = _cases(provision)
            if cases is None:
                continue
            if not cases:
                yield Fault(("provisions", number), "this provision never matches.")
            for _, above in rows[:place]:
                cases -= _cases(above) or set()
                if not cases:
                    yield _caught(number, above.clause)
                    break


def _caught(number: int, clause: str) -> Fault:
    return Fault(
        ("provisions", number),
        f"this provision is never reached: those above it, clause {clause} last, catch everyone.",
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
    """Put every class of persons that the document can tell apart to its own provisions."""
    law = Law(document.id, (document,), document.area)
    for subject in MEASURE_SUBJECTS:
        rows = [row for table in law.rows[subject] for row in table]
        if not rows:
            continue
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
                yield Fault(("provisions", number), "this provision never matches anybody.")
            elif place not in first:
                yield _caught(number, rows[place - 1].cited.clause)
