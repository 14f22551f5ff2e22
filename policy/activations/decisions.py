"""Deciding which document is in force where: one proposes, another approves, anyone withdraws."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import Area, User
from accounts.voices.independence import no_second_voice
from common import clock
from common.errors import RefusedError
from policy.engine import areas
from policy.engine.documents.schema import Document
from policy.models import Activation
from policy.services import library
from policy.words import document_title

# Nobody decides further ahead; a moment beyond is a slip of the year.
LONGEST_AHEAD = timedelta(days=366)
LONGEST_REASON = 200


class UnknownDocumentError(RefusedError):
    """The portal has no document of this id."""

    field = "document"


class OutsideJurisdictionError(RefusedError):
    """A document put in force outside its issuer's jurisdiction."""

    field = "area"


class MomentError(RefusedError):
    """A moment from which the document cannot be in force."""

    field = "effective_from"


class ProposalWaitsError(RefusedError):
    """A proposal for an area where another one waits; `waiting` is that one, if still there."""

    field = "area"
    waiting: Activation | None = None


class SamePersonError(RefusedError):
    """The approver is the proposer."""


class SameEmployerError(RefusedError):
    """The approver is not independent of the proposer: employer, or who made their accounts."""


class ActivationNotWaitingError(RefusedError):
    """An activation that somebody else has approved or withdrawn; the sentence says who."""


class ChoicesChangedError(RefusedError):
    """A proposal whose choices are no longer those that the second person saw."""


class WithdrawalReasonError(RefusedError):
    """A withdrawal without a reason, or with one that is longer than can be kept."""

    field = "reason"


@transaction.atomic
def propose_activation(
    *,
    document: str,
    area: Area,
    effective_from: datetime,
    reason: str,
    at: datetime,
    by: User,
) -> Activation:
    """
    Propose that a document be in force in an area from a moment on.

    Raise ProposalWaitsError, which says who and when, where another proposal waits.
    """
    known = library().documents.get(document)
    if known is None:
        raise UnknownDocumentError(_("The portal holds no such document."))
    if not areas.lies_in(area.code, known.area):
        raise OutsideJurisdictionError(_("The issuer of this document has no say in this area."))
    if not by.employer:
        raise SameEmployerError(
            _("Your account names no employer: another administrator has to enter it first.")
        )
    _refuse_moment(known, area, effective_from, at)
    try:
        with transaction.atomic():
            activation = Activation.objects.create(
                document=document,
                area=area,
                effective_from=effective_from,
                reason=reason,
                proposed_by=by,
                proposer_employer=by.employer,
                proposed_at=at,
            )
    except IntegrityError as error:
        if "activation_one_waiting" not in str(error):
            raise
        raise _waiting_proposal(area) from error
    audit.record(by=by, did=gettext_noop("proposed activation"), to=activation, document=document)
    return activation


def _refuse_moment(document: Document, area: Area, moment: datetime, at: datetime) -> None:
    """
    Refuse a moment before the document's own day, behind the law in force, or far ahead.

    A moment may be past otherwise: then the document begins to hold when it is approved.
    """
    if clock.day_of(moment) < document.in_force_from:
        raise MomentError(
            _("This document is in force from %(day)s on; it cannot hold earlier.")
            % {"day": date_format(document.in_force_from, "Y-m-d")}
        )
    if moment > at + LONGEST_AHEAD:
        raise MomentError(_("This lies more than a year ahead: look at the year again."))
    later = Activation.objects.in_force(at).filter(area=area, effective_from__gt=moment)
    if behind := later.order_by("effective_from").last():
        raise MomentError(
            _(
                "%(document)s is in force here from %(moment)s on: only a later moment changes"
                " that."
            )
            % {
                "document": document_title(behind.document, short=True),
                "moment": _local_time(behind.effective_from),
            }
        )


