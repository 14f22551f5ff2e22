"""
Finding people by what somebody typed: one box, and the portal says what it took it for.

All are found through keyed hashes; names are then compared with what was typed (`names`). What
was typed goes into no address and no log; the audit learns its kind only.
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
from common.paging import SIZE, Page, key_of
from residents.register import addresses, services
from residents.register.identity import read_number, read_phone
from residents.register.models import Building, Resident, ResidentQuerySet
from residents.search.name_keys import TypedName

# Above this many, nobody reads on: the page asks for more words.
MANY = 500
FEW = 20
_LONGEST_UNIT = 2  # characters
_OLD_NUMBER = 15  # digits of the identity numbers before the present ones

_END = re.compile(r"(?:\+?\d*)?\*+([0-9]{3}[0-9X])|([0-9]{3}[0-9X])")
_PASSPORT = re.compile(r"(?=.*[A-Z])(?=(?:.*[0-9]){4})[A-Z0-9]{6,20}")
NOBODY = Q(pk__in=[])
_DIGITS = re.compile(r"[0-9][0-9 -]*[0-9X]")


class QueryKind(models.TextChoices):
    """What a text was taken for."""

    NUMBER = "number", gettext_lazy("document number")
    PHONE = "phone", gettext_lazy("phone")
    END = "end", gettext_lazy("last four characters")
    ADDRESS = "address", gettext_lazy("building and door")
    NAME = "name", pgettext_lazy("of a person", "name")


class UnsearchableError(RefusedError):
    """A text that can be nobody's name, number, phone or door; it says what to type."""

    field = "text"


@dataclass(frozen=True)
class Asked:
    """What a text asks for: its kind, conditions of which residents meet one, or a name."""

    kind: QueryKind
    conditions: tuple[Q, ...]
    name: TypedName | None = None


@dataclass(frozen=True)
class SearchResult:
    """How many were found and how, with a page of them; of too many there is none."""

    kind: QueryKind
    count: int
    page: Page[Resident]

    @property
    def too_many(self) -> bool:
        """Return whether more were found than anybody reads."""
        return self.count > MANY

    @property
    def ways(self) -> list[tuple[str, str]]:
        """Return the keys that lead to the first page and the next, with words."""
        first = [] if self.page.first else [("", _("To the first page"))]
        following = [(str(self.page.next), _("Next page"))] if self.page.next else []
        return first + following


@transaction.atomic
def search(
    *, text: str, today: date, by: User, grid: Area | None = None, after: str | None = None
) -> SearchResult:
    """
    Return the residents in the areas of `by` whom `text` means, those of `grid` where given.

    Written down by what was looked for and how many were found, without what was typed. Raise
    UnsearchableError for what is nobody's. A number of other areas finds nobody.
    """
    asked = read(text, today=today, by=by)
    visible = Resident.objects.visible_to(by)
    if grid:
        visible = visible.filter(grid__path__startswith=grid.path)
    keys = _keys(visible, asked)
    page: Page[Resident] = Page([], None, first=True)
    if len(keys) <= MANY:
        page = _page(keys, after)
    audit.record(
        by=by,
        did=gettext_noop("searched"),
        to=by,
        shown=[resident.key for resident in page.rows],
        kind=asked.kind,
        found=len(keys),
    )
    return SearchResult(asked.kind, len(keys), page)


def _keys(visible: ResidentQuerySet, asked: Asked) -> list[int]:
    """
    Return the keys of those who are meant, in the order of names, or MANY + 1 of them.

    Each condition is asked for by itself: joined by OR, none would find its index.
    """
    ways = [(condition, False) for condition in asked.conditions]
    if asked.name:
        ways.append((Q(name_words__fits=asked.name.query), True))
    first, *others = [
        visible.filter(condition)
        .annotate(by_name=Value(by_name))
        .values_list("pk", "key", "name", "by_name")[: MANY + 1]
        for condition, by_name in ways
    ]
    rows = list(first.union(*others, all=True) if others else first)
    if len({row[0] for row in rows}) > MANY:
        return [row[0] for row in rows][: MANY + 1]
    return _in_order(rows, asked.name)


def _in_order(rows: list[tuple[int, UUID, Any, bool]], typed: TypedName | None) -> list[int]:
    """Return the keys of rows in the order of their names, without those that do not fit."""
    known = {}
    for pk, key, sealed, by_name in rows:
        name = Resident.opened_name(key, sealed)
        if not by_name or typed is None or typed.fits(name):
            known[pk] = pinyin.in_letters(pinyin.spelt(name))
    return sorted(known, key=lambda pk: (known[pk], pk))


