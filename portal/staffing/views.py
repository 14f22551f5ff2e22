"""Pages on which an account changes or closes, and somebody takes over its open work."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import member
from accounts.forms import PersonForm
from accounts.services import NotOnOneselfError
from accounts.views import administrators, get_or_post, managed
from portal.staffing import succession
from portal.staffing.forms import TakerForm
from portal.staffing.succession import NobodyTakesOverError


@get_or_post
@administrators
def person_change(request: HttpRequest, key: UUID) -> HttpResponse:
    """Change an account's name, employer, e-mail address, role and areas."""
    person, by = managed(request, key), member(request)
    initial = {name: getattr(person, name) for name in ("name", "employer", "email", "role")}
    initial["areas"] = person.areas.all()
    form = PersonForm(request.POST or None, by=by, initial=initial)
    taking = TakerForm(request.POST or None, of=person, by=by)
    left = None
    if form.is_valid() and taking.is_valid():
        try:
            succession.change_account(
                user=person, **form.cleaned_data, **taking.cleaned_data, by=by
            )
        except NobodyTakesOverError as error:
            left = error.left
            form.add_error(None, error.sentence)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(
                request, _("The account of %(name)s is saved.") % {"name": person.name}
            )
            return redirect("people_list")
    context = {"form": form, "person": person, "taking": taking, "left": left}
    return render(request, "portal/staffing/person_change.html", context)


@require_POST
@administrators
def person_deactivate(request: HttpRequest, key: UUID) -> HttpResponse:
    """Close an account; ask first who takes over its open work."""
    person, by = managed(request, key), member(request)
    taking = TakerForm(request.POST, of=person, by=by)
    if not taking.is_valid():
        return render(
            request, "portal/staffing/person_close.html", {"person": person, "taking": taking}
        )
    try:
        succession.close_account(user=person, **taking.cleaned_data, by=by)
    except NobodyTakesOverError as error:
        taking.add_error("taker", error.sentence)
        context = {"person": person, "taking": taking, "left": error.left}
        return render(request, "portal/staffing/person_close.html", context)
    except NotOnOneselfError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(
            request,
            _("The account of %(name)s is closed, and signed out everywhere.")
            % {"name": person.name},
        )
    return redirect("people_list")