def _waiting_proposal(area: Area) -> ProposalWaitsError:
    waiting = Activation.objects.waiting().filter(area=area).select_related("proposed_by").first()
    if waiting is None:
        return ProposalWaitsError(
            _("Another proposal was made here at the same moment. Try again.")
        )
    error = ProposalWaitsError(
        _(
            "%(who)s of %(employer)s proposed %(document)s here on %(moment)s; one proposal at a"
            " time can wait. Approve or withdraw that one first."
        )
        % {
            "who": waiting.proposed_by,
            "employer": waiting.proposer_employer,
            "document": document_title(waiting.document, short=True),
            "moment": _local_time(waiting.proposed_at),
        }
    )
    error.waiting = waiting
    return error


@transaction.atomic
def approve_activation(
    *, activation: Activation, at: datetime, by: User, choices: Collection[str] | None = None
) -> None:
    """
    Approve a proposed activation; somebody of another employer than the proposer's must.

    `choices` are the subjects on which, as the approver saw, stricter rules reach open cases;
    raise ChoicesChangedError where they are others by now (None: not asked). Raise
    ActivationNotWaitingError, which says who was first, when it was approved or withdrawn
    meanwhile.
    """
    if activation.proposed_by_id == by.pk:
        raise SamePersonError(_("Somebody else than the one who proposed it must approve."))
    if refusal := colleagues(activation=activation, by=by):
        raise SameEmployerError(refusal)
    waiting = Activation.objects.waiting().filter(pk=activation.pk)
    if not waiting.update(approved_by=by, approver_employer=by.employer, approved_at=at):
        raise ActivationNotWaitingError(_decision_sentence(activation))
    # The row is ours now, and nobody can choose otherwise any more.
    chosen = set(activation.choices.values_list("subject", flat=True))
    if choices is not None and chosen != set(choices):
        raise ChoicesChangedError(
            _("The proposer has changed the transition meanwhile: look at the preview again.")
        )
    audit.record(by=by, did=gettext_noop("approved activation"), to=activation)


def colleagues(*, activation: Activation, by: User) -> str:
    """Return why `by` and the proposer are not independent, "" when they are."""
    return no_second_voice(
        first=activation.proposed_by, second=by, acted_for=activation.proposer_employer
    )


@transaction.atomic
def withdraw_activation(*, activation: Activation, at: datetime, by: User, reason: str) -> None:
    """
    Withdraw an activation or a proposal: from `at` on the law before it holds again.

    Raise ActivationNotWaitingError, which says who was first, when it is withdrawn already.
    """
    reason = reason.strip()
    if not reason:
        raise WithdrawalReasonError(_("Say why: the history shows it."))
    if len(reason) > LONGEST_REASON:
        raise WithdrawalReasonError(_("Give the reason in at most 200 characters."))
    valid = Activation.objects.valid().filter(pk=activation.pk)
    if not valid.update(withdrawn_by=by, withdrawn_at=at, withdrawal_reason=reason):
        raise ActivationNotWaitingError(_decision_sentence(activation))
    audit.record(by=by, did=gettext_noop("withdrew activation"), to=activation, reason=reason)


def _decision_sentence(activation: Activation) -> str:
    """Return who has approved or withdrawn an activation, and when."""
    activations = Activation.objects.select_related("approved_by", "withdrawn_by")
    current = activations.get(pk=activation.pk)
    if current.withdrawn_at:
        return _("%(who)s withdrew this on %(moment)s: “%(reason)s”") % {
            "who": current.withdrawn_by,
            "moment": _local_time(current.withdrawn_at),
            "reason": current.withdrawal_reason,
        }
    return _("%(who)s of %(employer)s approved this on %(moment)s.") % {
        "who": current.approved_by,
        "employer": current.approver_employer,
        "moment": _local_time(current.approved_at or current.proposed_at),
    }


def _local_time(moment: datetime) -> str:
    return date_format(localtime(moment), "Y-m-d H:i")
