"""Samples given to the right person, with their result."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.staff.models import User
from common.errors import RefusedError
from quarantine.acts.results import Recorded, record_result
from quarantine.corrections.derivation import case_at, follow, note
from quarantine.corrections.permission import may_correct
from quarantine.corrections.withdrawals import withdraw_result
from residents.register.models import Resident
from testing import services as testing
from testing.models import NATResult, Sample


class SamePersonError(RefusedError):
    """The sample is this person's already."""


@dataclass(frozen=True)
class Given:
    """A sample as it stands for the right person, and what its result did."""

    sample: Sample
    recorded: Recorded | None


@transaction.atomic
def give_sample(
    *, sample: Sample, to: Resident, at: datetime, by: User, reason: str = ""
) -> Given:
    """
    Give a sample with its result to the person it was taken of; both calendars follow.

    Raise SamePersonError, `testing.services.AlreadySampledError` where that person was sampled on
    that day, and what `may_correct` raises.
    """
    wrong = sample.resident
    thorough = may_correct(
        recorded_at=sample.recorded_at, area=wrong.grid, at=at, by=by, reason=reason
    )
    if to.pk == wrong.pk:
        raise SamePersonError(_("This is what stands there already."))
    result = sample.results.valid().first()
    if result:
        withdraw_result(result, at=at, by=by, thorough=thorough)
    testing.withdraw_sample(sample=sample, at=at, by=by, late=thorough)
    right = testing.take_sample(
        resident=to,
        taken_at=sample.taken_at,
        at=at,
        by=by,
        pooled=sample.pooled,
        tube=sample.tube,
    )
    for resident, act in ((wrong, "given"), (to, "received")):
        note(
            case=case_at(resident, sample.day),
            about=sample if resident is wrong else right,
            fact="sample",
            act=act,
            day=sample.day,
            at=at,
            by=by,
            reason=reason,
        )
        follow(resident, at=at, by=by, tells=not thorough)
    if result is None:
        return Given(right, None)
    return Given(right, _with_result(right, result, at=at, by=by, tells=not thorough))


def _with_result(
    sample: Sample, result: NATResult, *, at: datetime, by: User, tells: bool
) -> Recorded:
    return record_result(
        sample=sample,
        outcome=NATResult.Outcome(result.outcome),
        ct=result.ct,
        reported_at=result.reported_at,
        at=at,
        by=by,
        confirmed=True,
        tells=tells,
    )
