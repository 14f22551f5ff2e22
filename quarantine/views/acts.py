"""Acts on a case, and taking them back."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event
from django_htmx.middleware import HtmxDetails

from accounts.access import member, role_required
from accounts.staff.models import Role, User
from common import clock
from common.errors import RefusedError
from common.redirects import redirect_to_next
from quarantine.acts import contacts, daily_checks, exceptions, outings, release, results
from quarantine.acts.available import SUPERVISORS_ONLY, Act
from quarantine.acts.forms import ACT_FORMS, ActForm, ConfirmedForm
from quarantine.cases import lifecycle
from quarantine.corrections import withdrawals
from quarantine.corrections.results import correct_result
from quarantine.lists.worklist import cards_of
from quarantine.models import Case, Event
from quarantine.todo.models import Todo
from quarantine.todo.showing import marks_of
from quarantine.views.cases import case_page, choices_of, full_case
from quarantine.views.errors import add_refusal
from quarantine.views.undone import undo_and_redirect
from residents.register import services as residents
from residents.register.models import Resident
from testing.models import NATResult, Sample

STAFF = (Role.GRID_STAFF, Role.SUPERVISOR)


@dataclass(frozen=True)
class Done:
    """The outcome of an act: a message, the address of its undo, and the case shown next."""

    sentence: str
    undo: str = ""
    case: Case | None = None

    @property
    def tags(self) -> str:
        """Return the tag that carries the undo to the message."""
        return f"undo:{self.undo}" if self.undo else ""


Do = Callable[[Case, dict[str, Any], datetime, User], Done]


def _event(sentence: str, event: Event) -> Done:
    return Done(sentence, reverse("undo_event", args=[event.pk]))


def _sample(case: Case, data: dict[str, Any], at: datetime, by: User) -> Done:
    taken = data["taken_at"] or at
    sample = results.take_sample(
        case=case, taken_at=taken, at=at, by=by, pooled=data["pooled"], tube=data["tube"]
    )
    return Done(_("Sample taken."), reverse("undo_sample", args=[sample.key]))


def _result(case: Case, data: dict[str, Any], at: datetime, by: User) -> Done:
    samples = Sample.objects.visible_to(by).valid().select_related("resident__grid")
    sample = get_object_or_404(samples, key=data["sample"], resident=case.resident)
    return enter_result(sample, data, at, by)


def enter_result(sample: Sample, data: dict[str, Any], at: datetime, by: User) -> Done:
    """Enter what a form says of a sample; the outcome leads to the case that it concerns."""
    recorded = results.record_result(
        sample=sample,
        outcome=NATResult.Outcome(data["outcome"]),
        ct=data["ct"],
        reported_at=data["reported_at"] or at,
        at=at,
        by=by,
        confirmed=data["confirmed"],
    )
    undo_url = reverse("undo_result", args=[recorded.result.pk])
    return Done(_entered(recorded), undo_url, recorded.opened or recorded.case)


def _entered(recorded: results.Recorded) -> str:
    outcome = recorded.result.outcome
    if outcome in NATResult.NO_RESULT:
        return _("Entered: no result. The day counts as missed, and its make-up follows.")
    if recorded.result.sample.pooled and outcome == NATResult.Outcome.POSITIVE:
        return _("Pool positive: everybody in it is to be checked today with a tube of their own.")
    if outcome == NATResult.Outcome.NEGATIVE:
        return _("Negative result entered.")
    if recorded.result.sample.resident.gone_as:
        return _(
            "Positive result kept. This person is no longer here: no measure is opened. Look after"
            " the household."
        )
    return _("Positive result entered: arrange medical care now.")


def _correct(case: Case, data: dict[str, Any], at: datetime, by: User) -> Done:
    wrong = get_object_or_404(NATResult.objects.visible_to(by).valid(), pk=data["result"])
    recorded = correct_result(
        case=case,
        result=wrong,
        outcome=NATResult.Outcome(data["outcome"]),
        ct=data["ct"],
        reason=data["reason"],
        at=at,
        by=by,
        confirmed=data["confirmed"],
    )
    message = _("Result corrected; calendar and measure follow.")
    return Done(message, case=recorded.opened or recorded.case)


def _missed(case: Case, data: dict[str, Any], at: datetime, by: User) -> Done:
    event = results.mark_missed(case=case, day=data["day"], reason=data["reason"], at=at, by=by)
    return _event(_("Test marked as missed; the make-up day stands in the calendar."), event)


def _check(case: Case, data: dict[str, Any], at: datetime, by: User) -> Done:
    event = daily_checks.daily_check(
        case=case,
        temperature=data["temperature"],
        symptoms=data["symptoms"],
        note=data["note"],
        key=data["key"],
        at=at,
        by=by,
    )
    if event.todos.exists():
        return _event(_("Check of the day entered; your supervisor has it to look at."), event)
    return _event(_("Check of the day entered."), event)


def _outing(case: Case, data: dict[str, Any], at: datetime, by: User) -> Done:
    event = outings.ask_outing(
        case=case,
        day=data["day"],
        purpose=outings.OutingPurpose(data["purpose"]),
        vehicle=outings.Vehicle(data["vehicle"]),
        mask=outings.Mask(data["mask"]),
        reason=data["reason"],
        key=data["key"],
        at=at,
        by=by,
    )
    return _event(_("Leave to go out asked for; a supervisor decides."), event)


def _answer(case: Case, data: dict[str, Any], at: datetime, by: User) -> Done:
    asked = get_object_or_404(Event.objects.visible_to(by).filter(case=case), pk=data["asked"])
    if data["answer"] == "approve":
        return _event(
            _("Leave to go out approved."), outings.approve_outing(asked=asked, at=at, by=by)
        )
    event = outings.refuse_outing(asked=asked, reason=data["reason"], at=at, by=by)
    return _event(_("Leave to go out refused."), event)


def _home(case: Case, data: dict[str, Any], at: datetime, by: User) -> Done:
    event = lifecycle.change_home_conditions(
        case=case, met=data["met"], reason=data["reason"], at=at, by=by
    )
    return _event(_("Home conditions entered; the calendar follows."), event)


def _move(case: Case, data: dict[str, Any], at: datetime, by: User) -> Done:
    event = lifecycle.move(case=case, setting=data["setting"], reason=data["reason"], at=at, by=by)
    return _event(_("Move entered; days served count."), event)


def _central(case: Case, data: dict[str, Any], at: datetime, by: User) -> Done:
    event = lifecycle.choose_central(case=case, reason=data["reason"], at=at, by=by)
    return _event(_("Wish entered; the calendar follows."), event)


def _clinical(case: Case, data: dict[str, Any], at: datetime, by: User) -> Done:
    event = lifecycle.change_clinical(
        case=case, state=data["state"], reason=data["reason"], at=at, by=by
    )
    return _event(_("Clinical class entered."), event)


def _exception(case: Case, data: dict[str, Any], at: datetime, by: User) -> Done:
    if not data["excepted"]:
        exceptions.withdraw_exception(case=case, at=at, by=by)
        return Done(_("Exception withdrawn: the rule holds again."))
    exceptions.make_exception(
        case=case,
        excepted=Case.Excepted(data["excepted"]),
        reason=data["reason"],
        clause=data["ground"],
        at=at,
        by=by,
    )
    return Done(_("Exception entered; the calendar follows."))


def _contacts(case: Case, data: dict[str, Any], at: datetime, by: User) -> Done:
    chosen = list(Resident.objects.visible_to(by).filter(key__in=data["residents"]))
    opened = contacts.open_contacts(case=case, residents=chosen, at=at, by=by)
    message = ngettext("%d close contact entered.", "%d close contacts entered.", len(opened))
    return Done(message % len(opened), reverse("undo_contacts", args=[case.key]))


def _no_contact(case: Case, data: dict[str, Any], at: datetime, by: User) -> Done:
    chosen = list(Resident.objects.visible_to(by).filter(key__in=data["residents"]))
    event = contacts.decline_contacts(
        case=case, residents=chosen, reason=data["reason"], at=at, by=by
    )
    return _event(_("Entered: no close contact."), event)


def _note(case: Case, data: dict[str, Any], at: datetime, by: User) -> Done:
    event = lifecycle.add_note(case=case, text=data["text"], key=data["key"], at=at, by=by)
    return _event(_("Note kept."), event)


def _release(case: Case, _data: dict[str, Any], at: datetime, by: User) -> Done:
    outcome = release.release(cases=[case], at=at, by=by)
    if outcome.refused:
        raise RefusedError(outcome.refused[0][1])
    of_person = Event.objects.valid().filter(case__resident=case.resident_id)
    event = of_person.filter(kind=Event.Kind.RELEASED).latest("pk")
    return _event(_("Released."), event)


DO: dict[Act, Do] = {
    Act.RELEASE: _release,
    Act.CONTACTS: _contacts,
    Act.NO_CONTACT: _no_contact,
    Act.SAMPLE: _sample,
    Act.RESULT: _result,
    Act.CORRECT: _correct,
    Act.MISSED: _missed,
    Act.CHECK: _check,
    Act.ANSWER: _answer,
    Act.OUTING: _outing,
    Act.HOME: _home,
    Act.MOVE: _move,
    Act.CENTRAL: _central,
    Act.CLINICAL: _clinical,
    Act.EXCEPTION: _exception,
    Act.NOTE: _note,
}


@role_required(*STAFF)
@require_POST
def case_act(request: HttpRequest, key: uuid.UUID, act: str) -> HttpResponse:
    """Do one act and return to the page it came from, or show the form with its errors."""
    by, at = member(request), clock.now()
    if act not in Act.values:
        raise Http404
    if by.role != Role.SUPERVISOR and act in SUPERVISORS_ONLY:
        raise PermissionDenied
    case = full_case(by, key)
    today = clock.day_of(at)
    choices = choices_of(case, by=by, at=at, sent=True)
    form = ACT_FORMS[Act(act)](request.POST, today=today, choices=choices, prefix=act)
    if not form.is_valid():
        return _again(request, case, form, Act(act), at)
    if form.cleaned_data["version"]:
        case.version = form.cleaned_data["version"]
    try:
        done = DO[Act(act)](case, form.cleaned_data, at, by)
    except ValidationError as error:
        if isinstance(error, results.ContradictionError) and isinstance(form, ConfirmedForm):
            form.ask_to_confirm()
        add_refusal(form, error)
        return _again(request, case, form, Act(act), at)
    messages.success(request, done.sentence, extra_tags=done.tags)
    return _back(request, done.case.key if done.case else key, by, at)


def _again(
    request: HttpRequest, case: Case, form: ActForm, act: Act, at: datetime
) -> HttpResponse:
    if _from_today(request):
        for errors in form.errors.values():
            messages.error(request, str(errors[0]))
        return _card(request, case.key, member(request), at)
    return case_page(request, case, at=at, failed=(act, form))


def _back(request: HttpRequest, key: uuid.UUID, by: User, at: datetime) -> HttpResponse:
    if _from_today(request):
        return _card(request, key, by, at)
    return redirect_to_next(request, "case_detail", key)


def _from_today(request: HttpRequest) -> bool:
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    return bool(htmx and (htmx.target or "").startswith("card-"))


def _card(request: HttpRequest, key: uuid.UUID, by: User, at: datetime) -> HttpResponse:
    """Return the card as it is now, with the messages."""
    today = clock.day_of(at)
    case = full_case(by, key)
    residents.read(resident=case.resident, by=by)
    (card,) = cards_of([case], today=today)
    marks = marks_of(Todo.objects.visible_to(by).open().filter(resident=case.resident))
    context = {"card": card, "oob": True, "marks": marks}
    answer = render(request, "quarantine/_today_card.html", context)
    return trigger_client_event(answer, "acted")  # the counts above the cards follow


@role_required(*STAFF)
@require_POST
def undo_sample(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Take a sample back."""
    by = member(request)
    sample = get_object_or_404(Sample.objects.visible_to(by), key=key)
    return undo_and_redirect(
        request, lambda: withdrawals.take_back_sample(sample=sample, at=clock.now(), by=by)
    )


@role_required(*STAFF)
@require_POST
def undo_result(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a result back."""
    by = member(request)
    result = get_object_or_404(NATResult.objects.visible_to(by), pk=pk)
    return undo_and_redirect(
        request, lambda: withdrawals.take_back_result(result=result, at=clock.now(), by=by)
    )


@role_required(*STAFF)
@require_POST
def undo_contacts(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Take back the close contacts that were entered last from a case."""
    by = member(request)
    index = get_object_or_404(Case.objects.visible_to(by), key=key)
    return undo_and_redirect(
        request, lambda: withdrawals.take_back_contacts(index=index, at=clock.now(), by=by)
    )


@role_required(*STAFF)
@require_POST
def undo_event(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an event back."""
    by = member(request)
    event = get_object_or_404(Event.objects.visible_to(by), pk=pk)
    return undo_and_redirect(
        request, lambda: withdrawals.take_back_event(event=event, at=clock.now(), by=by)
    )
