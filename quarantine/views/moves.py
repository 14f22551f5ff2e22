"""People who move, leave, die or come back: alone or with those behind the same door."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import member, role_required
from accounts.staff.models import SEES_PEOPLE, Role, User
from common import clock
from common.errors import RefusedError
from quarantine.corrections import withdrawals
from quarantine.models import Case
from quarantine.relocation import moves
from quarantine.views.errors import add_refusal
from quarantine.views.undone import undo_and_redirect
from residents.register import services as residents
from residents.register.forms import AddressForm
from residents.register.models import Household, Resident
from residents.relocation import handovers
from residents.relocation.forms import (
    DatedForm,
    DeathForm,
    HandoverForm,
    Housemate,
    LeaveForm,
    MoveForm,
    RefuseForm,
    ReturnForm,
    TakeOverForm,
    WithHousematesForm,
)
from residents.relocation.models import Handover, Move
from residents.relocation.moves import come_back

field_work = role_required(*SEES_PEOPLE)
get_or_post = require_http_methods(["GET", "POST"])
# Records one move of one person, at the version that the page had shown.
Act = Callable[[Resident, int], Move]


@get_or_post
@field_work
def resident_move(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Move people to another door of one's areas, with their open cases."""
    by, at = member(request), clock.now()
    resident, housemates = _people(by, key, clock.day_of(at))
    form = MoveForm(
        request.POST or None,
        by=by,
        resident=resident,
        housemates=housemates,
        today=clock.day_of(at),
        initial=_housemates_ticked(request, housemates),
    )
    if form.is_valid():
        data = form.cleaned_data

        def act(mover: Resident, version: int) -> Move:
            return moves.move_resident(
                resident=mover,
                household=_home(form),
                version=version,
                day=data["day"],
                at=at,
                by=by,
            )

        if moved := _act_on_all(request, form, resident, act):
            _confirm(request, ngettext("Moved.", "%d people moved.", len(moved)), moved)
            return redirect("resident_detail", key)
    return _page(request, resident, form, "move", clock.day_of(at))


