"""Which document is in force where: the history of each area, and proposing another."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import member, role_required
from accounts.staff.models import Area, Role
from common import clock
from common.errors import RefusedError
from policy.activations import decisions
from policy.activations.timeline import timeline, timelines
from policy.forms import ActivationForm


@role_required(Role.ADMINISTRATOR)
@require_GET
def activation_list(request: HttpRequest) -> HttpResponse:
    """Show what is in force in each area of the administrator's, and what waits there."""
    histories = timelines(user=member(request), at=clock.now())
    return render(request, "policy/activation_list.html", {"timelines": histories})


@role_required(Role.ADMINISTRATOR)
@require_GET
def activation_history(request: HttpRequest, code: str) -> HttpResponse:
    """Show what was in force in one area when, and who decided it."""
    area: Area = get_object_or_404(Area.objects.below(member(request)), code=code)
    shown = timeline(area=area, at=clock.now())
    # What was decided for a wider area is for its administrators to open.
    own_areas = {
        entry.activation.area_id
        for entry in shown.entries
        if entry.activation.area.path.startswith(member(request).area_paths)
    }
    return render(request, "policy/activation_history.html", {"timeline": shown, "own": own_areas})


@role_required(Role.ADMINISTRATOR)
@require_http_methods(["GET", "POST"])
def activation_new(request: HttpRequest) -> HttpResponse:
    """Propose that a document be in force; what it would change is shown next."""
    at = clock.now()
    form = ActivationForm(
        request.POST or None, user=member(request), at=at, initial=_asked_for(request)
    )
    waiting = None
    if request.method == "POST" and form.is_valid():
        try:
            proposed = decisions.propose_activation(**form.cleaned_data, at=at, by=member(request))
        except decisions.ProposalWaitsError as refused:
            form.add_error(refused.field, refused.sentence)
            waiting = refused.waiting
        except RefusedError as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            return redirect("activation_detail", proposed.pk)
    context = {"form": form, "waiting": waiting}
    status = 422 if form.errors else 200
    return render(request, "policy/activation_new.html", context, status=status)


def _asked_for(request: HttpRequest) -> dict[str, Any]:
    """Return the area and document that the address names."""
    area = Area.objects.below(member(request)).filter(code=request.GET.get("area", "")).first()
    return {"area": area, "document": request.GET.get("document", "")}
