"""Duplicate entries of a person: proposed, compared side by side, merged or told apart."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import member, role_required
from accounts.staff.models import Area, Role, User
from common import clock
from quarantine.duplicates import merging
from quarantine.models import Arrival, Case
from quarantine.views.undone import undo_and_redirect
from residents.duplicates import candidates
from residents.duplicates.merging import Field, differing
from residents.duplicates.models import Merge
from residents.keypeople.models import Dose, HealthFile, Need
from residents.register import masking
from residents.register import services as residents
from residents.register.forms import SearchForm
from residents.register.models import Resident
from residents.search.people import search
from residents.whitelist.models import Worker
from testing.models import Sample

supervisors = role_required(Role.SUPERVISOR)


# So many grids are compared at once without being asked for one community.
MOST_GRIDS = 60


@dataclass(frozen=True)
class ComparedField:
    """A field of both entries as the page shows it, and what uncovers it."""

    field: Field
    kept: str
    merged: str
    differs: bool
    uncover: str
    taken: bool


@require_GET
@supervisors
def duplicate_list(request: HttpRequest) -> HttpResponse:
    """List pairs of entries that may be one person, in a community at a time."""
    by = member(request)
    below = Area.objects.below(by)
    grids = below.filter(level=Area.Level.GRID)
    communities = below.filter(level=Area.Level.COMMUNITY)
    code = request.GET.get("area", "")
    area = communities.filter(code=code).first() or grids.filter(code=code).first()
    if area:
        grids = grids.filter(path__startswith=area.path)
    context: dict[str, Any] = {"area": area, "today": clock.today()}
    if area is None and grids.count() > MOST_GRIDS:
        context["communities"] = communities.order_by("path")
    else:
        pairs = candidates.find_pairs(grids=grids, after=request.GET.get("after", ""), by=by)
        residents.showed(page="duplicate_list", people=pairs.people, by=by)
        context["found"] = pairs
    return render(request, "quarantine/duplicate_list.html", context)


@require_http_methods(["GET", "POST"])
@supervisors
def duplicate_of(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Propose other entries of one person, or search for one."""
    by = member(request)
    rows = Resident.objects.visible_to(by).select_related("household__building", "grid")
    resident = get_object_or_404(rows, key=key)
    form = SearchForm(request.POST or None)
    today = clock.today()
    context: dict[str, Any] = {"resident": resident, "form": form, "today": today}
    if form.is_valid():
        try:
            context["found"] = search(text=form.cleaned_data["text"], today=today, by=by)
        except ValidationError as error:
            form.add_error("text", error)
    pairs = candidates.find_pairs_of(resident, by=by)
    residents.read(resident=resident, also=pairs.people, by=by)
    context["pairs"] = pairs.pairs
    return render(request, "quarantine/duplicate_of.html", context)


@require_http_methods(["GET", "POST"])
@supervisors
def duplicate_compare(request: HttpRequest, kept: uuid.UUID, merged: uuid.UUID) -> HttpResponse:
    """Compare two entries field by field; merge the second into the first."""
    by, at = member(request), clock.now()
    kept_resident, merged_resident = _pair(by, kept, merged)
    residents.read(resident=kept_resident, also=[merged_resident], by=by)
    refused = ""
    chosen = _fuller(kept_resident, merged_resident)
    if request.method == "POST":
        chosen = [field for field in Field if request.POST.get(field) == "merged"]
        try:
            made = merging.merge(
                kept=kept_resident,
                merged=merged_resident,
                versions=(_number(request, "kept_version"), _number(request, "merged_version")),
                take=chosen,
                at=at,
                by=by,
            )
        except ValidationError as error:
            refused = str(error.messages[0])
            kept_resident, merged_resident = _pair(by, kept, merged)
        else:
            undo = reverse("undo_merge", args=[made.key])
            messages.success(
                request,
                _("Merged. The page of the person can undo it later, too."),
                extra_tags=f"undo:{undo}",
            )
            return redirect("resident_detail", kept_resident.key)
    context = {
        "kept": kept_resident,
        "merged": merged_resident,
        "lines": _lines(kept_resident, merged_resident, chosen),
        "refused": refused,
        "held": _held(kept_resident, merged_resident),
        "today": clock.day_of(at),
    }
    return render(request, "quarantine/duplicate_compare.html", context)


