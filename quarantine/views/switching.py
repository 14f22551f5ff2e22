"""The page of an activation: what it would change, its approval, its progress, its withdrawal."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.access import member, role_required
from accounts.scope import within
from accounts.staff.models import Area, Role, User
from common import clock
from common.errors import RefusedError
from common.paging import parse_key
from policy.activations.choices import leave_stricter_to_new_cases, let_stricter_reach_open_cases
from policy.activations.decisions import approve_activation, colleagues, withdraw_activation
from policy.activations.timeline import timeline
from policy.engine.documents.schema import MEASURE_SUBJECTS
from policy.models import Activation
from policy.review import review
from policy.services import file_of, library
from quarantine.models import Case, CaseQuerySet, Event
from quarantine.switching import previews_seen
from quarantine.switching.preview import (
    SwitchOutcome,
    SwitchPreview,
    affected_cases,
    effect_of,
    preview,
)
from quarantine.switching.preview_page import Effect
from quarantine.switching.sweep import progress
from residents.register import services as residents

administrators = role_required(Role.ADMINISTRATOR)
# Supervisors see what changes for their own people; they decide nothing here.
readers = role_required(Role.ADMINISTRATOR, Role.SUPERVISOR)

PAGE = 25
# A number and the people behind it are of one moment for so long.
KEPT_SECONDS = 900
NAME_OF_PREVIEW = re.compile(r"[\w-]{12}", re.ASCII)
# The sweep looks every quarter of a minute; without a step for so long, something is wrong.
STALLED_SECONDS = 90


def _activation(by: User, pk: int) -> Activation:
    """Return an activation that concerns the areas of `by`, or 404."""
    mine = within(by, "area__path")
    if by.role == Role.SUPERVISOR:
        step = Area.steplen
        above = {path[:end] for path in by.area_paths for end in range(step, len(path), step)}
        mine |= Q(area__path__in=above)
    activations = Activation.objects.filter(mine).select_related(
        "area", "proposed_by", "approved_by", "withdrawn_by"
    )
    return get_object_or_404(activations, pk=pk)


def _cases(by: User, activation: Activation) -> CaseQuerySet:
    """Return the open cases of an activation that `by` may count, if not see."""
    cases = Case.objects.without_people(by).open()
    return cases.filter(grid__path__startswith=activation.area.path)


@readers
@require_GET
def activation_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a proposal or a decision, how far it is, and what may be done about it."""
    return _page(request, _activation(member(request), pk), at=clock.now())


def _page(
    request: HttpRequest, activation: Activation, *, at: datetime, status: int = 200
) -> HttpResponse:
    by = member(request)
    waiting = activation.approved_at is None and activation.withdrawn_at is None
    now = timeline(area=activation.area, at=at).now
    context = {
        "activation": activation,
        "at": at,
        "waiting": waiting,
        "own": activation.proposed_by_id == by.pk,
        "colleagues": colleagues(activation=activation, by=by) if waiting else "",
        "governs": now is not None and now.activation.pk == activation.pk,
        "instead": now.activation if now and now.activation.pk != activation.pk else None,
        "choices": list(activation.choices.select_related("by").order_by("subject")),
        "exceptions": _exceptions(by, activation),
        "look": previews_seen.of_approver(activation) if activation.approved_at else None,
        "outcomes": SwitchOutcome,
        "later": activation.approved_at is not None and activation.effective_from > at,
    }
    if document := library().documents.get(activation.document):
        context["review"] = review(
            document,
            library(),
            file_of(activation.document),
            in_force=now.activation.document if now and waiting else None,
        )
    if activation.approved_at:
        context |= _progress(by, activation, at)
    return render(request, "quarantine/activation_detail.html", context, status=status)


def _exceptions(by: User, activation: Activation) -> list[Event]:
    """Return the last word on each case that is an exception now."""
    events = Event.objects.valid().filter(
        kind=Event.Kind.EXCEPTION, case__in=_cases(by, activation).exclude(excepted="")
    )
    return list(
        events.select_related("case__grid", "by").order_by("case", "-pk").distinct("case")[:100]
    )


