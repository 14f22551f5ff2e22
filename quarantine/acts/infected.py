"""
What somebody's own infection means for their grounds, in whatever order its days became known.

The ground of an infected person rests on the first of their positives, and who was infected
already became no contact of anybody.
"""

from datetime import date, datetime

from django.db.models import Q

from accounts.staff.models import User
from common import clock
from quarantine.cases.infections import first_day, infected_then, infections_of, positives_of
from quarantine.cases.lifecycle import close, record, replan, write
from quarantine.cases.standing import INFECTED
from quarantine.models import Case, Event
from residents.register.models import Resident
from testing.models import NATResult

# What stands on the closing of a contact's case that an infection goes before.
INFECTED_SINCE = "infected_since"


def end_later_contacts(*, resident: Resident, at: datetime, by: User, tells: bool = True) -> None:
    """
    End the grounds of a contact that began when the person was infected already.

    They come back once the infection turns out to be later, or none
    (`quarantine.corrections.derivation.follow`).
    """
    contacts = Case.objects.filter(resident=resident, index_case__isnull=False)
    standing = contacts.filter(Q(closed_on=None) | Q(closed_as=Case.ClosedAs.REFERRED))
    cases = list(standing.select_related("plan", "grid", "resident"))
    infections = infections_of([resident.pk])[resident.pk] if cases else []
    for case in cases:
        if infected_then(infections, case.day_1):
            since = first_day(infections, case.day_1)
            end_contact(case, since=since, at=at, by=by, tells=tells)


def end_contact(case: Case, *, since: date, at: datetime, by: User, tells: bool) -> None:
    """End the ground of a contact who was infected since before it began."""
    withdrawn, detail = Case.ClosedAs.WITHDRAWN, {INFECTED_SINCE: since.isoformat()}
    if case.closed_on is None:
        kind = Event.Kind.CLOSED
        close(case=case, closed_as=withdrawn, kind=kind, at=at, by=by, detail=detail, tells=tells)
        return
    write(case=case, today=clock.day_of(at), tells=tells, closed_as=withdrawn)
    detail["closed_as"] = withdrawn
    record(case=case, kind=Event.Kind.CLOSED, at=at, by=by, detail=detail)


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
