"""
Lists of key people under the law in force, without asking the engine for each person.

People with the same law and rules, the same facts and the same age band get the same answer. So
the database counts residents by these three, the engine is asked once for each group, and the
people of a list are found by its groups. No decision is stored: after a change of document or a
birthday the next request is correct.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.core.cache import cache
from django.db.models import Case, Count, F, Min, Q, Value, When
from django.db.models.functions import Coalesce

from policy import words
from policy.activations.laws import laws_over
from policy.engine.decisions.colours import COLOURS
from policy.engine.decisions.people import ListingDecision, ages_of, list_person
from residents.keypeople import standards
from residents.keypeople.facts import NOTHING, KeyFacts
from residents.keypeople.models import HealthFile
from residents.keypeople.standards import KeyRules, latest_over, rules_over
from residents.register.models import Resident

if TYPE_CHECKING:
    from accounts.staff.models import Area
    from policy.engine.decisions.colours import Colour
    from policy.engine.documents.law import Law
    from residents.register.models import ResidentQuerySet

# The age bands for vaccination in Shanxi 7 and 113号 6.
BANDS = (60, 80)
# Counts of more people than this, as in a district, are cached for a minute.
MANY = 20_000
REMEMBERED_SECONDS = 60
OLDEST = 121


def born_by(age: int, on: date) -> date:
    """Return the latest birth date of people who are at least `age` years old on a day."""
    try:
        return on.replace(year=on.year - age)
    except ValueError:  # 29 February; people born on 1 March are still younger
        return date(on.year - age, 2, 28)


@dataclass(frozen=True)
class Regime:
    """A law with the local rules beside it."""

    law: Law
    rules: KeyRules

    def under(self, law: Law | None) -> Regime:
        """Return the regime with another law; itself for None."""
        return Regime(law, self.rules) if law else self


@dataclass(frozen=True)
class PersonGroup:
    """The key of a group of people: same regime, same facts, same age band."""

    regime: int
    age: int  # the first age of the band
    token: int  # of the facts


@dataclass(frozen=True)
class Placing:
    """How the law lists a person, with the facts and age."""

    listing: ListingDecision
    facts: KeyFacts
    age: int

    @property
    def colour(self) -> Colour | None:
        """Return the colour given by hand, else by the standard; None if the law has none."""
        if self.listing.colour is None:
            return None
        return self.facts.colour or self.listing.colour

    @property
    def to_vaccinate(self) -> bool:
        """Return whether to encourage vaccination: a target without contraindication."""
        return self.listing.vaccination_target and not self.facts.contraindicated


@dataclass(frozen=True)
class Filter:
    """A filter of listed people; "" does not filter."""

    category: str = ""
    colour: str = ""
    vaccination: str = ""  # the age band of vaccination targets: "60", "80"

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Filter:
        """Return the filter of query parameters, ignoring unknown values."""
        known = {
            "category": words.CATEGORIES,
            "colour": COLOURS,
            "vaccination": [str(band) for band in BANDS],
        }
        requested = {name: parameters.get(name, "") for name in known}
        return cls(**{name: word for name, word in requested.items() if word in known[name]})

    def wants(self, placing: Placing) -> bool:
        """Return whether a placing passes the filter."""
        if self.vaccination:
            band = next(band for band in reversed(BANDS) if placing.age >= band or band == 60)
            return placing.to_vaccinate and str(band) == self.vaccination
        return (
            placing.listing.listed
            and (not self.category or self.category in placing.listing.categories)
            and (not self.colour or self.colour == placing.colour)
        )


@lru_cache(maxsize=20_000)
def place(regime: Regime, facts: KeyFacts, age: int) -> Placing:
    """Return the placing of a person of that age under a regime."""
    resident = facts.resident(age, regime.rules.doses)
    return Placing(list_person(regime.law, resident, regime.rules.colours), facts, age)


@dataclass
class KeyLists:
    """The lists of a set of residents on a day."""

    residents: ResidentQuerySet
    on: date
    regimes: list[Regime]
    grids: list[set[int]]  # of each regime
    ages: list[int]  # the first age of each band, from 0
    counts: dict[PersonGroup, int] = field(default_factory=dict)
    known: dict[int, KeyFacts] = field(default_factory=lambda: {0: NOTHING})
    placed: dict[tuple[PersonGroup, Law | None], Placing] = field(default_factory=dict)

    def placing(self, kind: PersonGroup, *, law: Law | None = None) -> Placing:
        """Return the placing of a group, under `law` if given."""
        placing = self.placed.get((kind, law))
        if placing is None:
            regime = self.regimes[kind.regime].under(law)
            placing = place(regime, self.known[kind.token], kind.age)
            self.placed[kind, law] = placing
        return placing

    def of(self, resident: Resident, *, law: Law | None = None) -> Placing:
        """Return the placing of one of the residents, under `law` if given."""
        regime = next(
            regime
            for regime, grids in zip(self.regimes, self.grids, strict=True)
            if resident.grid_id in grids
        )
        return place_one(regime.under(law), resident, self.on)

    def count(self, wanted: Callable[[Placing], bool]) -> int:
        """Return the number of people whose placing is wanted."""
        return sum(n for kind, n in self.counts.items() if wanted(self.placing(kind)))

    def by_category(self) -> Counter[str]:
        """Return the number of people in each category."""
        totals: Counter[str] = Counter()
        for kind, number in self.counts.items():
            totals.update(dict.fromkeys(self.placing(kind).listing.categories, number))
        return totals

    def residents_where(self, wanted: Callable[[Placing], bool]) -> ResidentQuerySet:
        """Return the residents whose placing is wanted, annotated with `born` for paging."""
        return self.residents_in([kind for kind in self.counts if wanted(self.placing(kind))])

    def residents_in(self, kinds: Iterable[PersonGroup]) -> ResidentQuerySet:
        """Return the residents of some groups, annotated with `born` for paging."""
        tokens: dict[tuple[int, int], set[int]] = {}
        for kind in kinds:
            tokens.setdefault((kind.regime, kind.age), set()).add(kind.token)
        all_tokens: dict[tuple[int, int], set[int]] = {}
        for kind in self.counts:
            all_tokens.setdefault((kind.regime, kind.age), set()).add(kind.token)
        condition = Q(pk__in=[])
        for (regime, age), chosen in tokens.items():
            band = self._in_regime(regime) & self._in_band(age)
            everybody = chosen == all_tokens[regime, age]
            condition |= band if everybody and 0 in chosen else band & _with(chosen)
        return self.residents.filter(condition).annotate(born=BORN)

    def _in_regime(self, regime: int) -> Q:
        if len(self.regimes) == 1:
            return Q()
        return Q(grid__in=self.grids[regime])

    def _in_band(self, age: int) -> Q:
        next_age = next((bound for bound in self.ages if bound > age), OLDEST)
        younger = Q(birth_date__gt=born_by(next_age, self.on))
        if age == 0:  # people of unknown age are in the lowest band
            return younger | Q(birth_date=None)
        return younger & Q(birth_date__lte=born_by(age, self.on))


# Residents without birth date come last.
UNKNOWN_BIRTH = date(9999, 12, 31)
BORN = Coalesce(F("birth_date"), Value(UNKNOWN_BIRTH))


def _with(tokens: set[int]) -> Q:
    condition = Q(health_file__token__in=tokens)
    return condition | Q(health_file=None) if 0 in tokens else condition


def regimes_over(
    areas: Sequence[Area], *, at: datetime, law: Law | None = None
) -> dict[Regime, set[int]]:
    """Return the regimes in some areas with the keys of their areas, under `law` if given."""
    laws = dict.fromkeys((area.pk for area in areas), law) if law else laws_over(areas, at=at)
    rules = rules_over(areas)
    regimes: dict[Regime, set[int]] = {}
    for area in areas:
        if area_law := laws.get(area.pk):
            regimes.setdefault(Regime(area_law, rules[area.pk]), set()).add(area.pk)
    return regimes


def key_lists(
    *,
    residents: ResidentQuerySet,
    regimes: dict[Regime, set[int]],
    on: date,
    besides: Iterable[int] = (),
) -> KeyLists:
    """
    Return the lists of some residents. Two queries.

    `besides` are further bounds of age bands, so that lists under two laws have equal groups.
    """
    ages = {0, *BANDS, *besides}.union(*(ages_of(regime.law) for regime in regimes))
    for regime in regimes:
        marks = (regime.rules.colours.red, regime.rules.colours.yellow)
        ages |= {mark.age_at_least for mark in marks if mark.age_at_least}
    lists = KeyLists(residents, on, list(regimes), list(regimes.values()), sorted(ages))
    if regimes:
        _count(lists)
    return lists


def _count(lists: KeyLists) -> None:
    rows = _grouped(lists)
    # The query contains the areas, regimes and the day.
    key = f"key-lists:{hashlib.sha256(str(rows.query).encode()).hexdigest()}"
    counts = cache.get(key)
    if counts is None:
        counts = list(rows)
        if sum(row["number"] for row in counts) > MANY:
            cache.set(key, counts, timeout=REMEMBERED_SECONDS)
    files = {}
    for row in counts:
        lists.counts[PersonGroup(row["regime"], row["band"], row["token"])] = row["number"]
        files[row["token"]] = row["file"]
    lists.known |= _facts_of({token: pk for token, pk in files.items() if token})


def _grouped(lists: KeyLists) -> Any:
    """Return the number of residents in each group, with the file of one of them."""
    least = next(age for age in lists.ages if age)
    band = Case(
        *(
            When(birth_date__lte=born_by(age, lists.on), then=Value(age))
            for age in reversed(lists.ages)
            if age
        ),
        default=Value(0),
    )
    return (
        lists.residents.filter(
            Q(health_file__isnull=False) | Q(birth_date__lte=born_by(least, lists.on))
        )
        .annotate(
            regime=_number_of_regime(lists),
            band=band,
            token=Coalesce(F("health_file__token"), Value(0)),
        )
        .filter(regime__isnull=False)
        .order_by()
        .values("regime", "band", "token")
        .annotate(number=Count("pk"), file=Min("health_file__pk"))
    )


def _number_of_regime(lists: KeyLists) -> Any:
    if len(lists.regimes) == 1:
        return Value(0)
    return Case(*(When(grid__in=grids, then=Value(at)) for at, grids in enumerate(lists.grids)))


# Cache of facts by token; valid for ever, because the token is a hash of the facts.
_READ: dict[int, KeyFacts] = {}
MOST_READ = 50_000


def _facts_of(files: dict[int, int]) -> dict[int, KeyFacts]:
    """Return the facts of tokens, given a file for each. One query, none if cached."""
    if len(_READ) > MOST_READ:
        _READ.clear()
    new = {token: pk for token, pk in files.items() if token not in _READ}
    if new:
        files_of_new = HealthFile.objects.filter(pk__in=new.values())
        rows = files_of_new.only("key", "token", "facts")
        _READ.update({file.token: file.known for file in rows})
    return {token: _READ[token] for token in files}


def household_members(*, household: int, grid: Area) -> list[Resident]:
    """Return who lives behind a door, with what `key_members` asks of them. One query."""
    people = Resident.objects.here().filter(household=household)
    people = people.select_related("health_file", "grid").annotate(rules=latest_over(grid))
    return list(people.order_by("birth_date", "pk"))


def key_members(
    *, people: Iterable[Resident], law: Law, on: date
) -> list[tuple[Resident, Placing]]:
    """Return those of the members of a household who are listed or vaccination targets."""
    members = []
    for resident in people:
        stored = resident.rules  # type: ignore[attr-defined]
        rules = standards.unpack(stored) if stored else standards.DEFAULT
        placing = place_one(Regime(law, rules), resident, on)
        if placing.listing.listed or placing.to_vaccinate:
            members.append((resident, placing))
    return members


def place_one(regime: Regime, resident: Resident, on: date) -> Placing:
    """Return the placing of a resident under a regime on a day."""
    file = getattr(resident, "health_file", None)
    return place(regime, file.known if file else NOTHING, resident.age(on) or 0)
