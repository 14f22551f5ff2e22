"""
Take samples and record results.

This layer knows residents only; `quarantine.acts.results` applies results to cases, and pages
about cases call that.
"""

from datetime import date, datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from accounts.auditing import audit
from accounts.staff.models import User
from common import clock
from common.errors import RefusedError
from common.undo_window import TooLateToUndoError, refuse_after_undo
from policy.engine.decisions.facts import MOST_CT
from policy.words import named_moment
from residents.register.models import Resident
from testing.models import NATResult, Sample

_ONCE_A_DAY = gettext_lazy("A sample of this person was already taken on that day.")


class AlreadySampledError(RefusedError):
    """The resident was sampled on that day already."""

    field = "taken_at"


class TubeError(RefusedError):
    """A pooled sample without the code of its tube, or where a tube of one's own is owed."""

    field = "tube"


class ResultExistsError(RefusedError):
    """The sample has a result already, or is none any more."""

    field = "sample"


class CtError(RefusedError):
    """An invalid Ct value."""

    field = "ct"


class FutureError(RefusedError):
    """A sample of a moment in the future, or of a day on which the person was gone."""

    field = "taken_at"


class ReportedError(FutureError):
    """A result of a moment in the future, or older than its sample."""

    field = "reported_at"


def take_sample(
    *,
    resident: Resident,
    taken_at: datetime,
    at: datetime,
    by: User,
    pooled: bool = False,
    tube: str = "",
) -> Sample:
    """
    Record that a sample was taken, and return it; a pooled one by the code of its `tube`.

    `at` is the present moment. Raise AlreadySampledError (101号 clause 6: one a person and day,
    but for the single tube that checks a positive pool), TubeError or FutureError.
    """
    if taken_at > at:
        raise FutureError(_("A sample cannot be taken in the future."))
    day = clock.day_of(taken_at)
    if resident.gone_on and resident.gone_on < day:
        raise FutureError(_("This person was no longer here on that day."))
    _check_tube(resident, pooled=pooled, tube=tube)
    try:
        with transaction.atomic():
            _refuse_second(resident, day)
            sample = Sample.objects.create(
                resident=resident,
                day=day,
                taken_at=taken_at,
                taken_by=by,
                recorded_at=at,
                pooled=pooled,
                tube=tube.upper() if pooled else "",
            )
            audit.record(by=by, did=gettext_noop("took sample"), to=sample)
    except IntegrityError as error:
        if "sample_once_a_day" not in str(error):
            raise
        raise AlreadySampledError(_ONCE_A_DAY) from error
    return sample


def _refuse_second(resident: Resident, day: date) -> None:
    taken = Sample.objects.valid().filter(resident=resident, day=day)
    to_check = taken.to_check().values("pk")
    if taken.exclude(pk__in=to_check).exists():
        raise AlreadySampledError(_ONCE_A_DAY)


def _check_tube(resident: Resident, *, pooled: bool, tube: str) -> None:
    if not pooled:
        return
    if not tube:
        raise TubeError(_("Give the code of the tube: its samples are found by it."))
    if Sample.objects.filter(resident=resident).to_check().exists():
        raise TubeError(_("The pool of this person was positive: take a tube of their own."))


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

    Raise ResultExistsError, which names who entered what and when, CtError (0 to 50, and only
    with a result) or ReportedError.
    """
    if reported_at > at:
        raise ReportedError(_("A result cannot be reported in the future."))
    if reported_at < sample.taken_at:
        raise ReportedError(_("A result cannot be older than its sample."))
    _check_ct(ct, outcome)
    with transaction.atomic():
        # The lock keeps others from withdrawing the sample, or from entering another result.
        if not Sample.objects.valid().select_for_update().filter(pk=sample.pk).exists():
            raise ResultExistsError(_("This sample was taken back."))
        if there := sample.results.valid().select_related("recorded_by").first():
            raise ResultExistsError(_already_entered(there))
        result = NATResult.objects.create(
            sample=sample,
            outcome=outcome,
            ct=ct,
            reported_at=reported_at,
            recorded_by=by,
            recorded_at=at,
        )
        audit.record(by=by, did=gettext_noop("recorded result"), to=sample)
    return result


def _already_entered(result: NATResult) -> str:
    return _("%(who)s entered “%(result)s” for this sample on %(when)s: nothing was changed.") % {
        "who": result.recorded_by,
        "result": result.in_words,
        "when": named_moment(result.recorded_at),
    }


def _check_ct(ct: Decimal | None, outcome: NATResult.Outcome) -> None:
    if ct is None:
        return
    if outcome in NATResult.NO_RESULT:
        raise CtError(_("A sample without a result has no Ct value: leave it empty."))
    if not ct.is_finite() or not 0 <= ct <= MOST_CT:
        raise CtError(_("A Ct value lies between 0 and 50."))
    if ct != round(ct, 2):
        # The database would round, and 34.999 is not 35.
        raise CtError(_("A Ct value has at most two decimals."))


def withdraw_sample(*, sample: Sample, at: datetime, by: User, late: bool = False) -> None:
    """
    Withdraw a sample.

    Raise TooLateToUndoError after UNDO, unless `late` is set, or once it has a result.
    """
    if not late:
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
