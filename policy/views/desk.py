"""The administrator's first page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access import member, role_required
from accounts.proposals import rules
from accounts.scope import within
from accounts.staff.models import Role
from common import clock
from policy.comparison import escalation
from policy.models import Activation, ApiClient, StoredDocument


@role_required(Role.ADMINISTRATOR)
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """Show what is in force, what waits for a second person and what nobody has justified."""
    at = clock.now()
    mine = Activation.objects.filter(within(member(request), "area__path"))
    in_force = list(escalation.activations_in_scope(user=member(request), at=at))
    places = escalation.local_excesses(activations=in_force, at=at)
    context = {
        "in_force": in_force,
        "proposals": mine.valid().filter(approved_at=None).count(),
        "drafts": StoredDocument.objects.waiting().count(),
        "account_proposals": len(rules.visible_to(member(request))),
        "clients": ApiClient.objects.filter(revoked_at=None).count(),
        "unjustified": escalation.count_unjustified(places),
    }
    return render(request, "policy/desk.html", context)
