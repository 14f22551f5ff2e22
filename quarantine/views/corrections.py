"""Pages on which facts are put right: corrected, withdrawn, given to the right person."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.access import member, role_required
from accounts.staff.models import Area, Role, User
from common import clock
from policy.engine.decisions.facts import read_person
from policy.engine.errors import BadQuestionError
from policy.words import named_day, say
from quarantine.arrivals import codec
from quarantine.cases.event_log import event_text, fact_name, result_text
from quarantine.cases.facts import unpack
from quarantine.cases.words import measure_of
from quarantine.corrections import arrivals, cases, samples, withdrawals
from quarantine.corrections.derivation import case_at
from quarantine.corrections.forms import (
    FIND,
    CorrectArrivalForm,
    CorrectionForm,
    ExcludeForm,
    GiveForm,
    InErrorForm,
    WithdrawForm,
)
from quarantine.corrections.kinds import ExcludedBy
from quarantine.corrections.permission import in_undo_time, supervises, who_can
from quarantine.models import Arrival, Case, Event
from quarantine.views.arrivals import add_arrival_refusal, posted
from quarantine.views.errors import add_refusal
from residents.register import services as residents
from residents.register.models import Resident
from residents.relocation.models import Move
from residents.search.people import search
from testing.models import NATResult, Sample

if TYPE_CHECKING:
    from django.utils.functional import Promise

    StrOrPromise = str | Promise

STAFF = (Role.GRID_STAFF, Role.SUPERVISOR)
# The most people that are offered as the right one.
_OFFERED = 20


class Way(models.TextChoices):
    """How a fact is put right on its page."""

    WITHDRAW = "withdraw", pgettext_lazy("a fact", "Withdraw")
    GIVE = "give", gettext_lazy("Belongs to somebody else")
    IN_ERROR = "in_error", gettext_lazy("Entered in error")
    EXCLUDE = "exclude", gettext_lazy("Excluded")


# What was done by each, as the history of a case says it.
CORRECTED = gettext_lazy("corrected")
PUT_RIGHT = {
    Way.WITHDRAW: pgettext_lazy("a fact", "withdrawn"),
    Way.GIVE: gettext_lazy("belongs to another person"),
    Way.IN_ERROR: gettext_lazy("entered in error"),
    Way.EXCLUDE: gettext_lazy("excluded"),
}
# What each way is for, and what goes along.
_MEANS = {
    Way.WITHDRAW: gettext_lazy("It never was: what followed from it is taken back."),
    Way.GIVE: gettext_lazy("It was entered for the wrong person: the dates of both follow."),
    Way.IN_ERROR: gettext_lazy(
        "Nobody should have been under this measure: it ends at once, with the contacts that came"
        " from it."
    ),
    Way.EXCLUDE: gettext_lazy(
        "An authority found no ground: it ends at once; its arrival stays, its positive goes."
    ),
}
_NOT_TAKEN = gettext_lazy(
    "No sample was taken: it goes with its result, and the day is due again."
)
_NO_RESULT = gettext_lazy(
    "There is no such result: what it opened or closed is as before, and the sample awaits one."
)


FORMS: dict[Way, type[CorrectionForm]] = {
    Way.WITHDRAW: WithdrawForm,
    Way.GIVE: GiveForm,
    Way.IN_ERROR: InErrorForm,
    Way.EXCLUDE: ExcludeForm,
}


@dataclass(frozen=True)
class Fact:
    """A fact as its page shows it: in words, of whom, when and by whom recorded."""

    row: Any
    name: str
    text: str
    resident: Resident
    area: Area
    recorded_at: datetime
    recorded_by: User | None
    case: Case | None
    ways: tuple[Way, ...]
    correct_url: str = ""
    # What withdrawing it means, where that is not what withdrawing always means.
    withdrawing: StrOrPromise = _MEANS[Way.WITHDRAW]

    def may(self, by: User, at: datetime) -> bool:
        """Return whether `by` may put it right now."""
        return in_undo_time(self.recorded_at, at=at) or supervises(by, self.area)


def _arrival(by: User, key: str) -> Fact:
    rows = Arrival.objects.visible_to(by).valid().select_related("resident", "grid", "logged_by")
    arrival = get_object_or_404(rows, key=_uuid(key))
    case = Case.objects.filter(arrival=arrival).first()
    return Fact(
        arrival,
        fact_name("arrival"),
        named_day(arrival.arrived_on),
        arrival.resident,
        arrival.grid,
        arrival.logged_at,
        arrival.logged_by,
        case,
        (Way.GIVE, Way.WITHDRAW)
        if not case
        else (Way.GIVE, Way.WITHDRAW, Way.IN_ERROR, Way.EXCLUDE),
        reverse("arrival_correct", args=[arrival.key]),
    )


def _sample(by: User, key: str) -> Fact:
    rows = Sample.objects.visible_to(by).valid().select_related("resident__grid", "taken_by")
    sample = get_object_or_404(rows, key=_uuid(key))
    resident = sample.resident
    return Fact(
        sample,
        fact_name("sample"),
        named_day(sample.day),
        resident,
        resident.grid,
        sample.recorded_at,
        sample.taken_by,
        case_at(resident, sample.day),
        (Way.WITHDRAW, Way.GIVE),
        withdrawing=_NOT_TAKEN,
    )


def _result(by: User, pk: str) -> Fact:
    rows = NATResult.objects.visible_to(by).valid()
    rows = rows.select_related("sample__resident__grid", "recorded_by")
    result = get_object_or_404(rows, pk=_pk(pk))
    resident = result.sample.resident
    case = case_at(resident, result.sample.day)
    return Fact(
        result,
        fact_name("result"),
        result_text(result.sample, result),
        resident,
        resident.grid,
        result.recorded_at,
        result.recorded_by,
        case,
        (Way.WITHDRAW,),
        f"{reverse('case_detail', args=[case.key])}#act-correct" if case else "",
        withdrawing=_NO_RESULT,
    )


def _event(by: User, pk: str) -> Fact:
    rows = (
        Event.objects.visible_to(by).valid().select_related("case__resident", "case__grid", "by")
    )
    event = get_object_or_404(rows, pk=_pk(pk))
    return Fact(
        event,
        event.get_kind_display(),
        event_text(event),
        event.case.resident,
        event.case.grid,
        event.at,
        event.by,
        event.case,
        (Way.WITHDRAW,),
    )


def _move(by: User, key: str) -> Fact:
    rows = Move.objects.visible_to(by).valid()
    rows = rows.select_related("resident__grid", "left__building__grid", "by")
    move = get_object_or_404(rows, key=_uuid(key))
    return Fact(
        move,
        move.get_kind_display(),
        named_day(move.day),
        move.resident,
        move.resident.grid,
        move.at,
        move.by,
        Case.objects.filter(events__detail__move=str(move.key)).first(),
        (Way.WITHDRAW,),
    )


def _case(by: User, key: str) -> Fact:
    rows = Case.objects.visible_to(by).exclude(closed_as__in=Case.VOID)
    rows = rows.select_related("resident", "grid", "plan", "arrival", "opened_by")
    case = get_object_or_404(rows, key=_uuid(key))
    return Fact(
        case,
        fact_name("case"),
        named_day(case.day_1),
        case.resident,
        case.grid,
        case.opened_at,
        case.opened_by,
        case,
        (Way.IN_ERROR, Way.EXCLUDE),
    )


FACTS: dict[str, Callable[[User, str], Fact]] = {
    "arrival": _arrival,
    "sample": _sample,
    "result": _result,
    "event": _event,
    "move": _move,
    "case": _case,
}


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise Http404 from error


def _pk(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise Http404
    return int(text)


@role_required(*STAFF)
@require_http_methods(["GET", "POST"])
def fact_correct(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Show a fact with the ways to put it right, and do one of them."""
    by, at = member(request), clock.now()
    if kind not in FACTS:
        raise Http404
    fact = FACTS[kind](by, ref)
    sent = request.POST.get("way", "")
    ways = _forms(request, fact, by, at)
    form = ways.get(sent)
    if form and FIND not in request.POST and form.is_valid():
        try:
            _do(fact, Way(sent), form.cleaned_data, at, by)
        except ValidationError as error:
            add_refusal(form, error)
        else:
            return _onwards(request, fact, PUT_RIGHT[Way(sent)], form.cleaned_data["reason"])
    residents.read(resident=fact.resident, by=by)
    may = fact.may(by, at)
    means = {**_MEANS, Way.WITHDRAW: fact.withdrawing}
    offered = [(Way(way), means[Way(way)], form) for way, form in ways.items()] if may else []
    likely = bool(not fact.correct_url and offered)
    context = {
        "fact": fact,
        # The likely way stands open, the others are quieter.
        "likely": offered[:1] if likely else [],
        "others": offered[1:] if likely else offered,
        "sent": sent,
        "form": form if form and FIND not in request.POST else None,
        **({} if may else _who_instead(fact.area)),
    }
    return render(request, "quarantine/fact_correct.html", context)


