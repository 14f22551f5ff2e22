"""
Pooled samples: what is known of one person where the tube of several was positive.

A positive tube is to be checked: each of its people gives a tube of their own, which alone
decides.
"""

from collections.abc import Collection, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from testing.models import NATResult


class Found(NamedTuple):
    """What stands in a result; of a positive pool its check, CHECK_OWED or CHECK_TAKEN."""

    outcome: str
    ct: Decimal | None
    reported_at: datetime
    recorded_at: datetime


class SampleTaken(NamedTuple):
    """A sample of a day, alone or in a pool, with what was found."""

    day: date
    pooled: bool
    found: Found | None

    @property
    def decides(self) -> bool:
        """Whether this is the tube of one person, with a result."""
        known = self.found and self.found.outcome not in NATResult.NO_RESULT
        return bool(known) and not self.pooled


# The single tube that checks a positive pool is owed, or was taken and its result is awaited.
CHECK_OWED, CHECK_TAKEN = "owed", "taken"


def as_checked(samples: Collection[SampleTaken]) -> Iterator[SampleTaken]:
    """
    Yield the samples of a person, those of positive pools with what the single tube found.

    It is the first with a result from the day of the pool on; without one nothing is known yet.
    """
    for sample in samples:
        if not sample.pooled or not sample.found or sample.found.outcome != "positive":
            yield sample
            continue
        singles = [each for each in samples if not each.pooled and each.day >= sample.day]
        decided = min((each for each in singles if each.decides), default=None, key=_by_day)
        if decided:
            yield sample._replace(found=decided.found)
        else:
            waits = any(each.found is None for each in singles)
            outcome = CHECK_TAKEN if waits else CHECK_OWED
            yield sample._replace(found=sample.found._replace(outcome=outcome))


def _by_day(sample: SampleTaken) -> date:
    return sample.day
