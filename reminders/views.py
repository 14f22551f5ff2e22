"""Pages of the inbox, changes to pass on, and undelivered messages."""

import uuid
from collections.abc import Sequence

from django.contrib import messages as flash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.access import member, role_required
from accounts.staff.models import Area, Role
from common import clock
from common.errors import RefusedError
from common.paging import page_before
from reminders import changes, services
from reminders import inbox as inboxes
from reminders.models import Change, Message
from residents.register import services as residents

PAGE = 30


@require_GET
@role_required(Role.GRID_STAFF, Role.SUPERVISOR)
def inbox(request: HttpRequest) -> HttpResponse:
    """Show the messages about the user's grids, newest first."""
    at = clock.now()
    listed = inboxes.inbox_messages(member(request), today=clock.day_of(at))
    page = page_before(listed, request.GET.get("below"), size=PAGE)
    _showed(request, "inbox", page.rows)
    openings = list(inboxes.unseen_openings(member(request)).with_details().order_by("-pk")[:PAGE])
    people = [opening.resident for opening in openings]
    residents.showed(page="inbox", people=people, by=member(request))
    waiting, answered = (
        [
            (export_request, export_request.state(at))
            for export_request in export_requests.select_related("area", "export")[:PAGE]
        ]
        for export_requests in inboxes.export_requests_of(member(request), at=at)
    )
    context = {
        "found": page.rows,
        "more": page.next,
        "openings": openings,
        "asked": [*waiting, *answered],
    }
    return render(request, "reminders/inbox.html", context)


@require_POST
@role_required(Role.GRID_STAFF, Role.SUPERVISOR)
def message_read(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Mark one message as read; redirect to its case, or render it as read (htmx)."""
    user = member(request)
    messages = Message.objects.visible_to(user).inbox().filter(key=key)
    message = get_object_or_404(messages)
    services.mark_read(messages=messages, at=clock.now(), by=user)
    if request.headers.get("HX-Request"):
        shown = inboxes.inbox_messages(user, today=clock.today()).get(pk=message.pk)
        _showed(request, "inbox", [shown])
        return render(request, "reminders/_message.html", {"message": shown})
    if message.todo:
        return redirect("todo_detail", message.todo.key)
    if message.worker:
        return redirect("worker_detail", message.worker.key)
    return redirect("case_detail", message.case.key) if message.case else redirect("inbox")


@require_POST
@role_required(Role.GRID_STAFF, Role.SUPERVISOR)
def inbox_read(request: HttpRequest) -> HttpResponse:
    """Mark everything in the inbox as read."""
    user = member(request)
    read = services.mark_read(messages=Message.objects.visible_to(user), at=clock.now(), by=user)
    flash.success(
        request,
        ngettext("%(count)d message marked as read.", "%(count)d messages marked as read.", read)
        % {"count": read},
    )
    return redirect("inbox")


@require_GET
@role_required(Role.GRID_STAFF, Role.SUPERVISOR)
def change_list(request: HttpRequest) -> HttpResponse:
    """Show the people whose dates a change of policy moved, until somebody ticks them off."""
    user = member(request)
    visible = Change.objects.visible_to(user).unticked()
    area = Area.objects.below(user).filter(code=request.GET.get("area", "")).first()
    listed = visible.filter(grid__path__startswith=area.path) if area else visible
    rows = listed.select_related(
        "case__resident__household__building", "grid", "before_plan", "after_plan"
    )
    page = page_before(rows, request.GET.get("below"), size=PAGE)
    _showed(request, "changes", page.rows)
    context = {
        "found": page.rows,
        "more": page.next,
        "area": area,
        "by_grid": changes.by_grid(visible) if user.role == Role.SUPERVISOR else [],
    }
    return render(request, "reminders/change_list.html", context)


@require_POST
@role_required(Role.GRID_STAFF, Role.SUPERVISOR)
def changes_tick(request: HttpRequest) -> HttpResponse:
    """Tick off the changes that are named, or else all that the page showed."""
    user = member(request)
    theirs = Change.objects.visible_to(user)
    shown = _keys(request, "shown")
    chosen = theirs.filter(key__in=_keys(request, "key") or shown)
    ticked = changes.tick(changes=chosen, at=clock.now(), by=user)
    if request.headers.get("HX-Request"):
        left = list(theirs.unticked().filter(key__in=shown))
        return render(request, "reminders/_change_ticked.html", {"found": left})
    flash.success(
        request,
        ngettext("%(count)d person noted as told.", "%(count)d people noted as told.", ticked)
        % {"count": ticked},
    )
    return redirect("change_list")


def _keys(request: HttpRequest, name: str) -> list[uuid.UUID]:
    return [key for text in request.POST.getlist(name)[:PAGE] if (key := _uuid(text))]


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


@require_GET
@role_required(Role.SUPERVISOR)
def undelivered(request: HttpRequest) -> HttpResponse:
    """Show messages that were not delivered, or were possibly sent twice."""
    visible = Message.objects.visible_to(member(request))
    if code := request.GET.get("area"):
        visible = visible.below(Area.objects.below(member(request)).filter(code=code).first())
    twice = "twice" in request.GET
    listed = visible.perhaps_twice() if twice else visible.undelivered()
    rows = listed.select_related("case__resident", "grid")
    page = page_before(rows, request.GET.get("below"), size=PAGE)
    _showed(request, "undelivered", page.rows)
    return render(
        request,
        "reminders/undelivered.html",
        {
            "found": page.rows,
            "more": page.next,
            "twice": twice,
            "count": listed.count(),
            "undelivered_count": visible.undelivered().count(),
            "twice_count": visible.perhaps_twice().count(),
            "waiting_count": visible.outside().waiting().count(),
        },
    )


@require_POST
@role_required(Role.SUPERVISOR)
def message_retry(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Send an undelivered message again, or mark it as told in person."""
    user = member(request)
    message = get_object_or_404(Message.objects.visible_to(user).outside(), key=key)
    try:
        if "told" in request.POST:
            services.mark_told_in_person(message=message, by=user)
            flash.success(request, _("Noted as told in person or by phone."))
        else:
            services.send_again(message=message, at=clock.now(), by=user)
            flash.success(request, _("It will be sent again within a minute."))
    except RefusedError as error:
        flash.error(request, error.sentence)
    return redirect("undelivered")


def _showed(request: HttpRequest, page: str, rows: Sequence[Message | Change]) -> None:
    subjects = [
        row.case or getattr(row, "worker", None) or getattr(row, "todo", None) for row in rows
    ]
    people = [subject.resident for subject in subjects if subject]
    residents.showed(page=page, people=people, by=member(request))
