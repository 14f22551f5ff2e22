"""Pages of residents and households: masked, and every access audited."""

from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import member, role_required
from accounts.auditing.audit import subject_of, words_of
from accounts.auditing.models import AuditEntry
from accounts.staff.models import SEES_PEOPLE, Area, Role, User
from common import clock
from common.paging import page_after, page_before
from common.replica import may_lag
from residents.duplicates.models import kept_entry_of
from residents.register import elsewhere, services
from residents.register.forms import (
    AddressForm,
    ChangeForm,
    HousematePersonForm,
    PersonForm,
    SearchForm,
    UncoverForm,
    grids_of,
)
from residents.register.models import (
    Household,
    Resident,
    UncoverReason,
    reached_under_phone_of_gone,
)
from residents.relocation.moves import homes_of
from residents.search.people import SearchResult, search

field_work = role_required(*SEES_PEOPLE)
get_or_post = require_http_methods(["GET", "POST"])
FEW_GRIDS = 12
MOST_COUNTED = 10_000
MOST_REACHED = 4  # a family that shares a phone


@get_or_post
@field_work
@may_lag
def resident_list(request: HttpRequest) -> HttpResponse:
    """List the residents of one's areas, or search them."""
    user = member(request)
    form = SearchForm(request.POST or None)
    code = request.GET.get("grid")
    grid = Area.objects.below(user).filter(code=code).first() if code else None
    today = clock.today()
    context: dict[str, Any] = {"form": form, "today": today, "grid": grid}
    if form.is_bound:
        context["found"] = _search_results(form, user, grid, today) if form.is_valid() else None
    else:
        context |= _listed(request, user, grid)
    return render(request, "residents/resident_list.html", context)


def _listed(request: HttpRequest, user: User, grid: Area | None) -> dict[str, Any]:
    grids = list(grids_of(user)[: FEW_GRIDS + 1])
    gone, to_follow = "gone" in request.GET, "to_follow" in request.GET
    rows = Resident.objects.visible_to(user).select_related("household__building", "grid")
    if to_follow:
        rows = rows.number_to_follow()
    else:
        rows = rows.exclude(gone_as="") if gone else rows.here()
    if grid:
        rows = rows.filter(grid__path__startswith=grid.path)
    page = page_after(rows, request.GET.get("after"), order=["name_key"])
    services.showed(page="resident_list", people=page.rows, by=user)
    return {
        "page": page,
        "grids": grids if 1 < len(grids) <= FEW_GRIDS else [],
        "gone": gone,
        "to_follow": to_follow,
        "total": rows.order_by()[: MOST_COUNTED + 1].count(),
        "most": MOST_COUNTED,
    }


def _search_results(
    form: SearchForm, user: User, grid: Area | None, today: date
) -> SearchResult | None:
    data = form.cleaned_data
    try:
        return search(text=data["text"], today=today, by=user, grid=grid, after=data["after"])
    except ValidationError as error:
        form.add_error("text", error)
    return None


