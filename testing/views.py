"""The check at a door: admission with its clause. No personal data is asked for or stored."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from accounts.access import member, role_required
from accounts.staff.models import Area
from accounts.staff.models import Role as Rank
from common import clock
from common.errors import RefusedError
from policy import services, words
from policy.engine.decisions import doors
from policy.engine.documents.library import Law
from policy.engine.documents.schema import Role, Venue, words_of
from testing import outbreaks
from testing.forms import DoorForm
from testing.models import LocalOutbreak

# The venue is stored in a cookie on the phone (VENUE_COOKIE_NAME), not in the account.
REMEMBERED = timedelta(days=180)
# Roles that may declare an outbreak.
MAY_DECLARE = (Rank.SUPERVISOR, Rank.ADMINISTRATOR)
ADVICE = {
    "temperature": _("Measure again after some minutes; still high: to a fever clinic."),
    "scan": _("Scan the place code at the entrance; staff may register who has no phone."),
    "travel_code": _("Ask the community to check the journey."),
    "health_code": _("Ask the community why the code is not green."),
    "proof": _("Take a sample at a sampling point and come back with the result."),
}


@dataclass(frozen=True)
class DoorCheck:
    """The decision at the door, and how long the proof still holds."""

    entry: doors.Admission
    good_until: datetime | None
    hours_left: int

    @property
    def advice(self) -> list[Any]:
        """Return the advice for each failed check."""
        return [ADVICE[check] for check in self.entry.failed if check in ADVICE]


def check(
    law: Law, venue: Venue, visitor: doors.Visitor, at: datetime, *, local_outbreak: bool
) -> DoorCheck:
    """Return the decision of the law for a visitor at the door of a venue."""
    entry = doors.may_enter(law, venue, visitor, at, local_outbreak=local_outbreak)
    sampled = visitor.proof.counts_from if visitor.proof else None
    if sampled is None or entry.proof_hours is None:
        return DoorCheck(entry, None, 0)
    until = sampled + timedelta(hours=entry.proof_hours)
    return DoorCheck(entry, until, max((until - at) // timedelta(hours=1), 0))


def checks_at(law: Law, venue: Venue) -> set[str]:
    """Return the checks for any role at the door of a venue."""
    rules = [doors.governing(law, venue, role, "entry") for role in words_of(Role)]
    return {str(check) for rule in rules if rule for check in rule[1].checks}


@require_GET
def door(request: HttpRequest) -> HttpResponse:
    """Choose the venue; then decide for each visitor whether they may enter."""
    at = clock.now()
    areas = list(member(request).areas.order_by("path")[:20])
    area = _chosen(areas, request.GET.get("area", ""))
    law = services.in_force(area=area, at=at) if area else None
    venue = request.GET.get("venue", request.COOKIES.get(settings.VENUE_COOKIE_NAME, ""))
    context: dict[str, Any] = {"areas": areas, "area": area, "law": law, "at": at}
    if area and law and outbreaks.allowed_by(law):
        declared = LocalOutbreak.objects.over(area).select_related("area", "declared_by")
        context |= {"may_tighten": True, "outbreak": declared.order_by("-area__depth").first()}
    if law is None or venue not in words.VENUES:
        context["venues"] = words.VENUES.items()
        context["may_declare"] = member(request).role in MAY_DECLARE
        return render(request, "testing/door_venue.html", context)
    return _answer_at_door(request, law, cast(Venue, venue), context)


@role_required(*MAY_DECLARE)
@require_POST
def outbreak(request: HttpRequest, code: str) -> HttpResponse:
    """Declare a local outbreak in one's area, or end it."""
    by, at = member(request), clock.now()
    area: Area = get_object_or_404(Area.objects.below(by), code=code)
    reason = request.POST.get("reason", "").strip()[:200]
    try:
        if request.POST.get("decision") == "end":
            outbreaks.end(area=area, at=at, by=by)
            messages.success(request, gettext("Ended: the doors ask for the usual proof again."))
        elif not reason:
            messages.error(request, gettext("Say why, so that others understand it."))
        else:
            outbreaks.declare(area=area, reason=reason, at=at, by=by)
            messages.success(request, gettext("Declared: the doors ask for the shorter proof."))
    except RefusedError as refused:
        messages.error(request, refused.sentence)
    return redirect(f"{reverse('door')}?venue=&area={area.code}")


def _chosen(areas: list[Area], code: str) -> Area | None:
    return next((area for area in areas if area.code == code), areas[0] if areas else None)


def _answer_at_door(
    request: HttpRequest, law: Law, venue: Venue, context: dict[str, Any]
) -> HttpResponse:
    checks, at = checks_at(law, venue), context["at"]
    submitted = "role" in request.GET
    form = DoorForm(request.GET if submitted else None, checks=checks, at=at)
    context |= {"venue": venue, "venue_name": words.VENUES[venue], "checks": checks, "form": form}
    if submitted and form.is_valid():
        declared = bool(context.get("outbreak"))
        checked = check(law, venue, form.visitor(), at, local_outbreak=declared)
        context["checked"] = checked
        context["because"] = [words.reason(text) for text in checked.entry.because]
    full_page = not request.htmx  # type: ignore[attr-defined]
    page = "testing/door.html" if full_page else "testing/_door_answer.html"
    response = render(request, page, context)
    response.set_cookie(
        settings.VENUE_COOKIE_NAME,
        venue,
        max_age=REMEMBERED,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response
