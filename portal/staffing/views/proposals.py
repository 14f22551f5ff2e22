"""What one administrator proposes about accounts, and a second one decides."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_POST

from accounts.access import member
from accounts.proposals import rules
from accounts.proposals.models import AccountProposal
from accounts.staff.models import Area, Role
from accounts.views import administrators
from common import clock
from common.errors import RefusedError
from portal.staffing import proposals
from portal.staffing.views.codes import hand_over


@require_GET
@administrators
def proposal_list(request: HttpRequest) -> HttpResponse:
    """List the proposals about accounts that wait, one's own and those below."""
    context = {"proposals": rules.visible_to(member(request))}
    return render(request, "portal/staffing/proposal_list.html", context)


@require_GET
@administrators
def proposal_detail(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show what would become of an account, beside what it is, and how its code travels."""
    proposal, by = _proposal(request, key), member(request)
    context = {
        "proposal": proposal,
        "lines": _lines(proposal),
        "own": proposal.proposed_by_id == by.pk,
        "unfit": rules.unfit(proposal=proposal, by=by),
    }
    return render(request, "portal/staffing/proposal_detail.html", context)


@require_POST
@administrators
def proposal_approve(request: HttpRequest, key: UUID) -> HttpResponse:
    """Approve a proposal: it is done at once, and a code goes to the owner of the account."""
    proposal = _proposal(request, key)
    try:
        issued = proposals.approve(proposal=proposal, at=clock.now(), by=member(request))
    except RefusedError as refused:
        messages.error(request, refused.sentence)
        return redirect("proposal_detail", key)
    messages.success(request, _("Approved, and done."))
    return hand_over(request, issued) if issued else redirect("proposal_list")


@require_POST
@administrators
def proposal_refuse(request: HttpRequest, key: UUID) -> HttpResponse:
    """Refuse a proposal, or withdraw one's own."""
    proposal = _proposal(request, key)
    try:
        proposals.refuse(proposal=proposal, at=clock.now(), by=member(request))
    except RefusedError as refused:
        messages.error(request, refused.sentence)
        return redirect("proposal_list")
    messages.success(request, _("Nothing was changed; the proposal is settled."))
    return redirect("proposal_list")


def _proposal(request: HttpRequest, key: UUID) -> AccountProposal:
    """Return a waiting proposal that the administrator made or stands above."""
    for proposal in rules.visible_to(member(request)):
        if proposal.key == key:
            return proposal
    raise Http404


def _lines(proposal: AccountProposal) -> list[tuple[str, str, str]]:
    """Return label, value before and value after of what a proposal sets."""
    if not proposal.values:
        return []
    before, after = proposal.before, proposal.values
    codes = {*before.get("areas", ()), *after["areas"]}
    names = dict(Area.objects.filter(code__in=codes).values_list("code", "name"))

    def words(values: dict[str, Any]) -> list[str]:
        if not values:
            return [""] * 5
        areas = pgettext("joins names", ", ").join(names[code] for code in values["areas"])
        role = str(Role(values["role"]).label)
        return [values["name"], role, values["employer"], values["email"], areas]

    labels = [
        pgettext("of a person", "Name"),
        _("Role"),
        _("Employer"),
        _("E-mail address"),
        pgettext("an account", "Responsible for"),
    ]
    return list(zip(labels, words(before), words(after), strict=True))
