"""The page of an activation: what it would change, its approval, its progress, its withdrawal."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import clock
from accounts.access import member, role_required
from accounts.errors import RefusedError
from accounts.models import Role, User, within
from policy.activations import approve_activation, colleagues, withdraw_activation
from policy.models import Activation

administrators = role_required(Role.ADMINISTRATOR)


def _activation(by: User, pk: int) -> Activation:
    """Return an activation in the areas of `by`, or 404."""
    found = Activation.objects.filter(within(by, "area__path")).select_related(
        "area", "proposed_by", "approved_by", "withdrawn_by"
    )
    return get_object_or_404(found, pk=pk)


@administrators
@require_GET
def activation_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a proposal or a decision, and what may be done about it."""
    by, at = member(request), clock.now()
    activation = _activation(by, pk)
    context = {
        "activation": activation,
        "at": at,
        "own": activation.proposed_by_id == by.pk,
        "colleagues": colleagues(activation=activation, by=by),
    }
    return render(request, "quarantine/activation_detail.html", context)


@administrators
@require_POST
def activation_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve a proposal."""
    activation = _activation(member(request), pk)
    try:
        approve_activation(activation=activation, at=clock.now(), by=member(request))
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
        messages.success(request, _("Withdrawn: the law before it holds again."))
    return redirect("activation_detail", pk)
