"""
Where a local document asks more than the national one in force (不得层层加码).

For each local document that is in force, its provisions and those that it inherits from other
local documents, as far as they ask more than the national document in force that day: stricter, or
binding where the nation asks nothing (docs/decisions/0014-silence-is-no-permission.md). The place
may say why, and what nobody justified is counted.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.scope import within
from accounts.staff.models import Area, Role, User
from common.clock import day_of
from common.errors import RefusedError
from policy import services
from policy.comparison.differences import ClausePair, clause_pairs
from policy.engine import areas
from policy.engine.documents.library import Library, shipped
from policy.models import Activation, ActivationQuerySet, Justification


class NoExcessError(RefusedError):
    """A justification for a provision that is not stricter than the national one."""

    field = "text"


@dataclass(frozen=True)
class Excess:
    """A provision that asks more than the national document, and the place's justification."""

    pair: ClausePair
    justification: Justification | None


@dataclass(frozen=True)
class LocalExcesses:
    """A local document in force in an area, the national one, and where it asks more than that."""

    activation: Activation
    national: str
    excesses: tuple[Excess, ...]

    @property
    def unjustified(self) -> int:
        """Return how many provisions nobody has justified."""
        return sum(excess.justification is None for excess in self.excesses)


def local_excesses(*, activations: Iterable[Activation], at: datetime) -> list[LocalExcesses]:
    """Return where each activated local document exceeds the national one. Two queries more."""
    library = services.library()
    known = [activation for activation in activations if activation.document in library.documents]
    local = [activation for activation in known if not _is_national(activation.document)]
    justifications = _justifications(local)
    nation = _national_activations(at) if local else []
    rows = []
    for activation in local:
        national = _national_over(activation, nation, at)
        excesses = tuple(
            Excess(
                pair,
                justifications.get(
                    (activation.area_id, pair.mine.document, *_provision_key(pair))
                ),
            )
            for pair in local_pairs(library, activation.document, national)
            if asks_more(pair)
        )
        rows.append(LocalExcesses(activation, national, excesses))
    return rows


def local_pairs(library: Library, document: str, national: str) -> Iterator[ClausePair]:
    """Return the clauses of the local documents in the chain paired with the national ones."""
    covered = set[str]()
    for local in library.law(document).documents:
        if local.area == areas.NATIONAL:
            return
        for pair in clause_pairs(library, local.id, national):
            if not covered & {provision.subject for provision in pair.mine.provisions}:
                yield pair
        covered |= {provision.subject for provision in local.provisions}


def asks_more(pair: ClausePair) -> bool:
    """Say whether a clause asks more than the national document, whose silence asks nothing."""
    if pair.finding.verdict == "silent" and pair.finding.force == "must":
        return any(provision.binds for provision in pair.mine.provisions)
    return pair.finding.verdict == "stricter"


def _is_national(document: str) -> bool:
    return services.library().documents[document].area == areas.NATIONAL


def _national_activations(at: datetime) -> list[Activation]:
    national = [document for document in services.library().documents if _is_national(document)]
    rows = Activation.objects.in_force(at).filter(document__in=national)
    return list(rows.select_related("area").order_by("area__depth", "effective_from"))


def _national_over(place: Activation, nation: Sequence[Activation], at: datetime) -> str:
    """Return the national document in force at a place; by its date if none was activated."""
    above = [
        activation for activation in nation if place.area.path.startswith(activation.area.path)
    ]
    if above:
        return above[-1].document
    return shipped().in_force(areas.NATIONAL, day_of(at))


def _provision_key(pair: ClausePair) -> tuple[str, str]:
    return pair.finding.clause, pair.finding.subject


def _justifications(
    activations: Sequence[Activation],
) -> dict[tuple[int, str, str, str], Justification]:
    """Return the latest justification of each provision."""
    rows = Justification.objects.filter(
        area__in={activation.area_id for activation in activations},
    )
    return {
        (row.area_id, row.document, row.clause, row.subject): row
        for row in rows.select_related("by").order_by("at", "pk")
    }


def activations_in_scope(*, user: User, at: datetime) -> ActivationQuerySet:
    """Return the activations in force that bear on `user`'s areas; for administrators all."""
    activations = Activation.objects.not_replaced(at).select_related("area").order_by("area__path")
    if user.role == Role.ADMINISTRATOR:
        return activations
    steps = range(Area.steplen, 255, Area.steplen)
    above = {path[:end] for path in user.area_paths for end in steps if end <= len(path)}
    return activations.filter(within(user, "area__path") | Q(area__path__in=above))


def count_unjustified(places: Iterable[LocalExcesses]) -> int:
    """Return how many stricter provisions nobody has justified."""
    return sum(place.unjustified for place in places)


@transaction.atomic
def justify(
    *, activation: Activation, clause: str, subject: str, text: str, at: datetime, by: User
) -> Justification:
    """Record why a place asks more than the national document."""
    documents = (
        excess.pair.mine.document
        for place in local_excesses(activations=[activation], at=at)
        for excess in place.excesses
        if _provision_key(excess.pair) == (clause, subject)
    )
    document = next(documents, None)
    if document is None:
        raise NoExcessError(_("This clause asks no more than national rules."))
    justification = Justification.objects.create(
        area=activation.area,
        document=document,
        clause=clause,
        subject=subject,
        text=text,
        by=by,
        at=at,
    )
    audit.record(
        by=by, did=gettext_noop("justified a stricter provision"), to=justification, clause=clause
    )
    return justification
