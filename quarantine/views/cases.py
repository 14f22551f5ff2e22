"""The page of a case, and the list of cases."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db.models import Exists, FilteredRelation, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.access import member, role_required
from accounts.staff.models import Area, Role, User
from common import clock
from common.paging import page_before
from common.replica import may_lag
from common.undo_window import UNDO
from policy.questions.calendar_picture import weeks
from policy.services import law_of
from policy.words import SUBJECTS, clause_of, facts_of, named_day
from quarantine.acts import exceptions
from quarantine.acts.available import (
    SUPERVISORS_ONLY,
    Act,
    available_acts,
    outings_waiting,
    overdue_days,
)
from quarantine.acts.forms import ACT_FORMS, ActForm, UncoverForm
from quarantine.acts.household import (
    DECIDING,
    ProposedContact,
    cases_behind,
    household_of,
    infected_beside,
)
from quarantine.cases import words
from quarantine.cases.calendars import calendar_from, happened_to, lay_as_others
from quarantine.cases.event_log import event_text, history, result_text
from quarantine.cases.facts import unpack
from quarantine.cases.governing_law import decision_of
from quarantine.cases.readiness import RELEASABLE, Readiness, readiness_of, readiness_of_each
from quarantine.lists.filters import CaseFilter
from quarantine.models import Case, Event
from quarantine.todo.models import Todo
from quarantine.todo.showing import OPEN_KINDS
from residents.closings.models import frozen_rows
from residents.keypeople.lists import Placing, household_members, key_members
from residents.register import services as residents
from residents.register.masking import mask_name
from residents.register.models import Resident, reached_under_phone_of_gone
from testing.models import NATResult, Sample

if TYPE_CHECKING:
    from collections.abc import Iterable

    from policy.engine.calendars.laying import Calendar
    from policy.engine.decisions.decide import Decision
    from policy.engine.decisions.facts import Person

STAFF = (Role.GRID_STAFF, Role.SUPERVISOR)
# What may be chosen in each field: values with their words.
Choices = dict[str, list[tuple[str, str]]]


@dataclass(frozen=True)
class CasePage:
    """A case with all that its page shows."""

    case: Case
    person: Person
    calendar: Calendar
    decision: Decision
    events: list[Event]
    samples: list[Sample]
    # All grounds of the person, the strictest first, then those that have ended.
    grounds: list[Case]
    # Who lives behind the same door.
    people: list[Resident]
    # Of the person, from all open grounds; None of a case that has ended.
    readiness: Readiness | None
    contacts: list[ProposedContact]
    # What else is to be decided about the person, and would hold them longer.
    ahead: list[ProposedContact]
    another_document: bool
    today: date

    @property
    def waiting(self) -> list[Sample]:
        """Return the samples whose result is awaited."""
        return [sample for sample in self.samples if not sample.valid_results]  # type: ignore[attr-defined]

    @property
    def results(self) -> list[tuple[Sample, NATResult]]:
        """Return the results that stand, each with its sample."""
        return [(s, result) for s in self.samples for result in s.valid_results]  # type: ignore[attr-defined]

    @property
    def overdue(self) -> list[date]:
        """Return the past test days without a sample or a recorded reason."""
        return overdue_days(self.calendar)

    @property
    def take_now(self) -> date | None:
        """Return the overdue test that a sample of today makes up for."""
        return None if self.case.closed_on else self.calendar.may_make_up_on(self.today)

    @property
    def governing(self) -> Case | None:
        """Return the ground that gives the person's days, None where no measure holds them."""
        first = self.grounds[0] if self.grounds else None
        return first if first and first.closed_on is None else None

    @property
    def _several(self) -> bool:
        return sum(ground.closed_on is None for ground in self.grounds) > 1

    @property
    def next_test_on(self) -> date | None:
        """Return the next test of the person, on whatever ground."""
        if self._several and self.governing:
            return self.governing.next_test_on
        return self.calendar.next_test_on

    @property
    def release_on(self) -> date | None:
        """Return the day of release of the person: that of the ground that governs."""
        if self._several and self.governing:
            return self.governing.release_on
        return self.calendar.earliest_release

    @property
    def ends_otherwise(self) -> bool:
        """Whether this ground ends on another day than the person is released."""
        ends = self.calendar.earliest_release
        return ends is not None and ends != self.release_on

    @property
    def acts(self) -> list[Act]:
        """Return what may be done now."""
        return available_acts(
            case=self.case,
            calendar=self.calendar,
            releasable=self.case.governs and self.readiness in RELEASABLE,
            person=self.person,
            events=self.events,
            samples=self.samples,
            waiting=self.waiting,
            correctable=bool(self.results),
            proposed=bool(self.contacts),
            another_document=self.another_document,
            today=self.today,
        )

    @property
    def choices(self) -> Choices:
        """Return what the forms of the acts offer."""
        return {
            "sample": [
                (str(s.key), " · ".join(filter(None, (named_day(s.day), s.tube))))
                for s in self.waiting
            ],
            "result": [(str(r.pk), result_text(s, r)) for s, r in self.results],
            "day": [(day.isoformat(), named_day(day)) for day in self.overdue],
            "asked": [
                (str(event.pk), event_text(event)) for event in outings_waiting(self.events)
            ],
            "residents": [(str(one.resident.key), contact_words(one)) for one in self.contacts],
            "ground": self._grounds if self.another_document else [],
        }

    @property
    def _grounds(self) -> list[tuple[str, str]]:
        return [
            (f"{document} {clause}", clause_of(document, clause, short=True))
            for document, clause in exceptions.grounds(self.case)
        ]


