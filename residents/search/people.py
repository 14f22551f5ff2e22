"""
Search for residents by one typed text, whose kind is recognised.

Residents are found through keyed hashes; names are then compared with the typed text
(`name_keys`). The text is in no URL and no log; the audit records only its kind.
"""

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q, Value
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, pgettext_lazy

from accounts.auditing import audit
from accounts.staff.models import Area, User
from common import pinyin
from common.encryption import search_hashes
from common.errors import RefusedError
from common.paging import SIZE, Page, parse_key
from residents.register import addresses, services
from residents.register.identity import read_number, read_phone
from residents.register.models import Building, Resident, ResidentQuerySet
from residents.search.name_keys import TypedName

# The most results; above, the page asks for a longer text.
MANY = 500
FEW = 20
_LONGEST_UNIT = 2  # characters
_OLD_NUMBER = 15  # digits of the identity numbers before 18 characters

_END = re.compile(r"(?:\+?\d*)?\*+([0-9]{3}[0-9X])|([0-9]{3}[0-9X])")
_PASSPORT = re.compile(r"(?=.*[A-Z])(?=(?:.*[0-9]){4})[A-Z0-9]{6,20}")
NOBODY = Q(pk__in=[])
_DIGITS = re.compile(r"[0-9][0-9 -]*[0-9X]")


class QueryKind(models.TextChoices):
    """The recognised kind of a typed text."""

    NUMBER = "number", gettext_lazy("document number")
    PHONE = "phone", gettext_lazy("phone")
    END = "end", gettext_lazy("last four characters")
    ADDRESS = "address", gettext_lazy("building and door")
    NAME = "name", pgettext_lazy("of a person", "name")


class UnsearchableError(RefusedError):
    """A text that is no name, number, phone or address; the sentence says what to type."""

    field = "text"


@dataclass(frozen=True)
class RecognisedQuery:
    """A recognised query: its kind, alternative conditions on residents, and a name."""

    kind: QueryKind
    conditions: tuple[Q, ...]
    name: TypedName | None = None


@dataclass(frozen=True)
class SearchResult:
    """The kind and number of results, with one page of them, empty if too many."""

    kind: QueryKind
    count: int
    page: Page[Resident]

    @property
    def too_many(self) -> bool:
        """Return whether there are more than MANY results."""
        return self.count > MANY

    @property
    def ways(self) -> list[tuple[str, str]]:
        """Return the keys and labels of links to the first and the next page."""
        first = [] if self.page.first else [("", _("To the first page"))]
        following = [(str(self.page.next), _("Next page"))] if self.page.next else []
        return first + following


@transaction.atomic
def search(
    *, text: str, today: date, by: User, grid: Area | None = None, after: str | None = None
) -> SearchResult:
    """
    Return the residents in the areas of `by` (and in `grid`) that match `text`.

    The audit records the kind and the number of results, not the text. Raise UnsearchableError
    for a text of no kind. A number from other areas finds nobody.
    """
    query = recognise(text, today=today, by=by)
    visible = Resident.objects.visible_to(by)
    if grid:
        visible = visible.filter(grid__path__startswith=grid.path)
    keys = _keys(visible, query)
    page: Page[Resident] = Page([], None, first=True)
    if len(keys) <= MANY:
        page = _page(keys, after)
    audit.record(
        by=by,
        did=gettext_noop("searched"),
        to=by,
        shown=[resident.key for resident in page.rows],
        kind=query.kind,
        found=len(keys),
    )
    return SearchResult(query.kind, len(keys), page)


def _keys(visible: ResidentQuerySet, query: RecognisedQuery) -> list[int]:
    """
    Return the keys of matching residents in the order of names, at most MANY + 1.

    Conditions are separate queries: joined by OR, PostgreSQL would not use their indexes.
    """
    ways = [(condition, False) for condition in query.conditions]
    if query.name:
        ways.append((Q(name_words__fits=query.name.query), True))
    first, *others = [
        visible.filter(condition)
        .annotate(by_name=Value(by_name))
        .values_list("pk", "key", "name", "by_name")[: MANY + 1]
        for condition, by_name in ways
    ]
    rows = list(first.union(*others, all=True) if others else first)
    if len({row[0] for row in rows}) > MANY:
        return [row[0] for row in rows][: MANY + 1]
    return _sorted_by_name(rows, query.name)


def _sorted_by_name(rows: list[tuple[int, UUID, Any, bool]], typed: TypedName | None) -> list[int]:
    """Return the keys of rows in the order of their names, without names that do not match."""
    known = {}
    for pk, key, sealed, by_name in rows:
        name = Resident.opened_name(key, sealed)
        if not by_name or typed is None or typed.fits(name):
            known[pk] = pinyin.usual_spelling(pinyin.spelling_of(name))
    return sorted(known, key=lambda pk: (known[pk], pk))


