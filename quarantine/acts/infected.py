"""
What somebody's own infection means for their grounds, in whatever order its days became known.

The ground of an infected person rests on the first of their positives, and who was infected
already became no contact of anybody.
"""

from datetime import date, datetime
from typing import Any

from django.db.models import Q

from accounts.staff.models import User
from common import clock
from quarantine.acts.household import contacts_since
from quarantine.cases.infections import first_day, infected_then, infections_of, positives_of
from quarantine.cases.lifecycle import close, record, replan, withdraw_event, write
from quarantine.cases.standing import INFECTED
from quarantine.models import Case, Event
from residents.register.models import Resident
from testing.models import NATResult

# What stands on the closing of a contact's case that an infection goes before.
_INFECTED_SINCE = "infected_since"


def follow_contacts(
    *, resident: Resident, at: datetime, by: User, tells: bool = True
) -> list[Case]:
    """
    Let the cases of contacts follow from since when who was infected, on either side.

    Each begins on the day on which both lived behind one door and the other was infected; who was
    infected by then is no contact. Return those that were ended for that, and are open again.
    """
    both = Q(resident=resident) | Q(index_case__resident=resident)
    ended = Q(closed_as=Case.ClosedAs.WITHDRAWN, events__in=_ended_by_infection())
    cases = Case.objects.filter(both, index_case__isnull=False)
    cases = cases.filter(~Q(closed_as__in=Case.VOID) | ended).distinct().order_by("pk")
    related = ("index_case__resident", "index_case__arrival", "index_case__positive__sample")
    contacts = list(cases.select_related("plan", "grid", "resident", "arrival", *related))
    if not contacts:
        return []
    days = contacts_since(contacts)
    infections = infections_of({contact.resident_id for contact in contacts})
    again = []
    for contact in contacts:
        first, own = days.get(contact.pk), infections[contact.resident_id]
        if first is None:
            continue
        if infected_then(own, first):
            _end(contact, since=first_day(own, first), at=at, by=by, tells=tells)
        elif contact.closed_as == Case.ClosedAs.WITHDRAWN:
            again.append(_open_again(contact, first, at=at, by=by, tells=tells))
        elif first != contact.day_1:
            replan(case=contact, at=at, tells=tells, day_1=first)
    return again


def _end(contact: Case, *, since: date, at: datetime, by: User, tells: bool) -> None:
    """End the ground of a contact who was infected since before it began."""
    withdrawn, detail = Case.ClosedAs.WITHDRAWN, {_INFECTED_SINCE: since.isoformat()}
    if contact.closed_on is None:
        close(
            case=contact,
            closed_as=withdrawn,
            kind=Event.Kind.CLOSED,
            at=at,
            by=by,
            detail=detail,
            tells=tells,
        )
    elif contact.closed_as == Case.ClosedAs.REFERRED:
        write(case=contact, today=clock.day_of(at), tells=tells, closed_as=withdrawn)
        detail["closed_as"] = withdrawn
        record(case=contact, kind=Event.Kind.CLOSED, at=at, by=by, detail=detail)


def _open_again(contact: Case, first: date, *, at: datetime, by: User, tells: bool) -> Case:
    for closing in contact.events.filter(pk__in=_ended_by_infection()):
        withdraw_event(closing, at=at, by=by)
    back: dict[str, Any] = {"closed_on": None, "closed_as": "", "governs": False, "day_1": first}
    replan(case=contact, at=at, tells=tells, **back)
    return contact


def _ended_by_infection() -> Any:
    closings = Event.objects.valid().filter(kind=Event.Kind.CLOSED)
    return closings.filter(detail__has_key=_INFECTED_SINCE).values("pk")


def is_followed(result: NATResult) -> bool:
    """Say whether the ground of an infected person stands for the day of a positive."""
    day = result.sample.day
    infected = Case.objects.filter(
        resident=result.sample.resident_id, plan__provision__subject=INFECTED, day_1__lte=day
    ).exclude(closed_as__in=Case.VOID)
    return infected.filter(Q(closed_on=None) | Q(closed_on__gte=day)).exists()


def rest_on_first_positive(case: Case, *, at: datetime, tells: bool = True) -> None:
    """Let the case of somebody infected rest on an earlier positive that was found out late."""
    if case.positive_id is None:
        return
    earlier = positives_of([case.resident_id]).filter(
        sample__day__lt=case.day_1, recorded_at__gt=case.opened_at
    )
    own = Case.objects.exclude(closed_as__in=Case.VOID).exclude(positive=None).values("positive")
    first = earlier.exclude(pk__in=own).select_related("sample").order_by("sample__day").first()
    if first:
        replan(case=case, at=at, tells=tells, positive=first, day_1=first.sample.day)
