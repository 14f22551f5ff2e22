"""The standards that documents leave to areas: colours and full vaccination."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import Area, User
from common.errors import RefusedError
from policy.engine.decisions import colours
from policy.engine.decisions.colours import ColourRule, Standard
from residents.keypeople.facts import PRODUCTS, Product
from residents.keypeople.models import KeyStandard

# Doses of each product for a full vaccination, without boosters; the default.
FULL: dict[Product, int] = {"inactivated": 2, "vector": 1, "subunit": 3, "mrna": 2}


class ReasonMissingError(RefusedError):
    """A standard without a reason."""

    field = "reason"


@dataclass(frozen=True)
class KeyRules:
    """The local rules of an area beside its law."""

    colours: Standard = colours.DEFAULT
    full: tuple[tuple[Product, int], ...] = field(default=tuple(FULL.items()))

    @property
    def doses(self) -> dict[Product, int]:
        """Return the doses of each product for a full vaccination."""
        return dict(self.full)


DEFAULT = KeyRules()


def pack(rules: KeyRules) -> dict[str, Any]:
    """Return rules as JSON for `KeyStandard.content`."""
    red, yellow = asdict(rules.colours.red), asdict(rules.colours.yellow)
    return {"red": red, "yellow": yellow, "full": rules.doses}


def unpack(content: Mapping[str, Any]) -> KeyRules:
    """Return the rules in a `KeyStandard.content`."""
    standard = Standard(red=ColourRule(**content["red"]), yellow=ColourRule(**content["yellow"]))
    full = tuple((product, content["full"].get(product, FULL[product])) for product in PRODUCTS)
    return KeyRules(standard, full)


def rules_over(areas: Iterable[Area]) -> dict[int, KeyRules]:
    """Return the rules of each area by key: the most local, there the latest. One query."""
    rows = KeyStandard.objects.order_by("pk").values_list("area__path", "content")
    rules_by_path = {path: unpack(content) for path, content in rows}
    return {
        area.pk: next(
            (
                rules_by_path[area.path[:end]]
                for end in range(len(area.path), 0, -Area.steplen)
                if area.path[:end] in rules_by_path
            ),
            DEFAULT,
        )
        for area in areas
    }


def latest_over(area: Area) -> Subquery:
    """Return a subquery for the latest standard of the area or the nearest above it."""
    above = [area.path[:end] for end in range(Area.steplen, len(area.path) + 1, Area.steplen)]
    standards = KeyStandard.objects.filter(area__path__in=above)
    return Subquery(standards.order_by("-area__depth", "-pk").values("content")[:1])


@transaction.atomic
def set_rules(*, area: Area, rules: KeyRules, reason: str, at: datetime, by: User) -> KeyStandard:
    """Set the rules of an area from now on. Raise ReasonMissingError without a reason."""
    if len(reason.strip()) < 2:
        raise ReasonMissingError(_("Say in a few words why the standard is this one."))
    made = KeyStandard.objects.create(
        area=area, content=pack(rules), reason=reason.strip(), by=by, at=at
    )
    audit.record(by=by, did=gettext_noop("set key-population standard"), to=area)
    return made
