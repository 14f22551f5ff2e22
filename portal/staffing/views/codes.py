"""What a page answers once an activation code is issued."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.activation.codes import VALID_FOR
from accounts.activation.models import ActivationCode
from accounts.proposals.models import AccountProposal
from common import clock
from portal.staffing import delivery
from portal.staffing.proposals import Issued
from reminders.channels.errors import NotSentError, PerhapsSentError
from residents.whitelist.qr import picture


def hand_over(request: HttpRequest, issued: Issued) -> HttpResponse:
    """Send a code to its owner, or show the sheet that is printed once."""
    site = settings.SITE_URL or request.build_absolute_uri("/").rstrip("/")
    address = f"{site}{reverse('activate')}"
    if issued.delivery.way == ActivationCode.Way.PAPER:
        context = {
            "person": issued.account,
            "code": issued.code,
            "address": address,
            "picture": picture(f"{address}#{issued.code}"),
            "until": clock.now() + VALID_FOR,
        }
        return render(request, "portal/staffing/activation_sheet.html", context)
    where = issued.delivery.masked(issued.account)
    try:
        delivery.send(issued, address=address)
    except NotSentError:
        messages.error(
            request,
            _("The account is ready, but its code could not be sent to %(where)s: issue another.")
            % {"where": where},
        )
    except PerhapsSentError:
        messages.warning(
            request,
            _("The code was possibly sent to %(where)s. Ask its owner before you issue another.")
            % {"where": where},
        )
    else:
        messages.success(request, _("The code was sent to %(where)s.") % {"where": where})
    return redirect("person_change", issued.account.key)


def answer(request: HttpRequest, outcome: Issued | AccountProposal) -> HttpResponse:
    """Hand a code over, or show the proposal that waits for a second administrator."""
    if isinstance(outcome, Issued):
        return hand_over(request, outcome)
    return proposed(request, outcome)


def proposed(request: HttpRequest, proposal: AccountProposal) -> HttpResponse:
    """Show the proposal that waits for a second administrator."""
    messages.success(
        request, _("Proposed. A second administrator of another employer has to approve it.")
    )
    return redirect("proposal_detail", proposal.key)
