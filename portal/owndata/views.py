"""Asking for a person's own data, on their behalf."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import member, role_required
from accounts.exports import requests
from accounts.exports.models import ExportedList, ExportPurpose, FileFormat, Sensitive
from accounts.staff.models import Role
from common import clock
from common.errors import RefusedError
from portal.owndata.forms import OwnDataForm
from residents.register import services as residents
from residents.register.models import Resident


@require_http_methods(["GET", "POST"])
@role_required(Role.SUPERVISOR)
def own_data(request: HttpRequest, key: UUID) -> HttpResponse:
    """Ask for the file of everything about a person, who was identified; a second decides."""
    user, at = member(request), clock.now()
    people = Resident.objects.visible_to(user).select_related("grid", "household__building")
    resident = get_object_or_404(people, key=key)
    residents.read(resident=resident, by=user)
    form = OwnDataForm(request.POST or None)
    if form.is_valid():
        try:
            asked = requests.ask(
                what=ExportedList.OWN_DATA,
                area=resident.grid,
                filters={"person": str(resident.key)},
                fields=Sensitive.values,
                kind=FileFormat.ZIP,
                purpose=ExportPurpose.OWN_DATA,
                reason=form.reason(),
                at=at,
                by=user,
            )
        except RefusedError as refused:
            form.add_error(None, refused.sentence)
        else:
            return redirect("export_request", asked.key)
    status = 422 if form.errors else 200
    context = {"form": form, "resident": resident}
    return render(request, "portal/owndata/own_data.html", context, status=status)
