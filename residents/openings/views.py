"""Pages of openings: records of other areas."""

from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import member, role_required
from accounts.staff.models import SEES_PEOPLE, Role, User
from common import clock
from common.errors import RefusedError
from common.paging import page_before
from residents.openings import services
from residents.openings.forms import OpeningForm
from residents.openings.models import Opening, OpeningQuerySet
from residents.register import services as residents

field_work = role_required(*SEES_PEOPLE)


@require_http_methods(["GET", "POST"])
@field_work
def opening_new(request: HttpRequest) -> HttpResponse:
    """Open the record of a person in another area, by an exact number and with a reason."""
    form = OpeningForm(request.POST or None)
    if form.is_valid():
        try:
            resident = services.open_record(
                **form.cleaned_data, today=clock.today(), by=member(request)
            )
        except RefusedError as error:
            form.add_error(error.field or None, error.sentence)
        else:
            return redirect("resident_detail", resident.key)
    return render(request, "residents/opening_new.html", {"form": form})


@require_GET
@field_work
def opening_list(request: HttpRequest) -> HttpResponse:
    """Show one's own openings, and to supervisors those of records in their areas."""
    user = member(request)
    page = page_before(_concerning(user).with_details(), request.GET.get("before"))
    people = [opening.resident for opening in page.rows]
    residents.showed(page="opening_list", people=people, by=user)
    return render(request, "residents/opening_list.html", {"page": page})


def _concerning(user: User) -> OpeningQuerySet:
    """Return the openings by `user`, and for supervisors those of records in their areas."""
    condition = Q(by=user)
    if user.role == Role.SUPERVISOR:
        condition |= Q(pk__in=Opening.objects.visible_to(user).values("pk"))
    return Opening.objects.filter(condition)


@require_POST
@field_work
def opening_end(request: HttpRequest, key: UUID) -> HttpResponse:
    """End an opening early: one's own, or one of a record in one's area."""
    user = member(request)
    opening = get_object_or_404(_concerning(user).select_related("resident"), key=key)
    try:
        services.end(opening=opening, by=user)
    except RefusedError as error:
        messages.error(request, error.sentence)
    else:
        messages.success(request, _("The record is closed again."))
    return redirect("opening_list")


@require_POST
@role_required(Role.SUPERVISOR)
def opening_seen(request: HttpRequest, key: UUID) -> HttpResponse:
    """Take note that somebody opened a record of one's area."""
    user = member(request)
    opening = get_object_or_404(
        Opening.objects.visible_to(user).select_related("resident"), key=key
    )
    try:
        services.take_note(opening=opening, by=user)
    except RefusedError as error:
        messages.error(request, error.sentence)
    return redirect("opening_list")