def _who_instead(area: Area) -> dict[str, str]:
    """Return who may put a fact right in `area`, and the duty phone by which they are reached."""
    above = [area.path[:end] for end in range(Area.steplen, len(area.path) + 1, Area.steplen)]
    phones = Area.objects.filter(path__in=above).exclude(phone="").order_by("-depth")
    return {
        "who_can": who_can(area),
        "duty_phone": phones.values_list("phone", flat=True).first() or "",
    }


def _forms(request: HttpRequest, fact: Fact, by: User, at: datetime) -> dict[str, CorrectionForm]:
    sent = request.POST.get("way")
    in_time = in_undo_time(fact.recorded_at, at=at) and not supervises(by, fact.area)
    forms: dict[str, CorrectionForm] = {}
    for way in fact.ways:
        given: dict[str, Any] = {"in_time": in_time}
        if way == Way.GIVE:
            given["people"] = _people(request, fact, by, clock.day_of(at))
        data = request.POST if sent == way else None
        forms[way] = FORMS[way](data, prefix=way.value, **given)
    return forms


def _people(request: HttpRequest, fact: Fact, by: User, today: date) -> list[tuple[str, str]]:
    """Return who may be the right person: whom the typed text finds, else namesakes nearby."""
    text = request.POST.get(f"{Way.GIVE.value}-who", "").strip()
    found: Iterable[Resident]
    if text:
        try:
            found = search(text=text, today=today, by=by).page.rows
        except ValidationError:
            found = []
    else:
        alike = Resident.objects.visible_to(by).here().filter(name_hash=fact.resident.name_hash)
        found = alike.select_related("household__building", "grid")[:_OFFERED]
    people = [resident for resident in found if resident.pk != fact.resident.pk][:_OFFERED]
    residents.showed(page="fact_correct", people=people, by=by)
    return [(str(resident.key), _offered(resident)) for resident in people]


