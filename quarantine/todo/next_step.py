"""What a to-do asks next, and the clause that says so."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from common import clock
from policy import words
from policy.engine.documents.law import Citation, Law
from policy.engine.documents.schema import MeasureProvision
from policy.services import in_force
from quarantine.acts.outings import terms_of
from quarantine.cases.calendars import calendar_of
from quarantine.cases.event_log import event_text, result_text
from quarantine.cases.plans import plan_of
from quarantine.models import Case
from quarantine.todo.models import Todo

Kind = Todo.Kind


class NextStep(NamedTuple):
    """What is to be done, on which terms, and the clause; None where no text speaks of it."""

    sentence: str
    terms: str
    cited: Citation | None


def brief(todo: Todo) -> str:
    """Return in one sentence what a to-do asks, for lists."""
    return {
        Kind.REFER: _(
            "Hand this person over to medical care now. Until then they may not leave the home."
        ),
        Kind.POSITIVE: _("Have a clinician find the clinical class, and enter it."),
        Kind.POOL: _("Take a single sample today; until its result this person stays held."),
        Kind.SYMPTOMS: _("Ask a doctor today, and take a sample."),
        Kind.HOUSEHOLD: _("Enter who lives there as close contacts, or say why nobody is one."),
        Kind.OUTING: _("Agree or refuse."),
    }[Kind(todo.kind)]


def cause_text(todo: Todo) -> str:
    """Return what caused a to-do: the temperature, the result, the request."""
    if todo.event is not None:
        return event_text(todo.event)
    if todo.result is not None:
        return result_text(todo.result.sample, todo.result)
    if todo.arrival is not None:
        day = words.named_day(todo.arrival.arrived_on)
        return _("arrived on %(day)s, infected") % {"day": day}
    return ""


def next_step(todo: Todo, *, at: datetime) -> NextStep:
    """Return what a to-do asks under the law in force where the person lives."""
    law = in_force(area=todo.resident.grid, at=at)
    about = {
        Kind.REFER: ("infected", True),
        Kind.POSITIVE: ("infected", False),
        Kind.HOUSEHOLD: ("close_contacts", False),
    }
    kind = Kind(todo.kind)
    if kind in about:
        return NextStep(brief(todo), "", _clause(law, *about[kind]) if law else None)
    if kind == Kind.POOL or todo.case is None:
        return NextStep(brief(todo), "", None)
    return _of_somebody_held(todo, todo.case, at=at)


def _clause(law: Law, subject: str, refers: bool) -> Citation | None:
    return next(
        (
            cited
            for cited, provision in law.cited(MeasureProvision)
            if provision.subject == subject and (provision.refer is not None) == refers
        ),
        None,
    )


def _of_somebody_held(todo: Todo, case: Case, *, at: datetime) -> NextStep:
    """Return the step of symptoms or an outing: on which terms somebody may see a doctor."""
    plan = plan_of(case.plan)
    if todo.kind == Kind.SYMPTOMS and plan.subject == "infected":
        worse = _("Have a clinician find the clinical class: who gets worse is passed on.")
        return NextStep(worse, "", Citation(plan.document, plan.clause))
    today = clock.day_of(at)
    day = todo.event.day if todo.kind == Kind.OUTING and todo.event else today
    allowed = terms_of(case, laid=calendar_of(case, today=today), day=day)
    if allowed is None:
        return NextStep(brief(todo), _("No leave to go out is needed."), None)
    terms = _("Out to see a doctor only by: %(vehicles)s; mask: %(masks)s.") % {
        "vehicles": pgettext("joins names", ", ").join(_named(allowed.vehicles)),
        "masks": pgettext("joins names", ", ").join(_named(allowed.masks)),
    }
    return NextStep(brief(todo), terms, allowed.cited)


def _named(values: tuple[str, ...]) -> Iterator[str]:
    return (str(words.OUTINGS[value]) for value in values)