@readers
@require_GET
def activation_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what approving would change, or taking back, without writing any of it."""
    by, at = member(request), clock.now()
    activation = _activation(by, pk)
    if activation.withdrawn_at:
        raise Http404
    if _applied(request, activation, at):
        return _effect(request, activation, at=at)
    withdrawing = activation.approved_at is not None
    switch_preview, seen = _preview_of(request, activation, at=at)
    effect = Effect(
        switch_preview,
        user=by,
        within=activation.area,
        page=reverse("activation_preview", args=[pk]),
        people=reverse("activation_people", args=[pk]),
        asked={"seen": seen},
        code=request.GET.get("area", ""),
    )
    first = None if withdrawing else previews_seen.of_proposer(activation)
    if not withdrawing and effect.whole and by.role == Role.ADMINISTRATOR:
        previews_seen.note(activation=activation, switch_preview=switch_preview, at=at, by=by)
    context = {
        "activation": activation,
        "back": withdrawing,
        "effect": effect,
        "charts": {"tests": effect.chart()} if effect.whole else {},
        "first": first,
        "differences": effect.differences(first) if effect.whole else [],
        "own": activation.proposed_by_id == by.pk,
        "spared": _choices(activation, switch_preview),
    }
    page = "_preview" if request.htmx else "activation_preview"  # type: ignore[attr-defined]
    return render(request, f"quarantine/{page}.html", context)


def _applied(request: HttpRequest, activation: Activation, at: datetime) -> bool:
    """Say whether it is asked what a decision has changed, and whether it has begun to."""
    began = activation.approved_at is not None and activation.effective_from <= at
    return began and "applied" in request.GET


def _effect(request: HttpRequest, activation: Activation, *, at: datetime) -> HttpResponse:
    """Show what a decision in force has changed, beside what its approver saw."""
    by = member(request)
    switch_preview, seen = _preview_of(request, activation, at=at)
    effect = Effect(
        switch_preview,
        user=by,
        within=activation.area,
        page=reverse("activation_preview", args=[activation.pk]),
        people=reverse("activation_people", args=[activation.pk]),
        asked={"seen": seen, "applied": "1"},
    )
    look = previews_seen.of_approver(activation) if effect.whole else None
    context = {"activation": activation, "effect": effect, "look": look}
    if look:
        context |= {"differences": effect.differences(look), **_meanwhile(activation, look.at)}
    return render(request, "quarantine/_effect.html", context)


def _meanwhile(activation: Activation, since: datetime) -> dict[str, int]:
    """Return how many people came under a measure since, and of how many it ended."""
    there = Case.objects.filter(grid__path__startswith=activation.area.path)
    opened = there.filter(opened_at__gt=since)
    ended = Event.objects.valid().filter(case__in=there, at__gt=since, detail__has_key="closed_as")
    return {
        "opened": opened.values("resident").distinct().count(),
        "closed": ended.values("case__resident").distinct().count(),
    }


def _choices(activation: Activation, switch_preview: SwitchPreview) -> list[dict[str, Any]]:
    """Return the subjects on which the proposer may choose, with whom the choice would reach."""
    chosen = {choice.subject: choice for choice in activation.choices.all()}
    return [
        {
            "subject": subject,
            "number": switch_preview.spared[subject],
            "choice": chosen.get(subject),
        }
        for subject in MEASURE_SUBJECTS
        if switch_preview.spared[subject] or subject in chosen
    ]


def _preview_of(
    request: HttpRequest, activation: Activation, *, at: datetime
) -> tuple[SwitchPreview, str]:
    """
    Return the preview that the address names, else a new one, and its name.

    It is kept for a while, so that a number leads to exactly the people who were counted.
    """
    seen, applied = request.GET.get("seen", ""), _applied(request, activation, at)
    switch_preview: SwitchPreview | None = None
    if NAME_OF_PREVIEW.fullmatch(seen):
        switch_preview = cache.get(_cache_key(activation, seen, applied=applied))
    if switch_preview is None:
        seen = secrets.token_urlsafe(9)  # as NAME_OF_PREVIEW
        withdrawing = activation.approved_at is not None
        if applied:
            switch_preview = effect_of(activation=activation, at=at)
        else:
            switch_preview = preview(activation=activation, at=at, withdrawn=withdrawing)
        key = _cache_key(activation, seen, applied=applied)
        cache.set(key, switch_preview, KEPT_SECONDS)
    return switch_preview, seen


def _cache_key(activation: Activation, seen: str, *, applied: bool) -> str:
    return f"{'effect' if applied else 'preview'}-{activation.pk}-{seen}"


@readers
@require_GET
def activation_people(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the cases behind a number, each with its calendar before and after."""
    by, at = member(request), clock.now()
    activation = _activation(by, pk)
    outcome = request.GET.get("outcome", "")
    outcome = outcome if outcome in SwitchOutcome.values else SwitchOutcome.LENGTHENED
    if activation.withdrawn_at:
        raise Http404
    switch_preview, seen = _preview_of(request, activation, at=at)
    cases = _cases(by, activation)
    area = Area.objects.below(by).filter(code=request.GET.get("area", "")).first()
    if area:
        cases = cases.filter(grid__path__startswith=area.path)
    after = parse_key(request.GET.get("after"))
    rows = affected_cases(
        switch_preview=switch_preview, outcome=outcome, cases=cases, after=after, size=PAGE + 1
    )
    shown = rows[:PAGE]
    if by.sees_people:
        names = [row.case.resident for row in shown]
        residents.showed(page="preview", people=names, by=by)
    context = {
        "activation": activation,
        "back": activation.approved_at is not None and not switch_preview.applied,
        "applied": switch_preview.applied,
        "outcome": SwitchOutcome(outcome),
        "area": area,
        "rows": shown,
        "today": clock.day_of(at),
        "seen": seen,
        "more": shown[-1].case.pk if len(rows) > PAGE else None,
        "first": after is None,
    }
    return render(request, "quarantine/activation_people.html", context)