def _offered(resident: Resident) -> str:
    parts = (resident.masked_name, str(resident.household), resident.masked_number)
    return " · ".join(filter(None, parts))


def _do(fact: Fact, way: Way, data: dict[str, Any], at: datetime, by: User) -> None:
    """Put a fact right."""
    how = {"at": at, "by": by, "reason": data["reason"]}
    if way == Way.IN_ERROR and fact.case:
        cases.entered_in_error(case=fact.case, **how)
    elif way == Way.EXCLUDE and fact.case:
        cases.exclude(case=fact.case, excluded_by=ExcludedBy(data["excluded_by"]), **how)
    elif way == Way.GIVE:
        to = get_object_or_404(Resident.objects.visible_to(by), key=data["to"])
        if isinstance(fact.row, Arrival):
            arrivals.give_arrival(arrival=fact.row, to=to, **how)
        else:
            samples.give_sample(sample=fact.row, to=to, **how)
    else:
        _withdraw(fact.row, how)


def _withdraw(row: Any, how: dict[str, Any]) -> None:
    if isinstance(row, Arrival):
        arrivals.withdraw_arrival(arrival=row, **how)
    elif isinstance(row, Sample):
        withdrawals.take_back_sample(sample=row, **how)
    elif isinstance(row, NATResult):
        withdrawals.take_back_result(result=row, **how)
    elif isinstance(row, Move):
        withdrawals.take_back_move(move=row, **how)
    else:
        withdrawals.take_back_event(event=row, **how)


