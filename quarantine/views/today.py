"""The first page of grid staff: what is due today."""

from datetime import date
from typing import Any

from django.db.models import Count, QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access import member, role_required
from accounts.staff.models import Role, User
from common import clock
from quarantine.lists.filters import conditions_of_releases
from quarantine.lists.worklist import WorkKind, worklist
from quarantine.models import Case, CaseQuerySet
from quarantine.todo.models import Todo
from quarantine.todo.showing import marks_of
from residents.keypeople.models import Need
from residents.register import services as residents
from residents.register.models import Resident


@role_required(Role.GRID_STAFF)
@require_GET
def today(request: HttpRequest) -> HttpResponse:
    """Show tests, results, releases and checks by building and door."""
    kind = request.GET.get("kind", "")
    kind = kind if kind in WorkKind.values else ""
    at = clock.now()
    day = clock.day_of(at)
    theirs = Case.objects.visible_to(member(request))
    due = worklist(
        cases=theirs,
        today=day,
        kind=kind,
        after=request.GET.get("after"),
    )
    todos = list(Todo.objects.visible_to(member(request)).open().with_details().order_by("due_at"))
    first = [todo for todo in todos if todo.kind != Todo.Kind.OUTING]  # which others decide on
    people = [card.case.resident for card in due.cards] + [todo.resident for todo in first]
    residents.showed(page="today", people=people, by=member(request))
    context = {
        "worklist": due,
        "buildings": due.by_building(),
        "chips": [
            (work_kind, work_kind.label, due.counts.of[work_kind]) for work_kind in WorkKind
        ],
        "kind": kind,
        "todos": first,
        "marks": marks_of(todos),
        "at": at,
        "page": due,
        **_besides(member(request), theirs, day),
    }
    return render(request, "quarantine/today.html", context)


def _besides(by: User, theirs: CaseQuerySet, day: date) -> dict[str, int]:
    """Count what waits on other pages. One query."""
    waiting: dict[str, QuerySet[Any]] = {
        "blocked": theirs.filter(conditions_of_releases(day)["blocked"]),
        "to_follow": Resident.objects.visible_to(by).number_to_follow(),
        "needs": Need.objects.visible_to(by).due(day),
    }
    first, *others = (
        rows.order_by().values(what=Value(name)).annotate(number=Count("pk"))
        for name, rows in waiting.items()
    )
    counted = {row["what"]: row["number"] for row in first.union(*others, all=True)}
    return {name: counted.get(name, 0) for name in waiting}