def _page(keys: list[int], after: str | None) -> Page[Resident]:
    """Return the page of residents that follows the one with the key `after`."""
    last = parse_key(after)
    start = keys.index(last) + 1 if last in keys else 0
    shown = keys[start : start + SIZE]
    people = Resident.objects.select_related("household__building", "grid").in_bulk(shown)
    following = shown[-1] if len(keys) > start + SIZE else None
    return Page([people[key] for key in shown if key in people], following, first=not start)


def recognise(text: str, *, today: date, by: User) -> RecognisedQuery:
    """Return the query that `text` means; ignore holders of numbers outside the areas of `by`."""
    text = unicodedata.normalize("NFKC", text).strip()
    query = _number(text, today, by) or _phone(text) or _last_four(text) or _address(text)
    if query:
        return query
    if _DIGITS.fullmatch(text.upper()):
        raise UnsearchableError(_number_hint(text, today))
    if query := _name(text, by):
        return query
    raise UnsearchableError(
        _("Type a name, its pinyin or initials, a number, a phone, or a door such as 3-2-501.")
    )


def _number(text: str, today: date, by: User) -> RecognisedQuery | None:
    """Return the query for a number's holder, for nobody if it is valid and unknown."""
    kinds = {}
    for kind in Resident.DocumentType:
        with suppress(ValidationError):
            kinds[kind] = read_number(kind, text, today=today).number
    hashes = [
        hash_ for kind, number in kinds.items() for hash_ in services.number_hashes(kind, number)
    ]
    if holder := services.holder_of(hashes, document_types=kinds, by=by):
        return RecognisedQuery(QueryKind.NUMBER, (Q(pk=holder.pk),))
    # zhang3 could be a passport number, but is more likely pinyin with a tone.
    if Resident.DocumentType.MAINLAND_ID in kinds or _PASSPORT.fullmatch(text.upper()):
        return RecognisedQuery(QueryKind.NUMBER, (NOBODY,))
    return None


def _phone(text: str) -> RecognisedQuery | None:
    try:
        phone = read_phone(text)
    except ValidationError:
        return None
    return RecognisedQuery(
        QueryKind.PHONE, (Q(phone_hash__in=search_hashes(phone, context=services.PHONE)),)
    )


def _last_four(text: str) -> RecognisedQuery | None:
    """Return the query for the last four of a number or phone, or for a door."""
    match = _END.fullmatch(re.sub(r"\s", "", text.upper()))
    if not match:
        return None
    last = match[1] or match[2]
    ends = (
        Q(phone_end__in=services.end_hashes(last, services.PHONE_END)),
        Q(number_end__in=services.end_hashes(last, services.NUMBER_END)),
    )
    doors = (Q(household__door_key__in=services.door_hashes(last)),) if match[2] else ()
    return RecognisedQuery(QueryKind.END, (*ends, *doors))


def _address(text: str) -> RecognisedQuery | None:
    """Return the query for an address; 2-501 may be building and door, or unit and door."""
    typed = addresses.parse_address(text)
    if typed is None:
        return None
    inside = Q()
    if typed.door:
        inside &= Q(household__door_key__in=services.door_hashes(typed.door))
    if typed.unit:
        inside &= Q(household__unit_key=typed.unit)
    if not typed.building:
        return RecognisedQuery(QueryKind.ADDRESS, (inside,))
    ends_so = rf"(^|[^0-9a-z]){re.escape(typed.building)}$"
    named = inside & Q(household__building__name_key__regex=ends_so)
    if typed.unit or not typed.door or len(typed.building) > _LONGEST_UNIT:
        return RecognisedQuery(QueryKind.ADDRESS, (named,))
    return RecognisedQuery(
        QueryKind.ADDRESS, (named, inside & Q(household__unit_key=typed.building))
    )


def _name(text: str, by: User) -> RecognisedQuery | None:
    """Return the query for a name of a person or a building."""
    typed = text.rstrip("*")
    characters = pinyin.han_characters(typed)
    others = "".join(c for c in typed if not pinyin.han_characters(c))
    letters = pinyin.search_text(others)
    if not characters and not letters:
        return None
    places = _buildings_named(typed, by) if len(characters) > 1 and not letters else []
    conditions = (Q(household__building__in=places),) if places else ()
    return RecognisedQuery(
        QueryKind.NAME, conditions, TypedName(characters, letters, pinyin.plain_letters(others))
    )


def _buildings_named(name: str, by: User) -> list[int]:
    """Return the keys of buildings with this text in their name: 东门, 幸福路."""
    buildings = Building.objects.visible_to(by).filter(name__contains=name.strip())
    return list(buildings.values_list("pk", flat=True)[:FEW])


def _number_hint(text: str, today: date) -> str:
    if sum(c.isalnum() for c in text) >= _OLD_NUMBER:
        try:
            read_number(Resident.DocumentType.MAINLAND_ID, text, today=today)
        except ValidationError as error:
            return str(error.messages[0])
    return _(
        "A mobile phone has 11 digits and an identity number 18 characters: type it whole, or its"
        " last four."
    )
