"""Pages on the end of an outbreak: closing it, how long its data stay, the purge, the proof."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import member, role_required
from accounts.staff.models import SUPERVISES, Area, Role, User
from common import clock
from common.doorbell import ring
from common.errors import RefusedError
from common.paging import page_before
from policy.services import activation_in_force
from portal.retention import certificate, closing, purging, terms
from portal.retention.forms import ClosingForm, ReasonForm, TermForm
from portal.retention.inventory import in_words
from portal.retention.models import Purge, RetentionTerm
from portal.retention.second_voice import unfit
from portal.retention.tasks import purge_outbreak
from residents.closings.models import Closing
from residents.whitelist.qr import picture

over = role_required(*SUPERVISES)
administrators = role_required(Role.ADMINISTRATOR)
get_or_post = require_http_methods(["GET", "POST"])
STALLED_AFTER = timedelta(minutes=3)


def _areas(user: User) -> "QuerySet[Area]":
    areas: QuerySet[Area] = Area.objects.below(user).exclude(level=Area.Level.GRID)
    return areas


def _chosen(request: HttpRequest) -> Area | None:
    areas = _areas(member(request))
    code = request.POST.get("area") or request.GET.get("area", "")
    return areas.filter(code=code).first() or areas.first()


@require_GET
@over
def closing_list(request: HttpRequest) -> HttpResponse:
    """List the outbreaks that were closed in one's areas, the latest first."""
    user, today = member(request), clock.today()
    rows = Closing.objects.visible_to(user).select_related("area").prefetch_related("purges")
    page = page_before(rows, request.GET.get("after"))
    context = {"page": page, "rows": [(each, _state(each, today)) for each in page.rows]}
    return render(request, "portal/retention/closing_list.html", context)


def _state(closed: Closing, today: Any) -> tuple[str, str]:
    """Return how a closing stands: a colour and a word."""
    purges = [each for each in closed.purges.all() if each.refused_at is None]
    purge = max(purges, key=lambda each: each.pk, default=None)
    if closed.withdrawn_at:
        return "", _("Taken back")
    if purge is None:
        due = today >= closed.purge_from
        return ("due", _("Term over")) if due else ("free", _("Frozen"))
    if purge.finished_at:
        return "free", _("Purged")
    return ("due", _("Being purged")) if purge.approved_at else ("due", _("Waits for a second"))


@get_or_post
@over
def closing_new(request: HttpRequest) -> HttpResponse:
    """Close the outbreak in an area, once nothing is open there."""
    user, at, area = member(request), clock.now(), _chosen(request)
    form = ClosingForm(
        request.POST or None,
        areas=_areas(user),
        initial={"area": area.code if area else None},
    )
    if form.is_valid():
        try:
            closed = closing.close(**form.cleaned_data, at=at, by=user)
        except RefusedError as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            messages.success(request, _("The outbreak is closed: its data are frozen."))
            return redirect("closing_detail", closed.key)
    context = {
        "form": form,
        "area": area,
        "blockers": closing.blockers(area) if area else [],
        "people": closing.people_of(area).count() if area else 0,
        **(_term_in_words(area, at) if area else {}),
    }
    status = 422 if form.errors else 200
    return render(request, "portal/retention/closing_new.html", context, status=status)


def _term_in_words(area: Area, at: datetime) -> dict[str, Any]:
    """Return the term that holds in an area, and the document that is silent about it."""
    return {"term": terms.term_over(area), "activation": activation_in_force(area=area, at=at)}


