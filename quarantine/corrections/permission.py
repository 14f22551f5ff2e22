"""
Who may put a fact right.

Whoever may act there takes back what was just recorded, within `common.undo_window.UNDO`, where
nothing followed from it. A supervisor of the area does so at any time with a reason; then what
followed goes along.
"""

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.scope import within
from accounts.staff.models import Area, Role, User
from common.errors import RefusedError
from common.undo_window import UNDO, TooLateToUndoError

LONGEST_REASON = 200
# The names that a sentence gives; the nearest supervisors come first.
_NAMED = 3


class NotYoursError(TooLateToUndoError):
    """Only a supervisor of the area may put this right now; the sentence names them."""


class ReasonError(RefusedError):
    """A late correction without a reason, or with a longer one than can be kept."""

    field = "reason"


def in_undo_time(recorded_at: datetime, *, at: datetime) -> bool:
    """Return whether what was recorded then may still be taken back without a reason."""
    return at - recorded_at <= UNDO


def supervises(by: User, area: Area) -> bool:
    """Return whether `by` is a supervisor of `area`."""
    mine = Area.objects.filter(within(by, "path"), pk=area.pk)
    return by.role == Role.SUPERVISOR and mine.exists()


def may_correct(
    *, recorded_at: datetime, area: Area, at: datetime, by: User, reason: str = ""
) -> bool:
    """
    Return whether a supervisor puts it right, with all that followed.

    False is the plain undo of who may act there, within the time. Raise NotYoursError to others
    after it, ReasonError to a supervisor who gives none.
    """
    if not reason.strip() and in_undo_time(recorded_at, at=at):
        return False
    if not supervises(by, area):
        if in_undo_time(recorded_at, at=at):
            return False
        raise NotYoursError(who_can(area))
    if not reason.strip():
        raise ReasonError(_("Say what was wrong, and who says so."))
    if len(reason) > LONGEST_REASON:
        raise ReasonError(_("Give the reason in at most 200 characters."))
    return True


def who_can(area: Area) -> str:
    """Return the sentence on who puts something right in `area` once the time to undo is over."""
    minutes = UNDO.total_seconds() // 60
    names = [str(user) for user in supervisors_of(area)]
    if not names:
        return _("After %(minutes)d minutes only a supervisor can put this right.") % {
            "minutes": minutes
        }
    return _("After %(minutes)d minutes a supervisor puts this right: ask %(names)s.") % {
        "minutes": minutes,
        "names": pgettext("joins names", ", ").join(names),
    }


def supervisors_of(area: Area) -> list[User]:
    """Return the supervisors of `area`, the nearest first, at most as many as a sentence names."""
    steps = range(Area.steplen, len(area.path) + 1, Area.steplen)
    above = Area.objects.filter(path__in=[area.path[:end] for end in steps])
    supervisors = User.objects.filter(role=Role.SUPERVISOR, is_active=True, areas__in=above)
    return list(dict.fromkeys(supervisors.order_by("-areas__depth", "pk")))[:_NAMED]