@administrators
@require_POST
def activation_choose(request: HttpRequest, pk: int) -> HttpResponse:
    """Let what is stricter on a subject reach open cases, or leave it to new ones."""
    by = member(request)
    activation = _activation(by, pk)
    subject = request.POST.get("subject", "")
    if subject not in MEASURE_SUBJECTS:
        return HttpResponseBadRequest()
    try:
        if request.POST.get("reach") == "open":
            let_stricter_reach_open_cases(
                activation=activation,
                subject=subject,
                reason=request.POST.get("reason", "")[:200],
                at=clock.now(),
                by=by,
            )
        else:
            leave_stricter_to_new_cases(activation=activation, subject=subject, by=by)
    except RefusedError as refused:
        messages.error(request, refused.sentence)
    return redirect("activation_detail", pk)


@administrators
@require_POST
def activation_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve a proposal with the choices that its page showed."""
    activation = _activation(member(request), pk)
    try:
        approve_activation(
            activation=activation,
            at=clock.now(),
            by=member(request),
            choices=request.POST.getlist("choice"),
        )
    except RefusedError as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, _("Approved."))
    return redirect("activation_detail", pk)


@administrators
@require_POST
def activation_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw a proposal or a decision."""
    activation = _activation(member(request), pk)
    reason = request.POST.get("reason", "")
    try:
        withdraw_activation(
            activation=activation, at=clock.now(), by=member(request), reason=reason
        )
    except RefusedError as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, _("Withdrawn: the earlier document applies again."))
    return redirect("activation_detail", pk)


@readers
@require_GET
def activation_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how many cases are derived anew; asked every other second until all are."""
    by, at = member(request), clock.now()
    activation = _activation(by, pk)
    if not activation.approved_at:
        raise Http404
    context = {"activation": activation, **_progress(by, activation, at)}
    return render(request, "quarantine/_progress.html", context)


def _progress(by: User, activation: Activation, at: datetime) -> dict[str, Any]:
    cases = _cases(by, activation)
    done = progress(cases=cases, at=at)
    results = cases.following(activation).order_by().values_list("transition")
    return {
        "progress": done,
        "done": done.total - done.left,
        "stalled": _stalled(activation, done.left),
        "results": [
            (Case.Transition(result).label, number)
            for result, number in sorted(results.annotate(Count("pk")))
        ],
    }


def _stalled(activation: Activation, remaining: int) -> bool:
    """Say whether the same number has been left for longer than the sweep may take."""
    key = f"progress-{activation.pk}"
    if not remaining:
        cache.delete(key)
        return False
    # By what the cache forgets, in real seconds: the demo's day may jump.
    if cache.get(key) != remaining:
        cache.set(key, remaining, 3600)
        cache.set(f"{key}-moved", True, STALLED_SECONDS)
        return False
    return not cache.get(f"{key}-moved")
