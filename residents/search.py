"""
Finding people by what somebody typed: one box, and the portal says what it took it for.

Whole numbers, phones and doors are found through keyed hashes, names through the words of an
index. What was typed goes into no address and no log; the audit learns its kind only.
"""

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from accounts import audit
from accounts.encryption import search_hashes
from accounts.errors import RefusedError
from accounts.models import Area, User
from accounts.paging import Page, page_after
from residents import addresses, pinyin, services
from residents.identity import read_number, read_phone
from residents.models import Building, Resident, ResidentQuerySet

# Above this many, nobody reads on: the page asks for more words.
MANY = 500
FEW = 20
_LONGEST_UNIT = 2  # characters
_OLD_NUMBER = 15  # digits of the identity numbers before the present ones

_END = re.compile(r"(?:\+?\d*)?\*+([0-9]{3}[0-9X])|([0-9]{3}[0-9X])")
_PASSPORT = re.compile(r"(?=.*[A-Z])(?=(?:.*[0-9]){4})[A-Z0-9]{6,20}")
NOBODY = Q(pk__in=[])
_DIGITS = re.compile(r"[0-9][0-9 -]*[0-9X]")


class Kind(models.TextChoices):
    """What a text was taken for."""

    NUMBER = "number", gettext_lazy("document number")
    PHONE = "phone", gettext_lazy("phone")
    END = "end", gettext_lazy("last four characters")
    ADDRESS = "address", gettext_lazy("building and door")
    NAME = "name", gettext_lazy("name")


class UnreadableError(RefusedError):
    """A text that can be nobody's name, number, phone or door; it says what to type."""

    field = "text"


@dataclass(frozen=True)
class Asked:
    """What a text asks for: its kind, and conditions of which residents meet one."""

    kind: Kind
    conditions: tuple[Q, ...]


@dataclass(frozen=True)
class Found:
    """How many were found and how, with a page of them; of too many there is none."""

    kind: Kind
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
) -> Found:
    """
    Return the residents in the areas of `by` whom `text` means, those of `grid` where given.

    Written down by what was looked for and how many were found, without what was typed. Raise
    UnreadableError for what is nobody's. A number of other areas finds nobody.
    """
    asked = read(text, today=today, by=by)
    visible = Resident.objects.visible_to(by)
    if grid:
        visible = visible.filter(grid__path__startswith=grid.path)
    keys = _keys(visible, asked.conditions)
    rows = Resident.objects.filter(pk__in=keys).select_related("household__building", "grid")
    page: Page[Resident] = Page([], None, first=True)
    if len(keys) <= MANY:
        page = page_after(rows, after, order=["name_key"])
    audit.record(
        by=by,
        did=gettext_noop("searched"),
        to=by,
        shown=[resident.key for resident in page.rows],
        kind=asked.kind,
        found=len(keys),
    )
    return Found(asked.kind, len(keys), page)


def _keys(visible: ResidentQuerySet, conditions: tuple[Q, ...]) -> list[int]:
    """
    Return the keys of those who meet a condition, one more than MANY at most.

    Each condition is asked for by itself: joined by OR, none would find its index.
    """
    several = [visible.filter(each).values_list("pk")[: MANY + 1] for each in conditions]
    found = several[0].union(*several[1:]) if len(several) > 1 else several[0]
    return [key for (key,) in found][: MANY + 1]


def read(text: str, *, today: date, by: User) -> Asked:
    """Return what `text` asks for; `by` matters for a number that is known elsewhere."""
    text = unicodedata.normalize("NFKC", text).strip()
    asked = _number(text, today, by) or _phone(text) or _end(text) or _address(text)
    if asked:
        return asked
    if _DIGITS.fullmatch(text.upper()):
        raise UnreadableError(_say_number(text, today))
    if asked := _name(text, by):
        return asked
    raise UnreadableError(
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
        return Asked(Kind.NUMBER, (Q(pk=found.pk),))
    # zhang3 could be on a passport, but is rather somebody's name with a tone.
    if Resident.DocumentType.MAINLAND_ID in kinds or _PASSPORT.fullmatch(text.upper()):
        return Asked(Kind.NUMBER, (NOBODY,))
    return None


def _phone(text: str) -> Asked | None:
    try:
        phone = read_phone(text)
    except ValidationError:
        return None
    return Asked(Kind.PHONE, (Q(phone_hash__in=search_hashes(phone, context=services.PHONE)),))


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
    return Asked(Kind.END, (*ends, *doors))


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
        return Asked(Kind.ADDRESS, (inside,))
    ends_so = rf"(^|[^0-9a-z]){re.escape(typed.building)}$"
    named = inside & Q(household__building__name_key__regex=ends_so)
    if typed.unit or not typed.door or len(typed.building) > _LONGEST_UNIT:
        return Asked(Kind.ADDRESS, (named,))
    return Asked(Kind.ADDRESS, (named, inside & Q(household__unit_key=typed.building)))


def _name(text: str, by: User) -> Asked | None:
    """Return who is called so, or lives at a place that is."""
    typed = text.rstrip("*")
    characters = pinyin.han(typed)
    letters = pinyin.search_text("".join(c for c in typed if c not in characters))
    if not characters and not letters:
        return None
    spelt = Q(name_words__fits=pinyin.han_query(characters)) if characters else Q()
    if letters:
        mixed, pattern = pinyin.mixed_query(letters)
        ways = [spelt & Q(name_words__fits=pinyin.pinyin_query(letters))]
        if mixed:
            ways.append(spelt & Q(name_words__fits=mixed, name_key__regex=pattern))
        return Asked(Kind.NAME, tuple(ways))
    if len(characters) > 1 and (places := _called(typed, by)):
        return Asked(Kind.NAME, (spelt, Q(household__building__in=places)))
    return Asked(Kind.NAME, (spelt,))


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
