"""What a person finds in the inbox."""

from datetime import date, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from reminders import kinds
from reminders.models import Change, Message, MessageQuerySet, Reading

# What is older than this is no longer news.
NEWS_OF_DAYS = timedelta(days=7)
COUNTED_UP_TO = 99


def unread(user: Any, *, today: date) -> int | str:
    """Return how many messages of the last days are new to `user`, "99+" when more."""
    new = Message.objects.visible_to(user).unread_by(user).since(today - NEWS_OF_DAYS)
    return _counted(new)


def changed(user: Any) -> int | str:
    """Return how many changes of dates wait to be ticked off by `user`'s, "99+" when more."""
    return _counted(Change.objects.visible_to(user).unticked())


def _counted(rows: QuerySet[Any]) -> int | str:
    # Every page asks this twice: a list of keys is made with half the work of a count.
    count = len(rows.order_by().values_list("pk")[: COUNTED_UP_TO + 1])
    return count if count <= COUNTED_UP_TO else f"{COUNTED_UP_TO}+"


def listed(user: Any, *, today: date) -> MessageQuerySet:
    """
    Return the inbox of `user`, newest first.

    Each message says whether it `is_read` by them and `still_holds`: a reminder of a test that
    was taken since stays in the list, and asks for nothing.
    """
    return (
        Message.objects.visible_to(user)
        .inbox()
        .select_related(
            "case__resident__household__building", "worker__resident__household__building", "grid"
        )
        .annotate(
            is_read=Exists(Reading.objects.filter(message=OuterRef("pk"), user=user)),
            still_holds=kinds.still_holds(today),
        )
        .order_by("-pk")
    )
