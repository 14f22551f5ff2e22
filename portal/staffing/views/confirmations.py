"""Accounts upon which one administrator acted alone, until a second one confirms them."""

from contextlib import suppress

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.access import member
from accounts.staff.models import User
from accounts.views import administrators, get_or_post
from accounts.voices import independence
from accounts.voices.independence import NoSecondVoiceError
from accounts.voices.models import Intervention
from common import clock


@get_or_post
@administrators
def unconfirmed_list(request: HttpRequest) -> HttpResponse:
    """List the accounts that the administrator may confirm; confirm those that are ticked."""
    by = member(request)
    accounts = independence.to_confirm(by)
    if request.method == "POST":
        ticked, shown = (set(request.POST.getlist(name)) for name in ("account", "act"))
        confirmed = 0
        for account in accounts:
            standing: list[Intervention] = account.unconfirmed  # type: ignore[attr-defined]
            acts = [act.pk for act in standing if str(act.pk) in shown]
            if str(account.key) in ticked:
                confirmed += _confirm(account, acts, by)
        if confirmed:
            messages.success(request, _("Confirmed: %(number)d accounts.") % {"number": confirmed})
        else:
            messages.error(request, _("Tick the accounts whose owners you know."))
        return redirect("unconfirmed_list")
    return render(request, "portal/staffing/unconfirmed_list.html", {"accounts": accounts})


def _confirm(account: User, acts: list[int], by: User) -> bool:
    """Confirm what was shown of an account; return whether any of it still stood."""
    with suppress(NoSecondVoiceError):
        independence.confirm(account=account, acts=acts, at=clock.now(), by=by)
        return True
    return False
