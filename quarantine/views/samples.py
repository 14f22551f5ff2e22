"""Samples whose result is awaited: their list, and the page that takes a result at any time."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import member, role_required
from accounts.staff.models import Role
from common import clock
from common.errors import RefusedError
from common.paging import page_after
from quarantine.acts.forms import LaboratoryForm
from quarantine.acts.results import ContradictionError, take_check
from quarantine.views.acts import enter_result
from quarantine.views.errors import add_refusal
from residents.register import services as residents
from testing.models import Sample

STAFF = (Role.GRID_STAFF, Role.SUPERVISOR)
MOST_CHECKS = 200


@role_required(*STAFF)
@require_GET
def awaited_list(request: HttpRequest) -> HttpResponse:
    """List the samples whose result is awaited, the oldest first, whatever became of the case."""
    by = member(request)
    mine = Sample.objects.visible_to(by)
    page = page_after(
        mine.awaited().select_related("resident__household__building", "resident__grid"),
        request.GET.get("after"),
        order=["day"],
        among=mine,
    )
    to_check = list(
        mine.to_check()
        .select_related("resident__household__building", "resident__grid")
        .order_by("day", "pk")[:MOST_CHECKS]
    )
    people = [sample.resident for sample in (*page.rows, *to_check)]
    residents.showed(page="awaited_list", people=people, by=by)
    singles = mine.awaited().filter(pooled=False, resident__in=[s.resident_id for s in to_check])
    context = {
        "page": page,
        "to_check": to_check,
        "sampled": set(singles.values_list("resident_id", flat=True)),
    }
    return render(request, "quarantine/awaited_list.html", context)


@role_required(*STAFF)
@require_POST
def sample_check(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Take the tube of one person that decides on a positive pool."""
    by = member(request)
    samples = Sample.objects.visible_to(by).valid().select_related("resident__grid")
    sample = get_object_or_404(samples, key=key)
    try:
        taken = take_check(sample=sample, at=clock.now(), by=by)
    except RefusedError as refused:
        messages.error(request, refused.sentence)
    else:
        undo = reverse("undo_sample", args=[taken.key])
        messages.success(request, _("Sample taken."), extra_tags=f"undo:{undo}")
    return redirect("awaited_list")


@role_required(*STAFF)
@require_http_methods(["GET", "POST"])
def sample_result(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Enter the result of a sample, also after the case was closed or the person has gone."""
    by, at = member(request), clock.now()
    samples = Sample.objects.visible_to(by).valid()
    sample = get_object_or_404(
        samples.select_related("resident__household__building", "resident__grid"), key=key
    )
    typed = request.POST if request.method == "POST" else None
    today = clock.day_of(at)
    form = LaboratoryForm(typed, today=today, choices={}, initial={"shown_on": today})
    if form.is_valid():
        try:
            done = enter_result(sample, form.cleaned_data, at, by)
        except ValidationError as error:
            if isinstance(error, ContradictionError):
                form.ask_to_confirm()
            add_refusal(form, error)
        else:
            messages.success(request, done.sentence, extra_tags=done.tags)
            if done.case:
                return redirect("case_detail", done.case.key)
            return redirect("awaited_list")
    residents.read(resident=sample.resident, by=by)
    found = sample.results.valid().select_related("recorded_by").first()
    context = {"sample": sample, "form": form, "found": found}
    return render(request, "quarantine/sample_result.html", context)
