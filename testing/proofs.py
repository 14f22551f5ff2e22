"""Nucleic acid proofs from recorded results: the newest result of each person counts."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from policy.engine.decisions.facts import Proof
from testing.models import NATResult, Sample

_FOUND = ("reported_at", "ct", "sample__pooled")


@dataclass(frozen=True)
class LatestResult:
    """The newest result of somebody."""

    negative: bool
    sampled_at: datetime
    reported_at: datetime
    ct: Decimal | None = None
    pooled: bool = False

    @property
    def proof(self) -> Proof | None:
        """Return the proof that a negative result is; None for a positive one."""
        return Proof(self.sampled_at, self.reported_at) if self.negative else None


def latest_results(residents: Collection[int], *, at: datetime) -> dict[int, LatestResult]:
    """Return the newest result of each resident at a moment, by key. One query."""
    rows = (
        NATResult.objects.valid()
        .filter(sample__resident__in=residents, reported_at__lte=at)
        .exclude(outcome__in=NATResult.NO_RESULT)
        .order_by("sample__resident", "-sample__taken_at", "-pk")
        .distinct("sample__resident")
        .values_list("sample__resident", "outcome", "sample__taken_at", *_FOUND)
    )
    return {
        resident: LatestResult(outcome == NATResult.Outcome.NEGATIVE, *found)
        for resident, outcome, *found in rows
    }


def latest_negative_sample(resident: str, *, what: str = "taken_at") -> Subquery:
    """Return the column `what` of the newest negative sample of the resident in `resident`."""
    rows: QuerySet[Sample] = Sample.objects.valid().filter(
        resident=OuterRef(resident),
        results__withdrawn_at=None,
        results__outcome=NATResult.Outcome.NEGATIVE,
    )
    return Subquery(rows.order_by("-taken_at").values(what)[:1])


def sampled_days(residents: Collection[int], *, since: date) -> dict[int, list[date]]:
    """
    Return the days since `since` on which each resident was sampled. One query.

    A sample that gave no result is none.
    """
    days: dict[int, list[date]] = {}
    nothing = NATResult.objects.valid().filter(
        sample=OuterRef("pk"), outcome__in=NATResult.NO_RESULT
    )
    taken = Sample.objects.valid().filter(resident__in=residents, day__gte=since)
    rows = taken.filter(~Exists(nothing))
    for resident, day in rows.values_list("resident", "day"):
        days.setdefault(resident, []).append(day)
    return days
