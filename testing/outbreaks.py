"""Declare and end local outbreaks, during which doors ask for a shorter proof."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import Area, User
from common.errors import RefusedError
from policy.engine.documents.law import Law
from policy.engine.documents.schema import EntryProvision
from testing.models import LocalOutbreak


class DeclaredError(RefusedError):
    """Somebody else declared or ended the outbreak meanwhile."""


def allowed_by(law: Law) -> bool:
    """Return whether the law has a shorter proof for outbreaks (Yingkou 5)."""
    return any(p.proof_hours_in_outbreak is not None for p in law.provisions(EntryProvision))


@transaction.atomic
def declare(*, area: Area, reason: str, at: datetime, by: User) -> LocalOutbreak:
    """Declare an outbreak in an area."""
    try:
        with transaction.atomic():
            declared = LocalOutbreak.objects.create(
                area=area, reason=reason, declared_at=at, declared_by=by
            )
    except IntegrityError as error:
        raise DeclaredError(_("An outbreak is declared here already.")) from error
    audit.record(by=by, did=gettext_noop("declared a local outbreak"), to=declared)
    return declared


@transaction.atomic
def end(*, area: Area, at: datetime, by: User) -> None:
    """End the outbreak declared in an area."""
    declared = LocalOutbreak.objects.valid().select_for_update().filter(area=area).first()
    if declared is None:
        raise DeclaredError(_("No outbreak is declared here any more."))
    LocalOutbreak.objects.filter(pk=declared.pk).update(withdrawn_at=at, withdrawn_by=by)
    audit.record(by=by, did=gettext_noop("ended a local outbreak"), to=declared)
