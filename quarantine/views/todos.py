"""What is to be done about dangers: the queue, and the page of one."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import member, role_required
from accounts.staff.models import Area, Role, User
from common import clock
from common.paging import Page, page_after
from common.undo_window import UNDO
from quarantine.acts.release import Proposal, release_proposals
from quarantine.cases.readiness import Readiness
from quarantine.lists.filters import conditions_of_releases
from quarantine.models import Case
from quarantine.todo import services
from quarantine.todo.forms import HandOverForm, LookedAtForm
from quarantine.todo.models import Todo, TodoQuerySet
from quarantine.todo.next_step import next_step
from quarantine.views.errors import add_refusal
from quarantine.views.undone import undo_and_redirect
from residents.register import services as residents
from residents.register.models import Resident

if TYPE_CHECKING:
    from datetime import date, datetime

STAFF = (Role.GRID_STAFF, Role.SUPERVISOR)
Kind = Todo.Kind
# What is to be done about a release that is blocked on its day: a condition on a case, no row.
BLOCKED = Readiness.BLOCKED.value


@role_required(Role.SUPERVISOR)
@require_GET
def todo_list(request: HttpRequest) -> HttpResponse:
    """
    Show what is to be done, the most overdue first, narrowed to a kind or an area.

    Releases blocked on their day come last: what keeps them is to be done, too.
    """
    by, at = member(request), clock.now()
    area = Area.objects.below(by).filter(code=request.GET.get("area", "")).first()
    theirs, cases = Todo.objects.visible_to(by), Case.objects.visible_to(by)
    if area:
        theirs = theirs.filter(resident__grid__path__startswith=area.path)
        cases = cases.filter(grid__path__startswith=area.path)
    counts = dict(theirs.open().order_by().values_list("kind").annotate(n=Count("pk")))
    blocked = cases.filter(conditions_of_releases(clock.day_of(at))["blocked"])
    number = {**counts, BLOCKED: blocked.count()}
    kind = request.GET.get("kind", "")
    kind = kind if kind in (*Kind.values, BLOCKED) else ""
    after = request.GET.get("after")
    page, last = _todos(theirs, kind, after), _no_page()
    if kind == BLOCKED or (not kind and page.next is None):
        begin = after if kind == BLOCKED else None
        last = page_after(blocked.only("release_on"), begin, order=("release_on",), among=cases)
    proposals = _blocked(last.rows, clock.day_of(at))
    people = [todo.resident for todo in page.rows] + [each.case.resident for each in proposals]
    residents.showed(page="todo_list", people=people, by=by)
    return render(
        request,
        "quarantine/todo_list.html",
        {
            "todos": page.rows,
            "blocked": proposals,
            "next": last.next or page.next,
            "next_kind": BLOCKED if last.next else kind,
            "at": at,
            "day": clock.day_of(at),
            "area": area,
            "kind": kind,
            "count": number.get(kind, 0) if kind else sum(number.values()),
            "together": sum(number.values()),
            "chips": [
                (each, label, number.get(each, 0))
                for each, label in [*Kind.choices, (BLOCKED, Readiness.BLOCKED.label)]
            ],
        },
    )


def _no_page() -> Page[Any]:
    return Page([], None, first=True)


def _todos(theirs: TodoQuerySet, kind: str, after: str | None) -> Page[Todo]:
    """Return a page of to-dos of a kind, of all where none is asked for."""
    if kind == BLOCKED:
        return _no_page()
    shown = theirs.open().of_kinds(Kind(kind)) if kind else theirs.open()
    return page_after(shown.with_details(), after, order=("due_at",), among=theirs)


def _blocked(cases: list[Case], day: date) -> list[Proposal]:
    """Return people whose release is blocked on its day, with what keeps them."""
    if not cases:
        return []
    detailed = Case.objects.filter(pk__in=[case.pk for case in cases])
    proposals = release_proposals(
        cases=detailed.select_related("resident__household__building"), today=day
    )
    return proposals.blocked


@role_required(*STAFF)
@require_http_methods(["GET", "POST"])
def todo_detail(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Show one thing to do with its next step; record what was done."""
    by, at = member(request), clock.now()
    todo = get_object_or_404(Todo.objects.visible_to(by).with_details(), key=key)
    form = _form_of(todo, request)
    if request.method == "POST" and form is None:
        messages.error(request, _("Somebody has dealt with this meanwhile."))
        return redirect("todo_detail", todo.key)
    if form is not None and form.is_valid():
        try:
            sentence = _do(todo, form.cleaned_data, at, by)
        except ValidationError as error:
            add_refusal(form, error)
        else:
            undo = reverse("undo_todo", args=[todo.key])
            messages.success(request, sentence, extra_tags=f"undo:{undo}")
            return redirect("todo_detail", todo.key)
    return _page(request, todo, form, at, by)


def _form_of(todo: Todo, request: HttpRequest) -> HandOverForm | LookedAtForm | None:
    """Return the form that ends a to-do; None where an act on the case ends it."""
    if not todo.is_open:
        return None
    data = request.POST if request.method == "POST" else None
    if todo.kind == Kind.REFER:
        return HandOverForm(data)
    # The household of somebody with a case is decided on there, one by one.
    decided_on_case = todo.kind == Kind.HOUSEHOLD and todo.case_id is not None
    return LookedAtForm(data) if todo.kind in services.LOOKED_AT and not decided_on_case else None


def _do(todo: Todo, data: dict[str, Any], at: datetime, by: User) -> str:
    if todo.kind == Kind.REFER:
        services.hand_over(
            todo=todo,
            to=data["to"],
            handed_over_at=data["handed_over_at"] or at,
            vehicle=data["vehicle"],
            at=at,
            by=by,
        )
        return _("Handed over.")
    services.look_at(todo=todo, what_was_done=data["what_was_done"], at=at, by=by)
    return _("Noted as done.")


def _page(
    request: HttpRequest,
    todo: Todo,
    form: HandOverForm | LookedAtForm | None,
    at: datetime,
    by: User,
) -> HttpResponse:
    about_household = todo.kind in (Kind.REFER, Kind.HOUSEHOLD)
    living_there = Resident.objects.visible_to(by).here() if about_household else None
    household = (
        list(
            living_there.filter(household=todo.resident.household_id).exclude(pk=todo.resident_id)
        )
        if living_there is not None
        else []
    )
    residents.read(resident=todo.resident, also=household, by=by)
    mine = by.role in (Role.SUPERVISOR, todo.owner)
    may_undo = todo.done_at and not (todo.done_event_id or todo.done_result_id)
    context = {
        "todo": todo,
        "form": form if mine or todo.kind == Kind.REFER else None,
        "step": next_step(todo, at=at),
        "case": _case_of(todo, by),
        "household": household,
        "at": at,
        "may_undo": may_undo and at - (todo.done_at or at) <= UNDO,
    }
    return render(request, "quarantine/todo_detail.html", context)


def _case_of(todo: Todo, by: User) -> Case | None:
    """Return the case on whose page the person is looked after: the open one, else its own."""
    cases = Case.objects.visible_to(by).filter(resident=todo.resident_id)
    return cases.open().order_by("-pk").first() or todo.case


@role_required(*STAFF)
@require_POST
def undo_todo(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Take back that something was done; it is to be done again."""
    by = member(request)
    todo = get_object_or_404(Todo.objects.visible_to(by), key=key)
    return undo_and_redirect(request, lambda: services.take_back(todo=todo, at=clock.now(), by=by))
