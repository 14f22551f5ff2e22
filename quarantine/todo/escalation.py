"""What nobody did in time, or has nobody to do it, goes to the supervisor."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import Role, User
from quarantine.todo.models import OPEN, Todo


def escalate_overdue(*, at: datetime) -> int:
    """
    Hand the open to-dos whose due moment has passed to the supervisor; return how many.

    At once those that are grid staff's where a grid has none. Chosen by state, so that running
    late or twice changes nothing. The message is written by the sweep of reminders, which finds
    what was escalated and not told.
    """
    somebody = User.objects.filter(
        role=Role.GRID_STAFF, is_active=True, areas=OuterRef("resident__grid")
    )
    nobodys = Q(owner=Role.GRID_STAFF) & ~Exists(somebody)
    late = Todo.objects.open().filter(Q(due_at__lte=at) | nobodys, escalated_at=None)
    return sum(_escalated(todo, at=at) for todo in late)


@transaction.atomic
def _escalated(todo: Todo, *, at: datetime) -> bool:
    still_open = Todo.objects.filter(OPEN, pk=todo.pk, escalated_at=None)
    if not still_open.update(owner=Role.SUPERVISOR, escalated_at=at):
        return False  # done, withdrawn or escalated meanwhile
    audit.record(by=None, did=gettext_noop("escalated a to-do"), to=todo, kind=todo.kind)
    return True