def contact_words(proposed: ProposedContact) -> str:
    """Return who may become a close contact, with what holds them already and until when."""
    name, would_be = mask_name(proposed.resident.name), proposed.would_be
    if proposed.governing is None or would_be is None:
        return name
    until = proposed.until
    subject = str(SUBJECTS.get(proposed.governing.plan.subject, ""))
    already = _("%(subject)s already, to %(until)s; would be %(would_be)s") % {
        "subject": subject,
        "until": named_day(until) if until else "–",
        "would_be": named_day(would_be),
    }
    return f"{name} · {already}"


def full_case(by: User, key: uuid.UUID, *, opened: bool = False) -> Case:
    """Return a case that `by` may see, with what its page needs, or 404."""
    cases = Case.objects.visible_to(by, opened=opened).select_related(
        *("plan", "resident__household__building", "resident__grid", "grid"),
        *("positive__sample", "arrival"),
    )
    cases = cases.annotate(
        phone_of_gone=reached_under_phone_of_gone("resident__"),
        # Whether the outbreak of the case is over, so that nothing of it may change.
        frozen=Exists(frozen_rows("last_case")),
    )
    return get_object_or_404(cases, key=key)


def load_case_page(case: Case, *, by: User, at: datetime) -> CasePage:
    """Return a case with its calendar, its history and what follows."""
    today = clock.day_of(at)
    may_except = by.role == Role.SUPERVISOR and case.closed_on is None
    samples = _samples(case)
    cases = cases_behind(case)
    grounds = [
        one
        for one in cases
        if one.resident_id == case.resident_id
        and (one.closed_as not in Case.VOID or one.pk == case.pk)
    ]
    events, deciding = _events(case, infected_beside(case, cases, at=at))
    people = household_members(household=case.resident.household_id, grid=case.grid)
    calendar = calendar_from(case, today=case.closed_on or today, events=events, samples=samples)
    person = unpack(case.facts, day_1=case.day_1)
    contacts, ahead = household_of(
        case=case, at=at, cases=cases, people=people, events={**deciding, case.pk: events}
    )
    return CasePage(
        another_document=may_except and exceptions.another_document(case),
        case=case,
        person=person,
        calendar=calendar,
        decision=decision_of(case),
        events=events,
        samples=samples,
        grounds=grounds,
        people=people,
        readiness=_readiness(grounds, today) if case.closed_on is None else None,
        contacts=contacts,
        ahead=ahead if case.closed_on is None else [],
        today=today,
    )


