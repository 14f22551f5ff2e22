"""A tsvector column of hashed words with boolean queries, for search by parts of names."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import Lookup


class LexemesField(models.Field):  # type: ignore[type-arg]  # not generic when run
    """A tsvector of words exactly as given, without dictionary or locale."""

    def db_type(self, connection: Any) -> str:
        """Return the type of the column."""
        return "tsvector"

    def get_internal_type(self) -> str:
        """Return a name that is no built-in field of Django."""
        return "LexemesField"


@LexemesField.register_lookup
class Fits(Lookup):
    """`words__fits="'ab' & ('cd' | 'ef')"`: whether the words match a query."""

    lookup_name = "fits"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Return the condition."""
        lhs, parameters = self.process_lhs(compiler, connection)
        return f"{lhs} @@ %s::tsquery", [*parameters, self.rhs]


def stored_words(words: Iterable[str]) -> str:
    """Return words of equal length as PostgreSQL formats a tsvector; none has a quotation mark."""
    text = "' '".join(sorted({*words}))
    return f"'{text}'" if text else ""


def all_of(queries: Iterable[str]) -> str:
    """Return the query that matches if all of `queries` (or words) match."""
    return _joined(" & ", queries)


def any_of(queries: Iterable[str]) -> str:
    """Return the query that matches if any of `queries` (or words) matches."""
    return _joined(" | ", queries)


def _joined(operator: str, queries: Iterable[str]) -> str:
    different = [*dict.fromkeys(queries)]
    return f"({operator.join(different)})" if len(different) > 1 else "".join(different)
