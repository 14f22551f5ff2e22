"""What a person finds in the inbox."""

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

# What is older than this is no longer news.
NEWS_OF_DAYS = timedelta(days=7)
COUNTED_UP_TO = 99


@dataclass(frozen=True)
class News:
    """
    What is new to somebody: all that is unread, changes not ticked off; "99+" for more.

    `to_decide` counts the requests for unmasked data among what is unread.
    """

    unread: int | str
    changed: int | str
    to_decide: int


def news(user: Any, *, at: datetime) -> News:
    """Return what stands on every page of `user`. One query, two while requests wait."""
    minute = at.replace(second=0, microsecond=0)
    text, parameters = _question(user, user.role, user.sees_people, user.area_paths, minute)
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)
        counts = Counter(what for (what,) in cursor.fetchall())
    # Who may decide on a request is a long question, and there hardly ever is one.
    waiting = counts["waiting"]
    decide = ExportRequest.objects.to_decide(user, at).count() if waiting else 0
    return News(
        unread=_at_most(counts["unread"] + decide),
        changed=_at_most(counts["changed"]),
        to_decide=decide,
    )


@lru_cache(maxsize=1_000)
def _question(
    user: Any, role: str, _sees_people: bool, _areas: tuple[str, ...], at: datetime
) -> tuple[str, tuple[Any, ...]]:
    """
    Return the query for a word for each new thing; to compile it costs more than to ask.

    Whoever's role or areas have changed is asked about anew: accounts are equal by their key.
    """
    asked = ExportRequest.objects
    waiting = asked.waiting(at) if role in SUPERVISES else asked.none()
    answered = asked.answered_to(user, at).filter(answer_seen_at=None)
    unread = Message.objects.visible_to(user).unread_by(user)
    found = _some(answered, "unread").union(
        _some(unread.since(clock.day_of(at) - NEWS_OF_DAYS), "unread"),
        _some(opened(user), "unread"),
        _some(Change.objects.visible_to(user).unticked(), "changed"),
        _each(waiting, "waiting")[:1],
        all=True,
    )
    text, parameters = found.query.get_compiler(connection=connection).as_sql()
    return text, tuple(parameters)


def exports_of(user: Any, *, at: datetime) -> tuple[ExportRequestQuerySet, ExportRequestQuerySet]:
    """Return the requests for unmasked data that `user` may decide on, and their own answered."""
    asked = ExportRequest.objects
    return asked.to_decide(user, at), asked.answered_to(user, at)


def opened(user: Any) -> OpeningQuerySet:
    """Return the records of `user`'s areas that others opened and no supervisor has noted."""
    if getattr(user, "role", "") != Role.SUPERVISOR:
        return Opening.objects.none()
    return Opening.objects.visible_to(user).unseen()


def _some(rows: QuerySet[Any], what: str) -> QuerySet[Any, Any]:
    """Select the word `what` for each row, as many times as are counted."""
    return _each(rows, what)[: COUNTED_UP_TO + 1]


def _each(rows: QuerySet[Any], what: str) -> QuerySet[Any, Any]:
    return rows.order_by().values_list(Value(what, TextField()))


def _at_most(count: int) -> int | str:
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
