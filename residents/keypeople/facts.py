"""
The facts for lists of key people, and a token by which equal facts are grouped.

The database holds no disease, pregnancy or list in plain text, only the sealed facts and their
keyed hash. So it can group people with the same facts without knowing them, and the law is asked
once for each group.
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
# 60 bits: fits a bigint, and makes collisions of two sets of facts negligible.
TOKEN_DIGITS = 15


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """All facts besides age that decide how a person is listed."""

    conditions: tuple[Condition, ...] = ()
    stable: bool = True
    living_alone: bool = False
    pregnant: bool = False
    child_in_difficulty: bool = False
    disabled: bool = False
    doses: tuple[tuple[Product, int], ...] = ()
    contraindicated: bool = False
    # Given by hand, with a reason; "" if the standard decides.
    colour: Colour | Literal[""] = ""

    def pack(self) -> str:
        """Return the facts as text, equal for equal facts."""
        values = {name: value for name, value in asdict(self).items() if value != _PLAIN[name]}
        for name in ("conditions", "doses"):
            if name in values:
                values[name] = sorted(values[name])
        return json.dumps(values, sort_keys=True)

    @property
    def token(self) -> int:
        """Return the first digits of the keyed hash of the facts as a number, 0 for no facts."""
        if self == NOTHING:
            return 0
        return int(search_hash(self.pack(), context=CONTEXT)[:TOKEN_DIGITS], 16)

    def vaccination(self, full: dict[Product, int]) -> Vaccination:
        """
        Return the vaccination status, given the doses of each product for a full vaccination.

        For mixed products the largest of these numbers counts.
        """
        if not self.doses:
            return "none"
        single_product = any(count >= full[product] for product, count in self.doses)
        mixed = sum(count for _, count in self.doses) >= max(full.values())
        return "full" if single_product or mixed else "partial"

    def resident(self, age: int, full: dict[Product, int]) -> ListedFacts:
        """Return the facts for the engine."""
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
    """Return the facts of a packed text; no facts for ""."""
    values = json.loads(text or "{}")
    values["conditions"] = tuple(values.get("conditions", ()))
    values["doses"] = tuple((product, count) for product, count in values.get("doses", ()))
    return KeyFacts(**values)
