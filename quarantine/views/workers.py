"""Pages about whitelist workers: the list, one worker, the card with the gate code."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import member, role_required
from accounts.staff.models import Area, Role, User
from common import clock
from common.errors import RefusedError
from common.paging import page_after
from common.replica import may_lag
from policy import words
from quarantine.views.errors import add_refusal
from quarantine.workers.filters import SHOWS, SOON, filter_workers
from quarantine.workers.may_work import WorkStatus, work_statuses_of
from residents.keypeople.models import HealthFile
from residents.keypeople.standards import rules_over
from residents.register import services as residents
from residents.register.models import Resident
from residents.whitelist import services
from residents.whitelist.forms import DutyForm, EndForm, UntilForm, WorkerForm
from residents.whitelist.models import DutyEntry, Worker
from residents.whitelist.qr import picture

field_work = role_required(Role.GRID_STAFF, Role.SUPERVISOR)


@require_GET
@field_work
@may_lag
def worker_list(request: HttpRequest) -> HttpResponse:
    """List the whitelist workers of one's areas, those that end first on top."""
    user, at = member(request), clock.now()
    area = Area.objects.below(user).filter(code=request.GET.get("area", "")).first()
    workers = Worker.objects.visible_to(user).listed()
    if area:
        workers = workers.filter(resident__grid__path__startswith=area.path)
    show = request.GET.get("show", "")
    rows = filter_workers(workers, show if show in SHOWS else "", at=at)
    post = request.GET.get("post", "")
    if post in words.WHITELIST_POSTS:
        rows = rows.filter(post=post)
    rows = rows.select_related("resident__household__building", "resident__grid")
    page = page_after(rows, request.GET.get("after"), order=("valid_until",))
    people = [worker.resident for worker in page.rows]
    residents.showed(page="worker_list", people=people, by=user)
    work_statuses = work_statuses_of(page.rows, at=at)
    context = {
        "page": page,
        "rows": [(worker, work_statuses[worker.pk]) for worker in page.rows],
        "shows": SHOWS.items(),
        "show": show,
        "post": post,
        "posts": words.WHITELIST_POSTS.items(),
        "area": area,
        "soon": clock.day_of(at) + SOON,
        "today": clock.day_of(at),
    }
    return render(request, "quarantine/worker_list.html", context)


@require_http_methods(["GET", "POST"])
@field_work
def worker_new(request: HttpRequest, key: UUID) -> HttpResponse:
    """Put a resident on the white list."""
    user, at = member(request), clock.now()
    people = Resident.objects.visible_to(user).here()
    resident = get_object_or_404(people.select_related("household__building", "grid"), key=key)
    if listed := Worker.objects.listed().filter(resident=resident).first():
        return redirect("worker_detail", listed.key)
    form = WorkerForm(request.POST or None, today=clock.day_of(at))
    if form.is_valid():
        try:
            worker = services.list_worker(resident=resident, **form.cleaned_data, at=at, by=user)
        except RefusedError as error:
            add_refusal(form, error)
        else:
            messages.success(request, _("Put on the white list."))
            return redirect("worker_detail", worker.key)
    context = {"form": form, "resident": resident}
    return render(request, "quarantine/worker_new.html", context)


def _worker(user: User, key: UUID) -> Worker:
    rows = Worker.objects.visible_to(user).select_related(
        "resident__household__building", "resident__grid", "resident__health_file"
    )
    return get_object_or_404(rows, key=key)


@dataclass(frozen=True)
class Duty:
    """A duty of a worker with what is known of it."""

    word: str
    entry: DutyEntry | None
    kept: bool
    vaccination: str = ""


def _duties(worker: Worker, work_status: WorkStatus, at: datetime) -> list[Duty]:
    today = clock.day_of(at)
    duties = []
    for word in work_status.listing.duties if work_status.listing else ():
        entry = work_status.entries.get(word)
        if word == "proof":
            duties.append(
                Duty(word, None, bool(work_status.listing and work_status.listing.may_work))
            )
        elif word == "vaccination":
            state = _vaccination(worker)
            duties.append(Duty(word, entry, state == "full", state))
        else:
            fresh = entry is not None and (word != "health_monitoring" or entry.day == today)
            duties.append(Duty(word, entry, fresh and bool(entry and entry.well)))
    return duties