@require_POST
@supervisors
def duplicate_apart(request: HttpRequest, kept: uuid.UUID, merged: uuid.UUID) -> HttpResponse:
    """Write down that two entries are two people."""
    by = member(request)
    first, second = _pair(by, kept, merged)
    candidates.mark_as_different(first=first, second=second, at=clock.now(), by=by)
    messages.success(request, _("Marked as different people."))
    return redirect("duplicate_list")


@require_POST
@supervisors
def undo_merge(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Let both entries of a merge be as they were."""
    by, at = member(request), clock.now()
    merges = Merge.objects.filter(kept__in=Resident.objects.visible_to(by), undone_at=None)
    made = get_object_or_404(merges.select_related("kept", "merged"), key=key)

    return undo_and_redirect(request, lambda: merging.unmerge(made=made, at=at, by=by))


def _pair(by: User, kept: uuid.UUID, merged: uuid.UUID) -> tuple[Resident, Resident]:
    rows = Resident.objects.visible_to(by).select_related("household__building__grid", "grid")
    pair = [get_object_or_404(rows, key=key) for key in (kept, merged)]
    if kept == merged:
        raise Http404
    return pair[0], pair[1]


def _number(request: HttpRequest, name: str) -> int:
    value = request.POST.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


def _fuller(kept: Resident, merged: Resident) -> list[Field]:
    """Return the fields that only the merged entry fills: they are proposed to be taken."""
    return [field for field in Field if _shown(field, merged) and not _shown(field, kept)]


def _lines(kept: Resident, merged: Resident, chosen: list[Field]) -> list[ComparedField]:
    differ = differing(kept, merged)
    return [
        ComparedField(
            field,
            _shown(field, kept),
            _shown(field, merged),
            field in differ,
            _UNCOVER.get(field, ""),
            taken=field in chosen,
        )
        for field in Field
    ]


_UNCOVER = {
    Field.NAME: "name",
    Field.DOCUMENT: "number",
    Field.PHONE: "phone",
    Field.EMERGENCY_NAME: "emergency_name",
    Field.EMERGENCY_PHONE: "emergency_phone",
    Field.HOME: "address",
}


def _shown(field: Field, resident: Resident) -> str:
    if field == Field.DOCUMENT:
        if not resident.number:
            return ""
        return f"{resident.get_document_type_display()} {resident.masked_number}"
    if field == Field.SEX:
        unknown = resident.sex == Resident.Sex.UNKNOWN
        return "" if unknown else str(resident.get_sex_display())
    if field == Field.BIRTH_DATE:
        return resident.birth_date.isoformat() if resident.birth_date else ""
    if field == Field.HOME:
        gone_as = str(resident.get_gone_as_display()) if resident.gone_as else ""
        return " · ".join(filter(None, (resident.grid.name, str(resident.household), gone_as)))
    mask = masking.mask_phone if field in {Field.PHONE, Field.EMERGENCY_PHONE} else None
    return (mask or masking.mask_name)(getattr(resident, field.value))


def _held(*pair: Resident) -> list[dict[str, Any]]:
    """Return what points to each entry, counted, in two queries."""
    cases = {case.resident_id: case for case in Case.objects.governing().filter(resident__in=pair)}
    counts = {
        "arrivals": Arrival.objects.valid(),
        "samples": Sample.objects.valid(),
        "doses": Dose.objects.valid(),
        "needs": Need.objects.filter(closed_at=None),
        "posts": Worker.objects.filter(ended_at=None),
        "files": HealthFile.objects.all(),
    }
    rows = Resident.objects.filter(pk__in=[resident.pk for resident in pair])
    counted = rows.annotate(**{f"n_{name}": _count(relation) for name, relation in counts.items()})
    known = counted.in_bulk()
    return [
        {"resident": resident, "case": cases.get(resident.pk), "counts": known.get(resident.pk)}
        for resident in pair
    ]


def _count(rows: QuerySet[Any]) -> Coalesce:
    mine = rows.filter(resident=OuterRef("pk")).order_by().values("resident")
    return Coalesce(Subquery(mine.annotate(n=Count("pk")).values("n")), 0)