def _samples(case: Case) -> list[Sample]:
    """Return the samples of the days of a case with their `valid_results`, one at most."""
    found = FilteredRelation("results", condition=Q(results__withdrawn_at=None))
    taken = Sample.objects.valid().filter(resident=case.resident, day__gte=case.day_1)
    if case.closed_on:  # later ones belong to the next case
        taken = taken.filter(day__lte=case.closed_on)
    samples = list(
        taken.annotate(found=found)
        .select_related("taken_by", "found__recorded_by")  # type: ignore[misc]
        .order_by("day", "pk")
    )
    for sample in samples:
        result = getattr(sample, "found", None)  # unset where there is none
        sample.valid_results = [result] if result else []  # type: ignore[attr-defined]
    return samples


def _events(case: Case, beside: Iterable[Case]) -> tuple[list[Event], dict[int, list[Event]]]:
    """
    Return the events of a case, with the tests that the person missed on other grounds.

    Besides, what decides on contacts of the cases `beside` it, by case.
    """
    deciding: dict[int, list[Event]] = {other.pk: [] for other in beside}
    missed_by_person = Q(case__resident=case.resident_id, kind=Event.Kind.TEST_MISSED)
    of_others = Q(case__in=list(deciding), kind__in=DECIDING)
    wanted = Event.objects.valid().filter(Q(case=case) | missed_by_person | of_others)
    events = list(wanted.select_related("by").order_by("at", "pk"))
    for event in events:
        if event.case_id in deciding and event.kind in DECIDING:
            deciding[event.case_id].append(event)
    return [event for event in events if happened_to(event, case)], deciding


def _readiness(grounds: list[Case], today: date) -> Readiness:
    still_open = [case for case in grounds if case.closed_on is None]
    calendars = {case.pk: lay_as_others(case, today=today) for case in still_open}
    return readiness_of(still_open, calendars, today=today)


def choices_of(case: Case, *, by: User, at: datetime, sent: bool = False) -> Choices:
    """
    Return what the forms of the acts on a case offer.

    A form that was `sent` may name a sample that somebody else has entered a result of since: the
    service says who and when.
    """
    shown = load_case_page(case, by=by, at=at)
    choices = shown.choices
    if sent:
        choices["sample"] = [(str(s.key), named_day(s.day)) for s in shown.samples]
    return choices


