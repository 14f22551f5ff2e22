"""
When a message of each kind is due, by the state of its case, not by comparing clocks.

People are told once, however many grounds they are under: by the case that governs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Exists, F, OuterRef, Q

from quarantine.cases.readiness import Readiness, conditions
from quarantine.models import Case
from reminders import changes, todos, workers
from reminders.models import Message

# Messages delayed by an outage are still sent within this time.
CLOSED_WITHIN = timedelta(days=7)


@dataclass(frozen=True)
class Rule:
    """
    The rule for one kind of message about a case.

    A case fulfils `due(on)` while the message is needed. The same condition finds due messages
    and drops obsolete ones, also after an outage: a test that passed untold becomes one overdue
    message, however many sweeps were missed.
    """

    kind: Message.Kind
    day: str  # the column of the case with the message's day
    due: Callable[[date], Q]
    timely: timedelta  # later than this after its day, a message is marked late
    for_resident: bool

    def holds(self, on: date) -> Exists:
        """Return the condition that the case of a message still fulfils the rule."""
        return Exists(
            Case.objects.filter(
                self.due(on), pk=OuterRef("case_id"), **{self.day: OuterRef("day")}
            )
        )


def _test_due(on: date) -> Q:
    return Q(closed_on=None, governs=True, next_test_on=on)


def _may_be_released(on: date) -> Q:
    near = conditions(on)
    return near[Readiness.READY] | near[Readiness.FREED]


def _closed(*how: Case.ClosedAs) -> Callable[[date], Q]:
    return lambda on: Q(closed_as__in=how, closed_on__gt=on - CLOSED_WITHIN, closed_on__lte=on)


def _ended(on: date) -> Q:
    """Return the condition that a measure has ended: by a release, or because it had no ground."""
    void = _closed(*Case.VOID)(on) & Q(governs=True, closed_on__gt=F("opened_at__date"))
    return _closed(Case.ClosedAs.RELEASED)(on) | void


ONE_DAY = timedelta(days=1)
RULES = (
    Rule(
        kind=Message.Kind.TEST_TOMORROW,
        day="next_test_on",
        due=lambda on: _test_due(on + ONE_DAY),
        timely=-ONE_DAY,
        for_resident=True,
    ),
    Rule(
        kind=Message.Kind.TEST_TODAY,
        day="next_test_on",
        due=_test_due,
        timely=timedelta(),
        for_resident=True,
    ),
    Rule(
        kind=Message.Kind.TEST_OVERDUE,
        day="next_test_on",
        due=lambda on: Q(closed_on=None, governs=True, next_test_on__lt=on),
        timely=ONE_DAY,
        for_resident=True,
    ),
    Rule(
        kind=Message.Kind.RELEASE_TODAY,
        day="release_on",
        due=_may_be_released,
        timely=timedelta(),
        for_resident=True,
    ),
    Rule(
        kind=Message.Kind.RELEASED,
        day="closed_on",
        due=_ended,
        timely=timedelta(),
        for_resident=True,
    ),
    # Staff tell residents of a referral in person.
    Rule(
        kind=Message.Kind.REFERRED,
        day="closed_on",
        due=_closed(Case.ClosedAs.REFERRED),
        timely=timedelta(),
        for_resident=False,
    ),
)
RULE_OF = {rule.kind: rule for rule in RULES}


def holds(kind: str, on: date) -> Q | Exists:
    """Return the condition that a message of `kind` is still needed on that day."""
    if kind == Message.Kind.DIGEST:
        return Q(day=on)
    if kind == Message.Kind.CHANGED:
        return changes.change_still_holds()
    if kind in {Message.Kind.TODO, Message.Kind.TODO_LATE}:
        return todos.holds(Message.Kind(kind))
    if kind in {Message.Kind.WORKER_ENDS, Message.Kind.PROOF_ENDS}:
        return workers.holds(kind, on)
    return RULE_OF[Message.Kind(kind)].holds(on)


def still_holds(on: date) -> Q:
    """Return the same condition for messages of every kind."""
    condition = Q()
    for kind in Message.Kind:
        condition |= Q(kind=kind) & Q(holds(kind, on))
    return condition
