"""The inbox of a user, and the counts of news on every page."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet, TextField, Value

from accounts.exports.models import ExportRequest, ExportRequestQuerySet
from accounts.staff.models import SUPERVISES, Role
from common import clock
from reminders import kinds
from reminders.models import Change, Message, MessageQuerySet, Reading
from residents.openings.models import Opening, OpeningQuerySet

# Older messages are not counted as news.
NEWS_OF_DAYS = timedelta(days=7)
COUNTED_UP_TO = 99


@dataclass(frozen=True)
class News:
    """
    Counts of what is unread and of changes not ticked off; "99+" for more than 99.

    `to_decide` counts the requests for unmasked data included in `unread`.
    """

    unread: int | str
    changed: int | str
    to_decide: int


def news(user: Any, *, at: datetime) -> News:
    """Return the news for every page of `user`. One query, two while requests wait."""
    minute = at.replace(second=0, microsecond=0)
    text, parameters = _news_query(user, user.role, user.sees_people, user.area_paths, minute)
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)
        counts = Counter(what for (what,) in cursor.fetchall())
    # Who may decide on a request is a slow query, so it runs only if one waits.
    waiting = counts["waiting"]
    to_decide = ExportRequest.objects.to_decide(user, at).count() if waiting else 0
    return News(
        unread=_at_most(counts["unread"] + to_decide),
        changed=_at_most(counts["changed"]),
        to_decide=to_decide,
    )


@lru_cache(maxsize=1_000)
def _news_query(
    user: Any, role: str, _sees_people: bool, _areas: tuple[str, ...], at: datetime
) -> tuple[str, tuple[Any, ...]]:
    """
    Return the SQL that yields a label for each news; cached, as compiling costs more.

    Role and areas are arguments, because accounts compare equal by key after they change.
    """
    requests = ExportRequest.objects
    waiting = requests.waiting(at) if role in SUPERVISES else requests.none()
    answered = requests.answered_to(user, at).filter(answer_seen_at=None)
    unread = Message.objects.visible_to(user).unread_by(user)
    labels = _labels_up_to_limit(answered, "unread").union(
        _labels_up_to_limit(unread.since(clock.day_of(at) - NEWS_OF_DAYS), "unread"),
        _labels_up_to_limit(unseen_openings(user), "unread"),
        _labels_up_to_limit(Change.objects.visible_to(user).unticked(), "changed"),
        _labels(waiting, "waiting")[:1],
        all=True,
    )
    text, parameters = labels.query.get_compiler(connection=connection).as_sql()
    return text, tuple(parameters)


def export_requests_of(
    user: Any, *, at: datetime
) -> tuple[ExportRequestQuerySet, ExportRequestQuerySet]:
    """Return the requests for unmasked data that `user` may decide on, and their answered ones."""
    requests = ExportRequest.objects
    return requests.to_decide(user, at), requests.answered_to(user, at)


def unseen_openings(user: Any) -> OpeningQuerySet:
    """Return the openings of records of `user`'s areas that no supervisor has noted."""
    if getattr(user, "role", "") != Role.SUPERVISOR:
        return Opening.objects.none()
    return Opening.objects.visible_to(user).unseen()


def _labels_up_to_limit(rows: QuerySet[Any], what: str) -> QuerySet[Any, Any]:
    """Select the label `what` for each row, up to one more than the counted limit."""
    return _labels(rows, what)[: COUNTED_UP_TO + 1]


def _labels(rows: QuerySet[Any], what: str) -> QuerySet[Any, Any]:
    return rows.order_by().values_list(Value(what, TextField()))


def _at_most(count: int) -> int | str:
    return count if count <= COUNTED_UP_TO else f"{COUNTED_UP_TO}+"


def inbox_messages(user: Any, *, today: date) -> MessageQuerySet:
    """
    Return the inbox of `user`, newest first.

    Each message is annotated with `is_read` and `still_holds`: a reminder of a test that was
    taken since stays in the list without a request.
    """
    return (
        Message.objects.visible_to(user)
        .inbox()
        .select_related(
            "case__resident__household__building",
            "worker__resident__household__building",
            "todo__resident__household__building",
            "grid",
        )
        .annotate(
            is_read=Exists(Reading.objects.filter(message=OuterRef("pk"), user=user)),
            still_holds=kinds.still_holds(today),
        )
        .order_by("-pk")
    )
