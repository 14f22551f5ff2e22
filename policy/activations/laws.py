"""Which law holds where, for many places at once."""

from collections.abc import Iterable
from datetime import datetime

from accounts.staff.models import Area
from policy.activations.governing import Governing
from policy.engine.documents.law import Law
from policy.models import Activation
from policy.services import law_of


def laws_over(areas: Iterable[Area], *, at: datetime) -> dict[int, Law]:
    """Return the law in force in each area, by the area's key; none where none is. One query."""
    rules = Governing(Activation.objects.in_force(at).select_related("area"))
    return {
        area.pk: law_of(document=activation.document, area=area)
        for area in areas
        if (activation := rules.at(area.path))
    }
