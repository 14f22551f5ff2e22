"""Which whitelist workers need a proof under the law where they live, and have none that holds."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Q, QuerySet

from accounts.staff.models import Area
from policy.activations.laws import laws_over
from policy.engine.decisions.people import proof_rules
from policy.engine.documents.schema import WhitelistPost
from residents.whitelist.models import Worker
from testing.proofs import latest_negative_sample


class ProofRule(NamedTuple):
    """A rule on proofs: its hours, posts and grids."""

    hours: timedelta
    posts: tuple[WhitelistPost, ...]
    grids: frozenset[int]

    @property
    def applies(self) -> Q:
        """Return the condition that a worker falls under the rule."""
        return Q(post__in=self.posts, resident__grid__in=self.grids)


def proof_rules_at(at: datetime) -> Iterator[ProofRule]:
    """Yield the rules that hold at a moment, each with its grids. A query, and those of laws."""
    grids: dict[tuple[int, tuple[WhitelistPost, ...]], set[int]] = {}
    areas = Area.objects.filter(level=Area.Level.GRID, residents__posts__ended_at=None)
    screened = areas.filter(residents__posts__isnull=False).distinct()
    for grid, law in laws_over(screened, at=at).items():
        for hours, posts in proof_rules(law):
            grids.setdefault((hours, posts), set()).add(grid)
    for (hours, posts), where in grids.items():
        yield ProofRule(timedelta(hours=hours), posts, frozenset(where))


def without_proof(workers: QuerySet[Worker], *, at: datetime) -> QuerySet[Worker]:
    """Return the workers who need a proof and have none that holds at a moment."""
    wanting = Q(pk__in=[])
    for rule in proof_rules_at(at):
        wanting |= rule.applies & (Q(proven=None) | Q(proven__lt=at - rule.hours))
    return workers.annotate(proven=latest_negative_sample("resident")).filter(wanting)
