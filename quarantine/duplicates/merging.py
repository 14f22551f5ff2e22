"""
Merging two entries of one person with all their data, and undoing a merge.

Each floor moves what it knows; nothing is searched for by itself. A test asks that every table
that points to a resident is named here or in `residents.duplicates.merging`.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.staff.models import Area, User
from common import clock
from policy.words import named_day
from quarantine.cases.lifecycle import open_cases_of, record, replan, write
from quarantine.models import Arrival, Case, Event
from quarantine.todo.models import Todo
from residents.duplicates import merging
from residents.duplicates.merging import Field, MergeError, move_back, move_rows
from residents.duplicates.models import Merge
from residents.register.models import Resident
from residents.relocation.models import Handover
from testing.models import NATResult, Sample


@transaction.atomic
def merge(
    *,
    kept: Resident,
    merged: Resident,
    versions: tuple[int, int],
    take: Collection[Field],
    at: datetime,
    by: User,
) -> Merge:
    """
    Merge one entry into another: fields, arrivals, samples, cases and all else that points to it.

    Raise MergeError with what forbids it, or `residents.register.services.ChangedMeanwhileError`.
    """
    cases = list(Case.objects.filter(resident__in=[kept, merged]).select_related("resident"))
    at_home = {case.pk for case in cases if case.grid_id == case.resident.grid_id}
    made = merging.merge(kept=kept, merged=merged, versions=versions, take=take, at=at, by=by)
    _refuse(kept, merged)
    samples, arrivals = (
        _movable_facts(Sample, "day", made),
        _movable_facts(Arrival, "arrived_on", made),
    )
    Case.objects.governing().filter(resident=merged).update(governs=False)
    # In this order: a case may follow its evidence, not go before it.
    moved = {
        "samples": move_rows(samples, kept),
        "arrivals": move_rows(arrivals, kept),
        "cases": move_rows(Case.objects.filter(resident=merged), kept),
        "todos": move_rows(Todo.objects.filter(resident=merged), kept),
    }
    grids = {case.pk: case.grid_id for case in cases}
    Merge.objects.filter(pk=made.pk).update(moved={**made.moved, **moved, "grids": grids})
    for case in open_cases_of(kept):
        grid = kept.grid if case.pk in at_home else case.grid
        if case.grid_id != grid.pk:
            names = {"left": case.grid.name, "entered": grid.name, "merge": str(made.key)}
            record(case=case, kind=Event.Kind.GRID, at=at, by=by, detail=names)
        _refresh_case(case, grid, at=at)
    return made


@transaction.atomic
def unmerge(*, made: Merge, at: datetime, by: User) -> None:
    """
    Take a merge back: both entries are as they were, and what came along goes back.

    Raise MergeError once something newer rests on what would go.
    """
    moved = {**made.moved, "arrivals": _as_corrected(made)}
    _refuse_torn(made, moved)
    todos = [*moved.get("todos", []), *_caused_by(made, moved)]
    lived = Resident.objects.get(pk=made.kept_id).grid_id
    merging.unmerge(made=made, at=at, by=by)
    move_back(Sample, moved["samples"], made)
    move_back(Arrival, moved["arrivals"], made)
    move_back(Case, moved["cases"], made)
    move_back(Todo, todos, made)
    for event in Event.objects.valid().filter(detail__merge=str(made.key)):
        Event.objects.filter(pk=event.pk).update(withdrawn_at=at, withdrawn_by=by)
    for case in open_cases_of(made.kept):
        moved_home = made.kept.grid_id != lived
        _refresh_case(case, _grid(moved, case) if moved_home else case.grid, at=at)
    for case in open_cases_of(made.merged):
        _refresh_case(case, _grid(moved, case), at=at)


def _as_corrected(made: Merge) -> list[int]:
    """Return the arrivals that go back, with the rows that put them right since."""
    arrivals: list[int] = []
    found = list(made.moved["arrivals"])
    while found:
        arrivals += found
        right = Arrival.objects.filter(corrects__in=found, resident=made.kept)
        found = [pk for pk in right.values_list("pk", flat=True) if pk not in arrivals]
    return arrivals


def _refuse_torn(made: Merge, moved: Mapping[str, Any]) -> None:
    """Raise MergeError where a case would go back without what it rests on, or that without it."""
    theirs = Case.objects.filter(resident=made.kept)
    arrival, positive = Q(arrival=None), Q(positive=None)
    arrival_goes = Q(arrival__in=moved["arrivals"])
    sample_goes = Q(positive__sample__in=moved["samples"])
    if theirs.exclude(pk__in=moved["cases"]).filter(arrival_goes | sample_goes).exists():
        raise MergeError(
            _("Since the merge a case was opened that rests on what would go back: it stays.")
        )
    going = theirs.filter(pk__in=moved["cases"])
    if going.exclude((arrival | arrival_goes) & (positive | sample_goes)).exists():
        raise MergeError(
            _("Since the merge a case was put right and rests on what would stay here: it stays.")
        )


def _caused_by(made: Merge, moved: Mapping[str, Any]) -> list[int]:
    """Return what is to be done since the merge about facts that go back."""
    caused = (
        Q(arrival__in=moved["arrivals"])
        | Q(result__sample__in=moved["samples"])
        | Q(event__case__in=moved["cases"])
    )
    return list(Todo.objects.filter(caused, resident=made.kept).values_list("pk", flat=True))


def _refuse(kept: Resident, merged: Resident) -> None:
    cases = Case.objects.filter(resident__in=[kept, merged])
    contact_of = cases.open().filter(index_case__isnull=False).values_list("index_case", flat=True)
    if len(contact_of) > len(set(contact_of)):
        raise MergeError(
            _("Both are entered as close contacts of the same person: take one of these back.")
        )
    if cases.filter(index_case__resident__in=[kept, merged]).exists():
        raise MergeError(_("One is recorded as the close contact of the other: they are two."))
    if kept.gone_as and cases.open().exists():
        raise MergeError(
            _("One has gone, the other is under a measure: choose where this person lives now.")
        )
    if Handover.objects.waiting().filter(resident__in=[kept, merged]).exists():
        raise MergeError(_("One of them is being handed over: take that back first."))
    if day := _conflicting_day(kept, merged):
        raise MergeError(
            _(
                "Both have an arrival or a sample on %(day)s, and that of the entry that goes"
                " counts. Keep that entry instead."
            )
            % {"day": named_day(day)}
        )


def _conflicting_day(kept: Resident, merged: Resident) -> date | None:
    """Return a day on which both have a fact, and that of `merged` may not stay behind."""
    arrivals, samples = Arrival.objects.valid(), Sample.objects.valid()
    results = NATResult.objects.valid()
    arrived = arrivals.filter(resident=kept).values("arrived_on")
    tested = samples.filter(resident=kept, results__in=results).values("day")
    positive = results.filter(outcome=NATResult.Outcome.POSITIVE)
    own_samples = samples.filter(
        resident=merged, day__in=samples.filter(resident=kept).values("day")
    )
    counts = own_samples.filter(results__in=positive) | own_samples.filter(
        results__in=results
    ).exclude(day__in=tested)
    evidence = arrivals.filter(resident=merged, arrived_on__in=arrived, case__isnull=False)
    return (
        evidence.values_list("arrived_on", flat=True).first()
        or counts.values_list("day", flat=True).first()
    )


def _movable_facts(model: type[Sample] | type[Arrival], day: str, made: Merge) -> "QuerySet[Any]":
    """Return the facts to move: on a day that both have, the kept entry's own stays."""
    own_days = model.objects.valid().filter(resident=made.kept).values(day)
    rows = model.objects.filter(resident=made.merged)
    return rows.exclude(withdrawn_at=None, **{f"{day}__in": own_days})


def _grid(moved: dict[str, Any], case: Case) -> Area:
    """Return the grid in which a case was before a merge."""
    grid: Area = Area.objects.get(pk=moved["grids"].get(str(case.pk), case.grid_id))
    return grid


def _refresh_case(case: Case, grid: Area, *, at: datetime) -> None:
    """Refresh a case with its person's facts as they are now, in this grid."""
    if case.grid_id == grid.pk:
        write(case=case, today=clock.day_of(at))
    else:
        replan(case=case, at=at, grid=grid)
