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

from django.db.models import F, Q

from common import clock
from policy.engine.calendars.laying import lay
from policy.engine.decisions.decide import Decision
from policy.engine.decisions.facts import Person
from policy.engine.documents.library import Law
from policy.services import in_force, law_of
from quarantine.cases.facts import decide_on, unpack
from quarantine.cases.infections import (
    LONG_AGO,
    first_day,
    infected_then,
    infections_of,
)
from quarantine.cases.plans import plan_of
from quarantine.cases.standing import INFECTED
from quarantine.models import Arrival, Case, Event
from residents.register.models import Resident
from residents.relocation.models import Move

# The events of an index case that say who may be a contact.
_DECIDING = (Event.Kind.POSITIVE, Event.Kind.NO_CONTACT)


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
    known = None if events is None else {case.pk: list(events)}
    return _proposals([case], at=at, events=known)[case.pk]


def proposals_waiting(
    *, residents: Collection[Resident], at: datetime
) -> dict[int, list[ProposedContact]]:
    """
    Return what is still to be decided about people that would hold them longer, by primary key.

    Where nobody behind the same doors is infected, one query.
    """
    return _waiting(residents, list(_infected_behind(residents, at=at)), at=at)


def household_of(
    *, case: Case, at: datetime, events: Sequence[Event]
) -> tuple[list[ProposedContact], list[ProposedContact]]:
    """
    Return the contacts to propose of a case, and what else is to be decided about its person.

    The same as `proposed_contacts` and `proposals_waiting`, in as many queries as one of them.
    """
    beside = list(_infected_behind([case.resident], at=at))
    infected = infected_on(case, events=events) is not None
    cases = [*([case] if infected else []), *beside]
    known = _deciding_events(beside)
    proposals = _proposals(cases, at=at, events={**known, case.pk: list(events)})
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
    related = ("plan", "grid", "resident", "arrival", "positive__sample")
    return cases.select_related(*related).order_by("pk").distinct()


def _waiting(
    residents: Collection[Resident], cases: Sequence[Case], *, at: datetime
) -> dict[int, list[ProposedContact]]:
    if not cases:
        return {}
    proposals = _proposals(cases, at=at, events=_deciding_events(cases))
    return _lengthening(residents, cases, proposals)


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
        for event in Event.objects.valid().filter(case__in=list(events), kind__in=_DECIDING):
            events[event.case_id].append(event)
    return events


def _positives() -> Any:
    return Event.objects.valid().filter(kind=Event.Kind.POSITIVE).values("pk")


def _proposals(
    cases: Sequence[Case], *, at: datetime, events: Mapping[int, Sequence[Event]] | None = None
) -> dict[int, list[ProposedContact]]:
    """
    Return the contacts to propose of index cases, by primary key. Five queries, however many.

    `events` are those of each case, where they have been read.
    """
    known = _deciding_events(cases) if events is None else events
    days = {case.pk: infected_on(case, events=known.get(case.pk, ())) for case in cases}
    behind = _behind({case.resident.household_id for case in cases if days[case.pk]})
    people = [resident for residents in behind.values() for resident in residents]
    index_people = {case.resident_id: case.resident for case in cases}
    pks = {*index_people, *(resident.pk for resident in people)}
    if not people:
        return {case.pk: [] for case in cases}
    infections, since = infections_of(pks), _Doors([*index_people.values(), *people])
    decided = _contacts_of(list(index_people))
    governing = {
        held.resident_id: held
        for held in Case.objects.governing().filter(resident__in=people).select_related("plan")
    }
    proposals: dict[int, list[ProposedContact]] = {}
    for case in cases:
        day = days[case.pk]
        proposals[case.pk] = []
        if day is None:
            continue
        day = first_day(infections[case.resident_id], day)
        none = {case.resident_id, *_declined(known.get(case.pk, ()))}
        none |= {pk for pk, opened in decided[case.resident_id] if _same(opened, case)}
        for resident in behind.get(case.resident.household_id, ()):
            first = max(day, since.of(resident), since.of(case.resident))
            if resident.pk in none or infected_then(infections[resident.pk], first):
                continue
            held = governing.get(resident.pk)
            proposals[case.pk].append(_proposed(case, resident, first, held, at=at))
    return proposals


