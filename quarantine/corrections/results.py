"""Results corrected: the wrong one is withdrawn with what followed, the right one entered."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.staff.models import User
from common.errors import RefusedError
from quarantine.acts.results import Recorded, record_result
from quarantine.cases.lifecycle import StaleCaseError
from quarantine.corrections.derivation import follow, note
from quarantine.corrections.permission import may_correct
from quarantine.corrections.withdrawals import withdraw_result
from quarantine.models import Case
from testing.models import NATResult


class UnchangedResultError(RefusedError):
    """A correction that changes nothing."""

    field = "result"


@transaction.atomic
def correct_result(
    *,
    case: Case | None,
    result: NATResult,
    outcome: NATResult.Outcome,
    ct: Decimal | None,
    reason: str,
    at: datetime,
    by: User,
    confirmed: bool = False,
) -> Recorded:
    """
    Replace a wrong result by the right one; both are kept, with the reason, on `case` if any.

    What followed from the wrong one is taken back and what follows from the right one is done, by
    the functions that always do it. Raise UnchangedResultError, StaleCaseError when somebody else
    changed the case meanwhile, and what `may_correct` and `record_result` raise.
    """
    thorough = may_correct(
        recorded_at=result.recorded_at,
        area=result.sample.resident.grid,
        at=at,
        by=by,
        reason=reason,
    )
    if (outcome, ct) == (result.outcome, result.ct):
        raise UnchangedResultError(_("This is what stands there already."))
    if case and not Case.objects.filter(pk=case.pk, version=case.version).exists():
        raise StaleCaseError(
            _("Somebody else changed this case meanwhile. Look at it again before you go on.")
        )
    withdraw_result(result, at=at, by=by, thorough=True)
    recorded = record_result(
        sample=result.sample,
        outcome=outcome,
        ct=ct,
        reported_at=result.reported_at,
        at=at,
        by=by,
        confirmed=confirmed,
        tells=not thorough,
    )
    follow(result.sample.resident, at=at, by=by, tells=not thorough)
    note(
        case=case,
        about=result.sample,
        fact="result",
        act="corrected",
        day=result.sample.day,
        at=at,
        by=by,
        reason=reason,
        was=result.outcome,
        was_ct=str(result.ct) if result.ct is not None else "",
    )
    return recorded