@role_required(*STAFF)
@require_GET
def case_detail(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Show a case: its calendar, why these dates, what happened, what may be done."""
    by = member(request)
    case = full_case(by, key, opened=True)
    return case_page(request, case, at=clock.now())


def case_page(
    request: HttpRequest,
    case: Case,
    *,
    at: datetime,
    failed: tuple[Act, ActForm] | None = None,
) -> HttpResponse:
    """Return the page of a case, with the form that was refused, if any."""
    by = member(request)
    shown = load_case_page(case, by=by, at=at)
    opening = residents.opening_of(case.resident, by)
    # Who opened somebody's record sees that person, nobody beside them, and changes nothing.
    alone = opening is not None
    members = [] if alone else _key_members(shown)
    contacts = [proposed.resident for proposed in shown.contacts]
    indexes = [ground.index_case.resident for ground in shown.grounds if ground.index_case]
    contacts += [index for index in indexes if index.grid_id == case.grid_id]
    also = [] if alone else [*contacts, *(resident for resident, _placing in members)]
    residents.read(resident=case.resident, also=also, by=by)
    choices = _choices_now(by, shown, at)
    frozen: bool = case.frozen  # type: ignore[attr-defined]
    acts = [
        (act, failed[1] if failed and failed[0] == act else _empty(act, shown, choices))
        for act in shown.acts
        if not (alone or frozen) and _may(by, act, choices)
    ]
    check = [event for event in shown.events if event.kind == Event.Kind.CHECK]
    todos = Todo.objects.visible_to(by).open().filter(resident=case.resident).with_details()
    context = {
        "todos": list(todos.order_by("due_at")),
        "at": at,
        "shown": shown,
        "case": case,
        "calendar": shown.calendar,
        "weeks": weeks(shown.calendar, shown.today, until=case.closed_on),
        "facts": list(facts_of(shown.person)),
        "acts": acts,
        "failed": failed[0] if failed else None,
        "failed_form": failed[1] if failed else None,
        "history": history(shown.events, shown.samples, case=None if alone or frozen else case),
        "last_check": check[-1] if check else None,
        "stage_now": words.stage_now(shown.calendar, shown.today),
        "status": words.status_of(case, shown.readiness, shown.calendar, shown.today),
        "ahead": [] if alone else shown.ahead,
        "key_members": members,
        "emergency_gone": residents.gone_under(case.resident.emergency_phone, by=by),
        "opening": opening,
        "frozen": frozen,
        "switched": words.switched(case),
    }
    return render(request, "quarantine/case_detail.html", context)


def _may(by: User, act: Act, choices: Choices) -> bool:
    if act == Act.CORRECT:
        return bool(choices["result"])
    return by.role == Role.SUPERVISOR or act not in SUPERVISORS_ONLY


def _choices_now(by: User, shown: CasePage, at: datetime) -> Choices:
    """Return what the forms offer to `by`: who is no supervisor corrects only fresh results."""
    fresh = {str(result.pk) for _s, result in shown.results if at - result.recorded_at <= UNDO}
    choices = shown.choices
    if by.role != Role.SUPERVISOR:
        choices["result"] = [offer for offer in choices["result"] if offer[0] in fresh]
    return choices


def _key_members(shown: CasePage) -> list[tuple[Resident, Placing]]:
    law = law_of(document=shown.case.law, area=shown.case.grid)
    return key_members(people=shown.people, law=law, on=shown.today)


def _empty(act: Act, shown: CasePage, choices: Choices) -> ActForm:
    initial: dict[str, Any] = {
        "version": shown.case.version,
        "shown_on": shown.today,
        "day": shown.today,
    }
    for field, offered in choices.items():
        if len(offered) == 1 and field != "residents":
            initial[field] = offered[0][0]
    if act == Act.MISSED and shown.overdue:
        initial["day"] = shown.overdue[0].isoformat()
    if act == Act.CONTACTS:
        initial["residents"] = [str(one.resident.key) for one in shown.contacts]
    return ACT_FORMS[act](
        today=shown.today,
        choices=choices if act != Act.OUTING else {},
        prefix=act.value,
        initial=initial,
    )


@role_required(*STAFF)
@require_POST
def case_uncover(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Uncover one thing about a resident; written down with the reason."""
    by = member(request)
    case = full_case(by, key, opened=True)
    form = UncoverForm(request.POST)
    value, sentence = "", ""
    if form.is_valid():
        try:
            value = residents.uncover(resident=case.resident, by=by, **form.cleaned_data)
        except ValidationError as error:
            sentence = error.messages[0]
    else:
        sentence = _("Say in a few words what you need it for.")
    context = {
        "case": case,
        "field": form.cleaned_data.get("field"),
        "value": value,
        "sentence": sentence,
    }
    htmx = bool(getattr(request, "htmx", False))
    page = "quarantine/_uncovered.html" if htmx else "quarantine/uncovered.html"
    return render(request, page, context)


@role_required(*STAFF)
@require_GET
@may_lag
def case_list(request: HttpRequest) -> HttpResponse:
    """List cases, narrowed by the filters in the address; fifty at a time, the newest first."""
    by, today = member(request), clock.today()
    chosen = CaseFilter(request.GET, user=by, today=today)
    cases = chosen.qs.select_related("plan", "resident__household__building", "grid")
    cases = cases.annotate(open_todos=OPEN_KINDS)
    page = page_before(cases, request.GET.get("after"))
    residents.showed(page="case_list", people=[case.resident for case in page.rows], by=by)
    query = request.GET.copy()
    query.pop("after", None)
    near = readiness_of_each(page.rows, today=today)
    context = {
        "filter": chosen,
        "rows": [(case, near.get(case.pk)) for case in page.rows],
        "count": chosen.qs.count(),
        "after": page.next,
        "query": query.urlencode(),
        "area": _area(by, request.GET.get("area", "")),
        "bulk": request.GET.get("release") == "ready",
    }
    return render(request, "quarantine/case_list.html", context)


def _area(by: User, code: str) -> Area | None:
    return Area.objects.below(by).filter(code=code).first() if code else None