@get_or_post
@field_work
def resident_leave(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Record that people left the area."""
    by, at = member(request), clock.now()
    resident, housemates = _people(by, key, clock.day_of(at))
    form = LeaveForm(
        request.POST or None,
        resident=resident,
        housemates=housemates,
        today=clock.day_of(at),
        initial=_housemates_ticked(request, housemates),
    )
    if form.is_valid():
        data = form.cleaned_data

        def act(mover: Resident, version: int) -> Move:
            return moves.leave(
                resident=mover,
                version=version,
                day=data["day"],
                place=data["place"],
                case_told=data["case_told"],
                at=at,
                by=by,
            )

        if departures := _act_on_all(request, form, resident, act):
            _confirm(
                request,
                ngettext("Moved away.", "%d people moved away.", len(departures)),
                departures,
            )
            return redirect("resident_detail", key)
    return _page(request, resident, form, "leave", clock.day_of(at))


@get_or_post
@field_work
def resident_death(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Record that somebody died."""
    by, at = member(request), clock.now()
    resident, _housemates = _people(by, key, clock.day_of(at))
    form = DeathForm(request.POST or None, resident=resident, today=clock.day_of(at))
    if form.is_valid():

        def act(mover: Resident, version: int) -> Move:
            return moves.die(
                resident=mover, version=version, day=form.cleaned_data["day"], at=at, by=by
            )

        if died := _act_on_all(request, form, resident, act):
            _confirm(request, _("Recorded. Reminders have stopped."), died)
            return redirect("resident_detail", key)
    return _page(request, resident, form, "death", clock.day_of(at))


@get_or_post
@field_work
def resident_return(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Record that somebody who had left lives here again."""
    by, at = member(request), clock.now()
    resident, _housemates = _people(by, key, clock.day_of(at))
    form = ReturnForm(request.POST or None, by=by, resident=resident, today=clock.day_of(at))
    if form.is_valid():

        def act(mover: Resident, version: int) -> Move:
            return come_back(
                resident=mover,
                household=_home(form),
                version=version,
                day=form.cleaned_data["day"],
                at=at,
                by=by,
            )

        if returned := _act_on_all(request, form, resident, act):
            _confirm(request, _("Lives here again."), returned)
            return redirect("resident_detail", key)
    return _page(request, resident, form, "return", clock.day_of(at))


@get_or_post
@field_work
def resident_handover(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Offer somebody to the community they move to."""
    by, at = member(request), clock.now()
    resident, _housemates = _people(by, key, clock.day_of(at))
    form = HandoverForm(request.POST or None, by=by, resident=resident, today=clock.day_of(at))
    if form.is_valid():
        data = form.cleaned_data
        try:
            handovers.offer(
                resident=resident,
                to=handovers.find_community(data["area"]),
                day=data["day"],
                note=data["note"],
                at=at,
                by=by,
            )
        except RefusedError as error:
            add_refusal(form, error)
        else:
            messages.success(request, _("Offered. They stay here until the other side accepts."))
            return redirect("resident_detail", key)
    return _page(request, resident, form, "handover", clock.day_of(at))


@require_GET
@field_work
def handover_list(request: HttpRequest) -> HttpResponse:
    """List who waits to be taken over, on either side."""
    by = member(request)
    waiting = (
        Handover.objects.visible_to(by)
        .waiting()
        .select_related("resident__household", "grid", "to", "asked_by")
    )
    coming = waiting.coming_to(by).order_by("asked_at")
    going = waiting.exclude(pk__in=coming.values("pk")).order_by("asked_at")
    shown = [handover.resident for handover in (*coming, *going)]
    residents.showed(page="handover_list", people=shown, by=by)
    context = {
        "coming": coming,
        "going": going,
        "open_cases": _open_cases(handover.resident_id for handover in coming),
        "today": clock.today(),
    }
    return render(request, "quarantine/handover_list.html", context)


@get_or_post
@role_required(Role.SUPERVISOR)
def handover_accept(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Take somebody over at an address here."""
    by, at = member(request), clock.now()
    handover = _incoming_handover(by, key)
    residents.read(resident=handover.resident, by=by)
    initial = {"day": min(handover.day, clock.day_of(at))}
    form = TakeOverForm(request.POST or None, by=by, initial=initial)
    if form.is_valid():
        try:
            with transaction.atomic():
                moves.take_over(
                    handover=handover,
                    household=_home(form),
                    day=form.cleaned_data["day"],
                    at=at,
                    by=by,
                )
        except ValidationError as error:
            add_refusal(form, error)
        else:
            messages.success(request, _("Taken over."))
            return redirect("resident_detail", handover.resident.key)
    context = {
        "form": form,
        "address": form,
        "handover": handover,
        "case": _open_cases([handover.resident_id]),
        "today": clock.day_of(at),
    }
    return render(request, "quarantine/handover_accept.html", context)


@get_or_post
@role_required(Role.SUPERVISOR)
def handover_refuse(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Say why somebody is not taken over."""
    by = member(request)
    handover = _incoming_handover(by, key)
    residents.read(resident=handover.resident, by=by)
    form = RefuseForm(request.POST or None)
    if form.is_valid():
        try:
            handovers.refuse(
                handover=handover, reason=form.cleaned_data["reason"], at=clock.now(), by=by
            )
        except RefusedError as error:
            add_refusal(form, error)
        else:
            messages.success(request, _("Refused; the others are told why."))
            return redirect("handover_list")
    context = {"form": form, "handover": handover}
    return render(request, "quarantine/handover_refuse.html", context)


@require_POST
@field_work
def handover_withdraw(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Take back an offer of one's own side."""
    by = member(request)
    mine = Handover.objects.visible_to(by).filter(resident__in=Resident.objects.visible_to(by))
    handover = get_object_or_404(mine, key=key)
    return undo_and_redirect(
        request, lambda: handovers.withdraw(handover=handover, at=clock.now(), by=by)
    )


@require_POST
@field_work
def undo_moves(request: HttpRequest, keys: str) -> HttpResponse:
    """Take back the moves of one page; all or none."""
    by, at = member(request), clock.now()
    made = Move.objects.visible_to(by).select_related("resident", "left__building__grid")
    chosen = [get_object_or_404(made, key=key) for key in _keys(keys)]

    @transaction.atomic
    def take_back() -> None:
        for move in chosen:
            withdrawals.take_back_move(move=move, at=at, by=by)

    return undo_and_redirect(request, take_back)


def _keys(text: str) -> list[uuid.UUID]:
    try:
        return [uuid.UUID(part) for part in text.split(",")]
    except ValueError:
        return [uuid.UUID(int=0)]  # nobody's: 404


def _people(by: User, key: uuid.UUID, today: date) -> tuple[Resident, list[Housemate]]:
    """Return a resident, and who else lives behind the same door."""
    rows = Resident.objects.visible_to(by).select_related("household__building__grid", "grid")
    resident = get_object_or_404(rows, key=key)
    others = list(
        rows.here().filter(household=resident.household).exclude(pk=resident.pk).order_by("pk")
    )
    residents.read(resident=resident, also=others, by=by)
    held = _open_cases(housemate.pk for housemate in others)
    return resident, [
        Housemate(housemate, " · ".join(_words_of(housemate, held, today)), housemate.pk in held)
        for housemate in others
    ]


def _words_of(resident: Resident, held: set[int], today: date) -> Iterator[str]:
    """Yield what tells one housemate from another: masked names are often the same."""
    yield resident.masked_name
    if resident.sex != Resident.Sex.UNKNOWN:
        yield resident.get_sex_display()
    years = resident.age(today)
    if years is not None:
        yield ngettext("%(years)s year", "%(years)s years", years) % {"years": years}
    if resident.pk in held:
        yield _("under a measure")


def _open_cases(residents: Iterable[int]) -> set[int]:
    cases = Case.objects.open().filter(resident__in=list(residents))
    return set(cases.values_list("resident", flat=True))


def _housemates_ticked(request: HttpRequest, housemates: list[Housemate]) -> dict[str, Any]:
    """Return all housemates as ticked, where the page of the household asked for that."""
    household = "household" in request.GET
    return {"also": [housemate.choice[0] for housemate in housemates]} if household else {}


@transaction.atomic
def _act_on_all(request: HttpRequest, form: DatedForm, resident: Resident, act: Act) -> list[Move]:
    """
    Do one act for every chosen person, and return the moves recorded.

    What is refused of the person of the page stands in the form, and nothing is done; of the
    others it is said by name, and they stay.
    """
    try:
        with transaction.atomic():
            made = [act(resident, form.cleaned_data["version"])]
    except residents.ChangedMeanwhileError as error:
        resident.refresh_from_db()
        form.now_at(resident.version)
        form.add_error(None, error)
        return []
    except ValidationError as error:
        add_refusal(form, error)
        return []
    others = form.others if isinstance(form, WithHousematesForm) else {}
    known = Resident.objects.visible_to(member(request)).filter(key__in=list(others))
    for housemate in known.select_related("household__building__grid", "grid").order_by("pk"):
        try:
            with transaction.atomic():
                made.append(act(housemate, others[str(housemate.key)]))
        except ValidationError as error:
            messages.warning(request, f"{housemate.masked_name}：{error.messages[0]}")
    return made


def _confirm(request: HttpRequest, sentence: str, made: list[Move]) -> None:
    keys = ",".join(str(move.key) for move in made)
    undo_url = reverse("undo_moves", args=[keys])
    if "%d" in sentence:
        sentence %= len(made)
    messages.success(request, sentence, extra_tags=f"undo:{undo_url}")


def _page(
    request: HttpRequest, resident: Resident, form: DatedForm, act: str, today: date
) -> HttpResponse:
    context = {
        "resident": resident,
        "form": form,
        "address": form if isinstance(form, AddressForm) else None,
        "act": act,
        "case": Case.objects.governing().filter(resident=resident).first(),
        "today": today,
    }
    return render(request, "quarantine/resident_move.html", context)


def _incoming_handover(by: User, key: uuid.UUID) -> Handover:
    coming = Handover.objects.coming_to(by).waiting()
    return get_object_or_404(
        coming.select_related("resident__household__building__grid", "grid", "to"), key=key
    )


def _home(form: AddressForm) -> Household:
    data = form.cleaned_data
    building = residents.building_at(grid=data["grid"], name=data["building"])
    return residents.household_at(
        building=building, unit=data["unit"], door=data["door"], floor=data["floor"]
    )
