"""Scheduled tasks of the audit and the limits; they use the real time, also in the demo."""

import structlog
from celery import shared_task
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.auditing import anchors, audit, chain
from accounts.limits import counts

log = structlog.get_logger(__name__)


@shared_task
def seal_audit() -> int:
    """Link the audit entries written since the last seal."""
    return chain.seal(at=timezone.now())


@shared_task
def check_audit() -> int:
    """Verify the audit against its chain and anchors; append the head as a new anchor."""
    at = timezone.now()
    chain.seal(at=at)
    report = chain.verify(at=at, anchors=anchors.read(settings.AUDIT_ANCHORS))
    for finding in report.findings[:100]:
        log.error("audit_tampered", finding=str(finding))
    head = report.head.number if report.head else 0
    audit.record(
        by=None,
        did=gettext_noop("checked the audit"),
        to=f"seal:{head}",
        entries=report.entries,
        findings=len(report.findings),
    )
    if report.head and not report.findings:
        anchors.note(settings.AUDIT_ANCHORS, report.head, at=at)
    return len(report.findings)


@shared_task
def forget_limits() -> int:
    """Delete what the limits counted two days ago and earlier."""
    return counts.forget_old()
