"""
Who lives with an infected person, proposed as close contacts; a human decides on each.

Somebody may be a contact of several people: each contact is a ground of its own, with its own
day 1. Who is a contact already is proposed again, with the day of release as it is and as it
would be.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from accounts.staff.models import Area, User
from common import clock
from common.errors import RefusedError
from policy.engine.calendars.laying import lay
from policy.engine.decisions.decide import Decision
from policy.engine.decisions.facts import Person
from policy.engine.documents.library import Law
from policy.services import in_force, law_of
from quarantine.cases.facts import decide_on, unpack
from quarantine.cases.lifecycle import open_case, record
from quarantine.cases.standing import INFECTED
from quarantine.models import Arrival, Case, Event
from quarantine.todo import services as todo
from quarantine.todo.models import Todo
from residents.register.models import Resident
from residents.relocation.models import Move

# An infection longer ago holds no contact any more under any document.
LONG_AGO = timedelta(days=60)


class NoContactError(RefusedError):
    """Not a household member of the infected person, or decided on already."""

    field = "residents"


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
        return self.would_be is not None and (self.until is None or self.until < self.would_be)


def infected_on(case: Case, *, events: Iterable[Event] | None = None) -> date | None:
    """
    Return the day on which the person of a case was known to be infected, None for others.

    That of the sample which opened or stopped it; of somebody who came infected the day of
    arrival. `events` are the valid ones of the case, where they have been read.
    """
    if case.positive is not None:
        return case.positive.sample.day
    if case.arrival_id is not None and _came_infected(case):
        return case.arrival.arrived_on if case.arrival else None
    happened = case.events.valid() if events is None else events
    return max((e.day for e in happened if e.kind == Event.Kind.POSITIVE), default=None)


def _came_infected(case: Case) -> bool:
    return unpack(case.facts, day_1=case.day_1).exposure == INFECTED


def proposed_contacts(
    *, case: Case, at: datetime, events: Iterable[Event] | None = None
) -> list[ProposedContact]:
    """Return the household members of the infected person of `case` who are not decided on."""
    day = infected_on(case, events=events)
    if day is None:
        return []
    household = (
        Resident.objects.here()
        .filter(household=case.resident.household_id)
        .exclude(pk__in=[case.resident_id, *_declined(case, events)])
        .exclude(pk__in=_contacts_of(case))
        .exclude(pk__in=_infected_people())
        .select_related("grid")
        .order_by("pk")
    )
    return _proposals(case, day, list(household), at=at)


def proposals_waiting(
    *, residents: Collection[Resident], at: datetime
) -> dict[int, list[ProposedContact]]:
    """
    Return what is still to be decided about people that would hold them longer, by primary key.

    Where nobody behind the same doors is infected, one query.
    """
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
    asked = {resident.pk for resident in residents}
    waiting: dict[int, list[ProposedContact]] = defaultdict(list)
    seen = set[tuple[int, int]]()
    for case in cases.select_related("plan", "grid", "resident", "arrival"):
        for proposed in proposed_contacts(case=case, at=at):
            pair = (case.resident_id, proposed.resident.pk)
            if proposed.resident.pk in asked and proposed.lengthens and pair not in seen:
                seen.add(pair)
                waiting[proposed.resident.pk].append(proposed)
    return dict(waiting)


@transaction.atomic
def open_contacts(
    *, case: Case, residents: Sequence[Resident], at: datetime, by: User
) -> list[Case]:
    """
    Open the grounds of household members as close contacts, beside whatever holds them already.

    Day 1 is the day of the positive, but not before both lived behind this door. Raise
    NoContactError for anybody who is not proposed.
    """
    chosen = _chosen(case, residents, at=at)
    opened = [_open(proposed, at=at, by=by) for proposed in chosen]
    if opened:
        _decided(case, opened[-1].events.get(kind=Event.Kind.OPENED), at=at, by=by)
    return opened


@transaction.atomic
def decline_contacts(
    *, case: Case, residents: Sequence[Resident], reason: str, at: datetime, by: User
) -> Event:
    """Decide that people are no contacts of the infected person of `case`, with a reason."""
    chosen = _chosen(case, residents, at=at)
    event = record(
        case=case,
        kind=Event.Kind.NO_CONTACT,
        at=at,
        by=by,
        reason=reason,
        detail={"residents": [proposed.resident.pk for proposed in chosen]},
    )
    _decided(case, event, at=at, by=by)
    return event


def _decided(case: Case, event: Event, *, at: datetime, by: User) -> None:
    """End what was to be done about a household once everybody in it is decided on."""
    if not proposed_contacts(case=case, at=at):
        todo.done_by(event, kinds=[Todo.Kind.HOUSEHOLD], resident=case.resident, at=at, by=by)


def _chosen(case: Case, residents: Sequence[Resident], *, at: datetime) -> list[ProposedContact]:
    proposed = {one.resident.pk: one for one in proposed_contacts(case=case, at=at)}
    if not {resident.pk for resident in residents} <= set(proposed):
        raise NoContactError(
            _("Choose people who live with the infected person and are not followed yet.")
        )
    return [proposed[resident.pk] for resident in residents]


def _declined(case: Case, events: Iterable[Event] | None) -> list[int]:
    """Return who was decided to be no contact of the person of a case."""
    if events is None:
        events = case.events.valid().filter(kind=Event.Kind.NO_CONTACT)
    none = [event.detail for event in events if event.kind == Event.Kind.NO_CONTACT]
    return [pk for detail in none for pk in detail["residents"]]


def _contacts_of(case: Case) -> Any:
    """Return who is or was a contact of the same infection."""
    contacts = Case.objects.exclude(closed_as=Case.ClosedAs.WITHDRAWN).filter(
        index_case__resident=case.resident_id,
        index_case__opened_at__gte=case.opened_at - LONG_AGO,
    )
    # Of an infection that never was, nobody was a contact.
    contacts = contacts.exclude(index_case__closed_as__in=Case.VOID)
    return contacts.values("resident")


def _positives() -> Any:
    return Event.objects.valid().filter(kind=Event.Kind.POSITIVE).values("pk")


def _infected_people() -> Any:
    return Case.objects.open().filter(plan__provision__subject=INFECTED).values("resident")


def _proposals(
    case: Case, day: date, people: Sequence[Resident], *, at: datetime
) -> list[ProposedContact]:
    law = in_force(area=case.grid, at=at) or law_of(document=case.law, area=case.grid)
    since = _there_since([case.resident, *people])
    governing = {
        held.resident_id: held
        for held in Case.objects.governing().filter(resident__in=people).select_related("plan")
    }
    proposals = []
    for resident in people:
        first = max(day, since[resident.pk], since[case.resident_id])
        held = governing.get(resident.pk)
        decision = _decision(law, first, held)[1]
        would_be = None
        if decision.plan is not None:
            today = clock.day_of(at)
            would_be = lay(decision.plan, decision.start, today=today).earliest_release
        proposals.append(ProposedContact(resident, case, first, held, would_be))
    return proposals


def contact_since(case: Case) -> date | None:
    """
    Return day 1 of a contact's case by what is known now of all that was recorded before it.

    None where the person of its index case is not infected any more.
    """
    index = case.index_case
    day = infected_on(index) if index else None
    if index is None or day is None:
        return None
    since = _there_since([index.resident, case.resident], until=case.opened_at)
    return max(day, *since.values())


def _there_since(
    residents: Sequence[Resident], *, until: datetime | None = None
) -> dict[int, date]:
    """
    Return since when people are behind their door for certain: came, moved in or were born.

    With `until` by what was recorded until then.
    """
    since = {resident.pk: resident.birth_date or date.min for resident in residents}
    homes = {resident.pk: resident.household_id for resident in residents}
    moved = Move.objects.valid().filter(resident__in=residents, entered__isnull=False)
    entered = moved.values_list("resident", "entered").annotate(last=Max("day"))
    came = Arrival.objects.valid().filter(resident__in=residents)
    if until is not None:
        entered, came = entered.filter(at__lte=until), came.filter(logged_at__lte=until)
    arrived = came.values_list("resident")
    for pk, household, day in entered.order_by():
        if household == homes[pk]:
            since[pk] = max(since[pk], day)
    for pk, day in arrived.annotate(last=Max("arrived_on")).order_by():
        since[pk] = max(since[pk], day)
    return since


def _decision(law: Law, day: date, held: Case | None) -> tuple[Person, Decision]:
    """Return the facts of a contact, with what is known of the home, and what the law asks."""
    known = unpack(held.facts, day_1=held.day_1) if held else Person()
    person = Person(
        start=day, exposure="close_contact", home_conditions_met=known.home_conditions_met
    )
    return person, decide_on(law, person)


def _open(proposed: ProposedContact, *, at: datetime, by: User) -> Case:
    index, resident = proposed.index, proposed.resident
    law = in_force(area=index.grid, at=at) or law_of(document=index.law, area=index.grid)
    person, decision = _decision(law, proposed.day_1, proposed.governing)
    grid: Area = resident.grid
    return open_case(
        resident=resident,
        grid=grid,
        law=law,
        decision=decision,
        person=person,
        at=at,
        by=by,
        index_case=index,
    )