@require_GET
@over
def closing_detail(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show what is frozen, until when, and how far its purge is."""
    return _shown(request, _closing(request, key), ReasonForm(), at=clock.now())


def _shown(
    request: HttpRequest, closed: Closing, form: ReasonForm, *, at: datetime, status: int = 200
) -> HttpResponse:
    user, today = member(request), clock.day_of(at)
    current = closed.purges.filter(refused_at=None).select_related("asked_by", "approved_by")
    purge = current.order_by("-pk").first()
    left = closed.frozen.count()
    done = purge is not None and purge.finished_at is not None
    counted = "counted" in request.GET and left
    context = {
        "closed": closed,
        "state": _state(closed, today),
        "purge": purge,
        "form": form,
        "due": today >= closed.purge_from,
        "mine": purge is not None and purge.asked_by_id == user.pk,
        "unfit": unfit(purge=purge, by=user) if purge and not purge.approved_at else "",
        "may_ask": closed.withdrawn_at is None and left and (purge is None or done),
        "may_reopen": closed.withdrawn_at is None and purge is None,
        "left": left,
        "counts": _named(closed.counts),
        "preview": _named(purging.preview(closed)) if counted else None,
        **(_progress(purge, at) if purge else {}),
    }
    return render(request, "portal/retention/closing_detail.html", context, status=status)


def _named(counts: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return numbers with the names of their tables, empty ones last and left out."""
    return [(in_words(table), number) for table, number in counts.items() if number]


def _progress(purge: Purge, at: datetime) -> dict[str, Any]:
    total = purge.total
    share = min(100 * purge.done // total, 100) if total else 0
    running = purge.approved_at is not None and purge.finished_at is None
    touched = purge.touched_at or at
    return {
        "percent": 100 if purge.finished_at else share,
        "total": total,
        "done": purge.done,
        "running": running,
        "stalled": running and at - touched > STALLED_AFTER,
        "purge": purge,
    }


@require_POST
@over
def closing_reopen(request: HttpRequest, key: UUID) -> HttpResponse:
    """Take back a closing that was a mistake."""
    closed, form = _closing(request, key), ReasonForm(request.POST)
    if not form.is_valid():
        return _shown(request, closed, form, at=clock.now(), status=422)
    return _step(
        request, closed, lambda **by: closing.reopen(closing=closed, **form.cleaned_data, **by)
    )


@require_POST
@over
def purge_ask(request: HttpRequest, key: UUID) -> HttpResponse:
    """Ask for the purge of a closed outbreak."""
    closed = _closing(request, key)
    return _step(request, closed, lambda **by: purging.ask(closing=closed, **by))


@require_POST
@over
def purge_approve(request: HttpRequest, key: UUID) -> HttpResponse:
    """Agree to a purge, as the second person."""
    purge = _purge(request, key)
    response = _step(request, purge.closing, lambda **by: purging.approve(purge=purge, **by))
    ring(purge_outbreak, str(purge.key))
    return response


@require_POST
@over
def purge_refuse(request: HttpRequest, key: UUID) -> HttpResponse:
    """Refuse a purge, or withdraw one's own."""
    purge = _purge(request, key)
    return _step(request, purge.closing, lambda **by: purging.refuse(purge=purge, **by))


def _step(request: HttpRequest, closed: Closing, step: Callable[..., object]) -> HttpResponse:
    try:
        step(at=clock.now(), by=member(request))
    except RefusedError as refused:
        messages.error(request, refused.sentence)
    return redirect("closing_detail", closed.key)


@require_GET
@over
def purge_progress(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show how far a purge is; htmx asks each two seconds."""
    shown = _progress(_purge(request, key), clock.now())
    return render(request, "portal/retention/_progress.html", shown)


@get_or_post
@administrators
def retention_term(request: HttpRequest) -> HttpResponse:
    """Show how long data stay in one's areas, and set another term with a reason."""
    user, at, area = member(request), clock.now(), _chosen(request)
    term = terms.term_over(area) if area else None
    form = TermForm(
        request.POST or None,
        areas=_areas(user),
        initial={"area": area.code if area else None, "days": term.days if term else None},
    )
    if form.is_valid():
        try:
            terms.set_term(**form.cleaned_data, at=at, by=user)
        except RefusedError as refused:
            form.add_error(refused.field, refused.sentence)
        else:
            messages.success(request, _("The term holds for what is closed from now on."))
            return redirect(f"{request.path}?area={form.cleaned_data['area'].code}")
    history = RetentionTerm.objects.filter(area__in=_areas(user)).select_related("area", "by")
    context = {
        "form": form,
        "area": area,
        "history": history.order_by("-pk")[:20],
        **(_term_in_words(area, at) if area else {}),
    }
    status = 422 if form.errors else 200
    return render(request, "portal/retention/retention_term.html", context, status=status)


@require_GET
@login_not_required
def purge_certificate(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show the certificate of a purge to anybody, with what a check of it finds."""
    purge = _certified(key)
    made: Any = purge.certificate
    context = {
        "made": made,
        "body": made["body"],
        "closed": purge.closing,
        "purge": purge,
        "tables": [(in_words(row["table"]), row) for row in made["body"]["tables"]],
        "findings": certificate.check(made, counting=False),
        "keys_in_use": certificate.keys_still_in_use(made),
        "code": picture(request.build_absolute_uri(reverse("purge_certificate", args=[key]))),
    }
    return render(request, "portal/retention/certificate.html", context)


@require_GET
@login_not_required
def purge_certificate_file(request: HttpRequest, key: UUID) -> HttpResponse:
    """Return the certificate of a purge as JSON, for anybody who checks it."""
    response = JsonResponse(
        _certified(key).certificate, json_dumps_params={"ensure_ascii": False, "indent": 2}
    )
    response["Content-Disposition"] = f'attachment; filename="certificate-{key}.json"'
    return response


def _certified(key: UUID) -> Purge:
    purges = Purge.objects.exclude(certificate=None)
    rows = purges.select_related("closing__area", "asked_by", "approved_by")
    return get_object_or_404(rows, key=key)


def _closing(request: HttpRequest, key: UUID) -> Closing:
    rows = Closing.objects.visible_to(member(request)).select_related("area", "closed_by")
    return get_object_or_404(rows.prefetch_related("purges"), key=key)


def _purge(request: HttpRequest, key: UUID) -> Purge:
    rows = Purge.objects.visible_to(member(request)).select_related("closing__area", "asked_by")
    return get_object_or_404(rows, key=key)
