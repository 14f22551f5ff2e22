"""What the proposer of an activation may choose beside the rule of transition."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import User
from common.errors import RefusedError
from policy.activations.decisions import ActivationNotWaitingError, WithdrawalReasonError
from policy.models import Activation, TransitionChoice


class NotProposerError(RefusedError):
    """The choice comes from somebody other than the proposer."""


@transaction.atomic
def let_stricter_reach_open_cases(
    *, activation: Activation, subject: str, reason: str, at: datetime, by: User
) -> TransitionChoice:
    """
    Apply the stricter rules of a proposed activation on a subject to open cases too.

    Raise ActivationNotWaitingError once it is approved or withdrawn: the approver approves the
    choices.
    """
    if not reason.strip():
        raise WithdrawalReasonError(_("Say why: the history shows it."))
    _refuse_others(activation, by)
    _refuse_decided(activation)
    choice, _new = TransitionChoice.objects.update_or_create(
        activation=activation,
        subject=subject,
        defaults={"reason": reason.strip(), "by": by, "at": at},
    )
    audit.record(
        by=by,
        did=gettext_noop("let what is stricter reach open cases"),
        to=activation,
        reason=choice.reason,
        subject=subject,
    )
    return choice


@transaction.atomic
def leave_stricter_to_new_cases(*, activation: Activation, subject: str, by: User) -> None:
    """Remove that choice. Raise ActivationNotWaitingError once it is decided on."""
    _refuse_others(activation, by)
    _refuse_decided(activation)
    TransitionChoice.objects.filter(activation=activation, subject=subject).delete()
    audit.record(
        by=by,
        did=gettext_noop("left what is stricter to new cases"),
        to=activation,
        subject=subject,
    )


def _refuse_others(activation: Activation, by: User) -> None:
    """Refuse a choice by anybody but the proposer: the approver must not have made it."""
    if activation.proposed_by_id != by.pk:
        raise NotProposerError(_("Only the proposer chooses the transition."))


def _refuse_decided(activation: Activation) -> None:
    """Refuse an activation that is decided on, and lock it against other decisions."""
    waiting = Activation.objects.waiting().select_for_update(of=("self",))
    if not waiting.filter(pk=activation.pk):
        raise ActivationNotWaitingError(
            _("This was approved or withdrawn by somebody else meanwhile.")
        )
