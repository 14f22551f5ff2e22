"""Accounts upon which one administrator acted alone, until a second one confirms them."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.access import member
from accounts.views import administrators, get_or_post
from accounts.voices import independence
from common import clock


@get_or_post
@administrators
def unconfirmed_list(request: HttpRequest) -> HttpResponse:
    """List the accounts that the administrator may confirm; confirm those that are ticked."""
    by = member(request)
    accounts = independence.to_confirm(by)
    if request.method == "POST":
        ticked = set(request.POST.getlist("account"))
        chosen = [account for account in accounts if str(account.key) in ticked]
        for account in chosen:
            independence.confirm(account=account, at=clock.now(), by=by)
        if chosen:
            messages.success(
                request, _("Confirmed: %(number)d accounts.") % {"number": len(chosen)}
            )
        else:
            messages.error(request, _("Tick the accounts whose owners you know."))
        return redirect("unconfirmed_list")
    return render(request, "portal/staffing/unconfirmed_list.html", {"accounts": accounts})
