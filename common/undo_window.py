"""How long after recording a fact its author may take it back with one tap."""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from common.errors import RefusedError

# How long after recording a fact can be withdrawn with one tap.
UNDO = timedelta(minutes=10)


class TooLateToUndoError(RefusedError):
    """The fact can no longer be withdrawn."""


def refuse_after_undo(recorded_at: datetime, *, at: datetime) -> None:
    """Raise TooLateToUndoError if more than UNDO has passed since `recorded_at`."""
    if at - recorded_at > UNDO:
        raise TooLateToUndoError(
            _("This can no longer be taken back: more than %(minutes)d minutes have passed.")
            % {"minutes": UNDO.total_seconds() // 60}
        )