def _behind(doors: Collection[int]) -> dict[int, list[Resident]]:
    """Return who lives behind some doors."""
    behind: dict[int, list[Resident]] = defaultdict(list)
    residents = Resident.objects.here().filter(household__in=doors).select_related("grid")
    for resident in residents.order_by("pk") if doors else ():
        behind[resident.household_id].append(resident)
    return behind


def _proposed(
    case: Case, resident: Resident, first: date, held: Case | None, *, at: datetime
) -> ProposedContact:
    decision = decision_on(case, first, held, at=at)[2]
    would_be = None
    if decision.plan is not None:
        today = clock.day_of(at)
        would_be = lay(decision.plan, decision.start, today=today).earliest_release
    return ProposedContact(resident, case, first, held, would_be)


def _declined(events: Iterable[Event]) -> list[int]:
    """Return who was decided to be no contact of the person of a case."""
    none = [event.detail for event in events if event.kind == Event.Kind.NO_CONTACT]
    return [pk for detail in none for pk in detail["residents"]]


def _contacts_of(residents: Sequence[int]) -> dict[int, list[tuple[int, datetime]]]:
    """Return who is or was a contact of infected people, and when their cases were opened."""
    # Of an infection that never was, nobody was a contact.
    contacts = (
        Case.objects.filter(index_case__resident__in=residents)
        .exclude(closed_as=Case.ClosedAs.WITHDRAWN)
        .exclude(index_case__closed_as__in=Case.VOID)
    )
    decided: dict[int, list[tuple[int, datetime]]] = defaultdict(list)
    rows = contacts.values_list("index_case__resident", "resident", "index_case__opened_at")
    for index, resident, opened_at in rows:
        decided[index].append((resident, opened_at))
    return decided


def _same(opened_at: datetime, case: Case) -> bool:
    """Say whether a case that was opened then is of the same infection as this one."""
    return opened_at >= case.opened_at - LONG_AGO


def contacts_since(contacts: Sequence[Case]) -> dict[int, date]:
    """
    Return day 1 of contacts' cases by what is known now of all that was recorded before each.

    By primary key, without those of whose index case the person is not infected any more. Three
    queries.
    """
    indexes = [one.index_case for one in contacts if one.index_case]
    events = _deciding_events(indexes)
    infections = infections_of({index.resident_id for index in indexes}) if indexes else {}
    doors = _Doors([one.resident for one in (*indexes, *contacts)])
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
                doors.of(index.resident, until=until),
                doors.of(contact.resident, until=until),
            )
    return since


class _Doors:
    """Since when people are behind their door for certain: came, moved in or were born."""

    def __init__(self, residents: Collection[Resident]) -> None:
        """Read it. One query."""
        pks = {resident.pk for resident in residents}
        moved = Move.objects.valid().filter(resident__in=pks, entered__isnull=False)
        entered = moved.order_by().values_list("resident", "entered", "day", "at")
        came = Arrival.objects.valid().filter(resident__in=pks)
        home = F("resident__household")
        arrived = came.order_by().values_list("resident", home, "arrived_on", "logged_at")
        self._rows: dict[int, list[tuple[int, date, datetime]]] = defaultdict(list)
        for resident, household, day, at in entered.union(arrived, all=True) if pks else ():
            self._rows[resident].append((household, day, at))

    def of(self, resident: Resident, *, until: datetime | None = None) -> date:
        """Return since when; with `until` by what was recorded until then."""
        days = [
            day
            for household, day, at in self._rows[resident.pk]
            if household == resident.household_id and (until is None or at <= until)
        ]
        return max([resident.birth_date or date.min, *days])


def decision_on(
    case: Case, day: date, held: Case | None, *, at: datetime
) -> tuple[Law, Person, Decision]:
    """
    Return the law, the facts of a contact of a case since a day, and what that law asks.

    With what is known of the home from whatever holds the contact already.
    """
    law = in_force(area=case.grid, at=at) or law_of(document=case.law, area=case.grid)
    known = unpack(held.facts, day_1=held.day_1) if held else Person()
    person = Person(
        start=day, exposure="close_contact", home_conditions_met=known.home_conditions_met
    )
    return law, person, decide_on(law, person)
