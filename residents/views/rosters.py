"""Pages of rosters: upload, columns, progress, results."""

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import member, role_required
from accounts.auditing import audit
from accounts.staff.models import Role, User
from common import clock
from common.doorbell import ring
from common.errors import RefusedError
from common.paging import page_before, parse_key
from residents.register.forms import ColumnsForm, RosterForm
from residents.register.models import Resident
from residents.rosters import dry_run, mending, services, words
from residents.rosters.models import Roster, RosterRow, StagedResident
from residents.rosters.sheets import columns
from residents.rosters.sheets.reading import letter
from residents.rosters.tasks import work_on_roster

supervisors = role_required(Role.SUPERVISOR)
State, Outcome = Roster.State, RosterRow.Outcome
ROWS = 50


@supervisors
@require_GET
def roster_list(request: HttpRequest) -> HttpResponse:
    """List the rosters of one's areas, the latest first."""
    rosters = Roster.objects.visible_to(member(request)).select_related("area", "uploaded_by")
    page = page_before(rosters.defer("outline"), request.GET.get("after"))
    return render(request, "residents/roster_list.html", {"page": page})


@supervisors
@require_http_methods(["GET", "POST"])
def roster_new(request: HttpRequest) -> HttpResponse:
    """Upload a roster's file."""
    user = member(request)
    form = RosterForm(request.POST or None, request.FILES or None, by=user)
    if request.method == "POST" and form.is_valid():
        cleaned = form.cleaned_data
        roster = services.upload(
            content=cleaned["file"].read(),
            name=cleaned["file"].name,
            area=cleaned["area"],
            sender=cleaned["sender"].strip(),
            at=clock.now(),
            by=user,
        )
        return _start_task(roster)
    status = 422 if form.errors else 200
    return render(request, "residents/roster_new.html", {"form": form}, status=status)