@require_GET
@field_work
@transaction.atomic
def resident_detail(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show a resident, masked; also one of another area whose record was opened with a reason."""
    merged = Resident.objects.filter(key=key, gone_as=Resident.GoneAs.MERGED).first()
    # Before the redirect, so that users without access do not learn of the merge.
    shown = kept_entry_of(merged).key if merged else key
    resident = _resident(request, shown, opened=True)
    if merged:
        return redirect("resident_detail", resident.key)
    context = {
        "resident": resident,
        "merges": resident.merges.filter(undone_at=None).select_related("by").order_by("-at"),
        "age": resident.age(clock.today()),
        "homes": homes_of(resident),
        "handover": resident.handovers.valid().select_related("to").order_by("-asked_at").first(),
        "opening": services.opening_of(resident, member(request)),
        "reached": _reached_under(resident, member(request)),
        "emergency_gone": services.gone_under(resident.emergency_phone, by=member(request)),
    }
    return render(request, "residents/resident_detail.html", context)


def _reached_under(gone: Resident, by: User) -> list[Resident]:
    """
    Return who is still reached under the phone of somebody who has left or died.

    Also whoever lived with them and names it as that of their emergency contact.
    """
    if not (gone.gone_as and gone.phone):
        return []
    here = Resident.objects.visible_to(by).here()
    sharing = here.filter(phone_hash=gone.phone_hash)
    reached = [other for other in sharing.order_by("pk")[:MOST_REACHED] if other.phone_of_gone]
    if services.gone_under(gone.phone, by=by):
        housemates = here.filter(household=gone.household_id)
        others = housemates.exclude(pk__in=[other.pk for other in reached])
        reached += [other for other in others if other.emergency_phone == gone.phone]
    services.showed(page="resident_detail", people=reached, by=by)
    return reached


@require_GET
@role_required(Role.SUPERVISOR)
def resident_access_log(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show supervisors who did or read what about a resident."""
    resident = _resident(request, key)
    entries = AuditEntry.objects.about(subject_of(resident), resident.key)
    for merge in resident.merges.filter(undone_at=None).select_related("merged"):
        entries |= AuditEntry.objects.about(subject_of(merge.merged), merge.merged.key)
    page = page_before(entries.select_related("words"), request.GET.get("before"))
    context = {"resident": resident, "entries": _log_rows(page.rows), "page": page}
    return render(request, "residents/resident_access_log.html", context)


def _log_rows(entries: list[AuditEntry]) -> list[dict[str, Any]]:
    """Return the entries with names, so that a supervisor can ask these users."""
    actors = User.objects.filter(key__in={entry.actor for entry in entries})
    people = {user.key: user for user in actors.prefetch_related("areas")}
    return [
        {
            "entry": entry,
            "who": people.get(entry.actor) if entry.actor else None,
            "field": services.UNCOVERABLE.get(entry.detail.get("field", ""), ""),
            "reason": dict(UncoverReason.choices).get(entry.reason) or words_of(entry),
        }
        for entry in entries
    ]


@get_or_post
@field_work
def resident_uncover(request: HttpRequest, key: UUID, field: str) -> HttpResponse:
    """Ask for a reason, and show one masked value of a resident."""
    if field not in services.UNCOVERABLE:
        raise Http404
    resident = _resident(request, key, opened=True)
    form = UncoverForm(request.POST or None)
    context = {
        "resident": resident,
        "field": field,
        "label": services.UNCOVERABLE[field],
        "form": form,
    }
    if form.is_valid():
        context["value"] = services.uncover(
            resident=resident, field=field, reason=form.audit_reason(), by=member(request)
        )
    full_page = not request.headers.get("HX-Request")
    template = "residents/uncover.html" if full_page else "residents/_uncover.html"
    return render(request, template, context)


@get_or_post
@field_work
def resident_new(request: HttpRequest) -> HttpResponse:
    """Register a resident, at an address or in a given household."""
    user, at = member(request), clock.now()
    household = _requested_household(request)
    form = _person_form(request, household, clock.day_of(at))
    address = None if household else AddressForm(request.POST or None, by=user)
    if form.is_valid() and (address is None or address.is_valid()):
        try:
            with elsewhere.asking(by=user), transaction.atomic():
                home = household or _household_from(address)
                resident = services.register(household=home, **form.cleaned_data, at=at, by=user)
        except ValidationError as error:
            form.add_error("number", error)
            if known := getattr(error, "resident", None):
                services.read(resident=known, by=user)
        else:
            messages.success(request, _("Registered."))
            return redirect("resident_detail", resident.key)
    else:
        known = None
    context = {
        "form": form,
        "address": address,
        "parts": [address] if address and address.errors else [],
        "household": household,
        "known": known,
    }
    return render(request, "residents/resident_form.html", context)


@get_or_post
@field_work
def resident_change(request: HttpRequest, key: UUID) -> HttpResponse:
    """Change a resident."""
    resident, at = _resident(request, key), clock.now()
    form = ChangeForm(request.POST or None, resident=resident, today=clock.day_of(at))
    known = None
    if form.is_valid():
        try:
            services.change(resident=resident, **form.cleaned_data, at=at, by=member(request))
        except services.ChangedMeanwhileError as error:
            form = _form_to_resubmit(request, resident, form.today)
            form.add_error(None, error)
        except ValidationError as error:
            form.add_error("number", error)
            if known := getattr(error, "resident", None):
                services.read(resident=known, by=member(request))
        else:
            messages.success(request, _("Saved."))
            return redirect("resident_detail", key)
    context = {"form": form, "resident": resident, "known": known}
    return render(request, "residents/resident_change.html", context)


def _form_to_resubmit(request: HttpRequest, resident: Resident, today: date) -> ChangeForm:
    """Return the form with the typed values and the current version, to be sent again."""
    resident.refresh_from_db()
    typed = request.POST.copy()
    typed["version"] = str(resident.version)
    form = ChangeForm(typed, resident=resident, today=today)
    form.is_valid()
    return form


@require_GET
@field_work
@transaction.atomic
def household_detail(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show the members of a household."""
    household = get_object_or_404(
        Household.objects.visible_to(member(request)).select_related("building__grid"), key=key
    )
    people = list(household.residents.people().order_by("birth_date", "pk"))
    services.showed(page="household_detail", people=people, by=member(request))
    context = {
        "household": household,
        "residents": [person for person in people if not person.gone_as],
        "gone": [person for person in people if person.gone_as],
        "today": clock.today(),
    }
    return render(request, "residents/household_detail.html", context)


def _resident(request: HttpRequest, key: UUID, *, opened: bool = False) -> Resident:
    """Return a resident for a page, and audit the access."""
    rows = Resident.objects.visible_to(member(request), opened=opened)
    resident = get_object_or_404(rows.select_related("household__building", "grid"), key=key)
    services.read(resident=resident, by=member(request))
    return resident


def _person_form(request: HttpRequest, household: Household | None, today: date) -> PersonForm:
    if household is None:
        return PersonForm(request.POST or None, today=today)
    members = household.residents.here().annotate(of_gone=reached_under_phone_of_gone())
    housemates = list(members.order_by("birth_date", "pk"))
    services.showed(page="resident_new", people=housemates, by=member(request))
    return HousematePersonForm(request.POST or None, housemates=housemates, today=today)


def _requested_household(request: HttpRequest) -> Household | None:
    key = request.GET.get("household")
    if not key:
        return None
    try:
        wanted = UUID(key)
    except ValueError as error:
        raise Http404 from error
    return get_object_or_404(
        Household.objects.visible_to(member(request)).select_related("building__grid"), key=wanted
    )


def _household_from(address: Form | None) -> Household:
    data = address.cleaned_data if address else {}
    building = services.building_at(grid=data["grid"], name=data["building"])
    return services.household_at(
        building=building, unit=data["unit"], door=data["door"], floor=data["floor"]
    )
