"""Keyset pagination: the last page of a list is as fast as the first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)
SIZE = 50


@dataclass(frozen=True)
class Page(Generic[Row]):
    """The rows of a page, and the key for the next page, None on the last."""

    rows: list[Row]
    next: int | None
    first: bool


def parse_key(text: str | None) -> int | None:
    """Return the key in a query parameter, None if it is no valid key."""
    # `isdigit` alone accepts ² and ٣, and PostgreSQL's bigint has at most 19 digits.
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def page_before(rows: "QuerySet[Row]", before: str | None, *, size: int = SIZE) -> Page[Row]:
    """
    Return the rows older than key `before`, the newest first.

    An invalid key gives the first page.
    """
    key = parse_key(before)
    older = rows.filter(pk__lt=key) if key is not None else rows
    fetched = list(older.order_by("-pk")[: size + 1])
    return Page(fetched[:size], fetched[size - 1].pk if len(fetched) > size else None, key is None)


def page_after(
    rows: "QuerySet[Row]",
    after: str | None,
    *,
    order: Sequence[str] = (),
    among: "QuerySet[Row] | None" = None,
    size: int = SIZE,
) -> Page[Row]:
    """
    Return the rows that follow the row with key `after`, by the fields of `order`, then by key.

    An invalid key, or one of a row not in `among` (default: the list), gives the first page. Pass
    `among` for lists that rows leave when they are dealt with.
    """
    fields = [*order, "pk"]
    key = parse_key(after)
    candidates = rows if among is None else among
    start = candidates.filter(pk=key).values_list(*fields).first() if key is not None else None
    following = rows if start is None else rows.filter(_beyond(fields, start))
    fetched = list(following.order_by(*fields)[: size + 1])
    return Page(
        fetched[:size], fetched[size - 1].pk if len(fetched) > size else None, start is None
    )


def _beyond(fields: Sequence[str], start: Sequence[Any]) -> Q:
    """Return the condition that a row comes after the one with the values `start`."""
    beyond, equal_so_far = Q(), Q()
    for field, value in zip(fields, start, strict=True):
        beyond |= equal_so_far & Q(**{f"{field}__gt": value})
        equal_so_far &= Q(**{field: value})
    # The first condition is redundant, but lets PostgreSQL start an index scan there.
    return Q(**{f"{fields[0]}__gte": start[0]}) & beyond
