"""Moving somebody to another door."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import clock
from accounts.access import member, role_required
from accounts.errors import RefusedError
from accounts.models import SEES_PEOPLE
from quarantine.moves import move_resident
from quarantine.views.errors import add_refusal
from residents import services as residents
from residents.forms import MoveForm
from residents.models import Resident


@require_http_methods(["GET", "POST"])
@role_required(*SEES_PEOPLE)
def resident_move(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Move a resident to another door, with the open case."""
    rows = Resident.objects.visible_to(member(request))
    resident = get_object_or_404(rows.select_related("household__building", "grid"), key=key)
    residents.read(resident=resident, by=member(request))
    address = MoveForm(request.POST or None, by=member(request), resident=resident)
    if address.is_valid():
        try:
            _move(request, resident, address)
        except residents.ChangedMeanwhileError as error:
            resident = rows.select_related("household__building", "grid").get(pk=resident.pk)
            address = _again(request, resident)
            address.add_error(None, error)
        except RefusedError as error:
            add_refusal(address, error)
        else:
            messages.success(request, _("Moved."))
            return redirect("resident_detail", key)
    context = {"address": address, "resident": resident}
    return render(request, "residents/resident_move.html", context)


@transaction.atomic
def _move(request: HttpRequest, resident: Resident, address: MoveForm) -> None:
    data = address.cleaned_data
    building = residents.building_at(grid=data["grid"], name=data["building"])
    household = residents.household_at(
        building=building, unit=data["unit"], door=data["door"], floor=data["floor"]
    )
    move_resident(
        resident=resident,
        household=household,
        version=data["version"],
        at=clock.now(),
        by=member(request),
    )


def _again(request: HttpRequest, resident: Resident) -> MoveForm:
    """Return the form with what was typed, ready to be saved over what somebody else saved."""
    typed = request.POST.copy()
    typed["version"] = str(resident.version)
    form = MoveForm(typed, by=member(request), resident=resident)
    form.is_valid()
    return form
