"""A column of words that a query's words may begin: an index answers part of a name."""

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
    """`words__fits="'ab':* & 'cd':*"`: whether the words answer a query of `begins`."""

    lookup_name = "fits"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Return the condition."""
        left, parameters = self.process_lhs(compiler, connection)
        return f"{left} @@ %s::tsquery", [*parameters, self.rhs]


def stored(words: list[str]) -> str:
    """Return `words` as the column takes them."""
    different = dict.fromkeys(words)
    text = "' '".join(different)
    if "\\" not in text and text.count("'") == 2 * len(different) - 2:
        return f"'{text}'"  # none needs quoting, as in most names
    return " ".join(map(_quoted, different))


def begins(*words: str, any_of: bool = False) -> str:
    """Return the query for what has words that begin with all (or any) of `words`."""
    return (" | " if any_of else " & ").join(f"{_quoted(word)}:*" for word in words)


def _quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"