def _onwards(request: HttpRequest, fact: Fact, done: StrOrPromise, reason: str) -> HttpResponse:
    """Say what was put right and why, and go where it is seen how the person stands now."""
    held = Case.objects.governing().filter(resident=fact.resident).select_related("plan").first()
    said = pgettext("a fact and how it was put right", "%(fact)s %(how)s") % {
        "fact": fact.name,
        "how": done,
    }
    parts = {"said": said, "reason": reason}
    if reason:
        said = pgettext("put right", "%(said)s (%(reason)s).") % parts
    else:
        said = pgettext("put right", "%(said)s.") % parts
    messages.success(request, pgettext("joins sentences", "%s %s") % (said, _stands(held)))
    case = fact.case
    if case:
        case.refresh_from_db()
    if case is None or case.closed_as in Case.VOID:
        case = held
    if case:
        return redirect("case_detail", case.key)
    return redirect("resident_detail", fact.resident.key)


def _stands(held: Case | None) -> str:
    """Return the sentence on what holds somebody now, and until when."""
    if held is None:
        return _("No measure holds this person now.")
    measure = measure_of(held.plan)
    if held.release_on is None:
        return _("Now: %(measure)s.") % {"measure": measure}
    day = named_day(held.release_on)
    return _("Now: %(measure)s, release on %(day)s.") % {"measure": measure, "day": day}


@role_required(*STAFF)
@require_http_methods(["GET", "POST"])
def arrival_correct(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Show the journey of an arrival as it was entered, and take it as it really was."""
    by, at = member(request), clock.now()
    fact = _arrival(by, str(key))
    arrival: Arrival = fact.row
    if not fact.may(by, at):
        residents.read(resident=fact.resident, by=by)
        context = {"fact": fact, **_who_instead(fact.area)}
        return render(request, "quarantine/fact_correct.html", context)
    in_time = in_undo_time(arrival.logged_at, at=at) and not supervises(by, arrival.grid)
    data = posted(request) if request.method == "POST" else None
    form = CorrectArrivalForm(data, now=at, in_time=in_time, **_shown(arrival))
    # A row was asked for: nothing more.
    if data is not None and form.is_valid() and "choose" not in request.GET:
        try:
            arrivals.correct_arrival(
                arrival=arrival,
                facts=read_person(form.facts()),
                origin=codec.read_origin(form.cleaned_data),
                from_abroad=codec.read_from_abroad(form.cleaned_data),
                reason=form.cleaned_data["reason"],
                at=at,
                by=by,
            )
        except BadQuestionError as error:
            form.add_error(None, say(error.text))
        except ValidationError as error:
            add_arrival_refusal(form, error)
        else:
            return _onwards(request, fact, CORRECTED, form.cleaned_data["reason"])
    residents.read(resident=arrival.resident, by=by)
    context = {"form": form, "arrival": arrival, "fact": fact}
    return render(request, "quarantine/arrival_correct.html", context)


def _shown(arrival: Arrival) -> dict[str, Any]:
    """Return the fields of the journey and its stays as they were entered."""
    person = unpack(arrival.facts, day_1=arrival.arrived_on)
    journey = codec.show_journey(
        person,
        start=arrival.arrived_on,
        origin=arrival.origin,
        from_abroad=arrival.from_abroad,
    )
    return {
        "initial": {**journey, **codec.show_evidence(person)},
        "stays": codec.show_stays(person, origin=arrival.origin),
        "served": codec.show_served(person),
    }
