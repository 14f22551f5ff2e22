"""Taking lists as files, asking for unmasked ones, and the ledger of all that was taken."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import member, role_required
from accounts.exports import requests
from accounts.exports.files import KINDS
from accounts.exports.models import Export, ExportFile, ExportRequest, FileFormat
from accounts.staff.models import SEES_PEOPLE, SUPERVISES, Area, Role, User
from common import clock
from common.doorbell import ring
from common.errors import RefusedError
from common.paging import page_before
from portal.exports import making
from portal.exports.forms import AskForm, FormatForm, RefusalForm
from portal.exports.lists import LISTS, ExportableList, ExportScope
from portal.exports.tasks import make_file

field_work = role_required(*SEES_PEOPLE)
takers = role_required(*SEES_PEOPLE, Role.AUDITOR)
deciders = role_required(*SUPERVISES)
FEW_AREAS = 60
OFFERED = [Area.Level.STREET, Area.Level.COMMUNITY, Area.Level.GRID]


@require_GET
def export_list(request: HttpRequest) -> HttpResponse:
    """Show the ledger: what was taken as a file, by whom, and on whose word."""
    user = member(request)
    entries = Export.objects.visible_to(user).select_related(
        "by", "area", "request__approved_by", "request__area"
    )
    page = page_before(entries, request.GET.get("after"))
    context = {
        "page": page,
        "rows": [(export, _filters_in_words(export)) for export in page.rows],
        "pseudonyms": user.role == Role.AUDITOR,
    }
    return render(request, "portal/exports/export_list.html", context)


def _filters_in_words(entry: Export | ExportRequest) -> list[tuple[str, str]]:
    listing = LISTS.get(entry.what)
    return listing.filters_in_words(entry.filters) if listing else []


@require_http_methods(["GET", "POST"])
@field_work
def export_new(request: HttpRequest, what: str) -> HttpResponse:
    """Make a file of a list as its page shows it, masked."""
    return _new(request, _listing(what, member(request)))


@require_http_methods(["GET", "POST"])
@role_required(Role.AUDITOR)
def audit_export(request: HttpRequest) -> HttpResponse:
    """Make a file of the audit."""
    return _new(request, LISTS["audit"])


def _new(request: HttpRequest, listing: ExportableList) -> HttpResponse:
    scope, areas = _scope(request, listing)
    rows = listing.count(scope)
    form = FormatForm(request.POST or None)
    if form.is_valid():
        try:
            making.refuse_too_long(rows, unmasked=False)
            return _give(request, listing, scope, rows, kind=form.cleaned_data["format"])
        except RefusedError as refused:
            form.add_error(None, refused.sentence)
    context = _of_list(listing, scope) | {
        "form": form,
        "areas": areas,
        "rows": rows,
        "by_worker": rows > making.SHORT,
    }
    status = 422 if form.errors else 200
    return render(request, "portal/exports/export_new.html", context, status=status)


def _of_list(listing: ExportableList, scope: ExportScope) -> dict[str, Any]:
    area = {"area": scope.area.code} if scope.area else {}
    return {
        "listing": listing,
        "scope": scope,
        "said": listing.filters_in_words(scope.filters),
        "query": urlencode({**scope.filters, **area}),
    }


@require_http_methods(["GET", "POST"])
@field_work
def export_ask(request: HttpRequest, what: str) -> HttpResponse:
    """Ask for a list with some of it unmasked: a second person decides."""
    listing = _listing(what, member(request))
    scope, areas = _scope(request, listing)
    rows = listing.count(scope)
    form = AskForm(request.POST or None)
    if form.is_valid() and scope.area:
        try:
            making.refuse_too_long(rows, unmasked=True)
            asked = requests.ask(
                what=listing.what.value,
                area=scope.area,
                filters=scope.filters,
                at=scope.at,
                by=scope.by,
                **form.request_fields(),
            )
        except RefusedError as refused:
            form.add_error(refused.field if refused.field in form.fields else None, refused)
        else:
            return redirect("export_request", asked.key)
    context = _of_list(listing, scope) | {"form": form, "areas": areas, "rows": rows}
    status = 422 if form.errors else 200
    return render(request, "portal/exports/export_ask.html", context, status=status)


@require_GET
@takers
def export_file(request: HttpRequest) -> HttpResponse:
    """Show how far one's long file is; htmx asks each second, until it is made."""
    file = (
        ExportFile.objects.filter(by=member(request))
        .select_related("export", "area")
        .defer("content")
        .first()
    )
    whole_page = not request.headers.get("HX-Request")
    template = "export_file" if whole_page else "_export_file"
    return render(request, f"portal/exports/{template}.html", {"file": file})


@require_POST
@takers
def export_fetch(request: HttpRequest) -> HttpResponse:
    """Hand one's long file over; it is deleted then."""
    fetched = making.fetch(by=member(request))
    return _file(*fetched) if fetched else redirect("export_file")


@require_GET
def export_requests(request: HttpRequest) -> HttpResponse:
    """List the requests for unmasked data in one's areas, the latest first."""
    user, at = member(request), clock.now()
    rows = ExportRequest.objects.visible_to(user).select_related("area", "asked_by", "export")
    page = page_before(rows, request.GET.get("after"))
    context = {
        "page": page,
        "rows": [(asked, asked.state(at)) for asked in page.rows],
        "pseudonyms": user.role == Role.AUDITOR,
    }
    return render(request, "portal/exports/request_list.html", context)


