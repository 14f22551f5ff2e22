"""Putting a document in force: proposed by one administrator, approved by another."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import clock
from accounts.access import member, role_required
from accounts.errors import RefusedError
from accounts.models import Role, within
from policy import services
from policy.forms import ActivationForm
from policy.models import Activation


@role_required(Role.ADMINISTRATOR)
@require_http_methods(["GET", "POST"])
def activation_list(request: HttpRequest) -> HttpResponse:
    """Show what was put in force where, by whom; propose that a document be."""
    at = clock.now()
    form = ActivationForm(request.POST or None, user=member(request))
    if request.method == "POST" and form.is_valid():
        try:
            services.propose_activation(**form.cleaned_data, at=at, by=member(request))
        except RefusedError as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            messages.success(request, _("Proposed. A second administrator may approve it."))
            return redirect("activation_list")
    mine = Activation.objects.filter(within(member(request), "area__path"))
    return render(
        request,
        "policy/activation_list.html",
        {
            "form": form,
            "at": at,
            "activations": mine.select_related(
                "area", "proposed_by", "approved_by", "withdrawn_by"
            ).order_by("area__path", "-effective_from")[:200],
        },
        status=422 if form.errors else 200,
    )


@role_required(Role.ADMINISTRATOR)
@require_POST
def activation_settle(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve or withdraw an activation."""
    activation = get_object_or_404(
        Activation.objects.filter(within(member(request), "area__path")), pk=pk
    )
    by, at = member(request), clock.now()
    try:
        if request.POST.get("decision") == "approve":
            services.approve_activation(activation=activation, at=at, by=by)
            messages.success(request, _("Approved."))
        else:
            reason = request.POST.get("reason", "")
            services.withdraw_activation(activation=activation, at=at, by=by, reason=reason)
            messages.success(request, _("Withdrawn: the law before it holds again."))
    except RefusedError as refused:
        messages.error(request, refused.sentence)
    return redirect("activation_list")
