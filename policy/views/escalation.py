"""Escalation: what local documents ask more than the national one, and why."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.access import member, role_required
from accounts.staff.models import Role
from common import clock
from common.errors import RefusedError
from policy.comparison import escalation
from policy.forms import JustificationForm
from policy.models import Activation


def _page(
    request: HttpRequest,
    at: datetime,
    *,
    failed: Activation | None = None,
    form: JustificationForm | None = None,
) -> HttpResponse:
    user = member(request)
    places = escalation.local_excesses(
        activations=escalation.activations_in_scope(user=user, at=at),
        at=at,
    )
    context = {
        "places": places,
        "may_justify": user.role == Role.SUPERVISOR,
        "unjustified": escalation.count_unjustified(places),
        "failed": failed,
        "form": form,
    }
    return render(request, "policy/escalation_list.html", context, status=422 if form else 200)


@role_required(Role.SUPERVISOR, Role.ADMINISTRATOR)
@require_GET
def escalation_list(request: HttpRequest) -> HttpResponse:
    """Show which provisions in force are stricter than the national ones."""
    return _page(request, clock.now())


@role_required(Role.SUPERVISOR)
@require_POST
def justify(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the place's justification of one provision."""
    by, at = member(request), clock.now()
    activation = get_object_or_404(escalation.activations_in_scope(user=by, at=at), pk=pk)
    form = JustificationForm(request.POST)
    if form.is_valid():
        try:
            escalation.justify(activation=activation, at=at, by=by, **form.cleaned_data)
        except RefusedError as refused:
            form.add_error(refused.field, refused.sentence)
        else:
            messages.success(request, _("The justification is written down."))
            return redirect("escalation_list")
    return _page(request, at, failed=activation, form=form)
