"""Scheduled tasks of the audit and the limits; they use the real time, also in the demo."""

import structlog
from celery import shared_task
from django.conf import settings
from django.utils.translation import gettext_noop

from accounts.auditing import audit, chain, stamps
from accounts.limits import counts

log = structlog.get_logger(__name__)


@shared_task
def seal_audit() -> bool:
    """Sign the head of the audit's chain, if there is a new one."""
    return chain.seal()


@shared_task
def stamp_audit() -> int | None:
    """Have a time-stamp authority, where one is set, witness the head of the audit's chain."""
    return stamps.stamp()


@shared_task
def check_audit() -> int:
    """Verify the audit against its chain and the heads noted outside; return the findings."""
    report = chain.verify(noted=[settings.AUDIT_ANCHORS])
    for finding in report.findings[:100]:
        log.error("audit_tampered", finding=str(finding))
    audit.record(
        by=None,
        did=gettext_noop("checked the audit"),
        to=f"link:{report.head.number if report.head else 0}",
        entries=report.entries,
        findings=len(report.findings),
    )
    return len(report.findings)


@shared_task
def forget_limits() -> int:
    """Delete what the limits counted two days ago and earlier."""
    return counts.forget_old()
