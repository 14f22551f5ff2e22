"""Which activation governs where: the most local one in force decides, among those the latest."""

from collections.abc import Iterable
from datetime import datetime

from accounts.staff.models import Area
from policy.models import Activation


class Governing:
    """The activations in force at a moment, asked for many places at once."""

    def __init__(self, activations: Iterable[Activation]) -> None:
        self._by_area: dict[str, Activation] = {}
        for activation in sorted(activations, key=_age):
            self._by_area[activation.area.path] = activation

    def at(self, path: str) -> Activation | None:
        """Return what governs the area with this tree path, None where nothing is in force."""
        for end in range(len(path), 0, -Area.steplen):
            if activation := self._by_area.get(path[:end]):
                return activation
        return None


def _age(activation: Activation) -> tuple[datetime, datetime, int]:
    return (
        activation.effective_from,
        activation.approved_at or activation.proposed_at,
        activation.pk,
    )


def governing(
    *,
    at: datetime,
    over: Area | None = None,
    also: Activation | None = None,
    without: Activation | None = None,
) -> Governing:
    """
    Return what governs at a moment, in `over` or everywhere. Two queries, however many places.

    `also` is counted as in force though nobody has approved it, `without` as withdrawn: so a page
    shows what a decision would change.
    """
    in_force = Activation.objects.in_force(at).select_related("area").prefetch_related("choices")
    if over is not None:
        in_force = in_force.over(over)
    activations = {activation.pk: activation for activation in in_force}
    if also is not None:
        activations[also.pk] = _as_if_approved(also, at)
    if without is not None:
        activations.pop(without.pk, None)
    return Governing(activations.values())


def _as_if_approved(activation: Activation, at: datetime) -> Activation:
    asked = Activation.objects.select_related("area").prefetch_related("choices")
    proposed = asked.get(pk=activation.pk)
    proposed.approved_at = proposed.approved_at or max(at, proposed.effective_from)
    return proposed
