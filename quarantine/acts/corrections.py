"""Corrections of results that were recorded wrongly and can no longer be taken back."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.staff.models import Role, User
from common.errors import RefusedError
from common.undo_window import UNDO
from quarantine.acts.results import Recorded, record_result
from quarantine.acts.undo import take_back_result
from quarantine.cases.lifecycle import StaleCaseError, record
from quarantine.models import Case, Event
from testing.models import NATResult


class CorrectionError(RefusedError):
    """A correction that changes nothing, or that only a supervisor may make."""

    field = "result"


@transaction.atomic
def correct_result(
    *,
    case: Case,
    result: NATResult,
    outcome: NATResult.Outcome,
    ct: Decimal | None,
    reason: str,
    at: datetime,
    by: User,
    confirmed: bool = False,
) -> Recorded:
    """
    Replace a wrong result of `case` by the right one; both are kept, with the reason.

    What followed from the wrong one is taken back and what follows from the right one is done, by
    the functions that always do it. After common.undo_window.UNDO only a supervisor may: raise
    CorrectionError. Raise StaleCaseError when somebody else changed the case meanwhile, and
    what `quarantine.acts.results.record_result` raises.
    """
    if by.role != Role.SUPERVISOR and at - result.recorded_at > UNDO:
        raise CorrectionError(
            _("After %(minutes)d minutes only a supervisor corrects a result: ask yours.")
            % {"minutes": UNDO.total_seconds() // 60}
        )
    if (outcome, ct) == (result.outcome, result.ct):
        raise CorrectionError(_("This is what stands there already."))
    if not Case.objects.filter(pk=case.pk, version=case.version).exists():
        raise StaleCaseError(
            _("Somebody else changed this case meanwhile. Look at it again before you go on.")
        )
    take_back_result(result=result, at=at, by=by, late=True)
    recorded = record_result(
        sample=result.sample,
        outcome=outcome,
        ct=ct,
        reported_at=result.reported_at,
        at=at,
        by=by,
        confirmed=confirmed,
    )
    record(
        case=case,
        kind=Event.Kind.CORRECTED,
        day=result.sample.day,
        at=at,
        by=by,
        reason=reason,
        detail={"was": result.outcome, "was_ct": str(result.ct) if result.ct is not None else ""},
    )
    return recorded
