"""Pages of administrators (areas, accounts) and auditors (the audit)."""

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts import services
from accounts.access import member, role_required
from accounts.activation import codes
from accounts.auditing.models import AuditEntry
from accounts.forms import AreaForm, AuditFilterForm, CodeForm, EmailForm, GridForm
from accounts.limits.counts import over_rate_limit
from accounts.proposals import rules
from accounts.staff import authority
from accounts.staff.models import Area, Role
from accounts.voices import independence
from common import clock
from common.errors import RefusedError
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
    """List the accounts that the administrator sees; which of them they may act upon."""
    user = member(request)
    people = authority.seen_by(user).prefetch_related("areas")
    if (role := request.GET.get("role")) in Role.values:
        people = people.filter(role=role)
    else:
        role = ""
    page = page_after(people, request.GET.get("after"), order=["username"])
    keys = [person.pk for person in page.rows]
    context = {
        "page": page,
        "below": set(authority.below(user).filter(pk__in=keys).values_list("pk", flat=True)),
        "roles": Role.choices,
        "role": role,
        "proposals": len(rules.visible_to(user)),
        "unconfirmed": independence.to_confirm(user).count(),
    }
    return render(request, "accounts/people_list.html", context)


@login_not_required
@get_or_post
def activate(request: HttpRequest) -> HttpResponse:
    """Let the holder of an activation code choose the password of their account."""
    form = CodeForm(request.POST or None)
    if form.is_valid():
        if over_rate_limit(request, action="activate", most=20, seconds=900):
            form.add_error(None, _("Too many tries from here. Wait a quarter of an hour."))
            return _activation_page(request, form)
        code, password = form.cleaned_data["code"], form.cleaned_data["password1"]
        try:
            account = codes.activate(code=code, password=password, at=clock.now())
        except RefusedError as refused:
            form.add_error(refused.field, refused.sentence)
        else:
            messages.success(
                request,
                _("The account %(username)s is yours: sign in with your new password.")
                % {"username": account.username},
            )
            return redirect("account_login")
    return _activation_page(request, form)


def _activation_page(request: HttpRequest, form: CodeForm) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, "accounts/activate.html", {"form": form}, status=status)


@require_GET
def own_history(request: HttpRequest) -> HttpResponse:
    """Show users who did what to their own account, and which codes were used when."""
    user = member(request)
    context = {
        "interventions": user.interventions.select_related("by", "confirmed_by").order_by("-at"),
        "codes": user.codes.select_related("issued_by").order_by("-issued_at"),
        "at": clock.now(),
    }
    return render(request, "accounts/own_history.html", context)


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