@supervisors
@require_GET
def roster_detail(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show a roster: its state, totals, findings in the file, and rows."""
    roster = _roster(request, key)
    if roster.state == State.CHOOSING:
        return redirect("roster_columns", key)
    context: dict[str, Any] = {
        "roster": roster,
        "at_work": roster.state in Roster.AT_WORK,
        "findings": list(words.findings(roster)),
        "reasons": words.reasons(roster),
        "may_be_undone": services.may_be_undone(roster, at=clock.now()),
        "twins": services.rosters_with_same_file(roster) if roster.state == State.CHECKED else [],
    }
    if roster.state == State.REFUSED:
        context["refusal"] = words.refusal(roster)
    elif roster.counts and not context["at_work"]:
        context |= _rows(request, roster)
    return render(request, "residents/roster_detail.html", context)


@supervisors
@require_http_methods(["GET", "POST"])
def roster_columns(request: HttpRequest, key: UUID) -> HttpResponse:
    """Choose the sheet of a roster and the fields of its columns."""
    roster = _roster(request, key)
    if roster.state not in {State.CHOOSING, State.CHECKED}:
        return redirect("roster_detail", key)
    outline = dry_run.outline_of(roster)
    sheet = _sheet(request, roster, outline)
    known = dry_run.known_columns(roster)
    heading = columns.find_heading(outline["heads"][sheet], known)
    context: dict[str, Any] = {"roster": roster, "sheets": outline["sheets"], "sheet": sheet}
    if heading is None:
        return render(request, "residents/roster_columns.html", context)
    recognised = columns.recognise(heading.cells, known)
    form = ColumnsForm(request.POST or None, headings=heading.cells, fields=recognised)
    if request.method == "POST" and form.is_valid():
        try:
            services.choose_columns(
                roster=roster,
                sheet=sheet,
                heading=heading,
                fields=form.chosen(),
                at=clock.now(),
                by=member(request),
            )
        except RefusedError as refused:
            messages.error(request, refused.sentence)
            return redirect("roster_detail", key)
        return _start_task(roster)
    context |= {"form": form, "heading": heading, "columns": _described(form, outline, sheet)}
    status = 422 if form.errors else 200
    return render(request, "residents/roster_columns.html", context, status=status)


@supervisors
@require_GET
def roster_progress(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show the progress of a roster; polled by htmx every second until it is done."""
    roster = _roster(request, key)
    if roster.state in Roster.AT_WORK:
        return render(request, "residents/_roster_progress.html", {"roster": roster})
    response = HttpResponse()
    response["HX-Redirect"] = reverse("roster_detail", args=[key])
    return response


@supervisors
@require_GET
def roster_mend(request: HttpRequest, key: UUID) -> HttpResponse:
    """Download the rows that were put aside."""
    roster = _roster(request, key)
    if roster.purged or not roster.counts or roster.state in Roster.AT_WORK:
        raise Http404
    try:
        content = mending.rows_to_mend(roster=roster, at=clock.now(), by=member(request))
    except RefusedError as refused:
        messages.error(request, refused.sentence)
        return redirect("roster_detail", key)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="roster-{roster.pk}-mend.xlsx"'
    return response


@supervisors
@require_POST
def roster_apply(request: HttpRequest, key: UUID) -> HttpResponse:
    """Start the import of a roster."""
    roster = _roster(request, key)
    if roster.findings.get("at_limit") and not request.POST.get("complete"):
        messages.error(request, _("Confirm first that no rows are missing."))
        return redirect("roster_detail", key)
    return _step(request, roster, services.take_over)


@supervisors
@require_POST
def roster_undo(request: HttpRequest, key: UUID) -> HttpResponse:
    """Start undoing a roster."""
    return _step(request, _roster(request, key), services.take_back)


@supervisors
@require_POST
def roster_discard(request: HttpRequest, key: UUID) -> HttpResponse:
    """Discard a roster that will not be imported."""
    return _step(request, _roster(request, key), services.discard)


def _roster(request: HttpRequest, key: UUID) -> Roster:
    rosters = Roster.objects.visible_to(member(request))
    return get_object_or_404(rosters.select_related("area", "uploaded_by", "applied_by"), key=key)


def _step(request: HttpRequest, roster: Roster, step: Any) -> HttpResponse:
    try:
        step(roster=roster, at=clock.now(), by=member(request))
    except RefusedError as refused:
        messages.error(request, refused.sentence)
        return redirect("roster_detail", roster.key)
    return _start_task(roster)


def _start_task(roster: Roster) -> HttpResponse:
    """Start a roster's task, and redirect to its page; `resume_rosters` retries each minute."""
    ring(work_on_roster, str(roster.key))
    return redirect("roster_detail", roster.key)


def _sheet(request: HttpRequest, roster: Roster, outline: dict[str, Any]) -> int:
    requested = parse_key(request.GET.get("sheet"))
    if requested is not None and requested < len(outline["sheets"]):
        return requested
    return roster.sheet or 0


def _described(form: ColumnsForm, outline: dict[str, Any], sheet: int) -> list[dict[str, Any]]:
    """Return for each column its field, letters, whether it is hidden, and masked samples."""
    rows = [cells for _number, cells in outline["heads"][sheet]]
    spans = outline["sheets"][sheet]["hidden_columns"]
    return [
        {
            "field": field,
            "letter": letter(index),
            "hidden": any(first <= index <= last for first, last in spans),
            "samples": [
                words.sample(cells[index])
                for cells in rows[-3:]
                if index < len(cells) and cells[index] != ""
            ],
        }
        for index, field in enumerate(form)
    ]


def _rows(request: HttpRequest, roster: Roster) -> dict[str, Any]:
    """Return the context for a page of rows, filtered by outcome."""
    requested = request.GET.get("show", "")
    shown = requested if requested in RosterRow.Outcome.values else ""
    rows = RosterRow.objects.filter(roster=roster)
    if shown:
        rows = rows.filter(outcome__in=[shown, Outcome.REFERRED] if shown == "new" else [shown])
    after = parse_key(request.GET.get("after"))
    if after is not None:
        rows = rows.filter(number__gt=after)
    if shown == Outcome.REFERRED:  # else the number of the next page's row would tell which
        rows = rows.filter(pk__in=_referred_to(member(request), rows))
    fetched = list(rows.order_by("number")[: ROWS + 1])
    described = _described_rows(fetched[:ROWS], roster, member(request))
    counts = {outcome: roster.counts.get(outcome.value, 0) for outcome in Outcome}
    # Of the rows of people elsewhere only how many there are: they stand among the new ones.
    counts[Outcome.NEW] += counts[Outcome.REFERRED]
    return {
        "rows": [row for row in described if shown in {"", row["outcome"]}],
        "accepted": sum(roster.counts[outcome] for outcome in ("new", "update", "unchanged")),
        "aside": sum(roster.counts[outcome] for outcome in mending.ASIDE),
        "takes": roster.counts["new"] + roster.counts["update"],
        "next": fetched[ROWS - 1].number if len(fetched) > ROWS else None,
        "first": after is None,
        "shown": shown,
        "outcomes": list(counts.items()),
        "referred": counts[Outcome.REFERRED],
    }


def _described_rows(rows: list[RosterRow], roster: Roster, by: User) -> list[dict[str, Any]]:
    names = _names(rows, roster, by)
    notes = {row.pk: json.loads(row.note) if row.note else {} for row in rows}
    own = _known_to(by, [notes[row.pk].get("resident") for row in rows if _is_referred(row)])
    described = []
    for row in rows:
        note = notes[row.pk]
        hidden = _is_referred(row) and note.get("resident") not in own
        name = names.get(row.resident) if row.resident else ""
        described.append(
            {
                "row": row,
                "outcome": Outcome.NEW if hidden else Outcome(row.outcome),
                "who": words.masked(columns.NAME, name) if name else words.who(row, roster, note),
                "problems": [] if hidden else words.problems(note),
                "changes": words.changes(note),
            }
        )
    return described


def _referred_to(by: User, rows: QuerySet[RosterRow]) -> list[int]:
    """Return which of these rows are about people whom the user may see."""
    people = {row.pk: json.loads(row.note).get("resident") for row in rows if row.note}
    own = _known_to(by, list(people.values()))
    return [pk for pk, person in people.items() if person in own]


def _is_referred(row: RosterRow) -> bool:
    return row.outcome == Outcome.REFERRED


def _known_to(by: User, keys: list[str | None]) -> set[str | None]:
    """Return which of these people the user may see."""
    people = (
        Resident.objects.visible_to(by)
        .filter(key__in=filter(None, keys))
        .values_list("key", flat=True)
    )
    return {str(key) for key in people}


def _names(rows: list[RosterRow], roster: Roster, by: User) -> dict[UUID, str]:
    """Return the names of registered residents (audited) and of staged ones, by key."""
    keys = {row.resident for row in rows if row.resident}
    names: dict[UUID, Any] = {}
    if roster.state == State.CHECKED:
        staged = StagedResident.objects.filter(roster=roster, resident__in=keys, version=None)
        names = dict(staged.values_list("resident", "name"))
    if registered := keys - names.keys():
        residents = Resident.objects.visible_to(by).filter(key__in=registered)
        registered_names = dict(residents.values_list("key", "name"))
        audit.showed(by=by, page="roster", people=registered_names)
        names |= registered_names
    return {key: Resident.opened_name(key, sealed) for key, sealed in names.items()}
