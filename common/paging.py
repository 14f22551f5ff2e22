"""Lists paged by key: the page after a row, as quick on the last page as on the first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)
SIZE = 50


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows of a list, and the key that leads to the next page, None on the last."""

    rows: list[Row]
    next: int | None
    first: bool


def key_of(text: str | None) -> int | None:
    """Return the key of a row that an address names, None for anything else."""
    # `isdigit` alone takes ² and ٣ for digits, and PostgreSQL's bigint ends after 19 of them.
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def page_before(rows: "QuerySet[Row]", before: str | None, *, size: int = SIZE) -> Page[Row]:
    """
    Return the rows older than key `before`, the newest first.

    A key that is no number leads to the first page.
    """
    key = key_of(before)
    older = rows.filter(pk__lt=key) if key is not None else rows
    found = list(older.order_by("-pk")[: size + 1])
    return Page(found[:size], found[size - 1].pk if len(found) > size else None, key is None)


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

    A key that is no number, or of a row that is not in `among` (in the list, unless given), leads
    to the first page: give it where a row leaves the list once it is dealt with.
    """
    fields = [*order, "pk"]
    key = key_of(after)
    known = rows if among is None else among
    start = known.filter(pk=key).values_list(*fields).first() if key is not None else None
    following = rows if start is None else rows.filter(_beyond(fields, start))
    found = list(following.order_by(*fields)[: size + 1])
    return Page(found[:size], found[size - 1].pk if len(found) > size else None, start is None)


def _beyond(fields: Sequence[str], start: Sequence[Any]) -> Q:
    """Return the condition that a row comes after the one with the values `start`."""
    beyond, same = Q(), Q()
    for field, value in zip(fields, start, strict=True):
        beyond |= same & Q(**{f"{field}__gt": value})
        same &= Q(**{field: value})
    # The first condition adds nothing but lets an index begin there.
    return Q(**{f"{fields[0]}__gte": start[0]}) & beyond
