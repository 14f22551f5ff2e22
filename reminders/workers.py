"""Messages about whitelist workers: their entry ends, their proof ends."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import BooleanField, Exists, Expression, F, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import ExpressionWrapper
from django.utils import timezone

from common import clock
from quarantine.workers.required_proofs import proof_rules_at
from reminders.models import Message
from residents.whitelist.models import Worker
from testing.models import NATResult
from testing.proofs import latest_negative_sample

# Entries are announced a week before they end; after an outage, until a week later.
NOTICE = timedelta(days=7)
AFTERWARDS = timedelta(days=7)


@dataclass(frozen=True)
class DueWorkers:
    """Workers that need a message, with the column of its day, and whether it is late."""

    kind: Message.Kind
    workers: QuerySet[Worker]
    day: str
    late: Expression


def due(*, at: datetime) -> Iterator[DueWorkers]:
    """
    Yield the workers that need a message.

    A message about a proof has the day of its sample, so that there is one for each proof, and
    any newer proof settles it.
    """
    on = clock.day_of(at)
    late = ExpressionWrapper(Q(valid_until__lt=on), output_field=BooleanField())
    ending = Worker.objects.filter(_entry_ends(on))
    yield DueWorkers(Message.Kind.WORKER_ENDS, ending, "valid_until", late)
    tomorrow = timezone.make_aware(datetime.combine(on + timedelta(days=1), time()))
    for rule in proof_rules_at(at):
        workers = (
            Worker.objects.valid(on)
            .filter(rule.applies)
            .annotate(
                proven=latest_negative_sample("resident"),
                proven_on=latest_negative_sample("resident", what="day"),
            )
            .filter(proven__lt=tomorrow - rule.hours, proven__gte=at - rule.hours - AFTERWARDS)
        )
        yield DueWorkers(Message.Kind.PROOF_ENDS, workers, "proven_on", Value(False))


def holds(kind: str, on: date) -> Q:
    """Return the condition that a message about a worker is still needed on a day."""
    worker = Worker.objects.filter(pk=OuterRef("worker_id"))
    if kind == Message.Kind.WORKER_ENDS:
        return Q(Exists(worker.filter(_entry_ends(on), valid_until=OuterRef("day"))))
    newer = NATResult.objects.valid().filter(
        outcome=NATResult.Outcome.NEGATIVE,
        sample__resident__posts=OuterRef("worker_id"),
        sample__day__gt=OuterRef("day"),
    )
    return Q(Exists(worker.valid(on))) & ~Q(Exists(newer))


def _entry_ends(on: date) -> Q:
    return Q(
        ended_at=None,
        resident__gone_as="",
        valid_until__gte=on - AFTERWARDS,
        valid_until__lte=on + NOTICE,
    )


def untold(due: DueWorkers) -> QuerySet[Worker]:
    """Return the workers without such a message in the inbox, annotated with its day."""
    existing = Message.objects.filter(
        worker=OuterRef("pk"),
        kind=due.kind,
        day=OuterRef(due.day),
        channel=Message.Channel.IN_APP,
    )
    return due.workers.filter(~Exists(existing)).annotate(told_of=F(due.day)).order_by("pk")
