"""Cases that should never have been: entered in error, or excluded by somebody who may say so."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.staff.models import User
from common.errors import RefusedError
from quarantine.corrections.arrivals import withdraw_row
from quarantine.corrections.derivation import note, void
from quarantine.corrections.kinds import ExcludedBy
from quarantine.corrections.permission import ReasonError, may_correct
from quarantine.corrections.withdrawals import withdraw_result
from quarantine.models import Case


class VoidError(RefusedError):
    """A case that was taken back, entered in error or excluded already."""


@transaction.atomic
def entered_in_error(*, case: Case, at: datetime, by: User, reason: str) -> None:
    """
    End a case that was entered by mistake, with its evidence and the contacts that came from it.

    Its arrival or positive result is withdrawn; what it had continued is open again. Raise
    VoidError, ReasonError, and what `may_correct` raises.
    """
    _refuse(case, at=at, by=by, reason=reason)
    _end(case, Case.ClosedAs.IN_ERROR, at=at, by=by, reason=reason)
    if case.arrival and case.arrival.withdrawn_at is None:
        withdraw_row(case.arrival, at=at, by=by, reason=reason)


@transaction.atomic
def exclude(*, case: Case, excluded_by: ExcludedBy, at: datetime, by: User, reason: str) -> None:
    """
    End a case because somebody who may say so found no ground for it.

    Its arrival stays, for the person did come; a positive result goes, for it is what was
    excluded. Raise what `entered_in_error` raises.
    """
    _refuse(case, at=at, by=by, reason=reason)
    _end(case, Case.ClosedAs.EXCLUDED, at=at, by=by, reason=reason, excluded_by=excluded_by)


def _refuse(case: Case, *, at: datetime, by: User, reason: str) -> None:
    if case.closed_as in Case.VOID:
        raise VoidError(_("This was taken back already."))
    if not reason.strip():
        raise ReasonError(_("Say what was wrong, and who says so."))
    may_correct(recorded_at=case.opened_at, area=case.grid, at=at, by=by, reason=reason)


def _end(
    case: Case, closed_as: Case.ClosedAs, *, at: datetime, by: User, reason: str, **detail: Any
) -> None:
    note(case=case, about=case, fact="case", act=closed_as, at=at, by=by, reason=reason, **detail)
    if case.positive:
        withdraw_result(case.positive, at=at, by=by, thorough=True, closed_as=closed_as)
    else:
        void(case, closed_as=closed_as, at=at, by=by, tells=False)
