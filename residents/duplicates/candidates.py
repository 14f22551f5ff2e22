"""
Candidate pairs of duplicate entries.

Nothing is merged automatically: pairs are proposed and a human compares them. Twins share a birth
date, a door and often a phone; that alone makes no candidate.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, models, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import Area, User
from common.paging import parse_key
from residents.duplicates.models import NotSame
from residents.register.models import Resident

SHOWN = 50

_PAIRS = """
    WITH mine AS MATERIALIZED (
        SELECT id, household_id, name_hash, birth_date, phone_hash, document_type
        FROM residents_resident WHERE gone_as = '' AND grid_id = ANY(%(grids)s)
    ), pairs AS (
        SELECT a.id AS first, b.id AS second, 'phone' AS reason FROM mine a JOIN mine b
            ON a.phone_hash = b.phone_hash AND a.name_hash = b.name_hash AND a.id < b.id
            WHERE a.phone_hash <> ''
        UNION ALL SELECT a.id, b.id, 'home' FROM mine a JOIN mine b
            ON a.household_id = b.household_id AND a.name_hash = b.name_hash AND a.id < b.id
                AND a.birth_date = b.birth_date
        UNION ALL SELECT a.id, b.id, 'newborn' FROM mine a JOIN mine b
            ON a.household_id = b.household_id AND a.birth_date = b.birth_date AND a.id < b.id
            WHERE (a.document_type = 'none') <> (b.document_type = 'none')
        UNION ALL SELECT a.id, b.id, 'number' FROM mine a JOIN mine b
            ON a.name_hash = b.name_hash AND a.document_type = b.document_type AND a.id < b.id
            WHERE a.document_type NOT IN ('none', 'to_follow')
                AND (a.birth_date = b.birth_date OR a.household_id = b.household_id)
        UNION ALL SELECT a.id, b.id, 'to_follow' FROM mine a JOIN mine b
            ON a.household_id = b.household_id AND a.name_hash = b.name_hash AND a.id < b.id
            WHERE 'to_follow' IN (a.document_type, b.document_type)
    )
    SELECT first, second, array_agg(reason ORDER BY reason) FROM pairs
    WHERE (first, second) > (%(first)s, %(second)s)
        AND (%(of)s::bigint IS NULL OR %(of)s IN (first, second))
        AND NOT EXISTS (
        SELECT FROM residents_notsame n WHERE n.first_id = first AND n.second_id = second
    )
    GROUP BY first, second ORDER BY first, second LIMIT %(most)s
"""


class MatchReason(models.TextChoices):
    """The reasons why two entries may be one person."""

    PHONE = "phone", _("same name and phone")
    HOME = "home", _("same name, birth date and door")
    NUMBER = "number", _("same name, numbers differ by one character")
    NEWBORN = "newborn", _("born the same day, same address, one without a number")
    TO_FOLLOW = "to_follow", _("same name and door, the number of one was to follow")


@dataclass(frozen=True)
class CandidatePair:
    """Two entries, the older first, and why they may be one person."""

    first: Resident
    second: Resident
    reasons: tuple[MatchReason, ...]


@dataclass(frozen=True)
class Pairs:
    """A page of pairs, and the key for the next page, "" on the last."""

    pairs: list[CandidatePair]
    next: str

    @property
    def people(self) -> list[Resident]:
        """Return all residents of the pairs."""
        return [resident for pair in self.pairs for resident in (pair.first, pair.second)]


def find_pairs(*, grids: "QuerySet[Area]", after: str = "", by: User) -> Pairs:
    """Return pairs among the residents of `grids` (pass those of `by`), after the key `after`."""
    first, _dot, second = after.partition(".")
    return _find(grids, (parse_key(first) or 0, parse_key(second) or 0), by=by)


def find_pairs_of(resident: Resident, *, by: User) -> Pairs:
    """Return the pairs with one resident in the same community, among the areas of `by`."""
    community = Area.objects.get_parent(resident.grid)
    grids = Area.objects.below(by).filter(level=Area.Level.GRID)
    if community:
        grids = grids.filter(path__startswith=community.path)
    return _find(grids, (0, 0), by=by, of=resident.pk)


def _find(
    grids: "QuerySet[Area]", start: tuple[int, int], *, by: User, of: int | None = None
) -> Pairs:
    parameters: dict[str, Any] = {
        "grids": list(grids.values_list("pk", flat=True)),
        "first": start[0],
        "second": start[1],
        "of": of,
        "most": SHOWN + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS, parameters)
        rows = cursor.fetchall()
    people = _people({key for row in rows for key in row[:2]}, by)
    pairs = [_pair(people, row) for row in rows[:SHOWN] if {*row[:2]} <= people.keys()]
    more = f"{rows[SHOWN - 1][0]}.{rows[SHOWN - 1][1]}" if len(rows) > SHOWN else ""
    return Pairs([pair for pair in pairs if pair.reasons], more)


@transaction.atomic
def mark_as_different(*, first: Resident, second: Resident, at: datetime, by: User) -> None:
    """Record that two entries are different people; they are no longer proposed."""
    low, high = sorted((first, second), key=lambda resident: resident.pk)
    NotSame.objects.get_or_create(first=low, second=high, defaults={"at": at, "by": by})
    audit.record(by=by, did=gettext_noop("told two entries apart"), to=low, other=str(high.key))


def differ_by_one_edit(first: str, second: str) -> bool:
    """Return whether two texts differ by one substitution, insertion or transposition."""
    if first == second or abs(len(first) - len(second)) > 1:
        return False
    short, long = sorted((first, second), key=len)
    position = next((n for n, c in enumerate(short) if c != long[n]), len(short))
    if len(short) < len(long):
        return short[position:] == long[position + 1 :]
    swapped = short[position : position + 2][::-1] == long[position : position + 2]
    return short[position + 1 :] == long[position + 1 :] or (
        swapped and short[position + 2 :] == long[position + 2 :]
    )


def _people(keys: set[int], by: User) -> dict[int, Resident]:
    rows = Resident.objects.visible_to(by).select_related("household__building", "grid")
    return rows.in_bulk(keys)


def _pair(people: dict[int, Resident], row: tuple[int, int, list[str]]) -> CandidatePair:
    first, second = people[row[0]], people[row[1]]
    reasons = [MatchReason(reason) for reason in row[2]]
    if MatchReason.NUMBER in reasons and not differ_by_one_edit(first.number, second.number):
        reasons.remove(MatchReason.NUMBER)
    return CandidatePair(first, second, tuple(reasons))
