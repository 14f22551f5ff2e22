"""Logging an arrival: the form, its decision while it is filled, the card afterwards."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import reswap, retarget

from accounts.access import member, role_required
from accounts.staff.models import Area, Role, User
from common import clock, places
from common.errors import RefusedError
from common.paging import parse_key
from common.places import LONGEST_PLACE
from common.undo_window import UNDO
from policy import words
from policy.engine.calendars.laying import lay
from policy.engine.decisions.facts import read_person
from policy.engine.decisions.whatif import what_would_change
from policy.engine.errors import BadQuestionError
from policy.services import in_force, law_of
from quarantine.arrivals import codec, intake
from quarantine.arrivals.earlier import days_served_here, held
from quarantine.arrivals.forms import ArrivalForm, JourneyForm
from quarantine.arrivals.services import entry_of, take_back_arrival
from quarantine.arrivals.unclear import UnclearPlaceError, unclear_places
from quarantine.cases.calendars import calendar_of
from quarantine.cases.facts import decide_on, unpack
from quarantine.cases.lifecycle import open_cases_of
from quarantine.cases.standing import standing_without
from quarantine.models import Arrival
from quarantine.todo.models import Todo
from quarantine.views.errors import add_refusal
from residents.register import services as residents
from residents.register.identity import read_number
from residents.register.models import Resident, reached_under_phone_of_gone

if TYPE_CHECKING:
    from datetime import date, datetime

    from django import forms

    from policy.engine.calendars.laying import Calendar
    from policy.engine.decisions.decide import Decision
    from policy.engine.decisions.facts import Person
    from policy.engine.decisions.whatif import Alternative
    from policy.engine.documents.library import Law
    from quarantine.arrivals.earlier import Held

STAFF = (Role.GRID_STAFF, Role.SUPERVISOR)


@dataclass(frozen=True)
class Panel:
    """The content of the decision panel; `adds` is what an entry does beside an open measure."""

    decision: Decision
    calendar: Calendar | None
    facts: list[tuple[str, str]]
    alternatives: tuple[Alternative, ...]
    adds: str = ""


@dataclass(frozen=True)
class Question:
    """A question instead of a decision: which city or county, asked at the field of the place."""

    sentence: str
    field: forms.BoundField | None


@role_required(*STAFF)
@require_http_methods(["GET", "POST"])
def arrival_new(request: HttpRequest) -> HttpResponse:
    """Show the form of an arrival; log it."""
    by, at = member(request), clock.now()
    if request.method == "GET":
        return _page(request, ArrivalForm(now=at, by=by, **_carried_over(request, by, at)))
    form = ArrivalForm(now=at, by=by, data=posted(request), **_people_named(request.POST, by, at))
    if logged := _logged_before(request, by):
        return redirect("arrival_saved", logged.key)
    # An area was chosen, or a row asked for: nothing more.
    if not form.is_valid() or "choose" in request.GET:
        return _page(request, form)
    try:
        arrival = _take_in(form, by, at)
    except ValidationError as error:
        add_arrival_refusal(form, error)
        return _page(request, form)
    if "and_household" in request.POST:
        messages.success(request, _("Logged."), extra_tags=_undo(arrival))
        return redirect(f"{reverse('arrival_new')}?after={arrival.key}&keep=household")
    return redirect("arrival_saved", arrival.key)


@role_required(*STAFF)
@require_POST
def arrival_decision(request: HttpRequest) -> HttpResponse:
    """Show what the law asks of somebody as far as the form is filled."""
    by, at = member(request), clock.now()
    form = ArrivalForm(now=at, by=by, data=request.POST, **_people_named(request.POST, by, at))
    form.is_valid()
    standing = held(form.known) if form.known else None
    context = {"form": form, "panel": _panel(form, at, standing)}
    return render(request, "quarantine/_decision.html", context)


@role_required(*STAFF)
@require_POST
def arrival_lookup(request: HttpRequest) -> HttpResponse:
    """Fill in the person and their door when the number is known; say what is wrong with it."""
    by, at = member(request), clock.now()
    kind, typed = request.POST.get("document_type", ""), request.POST.get("number", "")
    sentence, known = "", None
    if typed and kind in Resident.DocumentType.values:
        try:
            number = read_number(kind, typed, today=clock.day_of(at)).number
            known = residents.find_visible_by_number(document_type=kind, number=number, by=by)
        except ValidationError as error:
            sentence = error.messages[0]
    if known is None:
        # Only the words about the number change: what was typed meanwhile stays.
        answer = render(request, "quarantine/_number_says.html", {"sentence": sentence})
        return reswap(retarget(answer, "#number-says"), "innerHTML")
    housemate = _housemate(request.POST, by)
    if housemate and housemate.household_id != known.household_id:
        housemate = None
    initial = _fields_of_known(request.POST, known)
    form = ArrivalForm(
        now=at,
        by=by,
        known=known,
        housemate=housemate,
        served_here=days_served_here(known, today=clock.day_of(at)),
        initial=initial,
    )
    _note_reading(form, by)
    context = {"form": form, "standing": held(known), "of_gone": known.phone_of_gone}
    return render(request, "quarantine/_arrival_who.html", context)


@role_required(*STAFF)
@require_GET
def origin_search(request: HttpRequest) -> HttpResponse:
    """Offer the areas that a text may mean."""
    text = request.GET.get("q", "")[:LONGEST_PLACE]
    return render(request, "quarantine/_places.html", {"places": places.search(text)})


@role_required(*STAFF)
@require_GET
def arrival_saved(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Show what was logged: the measure, the calendar, who else lives there, what next."""
    by, at = member(request), clock.now()
    arrivals = Arrival.objects.visible_to(by).select_related(
        *("resident__household__building", "resident__grid", "grid"),
        *("provision", "case__plan__provision"),
    )
    arrival = get_object_or_404(arrivals, key=key)
    if arrival.withdrawn_at and (right := Arrival.objects.filter(corrects=arrival).first()):
        return redirect("arrival_saved", right.key)
    case = getattr(arrival, "case", None)
    person = unpack(arrival.facts, day_1=arrival.arrived_on)
    decision = decide_on(law_of(document=arrival.law, area=arrival.grid), person)
    household = Resident.objects.visible_to(by).here().filter(household=arrival.resident.household)
    others = household.exclude(pk=arrival.resident_id).order_by("birth_date", "pk")
    residents.read(resident=arrival.resident, also=others, by=by)
    grounds = open_cases_of(arrival.resident)
    todos = Todo.objects.visible_to(by).open().filter(arrival=arrival).with_details()
    return render(
        request,
        "quarantine/arrival_saved.html",
        {
            "grounds": grounds,
            "before": standing_without(case, grounds, today=clock.day_of(at)) if case else None,
            "arrival": arrival,
            "case": case,
            "calendar": calendar_of(case, today=clock.day_of(at)) if case else None,
            "decision": decision,
            "todos": list(todos.order_by("due_at")) if person.exposure == "infected" else [],
            "at": at,
            "origin": _origin(arrival),
            "others": others,
            "may_undo": not arrival.withdrawn_at and at - arrival.logged_at <= UNDO,
        },
    )


