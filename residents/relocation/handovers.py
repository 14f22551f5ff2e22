"""Handovers of residents to communities of other staff: offer, accept, refuse, withdraw."""

from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.scope import within
from accounts.staff.models import Area, User
from common.encryption import sealed
from common.errors import RefusedError
from residents.register.models import Resident
from residents.relocation.models import Handover, Move
from residents.relocation.moves import refuse_gone

LONGEST_REASON = 200


class HandoverError(RefusedError):
    """The handover cannot be offered, answered or withdrawn now."""


class OwnAreaError(RefusedError):
    """The target is an area of the user, or no single community."""

    field = "area"


class NoReasonError(RefusedError):
    """A refusal without a valid reason."""

    field = "reason"


def find_community(text: str) -> Area:
    """
    Return the community with the code or full name in `text`.

    Raise OwnAreaError if none or several match.
    """
    wanted = text.split()[-1].strip("()（）") if text.split() else ""
    communities = Area.objects.filter(level=Area.Level.COMMUNITY)
    by_code: Area | None = communities.filter(code=wanted).first()
    matching: list[Area] = (
        [by_code] if by_code else list(communities.filter(name=text.strip())[:2])
    )
    if len(matching) != 1:
        raise OwnAreaError(
            _("Choose the community from the list, or type its code: no single one is called so.")
        )
    return matching[0]


@transaction.atomic
def offer(
    *, resident: Resident, to: Area, day: date, note: str = "", at: datetime, by: User
) -> Handover:
    """
    Offer a resident to the community they move to; nothing else changes until it accepts.

    Raise GoneError, OwnAreaError, or HandoverError if another offer is waiting.
    """
    refuse_gone(resident)
    if Area.objects.filter(within(by, "path"), pk=to.pk).exists():
        raise OwnAreaError(_("This community is yours: enter the new address instead."))
    try:
        with transaction.atomic():
            made = Handover.objects.create(
                resident=resident,
                grid=resident.grid,
                to=to,
                day=day,
                note=note.strip(),
                asked_at=at,
                asked_by=by,
            )
    except IntegrityError as error:
        if "handover_one_waiting" not in str(error):
            raise
        raise HandoverError(_("This person is being handed over already.")) from error
    audit.record(
        by=by, did=gettext_noop("offered to another community"), to=resident, area=to.code
    )
    return made


@transaction.atomic
def accept(*, handover: Handover, at: datetime, by: User) -> None:
    """Record that the community accepts; `quarantine.relocation.moves` moves the resident."""
    _answer(handover, accepted=True, at=at, by=by)
    audit.record(by=by, did=gettext_noop("took over from another community"), to=handover.resident)


@transaction.atomic
def refuse(*, handover: Handover, reason: str, at: datetime, by: User) -> None:
    """Record that the community refuses, with the reason."""
    if not 1 < len(reason.strip()) <= LONGEST_REASON:
        raise NoReasonError(_("Say in a few words why, so that the others can put it right."))
    _answer(handover, accepted=False, reason=reason.strip(), at=at, by=by)
    audit.record(by=by, did=gettext_noop("refused a handover"), to=handover.resident)


@transaction.atomic
def reopen(*, move: Move, by: User) -> None:
    """
    Let the handover that a move accepted wait for its answer again, now that it was taken back.

    Not where another one waits already.
    """
    accepted = Handover.objects.valid().filter(
        resident=move.resident_id, accepted=True, answered_at=move.at
    )
    if Handover.objects.waiting().filter(resident=move.resident_id).exists():
        return
    if accepted.update(answered_at=None, answered_by=None, accepted=None):
        audit.record(by=by, did=gettext_noop("undid taking somebody over"), to=move.resident)


@transaction.atomic
def withdraw(*, handover: Handover, at: datetime, by: User) -> None:
    """Withdraw an offer that was not answered."""
    if (
        not Handover.objects.waiting()
        .filter(pk=handover.pk)
        .update(withdrawn_at=at, withdrawn_by=by)
    ):
        raise HandoverError(_("This handover is no longer waiting."))
    audit.record(by=by, did=gettext_noop("withdrew a handover"), to=handover.resident)


def _answer(
    handover: Handover, *, accepted: bool, at: datetime, by: User, reason: str = ""
) -> None:
    if (
        not Handover.objects.waiting()
        .filter(pk=handover.pk)
        .update(
            answered_at=at, answered_by=by, accepted=accepted, **sealed(handover, reason=reason)
        )
    ):
        raise HandoverError(_("This handover is no longer waiting."))
