"""Pages on which an account is made, changes or closes, and somebody takes over its open work."""

from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import member
from accounts.forms import NewPersonForm, PersonForm
from accounts.staff import authority
from accounts.staff.models import User
from accounts.views import administrators, get_or_post
from common import clock
from common.errors import RefusedError
from portal.staffing import proposals
from portal.staffing.forms import DeliveryForm, ResetForm, TakerForm
from portal.staffing.succession import NobodyTakesOverError
from portal.staffing.views.codes import answer, proposed


@get_or_post
@administrators
def person_new(request: HttpRequest) -> HttpResponse:
    """Make an account and issue its activation code; propose it where two have to agree."""
    by = member(request)
    form = NewPersonForm(request.POST or None, by=by)
    giving = DeliveryForm(request.POST or None, email=request.POST.get("email", ""))
    if form.is_valid() and giving.is_valid():
        values = dict(form.cleaned_data)
        try:
            outcome = proposals.make(
                username=values.pop("username"),
                values=values,
                delivery=giving.delivery,
                at=clock.now(),
                by=by,
            )
        except RefusedError as refused:
            _add(form, refused)
        else:
            return answer(request, outcome)
    return render(request, "accounts/person_form.html", {"form": form, "giving": giving})


@get_or_post
@administrators
def person_change(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show an account and who acted upon it; change it, or propose the change."""
    by, at = member(request), clock.now()
    person = get_object_or_404(_of_page(by, request.method), key=key)
    initial = {name: getattr(person, name) for name in ("name", "employer", "email", "role")}
    initial["areas"] = person.areas.all()
    form = PersonForm(request.POST or None, by=by, initial=initial)
    taking = TakerForm(request.POST or None, of=person, by=by)
    left = None
    if form.is_valid() and taking.is_valid():
        try:
            proposal = proposals.change(
                account=person,
                values=form.cleaned_data,
                **taking.cleaned_data,
                at=at,
                by=by,
            )
        except NobodyTakesOverError as error:
            left = error.left
            form.add_error(None, error.sentence)
        except RefusedError as refused:
            _add(form, refused)
        else:
            if proposal:
                return proposed(request, proposal)
            messages.success(
                request, _("The account of %(name)s is saved.") % {"name": person.name}
            )
            return redirect("people_list")
    context = {
        "form": form,
        "person": person,
        "taking": taking,
        "left": left,
        "resetting": ResetForm(email=person.email),
        "below": person == by or authority.below(by).filter(pk=person.pk).exists(),
        "interventions": person.interventions.select_related("by", "confirmed_by").order_by("-at"),
        "codes": person.codes.select_related("issued_by").order_by("-issued_at"),
        "proposal": person.proposals.waiting().first(),
        "at": at,
    }
    return render(request, "portal/staffing/person_change.html", context)


@require_POST
@administrators
def person_reset(request: HttpRequest, key: UUID) -> HttpResponse:
    """Close a sign-in and issue a new activation code; propose it where two have to agree."""
    person = _managed(request, key)
    form = ResetForm(request.POST, email=person.email)
    if not form.is_valid():
        return _refused(request, person, form)
    try:
        outcome = proposals.reset(
            account=person,
            delivery=form.delivery,
            factor=form.cleaned_data["factor"],
            at=clock.now(),
            by=member(request),
        )
    except RefusedError as refused:
        messages.error(request, refused.sentence)
        return redirect("person_change", key)
    return answer(request, outcome)


@require_POST
@administrators
def person_reactivate(request: HttpRequest, key: UUID) -> HttpResponse:
    """Open a closed account again with a new activation code; propose it where two decide."""
    person = _managed(request, key)
    form = DeliveryForm(request.POST, email=person.email)
    if not form.is_valid():
        return _refused(request, person, form)
    try:
        outcome = proposals.reopen(
            account=person, delivery=form.delivery, at=clock.now(), by=member(request)
        )
    except RefusedError as refused:
        messages.error(request, refused.sentence)
        return redirect("person_change", key)
    return answer(request, outcome)


@require_POST
@administrators
def person_deactivate(request: HttpRequest, key: UUID) -> HttpResponse:
    """Close an account, or propose it; ask first who takes over its open work."""
    person, by = _managed(request, key), member(request)
    taking = TakerForm(request.POST, of=person, by=by)
    if not taking.is_valid():
        return render(
            request, "portal/staffing/person_close.html", {"person": person, "taking": taking}
        )
    try:
        proposal = proposals.close(account=person, **taking.cleaned_data, at=clock.now(), by=by)
    except NobodyTakesOverError as error:
        taking.add_error("taker", error.sentence)
        context = {"person": person, "taking": taking, "left": error.left}
        return render(request, "portal/staffing/person_close.html", context)
    except RefusedError as refused:
        messages.error(request, refused.sentence)
    else:
        if proposal:
            return proposed(request, proposal)
        messages.success(
            request,
            _("The account of %(name)s is closed, and signed out everywhere.")
            % {"name": person.name},
        )
    return redirect("people_list")


def _of_page(by: User, method: str | None) -> QuerySet[User]:
    """Return the accounts that `by` sees, on a POST those that `by` may act upon."""
    if method == "GET":
        return authority.seen_by(by)
    return authority.below(by) | User.objects.filter(pk=by.pk)


def _managed(request: HttpRequest, key: UUID) -> User:
    return get_object_or_404(_of_page(member(request), "POST"), key=key)


def _refused(request: HttpRequest, person: User, form: Form) -> HttpResponse:
    for errors in form.errors.values():
        messages.error(request, str(errors[0]))
    return redirect("person_change", person.key)


def _add(form: Form, refused: RefusedError) -> None:
    form.add_error(refused.field if refused.field in form.fields else None, refused.sentence)
