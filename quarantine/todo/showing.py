"""The marks by which lists of people show that something is to be done."""

from collections import defaultdict
from collections.abc import Iterable

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef

from quarantine.todo.models import Todo

# Of a case: the kinds of what is to be done about its person.
OPEN_KINDS = ArraySubquery(
    Todo.objects.open()
    .filter(resident=OuterRef("resident"))
    .order_by("kind")
    .values("kind")
    .distinct()
)


def marks_of(todos: Iterable[Todo]) -> dict[int, list[Todo]]:
    """Return open to-dos by resident, one of each kind."""
    marks: dict[int, dict[str, Todo]] = defaultdict(dict)
    for todo in todos:
        marks[todo.resident_id].setdefault(todo.kind, todo)
    return {resident: list(by_kind.values()) for resident, by_kind in marks.items()}
