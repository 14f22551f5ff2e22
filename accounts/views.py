"""Pages of administrators (areas, accounts) and auditors (the audit)."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import services
from accounts.access import member, role_required
from accounts.auditing.models import AuditEntry
from accounts.forms import (
    AreaForm,
    AuditFilterForm,
    EmailForm,
    GridForm,
    NewPersonForm,
)
from accounts.staff.models import Area, Role, User
from common.paging import page_after, page_before

administrators = role_required(Role.ADMINISTRATOR)
auditors = role_required(Role.AUDITOR)
get_or_post = require_http_methods(["GET", "POST"])


@require_GET
def session(request: HttpRequest) -> HttpResponse:
    """Return the current CSRF token, for a form that is about to be sent."""
    return HttpResponse(get_token(request), content_type="text/plain")


@require_GET
@administrators
def area_list(request: HttpRequest) -> HttpResponse:
    """Show the areas that the administrator answers for."""
    areas = member(request).areas.order_by("path").prefetch_related("people")
    return render(request, "accounts/area_list.html", {"areas": areas})


@get_or_post
@administrators
def area_detail(request: HttpRequest, code: str) -> HttpResponse:
    """Show an area with its staff and the areas below; change its name and phone."""
    user = member(request)
    area: Area = get_object_or_404(Area.objects.below(user), code=code)
    form = AreaForm(request.POST or None, initial={"name": area.name, "phone": area.phone})
    if form.is_valid():
        cleaned = form.cleaned_data
        if cleaned["name"] != area.name:
            services.rename_area(area=area, name=cleaned["name"], by=user)
        if cleaned["phone"] != area.phone:
            services.set_phone(area=area, phone=cleaned["phone"], by=user)
        messages.success(request, _("%(name)s is saved.") % {"name": area.name})
        return redirect("area_detail", code)
    context = {
        "area": area,
        "above": [
            ancestor
            for ancestor in Area.objects.get_ancestors(area)
            if ancestor.path.startswith(user.area_paths)
        ],
        "people": area.people.order_by("username"),
        "below": Area.objects.get_children(area).prefetch_related("people"),
        "form": form,
    }
    return render(request, "accounts/area_detail.html", context)


@get_or_post
@administrators
def grid_new(request: HttpRequest, code: str) -> HttpResponse:
    """Create a grid below a community."""
    community: Area = get_object_or_404(
        Area.objects.below(member(request)), code=code, level=Area.Level.COMMUNITY
    )
    form = GridForm(request.POST or None, initial={"code": _next_code(community)})
    if form.is_valid():
        try:
            grid = services.add_grid(community=community, **form.cleaned_data, by=member(request))
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("%(name)s was made.") % {"name": grid.name})
            return redirect("area_detail", community.code)
    return render(request, "accounts/grid_new.html", {"form": form, "community": community})


def _next_code(community: Area) -> str:
    last = (
        Area.objects.get_children(community)
        .order_by("-code")
        .values_list("code", flat=True)
        .first()
    )
    return str(int(last) + 1).zfill(len(last)) if last else f"{community.code}01"


@require_GET
@administrators
def people_list(request: HttpRequest) -> HttpResponse:
    """List the accounts of the administrator's areas."""
    people = User.objects.managed_by(member(request)).prefetch_related("areas")
    if (role := request.GET.get("role")) in Role.values:
        people = people.filter(role=role)
    else:
        role = ""
    page = page_after(people, request.GET.get("after"), order=["username"])
    context = {"page": page, "roles": Role.choices, "role": role}
    return render(request, "accounts/people_list.html", context)


@get_or_post
@administrators
def person_new(request: HttpRequest) -> HttpResponse:
    """Create an account and show its first password, once."""
    form = NewPersonForm(request.POST or None, by=member(request))
    if form.is_valid():
        user, password = services.create_account(**form.cleaned_data, by=member(request))
        return _first_password(request, user, password)
    return render(request, "accounts/person_form.html", {"form": form})


@require_POST
@administrators
def person_reactivate(request: HttpRequest, key: UUID) -> HttpResponse:
    """Open a closed account again and show its first password, once."""
    person = managed(request, key)
    return _new_password(request, person, services.reactivate)


@require_POST
@administrators
def person_reset(request: HttpRequest, key: UUID) -> HttpResponse:
    """Replace a lost password or second factor and show the first password, once."""
    person = managed(request, key)
    return _new_password(request, person, services.reset_sign_in)


def _new_password(request: HttpRequest, person: User, service: Any) -> HttpResponse:
    try:
        password: str = service(user=person, by=member(request))
    except services.NotOnOneselfError as error:
        messages.error(request, error.messages[0])
        return redirect("people_list")
    return _first_password(request, person, password)


def managed(request: HttpRequest, key: UUID) -> User:
    """Return an account of the administrator's areas, or answer that there is none."""
    return get_object_or_404(User.objects.managed_by(member(request)), key=key)


def _first_password(request: HttpRequest, person: User, password: str) -> HttpResponse:
    context = {"person": person, "password": password}
    return render(request, "accounts/first_password.html", context)


@get_or_post
def own_email(request: HttpRequest) -> HttpResponse:
    """Let users set the address for their own digest."""
    user = member(request)
    form = EmailForm(request.POST or None, initial={"email": user.email})
    if form.is_valid():
        services.set_email(user=user, email=form.cleaned_data["email"], by=user)
        messages.success(request, _("Your e-mail address is saved."))
        return redirect("home")
    return render(request, "accounts/own_email.html", {"form": form})


@require_GET
@auditors
def audit_list(request: HttpRequest) -> HttpResponse:
    """List what was done and read, newest first."""
    form = AuditFilterForm(request.GET)
    entries = AuditEntry.objects.all()
    if form.is_valid():
        entries = entries.matching(**form.cleaned_data)
    page = page_before(entries, request.GET.get("before"))
    filters = {name: request.GET[name] for name in ("day", "about") if request.GET.get(name)}
    context = {
        "form": form,
        "rows": page.rows,
        "older": urlencode({**filters, "before": page.next}) if page.next else "",
        "first": page.first,
    }
    return render(request, "accounts/audit_list.html", context)
