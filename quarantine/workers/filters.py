"""Which whitelist workers a list shows."""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy

from common import clock
from quarantine.workers.required_proofs import without_proof
from residents.whitelist.models import Worker

SOON = timedelta(days=7)
SHOWS = {
    "": gettext_lazy("All"),
    "proof": gettext_lazy("No valid proof"),
    "ending": gettext_lazy("Ends within a week"),
    "ended": gettext_lazy("Validity over"),
}


def filter_workers(workers: QuerySet[Worker], show: str, *, at: datetime) -> QuerySet[Worker]:
    """Return those of `workers` that `show`, a word of SHOWS, selects."""
    today = clock.day_of(at)
    if show == "proof":
        return without_proof(workers, at=at)
    return workers.filter(
        {
            "ending": Q(valid_until__gte=today, valid_until__lte=today + SOON),
            "ended": Q(valid_until__lt=today),
        }.get(show, Q())
    )
