"""Deciding on the household of an infected person: who is a close contact, and who is none."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.staff.models import User
from common.errors import RefusedError
from quarantine.acts.household import ProposedContact, proposed_contacts
from quarantine.acts.results import follow_known_positive
from quarantine.cases.lifecycle import open_case, record
from quarantine.models import Case, Event
from quarantine.todo import services as todo
from quarantine.todo.models import Todo
from residents.register.models import Resident


class NoContactError(RefusedError):
    """Not a household member of the infected person, or decided on already."""

    field = "residents"


@transaction.atomic
def open_contacts(
    *, case: Case, residents: Sequence[Resident], at: datetime, by: User
) -> list[Case]:
    """
    Open the grounds of household members as close contacts, beside whatever holds them already.

    Day 1 is the day of the positive, but not before both lived behind this door. A positive of a
    contact that is known already stops the new ground. Raise NoContactError for anybody who is not
    proposed.
    """
    chosen, others = _chosen(case, residents, at=at)
    opened = [_open(proposed, at=at, by=by) for proposed in chosen]
    if opened and not others:
        _decided(case, opened[-1].events.get(kind=Event.Kind.OPENED), at=at, by=by)
    for contact in opened:
        follow_known_positive(case=contact, at=at, by=by)
    return opened


@transaction.atomic
def decline_contacts(
    *, case: Case, residents: Sequence[Resident], reason: str, at: datetime, by: User
) -> Event:
    """Decide that people are no contacts of the infected person of `case`, with a reason."""
    chosen, others = _chosen(case, residents, at=at)
    event = record(
        case=case,
        kind=Event.Kind.NO_CONTACT,
        at=at,
        by=by,
        reason=reason,
        detail={"residents": [proposed.resident.pk for proposed in chosen]},
    )
    if not others:
        _decided(case, event, at=at, by=by)
    return event


def _decided(case: Case, event: Event, *, at: datetime, by: User) -> None:
    """End what was to be done about a household: everybody in it is decided on."""
    todo.done_by(event, kinds=[Todo.Kind.HOUSEHOLD], resident=case.resident, at=at, by=by)


def _chosen(
    case: Case, residents: Sequence[Resident], *, at: datetime
) -> tuple[list[ProposedContact], bool]:
    """Return the proposals about the chosen, and whether others are left to decide on."""
    proposed = {one.resident.pk: one for one in proposed_contacts(case=case, at=at)}
    if not {resident.pk for resident in residents} <= set(proposed):
        raise NoContactError(
            _("Choose people who live with the infected person and are not followed yet.")
        )
    chosen = [proposed.pop(resident.pk) for resident in residents]
    return chosen, bool(proposed)


def _open(proposed: ProposedContact, *, at: datetime, by: User) -> Case:
    index, resident = proposed.index, proposed.resident
    law, person, decision = proposed.asked
    return open_case(
        resident=resident,
        grid=resident.grid,
        law=law,
        decision=decision,
        person=person,
        at=at,
        by=by,
        index_case=index,
    )
