"""
Who lives with an infected person: proposed as close contacts, since both live behind one door.

Somebody may be a contact of several people: each contact is a ground of its own, with its own
day 1. Who is a contact already is proposed again, with the day of release as it is and as it
would be. Who was infected by then is no contact; who was infected later is one, and stays one if
their own positive turns out wrong. So who is a contact of whom follows from the days on which
people were infected, whichever became known first.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q

from common import clock
from policy.engine.calendars.laying import lay
from policy.engine.decisions.decide import Decision
from policy.engine.decisions.facts import Person
from policy.engine.documents.library import Law
from policy.services import in_force, law_of
from quarantine.cases.facts import decide_on, unpack
from quarantine.cases.infections import LONG_AGO, Past, first_day, infected_then
from quarantine.cases.plans import plan_of
from quarantine.cases.standing import INFECTED, STRICTEST_FIRST
from quarantine.models import Case, Event
from residents.register.models import Resident

# What is read with an index case.
_RELATED = ("plan", "grid", "resident", "arrival", "positive__sample")
# The events of an index case that say who may be a contact.
DECIDING = (Event.Kind.POSITIVE, Event.Kind.NO_CONTACT)


@dataclass(frozen=True)
class ProposedContact:
    """
    Somebody who lives with an infected person, and what being their contact would ask.

    `until` is the day of release of whatever holds them already, `would_be` that of the new
    ground; `governing` is the case that holds them now.
    """

    resident: Resident
    index: Case
    day_1: date
    governing: Case | None
    would_be: date | None
    # The law in force, the facts of a contact, and what that law asks of them.
    asked: tuple[Law, Person, Decision]

    @property
    def until(self) -> date | None:
        """The day on which what holds them already ends."""
        return self.governing.release_on if self.governing else None

    @property
    def lengthens(self) -> bool:
        """Whether they would be held longer than they are."""
        held = self.governing
        if held and plan_of(held.plan).subject == INFECTED:  # it goes before all others
            return False
        return self.would_be is not None and (self.until is None or self.until < self.would_be)


def infected_on(case: Case, *, events: Iterable[Event] | None = None) -> date | None:
    """
    Return the first day on which a case says that its person is infected, None for others.

    That of the sample which opened or stopped it; of somebody who came infected the day of
    arrival. `events` are the valid ones of the case, where they have been read.
    """
    if case.positive is not None:
        return case.positive.sample.day
    if case.arrival_id is not None and _came_infected(case):
        return case.arrival.arrived_on if case.arrival else None
    happened = case.events.valid() if events is None else events
    return min((e.day for e in happened if e.kind == Event.Kind.POSITIVE), default=None)


def _came_infected(case: Case) -> bool:
    return unpack(case.facts, day_1=case.day_1).exposure == INFECTED


def proposed_contacts(
    *, case: Case, at: datetime, events: Iterable[Event] | None = None
) -> list[ProposedContact]:
    """Return the household members of the infected person of `case` who are not decided on."""
    day = infected_on(case, events=events)
    if day is None:
        return []
    read = None if events is None else {case.pk: list(events)}
    return _proposals([case], at=at, known=_known([case], read))[case.pk]


def proposals_waiting(
    *, residents: Collection[Resident], at: datetime
) -> dict[int, list[ProposedContact]]:
    """
    Return what is still to be decided about people that would hold them longer, by primary key.

    Where nobody behind the same doors is infected, one query.
    """
    cases = list(_infected_behind(residents, at=at))
    if not cases:
        return {}
    return _lengthening(residents, cases, _proposals(cases, at=at, known=_known(cases)))


def cases_behind(case: Case) -> list[Case]:
    """
    Return the cases of the person of a case, and of whoever lives behind the same door.

    The open ones first, the strictest before the others. One query.
    """
    here = Q(resident=case.resident_id) | Q(resident__household=case.resident.household_id)
    cases = Case.objects.filter(here)
    positive = Event.objects.filter(pk__in=_positives(), case=OuterRef("pk"))
    related = (*_RELATED, "index_case__resident")
    return list(
        cases.select_related(*related)
        .annotate(says_positive=Exists(positive))
        .order_by(F("closed_on").desc(nulls_first=True), *STRICTEST_FIRST)
    )


def infected_beside(case: Case, cases: Iterable[Case], *, at: datetime) -> list[Case]:
    """Return those of the cases behind a door that say that somebody else there is infected."""
    infected = [
        other
        for other in cases
        if other.resident_id != case.resident_id
        and other.closed_as not in Case.VOID
        and other.opened_at >= at - LONG_AGO
        and (
            plan_of(other.plan).subject == INFECTED
            or other.closed_as == Case.ClosedAs.REFERRED
            or (other.closed_on and other.says_positive)  # type: ignore[attr-defined]
        )
    ]
    return sorted(infected, key=lambda other: other.pk)


def household_of(
    *,
    case: Case,
    at: datetime,
    cases: Sequence[Case],
    people: Sequence[Resident],
    events: Mapping[int, Sequence[Event]],
) -> tuple[list[ProposedContact], list[ProposedContact]]:
    """
    Return the contacts to propose of a case, and what else is to be decided about its person.

    The same as `proposed_contacts` and `proposals_waiting`, from what was read already: the
    `cases_behind` the door, the people there, and the events of the index cases. One query.
    """
    beside = infected_beside(case, cases, at=at)
    infected = infected_on(case, events=events.get(case.pk, ())) is not None
    known = _Known(dict(events), {case.resident.household_id: list(people)}, cases)
    proposals = _proposals([*([case] if infected else []), *beside], at=at, known=known)
    waiting = _lengthening([case.resident], beside, proposals)
    return proposals.get(case.pk, []), waiting.get(case.resident_id, [])


def _infected_behind(residents: Collection[Resident], *, at: datetime) -> Any:
    """Return the cases that say that somebody else behind the same doors is infected."""
    doors = {resident.household_id for resident in residents}
    cases = Case.objects.exclude(closed_as__in=Case.VOID).filter(
        Q(plan__provision__subject=INFECTED)
        | Q(closed_as=Case.ClosedAs.REFERRED)
        | Q(closed_on__isnull=False, events__in=_positives()),
        resident__household__in=doors,
        opened_at__gte=at - LONG_AGO,
    )
    if len(residents) == 1:
        cases = cases.exclude(resident__in=residents)
    return cases.select_related(*_RELATED).order_by("pk").distinct()


def _lengthening(
    residents: Collection[Resident],
    cases: Sequence[Case],
    proposals: Mapping[int, Sequence[ProposedContact]],
) -> dict[int, list[ProposedContact]]:
    """Return the proposals about people that hold them longer, one for each infected person."""
    asked = {resident.pk for resident in residents}
    waiting: dict[int, list[ProposedContact]] = defaultdict(list)
    seen = set[tuple[int, int]]()
    for case in cases:
        for proposed in proposals.get(case.pk, []):
            pair = (case.resident_id, proposed.resident.pk)
            if proposed.resident.pk in asked and proposed.lengthens and pair not in seen:
                seen.add(pair)
                waiting[proposed.resident.pk].append(proposed)
    return dict(waiting)


def _deciding_events(cases: Sequence[Case]) -> dict[int, list[Event]]:
    """Return the events of cases that say who may be a contact. One query."""
    events: dict[int, list[Event]] = {case.pk: [] for case in cases}
    if events:
        for event in Event.objects.valid().filter(case__in=list(events), kind__in=DECIDING):
            events[event.case_id].append(event)
    return events


def _positives() -> Any:
    return Event.objects.valid().filter(kind=Event.Kind.POSITIVE).values("pk")


@dataclass(frozen=True)
class _Known:
    """What proposals rest on: events of index cases, people by door, and the cases of these."""

    events: dict[int, list[Event]] | dict[int, Sequence[Event]]
    behind: dict[int, list[Resident]]
    cases: Sequence[Case]

    @property
    def governing(self) -> dict[int, Case]:
        """The case that holds each person."""
        return {one.resident_id: one for one in self.cases if one.governs and not one.closed_on}

    def decided(self, case: Case) -> set[int]:
        """Return who is or was a contact of the same infection."""
        return {
            one.resident_id
            for one in self.cases
            if one.index_case
            and one.closed_as != Case.ClosedAs.WITHDRAWN
            and one.index_case.resident_id == case.resident_id
            # Of an infection that never was, nobody was a contact.
            and one.index_case.closed_as not in Case.VOID
            and one.index_case.opened_at >= case.opened_at - LONG_AGO
        }


def _known(cases: Sequence[Case], events: dict[int, list[Event]] | None = None) -> _Known:
    """Read what proposals rest on. Three queries, and two where the events have been read."""
    behind = _behind({case.resident.household_id for case in cases})
    people = [resident for residents in behind.values() for resident in residents]
    theirs = Case.objects.filter(resident__in=people).filter(
        Q(closed_on=None) | Q(index_case__resident__in=[case.resident_id for case in cases])
    )
    read = _deciding_events(cases) if events is None else events
    return _Known(read, behind, list(theirs.select_related("plan", "index_case")))


def _proposals(
    cases: Sequence[Case], *, at: datetime, known: _Known
) -> dict[int, list[ProposedContact]]:
    """Return the contacts to propose of index cases, by primary key. Two queries."""
    days = {case.pk: infected_on(case, events=known.events.get(case.pk, ())) for case in cases}
    people = [resident for residents in known.behind.values() for resident in residents]
    pks = {*(case.resident_id for case in cases), *(resident.pk for resident in people)}
    past = Past(pks if any(days.values()) else ())
    infections, governing, laws = past.infections, known.governing, _Laws(at)
    proposals: dict[int, list[ProposedContact]] = {case.pk: [] for case in cases}
    for case in cases:
        day = days[case.pk]
        if day is None:
            continue
        day = max(first_day(infections[case.resident_id], day), past.there_since(case.resident))
        none = {case.resident_id, *_declined(known.events.get(case.pk, ())), *known.decided(case)}
        for resident in known.behind.get(case.resident.household_id, ()):
            first = max(day, past.there_since(resident))
            if resident.pk not in none and not infected_then(infections[resident.pk], first):
                held, law = governing.get(resident.pk), laws.of(case)
                proposals[case.pk].append(_proposed(case, resident, first, held, law, at=at))
    return proposals


class _Laws:
    """The law in force for index cases at a moment, asked once for each grid."""

    def __init__(self, at: datetime) -> None:
        self._at, self._of_grid = at, dict[int, Law | None]()

    def of(self, case: Case) -> Law:
        """Return the law in force where a case is kept; without any that of the case."""
        if case.grid_id not in self._of_grid:
            self._of_grid[case.grid_id] = in_force(area=case.grid, at=self._at)
        return self._of_grid[case.grid_id] or law_of(document=case.law, area=case.grid)


def _behind(doors: Collection[int]) -> dict[int, list[Resident]]:
    """Return who lives behind some doors."""
    behind: dict[int, list[Resident]] = defaultdict(list)
    residents = Resident.objects.here().filter(household__in=doors).select_related("grid")
    for resident in residents.order_by("pk") if doors else ():
        behind[resident.household_id].append(resident)
    return behind


def _proposed(
    case: Case, resident: Resident, first: date, held: Case | None, law: Law, *, at: datetime
) -> ProposedContact:
    known = unpack(held.facts, day_1=held.day_1) if held else Person()
    person = Person(
        start=first, exposure="close_contact", home_conditions_met=known.home_conditions_met
    )
    decision, would_be = decide_on(law, person), None
    if decision.plan is not None:
        today = clock.day_of(at)
        would_be = lay(decision.plan, decision.start, today=today).earliest_release
    return ProposedContact(resident, case, first, held, would_be, (law, person, decision))


def _declined(events: Iterable[Event]) -> list[int]:
    """Return who was decided to be no contact of the person of a case."""
    none = [event.detail for event in events if event.kind == Event.Kind.NO_CONTACT]
    return [pk for detail in none for pk in detail["residents"]]


def contacts_since(contacts: Sequence[Case]) -> dict[int, date]:
    """
    Return day 1 of contacts' cases by what is known now of all that was recorded before each.

    By primary key, without those of whose index case the person is not infected any more. Two
    queries.
    """
    indexes = [one.index_case for one in contacts if one.index_case]
    events = _deciding_events(indexes)
    past = Past({one.resident_id for one in (*indexes, *contacts)})
    infections = past.infections
    since: dict[int, date] = {}
    for contact in contacts:
        index = contact.index_case
        if index is None or index.closed_as in Case.VOID:
            continue
        day = infected_on(index, events=events[index.pk])
        if day is not None:
            until = contact.opened_at
            since[contact.pk] = max(
                first_day(infections[index.resident_id], day),
                past.there_since(index.resident, until=until),
                past.there_since(contact.resident, until=until),
            )
    return since
