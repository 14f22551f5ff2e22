"""
How long the data of a closed outbreak stay.

None of the documents that the portal ships says anything about it. So a place sets its own term,
and where it has none the portal's default holds, which pages call so. The Personal Information
Protection Law (19, 47) asks for the shortest time that the purpose needs.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import Area, User
from common.errors import RefusedError
from portal.retention.models import LONGEST, SHORTEST, RetentionTerm

DEFAULT_DAYS = 30


class SaidBy(StrEnum):
    """Who says how long data stay."""

    DEFAULT = "default"
    PLACE = "place"


@dataclass(frozen=True)
class Term:
    """A number of days, and who says so."""

    days: int
    said_by: SaidBy
    where: Area | None = None


class TermError(RefusedError):
    """A term that is too short, too long, or has no reason."""

    field = "days"


def term_over(area: Area) -> Term:
    """Return the term that holds in an area: of the most local that has one, there the latest."""
    above = [area.path[:end] for end in range(Area.steplen, len(area.path) + 1, Area.steplen)]
    terms = RetentionTerm.objects.filter(area__path__in=above).select_related("area")
    said = terms.order_by("-area__depth", "-pk").first()
    if said is None:
        return Term(DEFAULT_DAYS, SaidBy.DEFAULT)
    return Term(said.days, SaidBy.PLACE, said.area)


@transaction.atomic
def set_term(*, area: Area, days: int, reason: str, at: datetime, by: User) -> RetentionTerm:
    """Set the term of an area for closings from now on. Raise TermError."""
    if not SHORTEST <= days <= LONGEST:
        raise TermError(
            _("Give a number of days from %(shortest)d to %(longest)d.")
            % {"shortest": SHORTEST, "longest": LONGEST}
        )
    if len(reason.strip()) < 2:
        raise TermError(_("Say in a few words why the term is this one."))
    made = RetentionTerm.objects.create(
        area=area, days=days, reason=reason.strip()[:200], by=by, at=at
    )
    audit.record(by=by, did=gettext_noop("set term of retention"), to=area, days=days)
    return made
