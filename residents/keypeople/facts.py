"""
What the lists ask of somebody, sealed; and a token under which equal facts are found.

The database never holds a disease, a pregnancy or a list that somebody is on. It holds the facts
sealed, and their keyed hash: so it can say that forty people share the same facts without saying
which facts, and a list is asked of the law once for those forty.
"""

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Literal, get_args

from django.utils.translation import gettext_lazy as _

from common.encryption import search_hash
from policy.engine.decisions.colours import Colour
from policy.engine.decisions.people import ListedFacts, Vaccination
from policy.engine.documents.schema import Condition

Product = Literal["inactivated", "vector", "subunit", "mrna"]
PRODUCTS: tuple[Product, ...] = get_args(Product)
PRODUCT_NAMES = {
    "inactivated": _("Inactivated"),
    "vector": _("Adenovirus vector"),
    "subunit": _("Recombinant protein"),
    "mrna": _("mRNA"),
}
CONDITIONS: tuple[Condition, ...] = get_args(Condition)
CONTEXT = "health_file.facts"
# Sixty bits: a number that a list of thousands may name, and that two sets of facts never share.
TOKEN_DIGITS = 15


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """Everything by which two people of the same age may be listed differently."""

    conditions: tuple[Condition, ...] = ()
    stable: bool = True
    living_alone: bool = False
    pregnant: bool = False
    child_in_difficulty: bool = False
    disabled: bool = False
    doses: tuple[tuple[Product, int], ...] = ()
    contraindicated: bool = False
    # Given by hand, with a reason; "" where the standard decides.
    colour: Colour | Literal[""] = ""

    def pack(self) -> str:
        """Return the facts as text, equal for equal facts."""
        given = {name: value for name, value in asdict(self).items() if value != _PLAIN[name]}
        for name in ("conditions", "doses"):
            if name in given:
                given[name] = sorted(given[name])
        return json.dumps(given, sort_keys=True)

    @property
    def token(self) -> int:
        """Return the beginning of the keyed hash of these facts, 0 where nothing is known."""
        if self == NOTHING:
            return 0
        return int(search_hash(self.pack(), context=CONTEXT)[:TOKEN_DIGITS], 16)

    def vaccination(self, full: dict[Product, int]) -> Vaccination:
        """
        Return how far somebody is vaccinated, when so many doses of each product are all.

        Of mixed products the largest number that is asked for counts.
        """
        if not self.doses:
            return "none"
        own = any(count >= full[product] for product, count in self.doses)
        mixed = sum(count for _, count in self.doses) >= max(full.values())
        return "full" if own or mixed else "partial"

    def resident(self, age: int, full: dict[Product, int]) -> ListedFacts:
        """Return the person whom the engine is asked about."""
        return ListedFacts(
            age=age,
            conditions=self.conditions,
            living_alone=self.living_alone,
            pregnant=self.pregnant,
            child_in_difficulty=self.child_in_difficulty,
            disabled=self.disabled,
            stable=self.stable,
            vaccination=self.vaccination(full),
        )


_PLAIN = asdict(KeyFacts())
NOTHING = KeyFacts()


@lru_cache(maxsize=10_000)
def unpack(text: str) -> KeyFacts:
    """Return the facts that a text describes; "" describes nothing."""
    given = json.loads(text or "{}")
    given["conditions"] = tuple(given.get("conditions", ()))
    given["doses"] = tuple((product, count) for product, count in given.get("doses", ()))
    return KeyFacts(**given)
