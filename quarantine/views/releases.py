"""Who may be released today; confirming it."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.access import member, role_required
from accounts.staff.models import Role
from common import clock
from common.paging import page_after
from common.redirects import redirect_to_next
from quarantine.acts.household import proposals_waiting
from quarantine.acts.release import release, release_proposals
from quarantine.models import Case
from residents.register import services as residents
from residents.register.masking import mask_name

STAFF = (Role.GRID_STAFF, Role.SUPERVISOR)


@role_required(*STAFF)
@require_GET
def release_list(request: HttpRequest) -> HttpResponse:
    """Show who meets the criterion today, and who does not yet with what is missing."""
    at = clock.now()
    today = clock.day_of(at)
    due = Case.objects.visible_to(member(request)).release_due(today).only("release_on")
    page = page_after(due, request.GET.get("after"), order=["release_on"])
    cases = Case.objects.filter(pk__in=[case.pk for case in page.rows]).select_related(
        "plan", "resident__household__building", "grid"
    )
    residents.showed(
        page="release_list", people=[case.resident for case in cases], by=member(request)
    )
    proposals = release_proposals(cases=cases, today=today)
    context = {
        "proposals": proposals,
        "ahead": proposals_waiting(residents=[case.resident for case in cases], at=at),
        "page": page,
    }
    return render(request, "quarantine/release_list.html", context)


@role_required(*STAFF)
@require_POST
def release_confirm(request: HttpRequest) -> HttpResponse:
    """Release those who were chosen; name those who could not be, and why."""
    by = member(request)
    chosen = Case.objects.visible_to(by).governing().filter(key__in=_keys(request))
    cases = list(chosen.select_related("plan", "resident"))
    if not cases:
        messages.warning(request, _("Nobody was chosen."))
    else:
        outcome = release(cases=cases, at=clock.now(), by=by)
        done = len(outcome.released)
        if done:
            message = ngettext("%d person released.", "%d people released.", done)
            messages.success(request, message % done)
        refused = [case.resident for case, _sentence in outcome.refused]
        residents.showed(page="release_confirm", people=refused, by=by)
        for case, sentence in outcome.refused:
            messages.error(request, f"{mask_name(case.resident.name)}: {sentence}")
    return redirect_to_next(request, "release_list")


def _keys(request: HttpRequest) -> list[uuid.UUID]:
    keys = []
    for text in request.POST.getlist("case"):
        try:
            keys.append(uuid.UUID(text))
        except ValueError:
            continue
    return keys