def _vaccination(worker: Worker) -> str:
    file: HealthFile | None = getattr(worker.resident, "health_file", None)
    rules = rules_over([worker.resident.grid])[worker.resident.grid_id]
    return file.known.vaccination(rules.doses) if file else "none"


@require_GET
@field_work
@transaction.atomic
def worker_detail(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show a worker: may they work now and why, duties, code; written down as a reading."""
    return _page(request, _worker(member(request), key))


def _page(request: HttpRequest, worker: Worker, end: EndForm | None = None) -> HttpResponse:
    at = clock.now()
    residents.read(resident=worker.resident, by=member(request))
    work_status = work_statuses_of([worker], at=at)[worker.pk]
    context = {
        "worker": worker,
        "resident": worker.resident,
        "work_status": work_status,
        "duties": _duties(worker, work_status, at),
        "code": worker.codes.filter(revoked_at=None).first(),
        "until_form": UntilForm(today=clock.day_of(at)),
        "end_form": end or EndForm(),
        "today": clock.day_of(at),
    }
    return render(request, "quarantine/worker_detail.html", context)


Do = Callable[[Worker, HttpRequest, datetime, User], HttpResponse | None]


def _renew(worker: Worker, request: HttpRequest, at: datetime, by: User) -> None:
    form = UntilForm(request.POST, today=clock.day_of(at))
    if not form.is_valid():
        raise services.DaysError(form.errors["valid_until"][0])
    services.renew(worker=worker, valid_until=form.cleaned_data["valid_until"], at=at, by=by)
    messages.success(request, _("Renewed."))


def _duty(worker: Worker, request: HttpRequest, at: datetime, by: User) -> None:
    form = DutyForm(request.POST)
    if not form.is_valid():
        raise Http404
    well = form.cleaned_data["state"] == "well"
    services.keep_duty(worker=worker, duty=form.cleaned_data["duty"], well=well, at=at, by=by)
    messages.success(request, _("Noted."))


def _end(worker: Worker, request: HttpRequest, at: datetime, by: User) -> HttpResponse | None:
    form = EndForm(request.POST)
    if not form.is_valid():
        return _page(request, worker, form)
    services.end(worker=worker, reason=form.cleaned_data["reason"], at=at, by=by)
    messages.success(request, _("Taken off the white list; the gate code has ended."))
    return redirect("worker_list")


def _code(worker: Worker, request: HttpRequest, at: datetime, by: User) -> HttpResponse:
    """Show the card this once: the code is kept nowhere."""
    token = services.make_code(worker=worker, at=at, by=by)
    site = settings.SITE_URL or request.build_absolute_uri("/").rstrip("/")
    context = {
        "worker": worker,
        "picture": picture(f"{site}{reverse('gate')}#{token}"),
        "code": "-".join(token[i : i + 4] for i in range(0, len(token), 4)),
        "made_on": clock.day_of(at),
    }
    return render(request, "quarantine/worker_card.html", context)


def _revoke(worker: Worker, request: HttpRequest, at: datetime, by: User) -> None:
    services.revoke_code(worker=worker, at=at, by=by)
    messages.success(request, _("The gate code has ended."))


DO: dict[str, Do] = {
    "renew": _renew,
    "duty": _duty,
    "end": _end,
    "code": _code,
    "revoke": _revoke,
}


@require_POST
@field_work
def worker_act(request: HttpRequest, key: UUID, act: str) -> HttpResponse:
    """Do one act about a worker."""
    if act not in DO:
        raise Http404
    user = member(request)
    worker = _worker(user, key)
    try:
        answer = DO[act](worker, request, clock.now(), user)
    except RefusedError as error:
        messages.error(request, error.sentence)
        answer = None
    return answer or redirect("worker_detail", key)