def _origin(arrival: Arrival) -> str:
    """Return where somebody came from, "" for a contact of whom only the contact counts."""
    if arrival.from_abroad:
        return _("Abroad")
    return places.name_of(arrival.origin) if arrival.origin else ""


@role_required(*STAFF)
@require_POST
def arrival_undo(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Take an arrival back."""
    by = member(request)
    arrival = get_object_or_404(Arrival.objects.visible_to(by), key=key)
    try:
        take_back_arrival(arrival=arrival, at=clock.now(), by=by)
    except RefusedError as error:
        messages.error(request, error.sentence)
        return redirect("arrival_saved", key)
    messages.success(request, _("Taken back. The form still holds what was entered."))
    return redirect(f"{reverse('arrival_new')}?after={key}&keep=all")


def add_arrival_refusal(form: JourneyForm, error: ValidationError) -> None:
    """Say on the form why an arrival was refused, and ask for a smaller place where it must be."""
    if isinstance(error, UnclearPlaceError):
        form.ask_where(error.unclear)
    else:
        add_refusal(form, error)


def posted(request: HttpRequest) -> QueryDict:
    """Return the posted data, with an empty row where another stay or stretch was asked for."""
    data = request.POST.copy()
    for kind in ("stay", "served"):
        rows = parse_key(request.POST.get(f"{kind}-TOTAL_FORMS"))
        if f"another_{kind}" in request.POST and rows is not None:
            data[f"{kind}-TOTAL_FORMS"] = str(rows + 1)
    return data


def _page(request: HttpRequest, form: ArrivalForm) -> HttpResponse:
    by = member(request)
    panel, standing = None, None
    if form.known:
        residents.read(resident=form.known, by=by)
        standing = held(form.known)
    _note_reading(form, by)
    if form.is_bound:
        panel = _panel(form, form.now, standing)
    of_gone = getattr(form.known, "of_gone", False)
    context = {"form": form, "panel": panel, "standing": standing, "of_gone": of_gone}
    return render(request, "quarantine/arrival_new.html", context)


def _known_resident(data: Any, by: User) -> Resident | None:
    """Return the known resident that the form names."""
    try:
        key = uuid.UUID(data.get("resident", ""))
    except ValueError:
        return None
    known = Resident.objects.visible_to(by).select_related("household__building__grid", "grid")
    return known.annotate(of_gone=reached_under_phone_of_gone()).filter(key=key).first()


def _people_named(data: Any, by: User, at: datetime) -> dict[str, Any]:
    """Return the known resident that a form names, with days served here, and whose phone."""
    known = _known_resident(data, by)
    served = days_served_here(known, today=clock.day_of(at)) if known else []
    return {"known": known, "housemate": _housemate(data, by), "served_here": served}


def _housemate(data: Any, by: User) -> Resident | None:
    """Return the resident whose phone reaches the household that the form names."""
    try:
        key = uuid.UUID(data.get("phone_of", ""))
    except ValueError:
        return None
    return Resident.objects.visible_to(by).here().exclude(phone="").filter(key=key).first()


def _note_reading(form: ArrivalForm, by: User) -> None:
    """Audit that a form shows whose phone is shared."""
    if form.housemate:
        residents.read(resident=form.housemate, by=by)


def _logged_before(request: HttpRequest, by: User) -> Arrival | None:
    try:
        key = uuid.UUID(request.POST.get("key", ""))
    except ValueError:
        return None
    return Arrival.objects.visible_to(by).filter(key=key).first()


def _carried_over(request: HttpRequest, by: User, at: datetime) -> dict[str, Any]:
    """Return what the next form takes over from the arrival before, and its person."""
    initial: dict[str, Any] = {}
    kept: dict[str, Any] = {"initial": initial}
    keep = request.GET.get("keep", "")
    chosen = _known_resident({"resident": request.GET.get("who", "")}, by)
    if before := _previous_arrival(request, by):
        person = unpack(before.facts, day_1=before.arrived_on)
        initial |= codec.show_journey(
            person,
            start=before.arrived_on,
            origin=before.origin,
            from_abroad=before.from_abroad,
        )
        kept["stays"] = codec.show_stays(person, origin=before.origin)
        if keep in ("household", "all"):
            kept["housemate"] = _phone_holder(before.resident, chosen, by)
            residents.read(resident=before.resident, by=by)
            initial |= codec.show_household(before.resident.household)
        if keep == "all":
            initial |= codec.show_evidence(person)
            # One person's own, too: nobody is held shorter by what was carried over.
            kept["served"] = codec.show_served(person)
            if before.resident.gone_as:
                if before.withdrawn_by_id == by.pk and at - before.logged_at <= UNDO:
                    initial |= codec.show_newcomer(before.resident, housemate=kept["housemate"])
            else:
                chosen, kept["housemate"] = before.resident, None
    if chosen:
        kept["known"] = chosen
        kept["served_here"] = days_served_here(chosen, today=clock.day_of(at))
        initial |= {"resident": chosen.key, **codec.show_household(chosen.household)}
        if keep == "all" and before and (entry := entry_of(before)):
            initial |= {"phone": entry.phone, **entry.door}
    return kept


def _phone_holder(before: Resident, chosen: Resident | None, by: User) -> Resident | None:
    """Return whose phone reaches the household of `before`, for `chosen` or somebody new there."""
    if chosen and chosen.household_id != before.household_id:
        return None
    reached = Resident.objects.visible_to(by).here().filter(household=before.household_id)
    with_phone = reached.exclude(phone="").exclude(reached_under_phone_of_gone()).order_by("pk")
    others = [resident for resident in with_phone if resident != chosen]
    return before if before in others else next(iter(others), None)


def _previous_arrival(request: HttpRequest, by: User) -> Arrival | None:
    try:
        key = uuid.UUID(request.GET.get("after", ""))
    except ValueError:
        return None
    arrivals = Arrival.objects.visible_to(by).select_related("resident__household__building__grid")
    return arrivals.filter(key=key).first()


def _fields_of_known(data: Any, known: Resident) -> dict[str, Any]:
    """Return the fields of person and door once the identity number is known."""
    kept = {name: data.get(name, "") for name in ("phone", "emergency_name", "emergency_phone")}
    return {**kept, "resident": known.key, **codec.show_household(known.household)}


def _panel(form: ArrivalForm, at: datetime, standing: Held | None) -> Panel | Question | str:
    """Return what the law asks, or what it still needs to know."""
    if form.unclear:
        return _question(form)
    law = form.wrong_day or _law_for(form, at)
    if isinstance(law, str):
        return law
    if sentence := _missing(form):
        return sentence
    try:
        person = read_person(form.facts())
    except BadQuestionError as error:
        return words.say(error.text)
    if unclear := unclear_places(law, person):
        form.ask_where(unclear)
        return _question(form)
    return _answered(law, person, form.today, standing)


def _law_for(form: ArrivalForm, at: datetime) -> Law | str:
    """Return the law in force in the grid of the form, or the sentence on why there is none."""
    grid: Area | None = form.cleaned_data.get("grid") or (form.known.grid if form.known else None)
    if grid is None:
        return _("Choose the grid first.")
    law = in_force(area=grid, at=at)
    return law or _("No document is in force in this grid: nobody can be put under a measure.")


def _missing(form: ArrivalForm) -> str:
    """Return the sentence on what is missing, "" where the law can be asked."""
    data = form.cleaned_data
    if not (data.get("origin") or data.get("exposure") or data.get("coming") == "abroad"):
        return _("Enter where they came from; the measure then appears here.")
    return ""


def _question(form: ArrivalForm) -> Question:
    field = next((one for one in form.place_fields if one.field.places), None)  # type: ignore[attr-defined]
    return Question(form.unclear[0].sentence, field)


def _answered(law: Law, person: Person, today: date, standing: Held | None) -> Panel:
    decision = decide_on(law, person)
    plan = decision.plan
    calendar = lay(plan, decision.start, today=today) if plan else None
    return Panel(
        decision,
        calendar,
        list(words.facts_of(person)),
        what_would_change(law, person, person.start or today),
        adds=standing.with_entry(plan, calendar, today=today) if standing else "",
    )


def _take_in(form: ArrivalForm, by: User, at: datetime) -> Arrival:
    data = form.cleaned_data
    law = in_force(area=data["grid"], at=at)
    if law is None:
        raise ValidationError(_("No document is in force in this grid: ask your supervisor."))
    resident = form.known or residents.find_visible_by_number(
        document_type=data["document_type"], number=data["number"], by=by
    )
    return intake.take_in(
        key=data["key"],
        who=resident or codec.read_newcomer(data),
        door=codec.read_entrance(data),
        phone=data["phone"],
        housemate=form.housemate,
        emergency_name=data["emergency_name"],
        emergency_phone=data["emergency_phone"],
        facts=read_person(form.facts()),
        origin=codec.read_origin(data),
        from_abroad=codec.read_from_abroad(data),
        law=law,
        at=at,
        by=by,
    )


def _undo(arrival: Arrival) -> str:
    return f"undo:{reverse('arrival_undo', args=[arrival.key])}"
