"""
Take samples and record results.

This layer knows residents only; `quarantine.acts.results` applies results to cases, and pages
about cases call that.
"""

from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import User
from common import clock
from common.errors import RefusedError
from common.undo_window import TooLateToUndoError, refuse_after_undo
from residents.register.models import Resident
from testing.models import NATResult, Sample

HIGHEST_CT = 50


class AlreadySampledError(RefusedError):
    """The resident was sampled on that day already."""

    field = "taken_at"


class ResultExistsError(RefusedError):
    """The sample has a result already."""


class CtError(RefusedError):
    """An invalid Ct value."""

    field = "ct"


class FutureError(RefusedError):
    """A moment in the future, or a result older than its sample."""


def take_sample(
    *, resident: Resident, taken_at: datetime, at: datetime, by: User, pooled: bool = False
) -> Sample:
    """
    Record that a sample was taken, and return it.

    `at` is the present moment. Raise AlreadySampledError (101号 clause 6: one a person and day)
    or FutureError.
    """
    if taken_at > at:
        raise FutureError(_("A sample cannot be taken in the future."))
    try:
        with transaction.atomic():
            sample = Sample.objects.create(
                resident=resident,
                day=clock.day_of(taken_at),
                taken_at=taken_at,
                taken_by=by,
                recorded_at=at,
                pooled=pooled,
            )
            audit.record(by=by, did=gettext_noop("took sample"), to=sample)
    except IntegrityError as error:
        if "sample_once_a_day" not in str(error):
            raise
        raise AlreadySampledError(
            _("A sample of this person was already taken on that day.")
        ) from error
    return sample


def record_result(
    *,
    sample: Sample,
    outcome: NATResult.Outcome,
    ct: Decimal | None,
    reported_at: datetime,
    at: datetime,
    by: User,
) -> NATResult:
    """
    Record what the laboratory found, and return it. Of two genes give the lower Ct value.

    Raise ResultExistsError, CtError (0 to 50) or FutureError.
    """
    if reported_at > at:
        raise FutureError(_("A result cannot be reported in the future."))
    if reported_at < sample.taken_at:
        raise FutureError(_("A result cannot be older than its sample."))
    _check_ct(ct)
    try:
        with transaction.atomic():
            # The lock prevents withdrawal of the sample until its result is stored.
            if not Sample.objects.valid().select_for_update().filter(pk=sample.pk).exists():
                raise ResultExistsError(_("This sample was taken back."))
            result = NATResult.objects.create(
                sample=sample,
                outcome=outcome,
                ct=ct,
                reported_at=reported_at,
                recorded_by=by,
                recorded_at=at,
            )
            audit.record(by=by, did=gettext_noop("recorded result"), to=sample)
    except IntegrityError as error:
        if "result_once_a_sample" not in str(error):
            raise
        raise ResultExistsError(_("This sample has a result already.")) from error
    return result


def _check_ct(ct: Decimal | None) -> None:
    if ct is None:
        return
    if not ct.is_finite() or not 0 <= ct <= HIGHEST_CT:
        raise CtError(_("A Ct value lies between 0 and 50."))
    if ct != round(ct, 2):
        # The database would round, and 34.999 is not 35.
        raise CtError(_("A Ct value has at most two decimals."))


def withdraw_sample(*, sample: Sample, at: datetime, by: User) -> None:
    """Withdraw a sample. Raise TooLateToUndoError after UNDO, or once it has a result."""
    refuse_after_undo(sample.recorded_at, at=at)
    with transaction.atomic():
        Sample.objects.select_for_update().get(pk=sample.pk)
        if sample.results.filter(withdrawn_at=None).exists():
            raise TooLateToUndoError(_("The sample has a result: take the result back first."))
        if (
            not Sample.objects.valid()
            .filter(pk=sample.pk)
            .update(withdrawn_at=at, withdrawn_by=by)
        ):
            raise TooLateToUndoError(_("This was taken back already."))
        audit.record(by=by, did=gettext_noop("undid a sample"), to=sample)


def withdraw_result(*, result: NATResult, at: datetime, by: User, late: bool = False) -> None:
    """Withdraw a result. Raise TooLateToUndoError after UNDO, unless `late` is set."""
    if not late:
        refuse_after_undo(result.recorded_at, at=at)
    with transaction.atomic():
        if not NATResult.objects.filter(pk=result.pk, withdrawn_at=None).update(
            withdrawn_at=at, withdrawn_by=by
        ):
            raise TooLateToUndoError(_("This was taken back already."))
        audit.record(by=by, did=gettext_noop("undid a result"), to=result.sample)
