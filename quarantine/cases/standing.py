"""
The standing of a person: which of their grounds governs, and the two days that hold for them.

Somebody may be under a measure on several grounds at once: an arrival, a positive behind the same
door, another one later. Each is a case of its own, with its facts, plan and law. Lists, messages
and numbers ask people, not grounds: they ask the one ground that governs, whose `next_test_on`
and `release_on` are those of the person. Both, and which one governs, follow from the open grounds
alone, so that grounds entered and withdrawn in any order end as those that are left.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from django.db.models import F, QuerySet

from policy.engine.calendars.laying import Calendar
from policy.engine.calendars.plans import Plan
from quarantine.cases.calendars import lay_as_others
from quarantine.cases.plans import plan_of
from quarantine.models import UNTOLD, Case
from residents.register.models import Resident

# The subject of the rule for infected people, which goes before all others.
INFECTED = "infected"
_WRITTEN = ["governs", "next_test_on", "release_on"]
_TOLD = ["told_plan", "told_release_on", "told_freed", "told_day_1"]
# The order of one person's open cases on pages.
STRICTEST_FIRST = ("-governs", F("release_on").desc(nulls_last=True), "pk")
# What people were told: plan, day of release, whether freed, and day 1.
_Told = tuple[int | None, date | None, bool, date | None]
# Rows in one statement.
_BATCH = 500


class Ground(NamedTuple):
    """What the standing of a person takes from one of their open cases."""

    infected: bool
    holds: bool  # in a setting for some days, or until somebody confirms the end
    central: bool
    next_test_on: date | None
    release_on: date | None
    day_1: date
    pk: int

    @property
    def stopped(self) -> bool:
        """Whether a positive stopped the calendar: it holds without a day of release."""
        return self.holds and self.release_on is None


class Standing(NamedTuple):
    """The ground that governs, the next test that any ground asks, and the day of release."""

    governing: Ground
    next_test_on: date | None
    release_on: date | None


def ground(
    plan: Plan, next_test_on: date | None, release_on: date | None, day_1: date, pk: int = 0
) -> Ground:
    """Return the ground that a plan and the two days of its own calendar make."""
    return Ground(
        infected=plan.subject == INFECTED,
        holds=bool(plan.mandatory_days) or release_on is not None,
        central=any(stage.setting == "central" for stage in plan.stages),
        next_test_on=next_test_on,
        release_on=release_on,
        day_1=day_1,
        pk=pk,
    )


def ground_of(case: Case, laid: Calendar) -> Ground:
    """Return the ground that an open case with its own calendar is."""
    plan = plan_of(case.plan)
    return ground(plan, laid.next_test_on, laid.earliest_release, case.day_1, case.pk)


def standing_of(grounds: Collection[Ground]) -> Standing:
    """
    Return the standing that open grounds make, in whatever order they come.

    Infected goes before all others; then whom a positive holds without a day of release; then the
    latest day of release; then tests only. Beside the ground of an infected person one that their
    positive stopped holds no longer than that. Raise ValueError without a ground.
    """
    infected = any(one.infected for one in grounds)
    stopped = any(one.stopped for one in grounds) and not infected
    tests = [one.next_test_on for one in grounds if one.next_test_on]
    releases = [one.release_on for one in grounds if one.release_on]
    return Standing(
        governing=min(grounds, key=_place),
        next_test_on=min(tests, default=None),
        release_on=None if stopped else max(releases, default=None),
    )


def standing_without(case: Case, cases: Collection[Case], *, today: date) -> Standing | None:
    """Return the standing that the other open cases of a person make, None without any."""
    others = [other for other in cases if other.pk != case.pk]
    if not others:
        return None
    return standing_of([ground_of(one, lay_as_others(one, today=today)) for one in others])


def _place(one: Ground) -> tuple[object, ...]:
    """Return what the strictest and longest ground has least of; the last two only decide ties."""
    held_until = (one.release_on or date.max).toordinal() if one.holds else 0
    return not one.infected, -held_until, not one.central, one.day_1, one.pk


def hold(resident: int) -> None:
    """
    Let whoever else changes the grounds of this person wait for the end of the transaction.

    Called before a case is written: two changes at once would each settle without the other.
    """
    hold_all(Resident.objects.filter(pk=resident))


def hold_all(residents: QuerySet[Resident]) -> None:
    """Do the same for many people."""
    list(residents.order_by("pk").select_for_update(no_key=True).values_list("pk"))


def was_told(case: Case) -> bool:
    """Say whether the person of an open case knows what holds them, as far as it was derived."""
    if case.governs:
        return _told(case) == _to_tell(case)
    governing = Case.objects.governing().filter(resident=case.resident_id)
    return not governing.filter(UNTOLD).exists()


def grounds_of(cases: Collection[Case]) -> dict[int, list[Case]]:
    """
    Return all open cases of the people of some open cases, by person, the governing one first.

    Those given are among them as they were given. One query.
    """
    given = {case.pk: case for case in cases}
    people = [case.resident_id for case in cases]
    of_several = Case.objects.beside().filter(resident__in=people).values("resident")
    rows = Case.objects.open().filter(resident__in=of_several)
    grounds: dict[int, list[Case]] = defaultdict(list)
    for row in rows.select_related("plan", "resident", "grid").order_by(*STRICTEST_FIRST):
        grounds[row.resident_id].append(given.get(row.pk, row))
    return {case.resident_id: grounds.get(case.resident_id) or [case] for case in cases}


def settle(
    residents: Iterable[int],
    *,
    today: date,
    tell: bool = False,
    known: Collection[Case] = (),
    ended: Case | None = None,
) -> None:
    """
    Derive the standing of people from their open grounds, and write what differs.

    `tell` says that who acts tells them; else what they were last told goes along to the ground
    that governs now, also from one that governed and was `ended`. `known` are instances that shall
    say the same as their rows. One query where nothing differs.
    """
    last = _told(ended) if ended else None
    rows = Case.objects.open().filter(resident__in=list(residents)).select_related("plan")
    # Locked: what a sweep is writing at this moment is read as it will have left it.
    locked = rows.select_for_update(of=("self",), no_key=True)
    cases = list(locked.defer("facts").order_by("resident", "pk"))
    governed = {case.pk for case in cases if case.governs}
    changed = [
        case
        for _resident, own in groupby(cases, attrgetter("resident_id"))
        for case in _settled(list(own), today=today, tell=tell, last=last)
    ]
    lost = [case.pk for case in changed if case.pk in governed and not case.governs]
    # First: two that govern at once are refused.
    if lost:
        Case.objects.filter(pk__in=lost).update(governs=False)
    if changed:
        Case.objects.bulk_update(changed, [*_WRITTEN, *_TOLD], batch_size=_BATCH)
    settled = {case.pk: case for case in cases}
    for instance in known:
        if row := settled.get(instance.pk):
            for name in (*_WRITTEN, "told_plan_id", *_TOLD[1:]):
                setattr(instance, name, getattr(row, name))


def _settled(cases: list[Case], *, today: date, tell: bool, last: _Told | None) -> list[Case]:
    """Set the columns of one person's open cases, and return the cases that differ from before."""
    before = {case.pk: _columns(case) for case in cases}
    governed = next((case for case in cases if case.governs), None)
    told = _told(governed) if governed else last
    grounds = [ground_of(case, lay_as_others(case, today=today)) for case in cases]
    standing = standing_of(grounds)
    for case, own in zip(cases, grounds, strict=True):
        case.governs = own == standing.governing
        days = standing if case.governs else own
        case.next_test_on, case.release_on = days.next_test_on, days.release_on
        if case.governs and tell:
            _tell(case, _to_tell(case))
        elif case.governs and told and case is not governed:
            _tell(case, told)
    return [case for case in cases if _columns(case) != before[case.pk]]


def _columns(case: Case) -> tuple[object, ...]:
    return (case.governs, case.next_test_on, case.release_on, *_told(case))


def _told(case: Case) -> _Told:
    """Return what people were last told of a case."""
    return case.told_plan_id, case.told_release_on, case.told_freed, case.told_day_1


def _to_tell(case: Case) -> _Told:
    """Return what people are to be told of a case."""
    return case.plan_id, case.release_on, case.freed, case.day_1


def _tell(case: Case, told: _Told) -> None:
    case.told_plan_id, case.told_release_on, case.told_freed, case.told_day_1 = told