def _page(keys: list[int], after: str | None) -> Page[Resident]:
    """Return the page of those with `keys` that follows the one with the key `after`."""
    last = key_of(after)
    start = keys.index(last) + 1 if last in keys else 0
    shown = keys[start : start + SIZE]
    people = Resident.objects.select_related("household__building", "grid").in_bulk(shown)
    following = shown[-1] if len(keys) > start + SIZE else None
    return Page([people[key] for key in shown if key in people], following, first=not start)


def read(text: str, *, today: date, by: User) -> Asked:
    """Return what `text` asks for; `by` matters for a number that is known elsewhere."""
    text = unicodedata.normalize("NFKC", text).strip()
    asked = _number(text, today, by) or _phone(text) or _end(text) or _address(text)
    if asked:
        return asked
    if _DIGITS.fullmatch(text.upper()):
        raise UnsearchableError(_say_number(text, today))
    if asked := _name(text, by):
        return asked
    raise UnsearchableError(
        _("Type a name, its pinyin or initials, a number, a phone, or a door such as 3-2-501.")
    )


def _number(text: str, today: date, by: User) -> Asked | None:
    """Return who holds this number; nobody for one that is sound and not known."""
    kinds = {}
    for kind in Resident.DocumentType:
        with suppress(ValidationError):
            kinds[kind] = read_number(kind, text, today=today).number
    hashes = [h for kind, number in kinds.items() for h in services.number_hashes(kind, number)]
    found = services.holder_of(hashes, document_types=kinds)
    if found and Resident.objects.visible_to(by).filter(pk=found.pk).exists():
        return Asked(QueryKind.NUMBER, (Q(pk=found.pk),))
    # zhang3 could be on a passport, but is rather somebody's name with a tone.
    if Resident.DocumentType.MAINLAND_ID in kinds or _PASSPORT.fullmatch(text.upper()):
        return Asked(QueryKind.NUMBER, (NOBODY,))
    return None


def _phone(text: str) -> Asked | None:
    try:
        phone = read_phone(text)
    except ValidationError:
        return None
    return Asked(
        QueryKind.PHONE, (Q(phone_hash__in=search_hashes(phone, context=services.PHONE)),)
    )


def _end(text: str) -> Asked | None:
    """Return who has a number or phone that ends so, or lives behind such a door."""
    said = _END.fullmatch(re.sub(r"\s", "", text.upper()))
    if not said:
        return None
    last = said[1] or said[2]
    ends = (
        Q(phone_end__in=services.end_hashes(last, services.PHONE_END)),
        Q(number_end__in=services.end_hashes(last, services.NUMBER_END)),
    )
    doors = (Q(household__door_key__in=services.door_hashes(last)),) if said[2] else ()
    return Asked(QueryKind.END, (*ends, *doors))


def _address(text: str) -> Asked | None:
    """Return who lives there; 2-501 may be a building and a door, or a unit and a door."""
    typed = addresses.read(text)
    if typed is None:
        return None
    inside = Q()
    if typed.door:
        inside &= Q(household__door_key__in=services.door_hashes(typed.door))
    if typed.unit:
        inside &= Q(household__unit_key=typed.unit)
    if not typed.building:
        return Asked(QueryKind.ADDRESS, (inside,))
    ends_so = rf"(^|[^0-9a-z]){re.escape(typed.building)}$"
    named = inside & Q(household__building__name_key__regex=ends_so)
    if typed.unit or not typed.door or len(typed.building) > _LONGEST_UNIT:
        return Asked(QueryKind.ADDRESS, (named,))
    return Asked(QueryKind.ADDRESS, (named, inside & Q(household__unit_key=typed.building)))


def _name(text: str, by: User) -> Asked | None:
    """Return who is called so, or lives at a place that is."""
    typed = text.rstrip("*")
    characters = pinyin.han(typed)
    letters = pinyin.search_text("".join(c for c in typed if c not in characters))
    if not characters and not letters:
        return None
    places = _called(typed, by) if len(characters) > 1 and not letters else []
    conditions = (Q(household__building__in=places),) if places else ()
    return Asked(QueryKind.NAME, conditions, TypedName(characters, letters))


def _called(name: str, by: User) -> list[int]:
    """Return the buildings with this in their name: 东门, 幸福路."""
    buildings = Building.objects.visible_to(by).filter(name__contains=name.strip())
    return list(buildings.values_list("pk", flat=True)[:FEW])


def _say_number(text: str, today: date) -> str:
    if sum(c.isalnum() for c in text) >= _OLD_NUMBER:
        try:
            read_number(Resident.DocumentType.MAINLAND_ID, text, today=today)
        except ValidationError as error:
            return str(error.messages[0])
    return _(
        "A mobile phone has 11 digits and an identity number 18 characters: type it whole, or its"
        " last four."
    )
