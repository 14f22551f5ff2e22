"""
Whether a person may be released: one definition, said twice, and tried to agree.

`readiness_of` says it of a person's open cases with their calendars, `conditions` of the rows of
the cases that govern. Lists, numbers, badges, messages and the release itself ask one of the two.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date

from django.db.models import Q, TextChoices
from django.utils.translation import gettext_lazy as _

from policy.engine.calendars.laying import Calendar
from quarantine.cases.calendars import lay_as_others
from quarantine.cases.standing import ground_of, grounds_of, standing_of
from quarantine.models import Case

# A result is awaited: a day of the history says nothing of its sample, as the 3 of `1- 3 5!`, or
# that its pool was positive.
_AWAITED = r"(^| )-?[0-9]+([?~](@-?[0-9]+)?)?( |$)"
_TO_CHECK = r"[?~]"


class Readiness(TextChoices):
    """How near somebody under a measure is to its end."""

    READY = "ready", _("May be released")
    FREED = "freed", _("No longer held")
    BLOCKED = "blocked", _("Blocked")
    WAITING = "waiting", _("Under a measure")


# A human may confirm the end.
RELEASABLE = (Readiness.READY, Readiness.FREED)


def readiness_of(
    cases: Sequence[Case], calendars: Mapping[int, Calendar], *, today: date
) -> Readiness:
    """
    Return how near a person is to the end, from all of their open cases.

    Before the last day of all grounds they wait. On it and later they are blocked while any
    ground owes a test by today or a result is awaited; but whom the law in force asks nothing on
    any ground is freed, whatever was not taken, unless their pool was positive.
    """
    standing = standing_of([ground_of(case, calendars[case.pk]) for case in cases])
    if standing.release_on is None or standing.release_on > today:
        return Readiness.WAITING
    to_check = any(re.search(_TO_CHECK, case.history) for case in cases)
    if all(case.freed for case in cases) and not to_check:
        return Readiness.FREED
    owes = standing.next_test_on is not None and standing.next_test_on <= today
    return Readiness.BLOCKED if owes or any(map(awaits_result, cases)) else Readiness.READY


def readiness_of_each(cases: Collection[Case], *, today: date) -> dict[int, Readiness]:
    """Return the readiness of the people of some cases with `plan`, by primary key. One query."""
    still_open = [case for case in cases if case.closed_on is None]
    grounds = grounds_of(still_open)
    readiness = {}
    for case in still_open:
        own = grounds[case.resident_id]
        calendars = {ground.pk: lay_as_others(ground, today=today) for ground in own}
        readiness[case.pk] = readiness_of(own, calendars, today=today)
    return readiness


def conditions(today: date) -> dict[Readiness, Q]:
    """Return the same as conditions on cases that govern; together they are all of these."""
    due = Q(closed_on=None, governs=True, release_on__lte=today)
    later = Q(release_on=None) | Q(release_on__gt=today)
    held_beside = ~Q(transition=Case.Transition.FREED)
    freed = Q(transition=Case.Transition.FREED) & ~_with_another(held_beside)
    freed &= ~_of_any(Q(history__regex=_TO_CHECK))
    owes = Q(next_test_on__isnull=False, next_test_on__lte=today) | awaited()
    return {
        Readiness.READY: due & ~freed & ~owes,
        Readiness.FREED: due & freed,
        Readiness.BLOCKED: due & ~freed & owes,
        Readiness.WAITING: Q(closed_on=None, governs=True) & later,
    }


def awaits_result(case: Case) -> bool:
    """Say whether a result is awaited since day 1 of a case."""
    return re.search(_AWAITED, case.history) is not None


def awaited() -> Q:
    """Return the condition that a result is awaited of the person of a case that governs."""
    return _of_any(Q(history__regex=_AWAITED))


def _of_any(condition: Q) -> Q:
    """Return the condition that a ground of the person of a case that governs is like this."""
    return condition | _with_another(condition)


def _with_another(condition: Q) -> Q:
    """Return the condition that the person has a ground beside the governing one, like this."""
    return Q(resident__in=Case.objects.beside().filter(condition).values("resident"))