@require_GET
def export_request(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show what somebody asks for, and what may be done about it."""
    asked, at = _request(request, key), clock.now()
    requests.note_answer(request=asked, at=at, by=member(request))
    return _shown(request, asked, RefusalForm(), at=at)


def _shown(
    request: HttpRequest,
    asked: ExportRequest,
    form: RefusalForm,
    *,
    at: datetime,
    status: int = 200,
) -> HttpResponse:
    user = member(request)
    state = asked.state(at)
    waits = state == ExportRequest.State.WAITING
    context = {
        "asked": asked,
        "state": state,
        "said": _filters_in_words(asked),
        "form": form,
        "mine": asked.asked_by_id == user.pk,
        "unfit": requests.unfit(request=asked, by=user) if waits else "",
        "decides": user.role in SUPERVISES,
        "pseudonyms": user.role == Role.AUDITOR,
        "rows": _rows_of(asked, at) if waits else None,
        "columns": LISTS[asked.what].columns(asked.fields),
    }
    return render(request, "portal/exports/request_detail.html", context, status=status)


def _rows_of(asked: ExportRequest, at: datetime) -> int:
    """Return how many rows a second person would let go: those that the asker's file has."""
    return LISTS[asked.what].count(ExportScope(asked.asked_by, asked.area, at, asked.filters))


@require_POST
@deciders
def export_approve(request: HttpRequest, key: UUID) -> HttpResponse:
    """Agree that what was asked for leaves the portal unmasked."""
    return _step(request, key, requests.approve)


@require_POST
@deciders
def export_refuse(request: HttpRequest, key: UUID) -> HttpResponse:
    """Refuse what was asked for, with a reason."""
    form = RefusalForm(request.POST)
    if not form.is_valid():
        asked = _request(request, key)
        return _shown(request, asked, form, at=clock.now(), status=422)
    return _step(request, key, requests.refuse, reason=form.cleaned_data["reason"])


@require_POST
@field_work
def export_withdraw(request: HttpRequest, key: UUID) -> HttpResponse:
    """Withdraw one's own request."""
    return _step(request, key, requests.withdraw)


@require_POST
@field_work
def export_take(request: HttpRequest, key: UUID) -> HttpResponse:
    """Make the file that two people agreed on, once."""
    asked = _request(request, key)
    try:
        scope = making.scope_of(request=asked, at=clock.now(), by=member(request))
        listing = LISTS[asked.what]
        return _give(request, listing, scope, listing.count(scope), kind=asked.format, asked=asked)
    except RefusedError as refused:
        messages.error(request, refused.sentence)
        return redirect("export_request", key)


def _step(
    request: HttpRequest, key: UUID, step: Callable[..., None], **kwargs: str
) -> HttpResponse:
    asked = _request(request, key)
    try:
        step(request=asked, at=clock.now(), by=member(request), **kwargs)
    except RefusedError as refused:
        messages.error(request, refused.sentence)
    return redirect("export_request", key)


def _request(request: HttpRequest, key: UUID) -> ExportRequest:
    rows = ExportRequest.objects.visible_to(member(request)).select_related(
        "area", "asked_by", "approved_by", "refused_by", "export"
    )
    return get_object_or_404(rows, key=key)


def _listing(what: str, user: User) -> ExportableList:
    listing = LISTS.get(what)
    if listing is None or listing.whole or user.role not in listing.roles:
        raise Http404
    return listing


def _scope(request: HttpRequest, listing: ExportableList) -> tuple[ExportScope, list[Area]]:
    """Return what an address asks for, and the areas that may be chosen instead."""
    user, filters = member(request), listing.known_filters(request.GET.dict())
    if not listing.about_people:
        return ExportScope(user, None, clock.now(), filters), []
    areas = _areas(user)
    code = request.GET.get("area") or request.GET.get("grid")
    chosen = next((area for area in areas if area.code == code), None)
    if chosen is None and code:
        chosen = Area.objects.below(user).filter(code=code).first()
    return ExportScope(user, chosen or (areas[0] if areas else None), clock.now(), filters), areas


def _areas(user: User) -> list[Area]:
    """Return the areas that somebody was given, and those below; without grids where many."""
    rows = [
        area
        for area in Area.objects.below(user).only("pk", "path", "code", "level", "name", "depth")
        if area.path in user.area_paths or area.level in OFFERED
    ]
    if len(rows) > FEW_AREAS:
        own_paths = user.area_paths
        rows = [area for area in rows if area.level != Area.Level.GRID or area.path in own_paths]
    return rows


def _give(
    request: HttpRequest,
    listing: ExportableList,
    scope: ExportScope,
    rows: int,
    *,
    kind: str,
    asked: ExportRequest | None = None,
) -> HttpResponse:
    """Return a short list as a file; let a worker make a long one."""
    what = listing.what.value
    if rows <= making.SHORT:
        return _file(*making.make(what=what, scope=scope, kind=kind, request=asked))
    file = making.order_file(
        what=what, scope=scope, kind=kind, request=asked, language=get_language() or "zh-hans"
    )
    ring(make_file, str(file.key))
    return redirect("export_file")


def _file(export: Export, content: bytes) -> HttpResponse:
    response = HttpResponse(content, content_type=KINDS[FileFormat(export.format)])
    name = f"wangge-{export.what.replace('_', '-')}-{export.pk}.{export.format}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
