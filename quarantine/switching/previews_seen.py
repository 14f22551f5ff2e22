"""The numbers of a preview that each decider saw, to show the approver what has changed."""

from datetime import datetime

from accounts.staff.models import User
from policy.models import Activation
from quarantine.models import PreviewSeen
from quarantine.switching.preview import SwitchPreview


def note(*, activation: Activation, switch_preview: SwitchPreview, at: datetime, by: User) -> None:
    """Keep the numbers that `by` has before them, instead of those of an earlier look."""
    PreviewSeen.objects.update_or_create(
        activation=activation, by=by, defaults={"at": at, "counts": dict(switch_preview.counts)}
    )


def of_proposer(activation: Activation) -> PreviewSeen | None:
    """Return what the proposer last saw, None before the first look."""
    return PreviewSeen.objects.filter(activation=activation, by=activation.proposed_by_id).first()


def of_approver(activation: Activation) -> PreviewSeen | None:
    """Return what the approver saw before approving, None if the preview was not opened."""
    return PreviewSeen.objects.filter(activation=activation, by=activation.approved_by_id).first()
