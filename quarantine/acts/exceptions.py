"""Exceptions of single cases from the rule of transition, with a reason and a clause."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.auditing import audit
from accounts.staff.models import Area, User
from common.errors import RefusedError
from policy.models import Activation
from policy.services import law_of
from quarantine.cases.audit_phrases import TOOK_BACK
from quarantine.cases.lifecycle import LONGEST_REASON, record, refuse_closed, replan
from quarantine.models import Case, Event

LONGEST_CLAUSE = 80


class ExceptedError(RefusedError):
    """A case that has an exception already, or none to withdraw."""


class GroundsError(RefusedError):
    """An exception without a reason or a clause."""

    field = "reason"


@transaction.atomic
def make_exception(
    *, case: Case, excepted: Case.Excepted, reason: str, clause: str, at: datetime, by: User
) -> Event:
    """
    Keep a case under the document of its opening, or put it under a stricter one in force.

    It holds, through whatever switches come, until it is withdrawn. Raise ExceptedError where
    the case has one, GroundsError without a reason or the clause that allows it.
    """
    refuse_closed(case)
    if case.excepted:
        raise ExceptedError(_("This case has an exception already: withdraw that one first."))
    if not reason.strip() or not clause.strip():
        raise GroundsError(_("Give a reason and the clause that allows it."))
    if len(reason) > LONGEST_REASON or len(clause) > LONGEST_CLAUSE:
        raise GroundsError(_("Give the reason in at most 200 characters."))
    event = record(
        case=case,
        kind=Event.Kind.EXCEPTION,
        at=at,
        by=by,
        reason=reason.strip(),
        clause=clause.strip(),
        detail={"excepted": excepted},
    )
    replan(case=case, at=at, excepted=excepted)
    return event


@transaction.atomic
def withdraw_exception(*, case: Case, at: datetime, by: User) -> None:
    """End the exception of a case; the rule applies again. Raise ExceptedError without one."""
    refuse_closed(case)
    valid = case.events.valid().filter(kind=Event.Kind.EXCEPTION)
    event = valid.order_by("pk").last()
    if event is None or not valid.update(withdrawn_at=at, withdrawn_by=by):
        raise ExceptedError(_("This case has no exception."))
    audit.record(by=by, did=TOOK_BACK[event.kind], to=case, event=event.pk)
    replan(case=case, at=at, excepted="")


def grounds(case: Case) -> list[tuple[str, str]]:
    """Return the clauses that an exception may rest on: those of the documents concerned."""
    documents = dict.fromkeys([case.opened_under, *_concerning(case.grid)])
    clauses = (
        (known.id, clause)
        for document in documents
        for known in law_of(document=document, area=case.grid).documents
        for clause in known.clauses
    )
    return list(dict.fromkeys(clauses))


def another_document(case: Case) -> bool:
    """Say whether a document other than that of the opening holds here, will, or is proposed."""
    return bool(set(_concerning(case.grid)) - {case.opened_under})


def _concerning(grid: Area) -> list[str]:
    activations = Activation.objects.valid().over(grid).order_by("document")
    return list(activations.values_list("document", flat=True).distinct())
