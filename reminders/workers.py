"""What is told about whitelist workers: that their entry ends, that their proof does."""

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
from testing.proofs import negative_sampled

# An entry is renewed in its last week; what an outage kept from being told is told for a week.
NOTICE = timedelta(days=7)
AFTERWARDS = timedelta(days=7)


@dataclass(frozen=True)
class DueWorkers:
    """Workers to tell of, with the day that the message speaks of, and whether it comes late."""

    kind: Message.Kind
    workers: QuerySet[Worker]
    day: str
    late: Expression


def due(*, at: datetime) -> Iterator[DueWorkers]:
    """
    Yield what is due about workers.

    A message about a proof speaks of the day of its sample, so that each proof is told of once,
    and the message is settled by any newer one.
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
                proven=negative_sampled("resident"),
                proven_on=negative_sampled("resident", what="day"),
            )
            .filter(proven__lt=tomorrow - rule.hours, proven__gte=at - rule.hours - AFTERWARDS)
        )
        yield DueWorkers(Message.Kind.PROOF_ENDS, workers, "proven_on", Value(False))


def holds(kind: str, on: date) -> Q:
    """Return the condition that a message about a worker is still worth telling on a day."""
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


def untold(what: DueWorkers) -> QuerySet[Worker]:
    """Return the workers of whom the inbox has not been told yet, with the day it is told of."""
    told = Message.objects.filter(
        worker=OuterRef("pk"),
        kind=what.kind,
        day=OuterRef(what.day),
        channel=Message.Channel.IN_APP,
    )
    return what.workers.filter(~Exists(told)).annotate(told_of=F(what.day)).order_by("pk")
