"""Periodic tasks of cases."""

from celery import shared_task

from common import clock
from quarantine.acts.results import complete_what_is_over
from quarantine.cases.nightly_check import report_unexplained
from quarantine.switching.sweep import sweep
from quarantine.todo.escalation import escalate_overdue


@shared_task
def complete_cases_that_are_over() -> int:
    """Close the cases that hold nobody and have nothing left to ask, and count them."""
    return complete_what_is_over(at=clock.now())


@shared_task
def check_every_case_follows_from_law() -> int:
    """Re-derive every open case, write down those that nothing explains, and count them."""
    return report_unexplained()


@shared_task
def follow_the_law() -> int:
    """Bring open cases under the document that is in force by now, and count them."""
    return sweep(at=clock.now())


@shared_task
def escalate_todos() -> int:
    """Hand to the supervisor what nobody did in time, and count it."""
    return escalate_overdue(at=clock.now())
