"""A column of words that a query combines by and and or: an index answers part of a name."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import Lookup


class LexemesField(models.Field):  # type: ignore[type-arg]  # not generic when run
    """
    Words as PostgreSQL keeps them for full-text search, exactly as given.

    No dictionary and no locale takes part: what a word is, the caller says.
    """

    def db_type(self, connection: Any) -> str:
        """Return the kind of column."""
        return "tsvector"

    def get_internal_type(self) -> str:
        """Return the name under which Django knows no column of its own."""
        return "LexemesField"


@LexemesField.register_lookup
class Fits(Lookup):
    """`words__fits="'ab' & ('cd' | 'ef')"`: whether the words answer a query."""

    lookup_name = "fits"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Return the condition."""
        left, parameters = self.process_lhs(compiler, connection)
        return f"{left} @@ %s::tsquery", [*parameters, self.rhs]


def stored(words: Iterable[str]) -> str:
    """Return words of one length as the column gives them back; none holds a quotation mark."""
    text = "' '".join(sorted({*words}))
    return f"'{text}'" if text else ""


def every(queries: Iterable[str]) -> str:
    """Return the query for what answers every one of `queries`, or holds every word."""
    return _joined(" & ", queries)


def some(queries: Iterable[str]) -> str:
    """Return the query for what answers one of `queries`, or holds one of the words."""
    return _joined(" | ", queries)


def _joined(operator: str, queries: Iterable[str]) -> str:
    different = [*dict.fromkeys(queries)]
    return f"({operator.join(different)})" if len(different) > 1 else "".join(different)
