"""What the portal does by itself, at night."""

from celery import shared_task

from accounts import clock
from quarantine.proof import report_unexplained
from quarantine.results import complete_what_is_over


@shared_task
def complete_cases_that_are_over() -> int:
    """Close the cases that hold nobody and have nothing left to ask, and count them."""
    return complete_what_is_over(at=clock.now())


@shared_task
def check_every_case_follows_from_law() -> int:
    """Re-derive every open case, write down those that nothing explains, and count them."""
    return report_unexplained()
