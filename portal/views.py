"""Health, the home redirect, the overview, the list of arrivals, and the day of the demo."""

import ipaddress
from datetime import timedelta
from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from accounts.access import member, role_required
from accounts.auditing import audit
from accounts.staff.models import Role
from common import clock, replica
from common.paging import page_before
from common.replica import may_lag
from portal import health
from portal.dashboard import Dashboard
from portal.forms import DemoDayForm
from quarantine.acts.results import complete_what_is_over
from quarantine.lists.filters import ArrivalFilter
from quarantine.switching.sweep import sweep as follow_the_law
from quarantine.todo.escalation import escalate_overdue
from reminders.sweep import sweep, sweep_digests
from residents.register import services as residents

FIRST_PAGE = {
    Role.GRID_STAFF: "today",
    Role.SUPERVISOR: "dashboard",
    Role.ADMINISTRATOR: "policy_desk",
    Role.AUDITOR: "audit_list",
}

# What proxies add: without any of them, and from the machine itself, nobody stands between.
PROXIED = ("X-Forwarded-For", "X-Real-Ip", "Forwarded", "Via")


@require_safe
@login_not_required
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Say whether this process can serve pages; public, as load balancers ask."""
    return _told(health.of_web())


@require_safe
@login_not_required
@never_cache
def healthz_worker(request: HttpRequest) -> HttpResponse:
    """Say whether workers answer, too: on the machine itself, or to who has HEALTH_KEY."""
    if not (_asked_here(request) or _has_health_key(request)):
        return HttpResponse("HEALTH_KEY is needed.\n", "text/plain", HTTPStatus.FORBIDDEN)
    return _told(health.of_workers())


def _told(answer: health.Answer) -> HttpResponse:
    status = HTTPStatus.OK if answer.well else HTTPStatus.SERVICE_UNAVAILABLE
    return HttpResponse("\n".join([*answer.lines, ""]), "text/plain; charset=utf-8", status)


def _asked_here(request: HttpRequest) -> bool:
    address = request.META.get("REMOTE_ADDR", "")
    if any(name in request.headers for name in PROXIED) or not address:
        return False
    return ipaddress.ip_address(address).is_loopback


def _has_health_key(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "")
    key = settings.HEALTH_KEY
    return bool(key) and constant_time_compare(given, f"Bearer {key}")


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Redirect users to the first page of their role."""
    return redirect(FIRST_PAGE[Role(member(request).role)])


@require_GET
@role_required(Role.SUPERVISOR)
@may_lag
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show where help is needed today, in all areas of a supervisor or in one of them."""
    now = clock.now()
    today = clock.day_of(now)
    figures = Dashboard(user=member(request), today=today, code=request.GET.get("area", ""))
    charts = {name: getattr(figures, name).data(today=today) for name in ("open_cases", "tests")}
    context = {"dashboard": figures, "charts": charts, "at": replica.as_of() or now}
    whole_page = not request.htmx  # type: ignore[attr-defined]
    return render(request, f"portal/{'dashboard' if whole_page else '_dashboard'}.html", context)


@require_GET
@role_required(Role.GRID_STAFF, Role.SUPERVISOR)
@may_lag
def arrival_list(request: HttpRequest) -> HttpResponse:
    """Show the arrivals that a filter names, the latest first."""
    chosen = ArrivalFilter(request.GET, user=member(request), today=clock.today())
    arrivals = chosen.qs.select_related(
        "resident", "grid", "provision", "case__plan__provision", "logged_by"
    )
    page = page_before(arrivals, request.GET.get("below"))
    residents.showed(
        page="arrival_list",
        people=[arrival.resident for arrival in page.rows],
        by=member(request),
    )
    context = {
        "filter": chosen,
        "count": chosen.qs.count(),
        "found": page.rows,
        "more": page.next,
    }
    return render(request, "portal/arrival_list.html", context)


@require_http_methods(["GET", "POST"])
def demo_day(request: HttpRequest) -> HttpResponse:
    """
    Set the day that the demo takes for today, so that a calendar can be followed to its end.

    The sweeps run at once: a visitor does not wait a minute for the reminders of the day.
    """
    if not settings.DEMO:
        raise Http404
    at, real_day = clock.now(), clock.real_day()
    form = DemoDayForm(request.POST or None, real_day=real_day, initial={"day": clock.day_of(at)})
    if request.method == "POST" and form.is_valid():
        at = clock.set_demo_day(form.cleaned_data["day"])
        day = clock.day_of(at)
        audit.record(
            by=member(request),
            did=gettext_noop("set the day of the demo"),
            to=member(request),
            day=str(day),
        )
        follow_the_law(at=at)
        complete_what_is_over(at=at)
        escalate_overdue(at=at)
        sweep(at=at)
        sweep_digests(at=at)
        messages.success(request, _("The demo date is %(day)s.") % {"day": day})
        return redirect("demo_day")
    one_day = timedelta(days=1)
    steps = {"before": clock.day_of(at) - one_day, "after": clock.day_of(at) + one_day}
    context = {"form": form, "real_day": real_day, **steps}
    return render(request, "portal/demo_day.html", context)
