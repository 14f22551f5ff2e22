"""Messages about what is to be done: when it is opened, and when it passes to the supervisor."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from quarantine.todo.models import Todo
from reminders.models import Message

_STATES = {
    Message.Kind.TODO: Q(),
    Message.Kind.TODO_LATE: Q(escalated_at__isnull=False),
}


@dataclass(frozen=True)
class DueTodos:
    """To-dos of which the inbox has not been told, annotated with the day of the message."""

    kind: Message.Kind
    todos: QuerySet[Todo]


def untold() -> Iterator[DueTodos]:
    """Yield the to-dos that need a message: by their state, so that an outage loses none."""
    local = timezone.get_default_timezone()
    for kind, state in _STATES.items():
        told = Message.objects.filter(
            todo=OuterRef("pk"), kind=kind, channel=Message.Channel.IN_APP
        )
        waiting = Todo.objects.open().filter(state).filter(~Exists(told))
        day = TruncDate("opened_at", tzinfo=local)
        yield DueTodos(kind, waiting.annotate(told_of=day).order_by("pk"))


def holds(kind: Message.Kind) -> Q:
    """Return the condition that a message about a to-do is still needed."""
    todo = Todo.objects.open().filter(_STATES[kind], pk=OuterRef("todo_id"))
    return Q(Exists(todo))
