"""Requests for unmasked data, decided by a second person of another employer or area above."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.exports.models import AGREED_FOR, ExportRequest
from accounts.staff.models import SUPERVISES, Area, Role, User
from accounts.voices.independence import no_second_voice
from common import locks
from common.encryption import sealed
from common.errors import RefusedError

LONGEST_REASON = 200
MOST_WAITING = 5


class NotFitError(RefusedError):
    """The user may not decide on this request."""


class RequestNotWaitingError(RefusedError):
    """The request was decided on, withdrawn or used, or has lapsed."""

    def __init__(self) -> None:
        super().__init__(_("Meanwhile this request has gone on. This is how it stands now."))


class ExportReasonMissingError(RefusedError):
    """A request or a refusal without a valid reason."""

    field = "reason"


class TooManyWaitError(RefusedError):
    """The user has MOST_WAITING requests waiting."""


@transaction.atomic
def ask(
    *,
    what: str,
    area: Area,
    filters: Mapping[str, str],
    fields: Iterable[str],
    kind: str,
    purpose: str,
    reason: str,
    at: datetime,
    by: User,
) -> ExportRequest:
    """Create a request for a list with some fields unmasked."""
    locks.hold_for_transaction(locks.limit("requests", by.pk))
    if ExportRequest.objects.waiting(at).filter(asked_by=by).count() >= MOST_WAITING:
        raise TooManyWaitError(_("Several of your requests wait already: withdraw one first."))
    request = ExportRequest.objects.create(
        what=what,
        area=area,
        filters=dict(filters),
        fields=sorted(fields),
        format=kind,
        purpose=purpose,
        reason=_reason(reason),
        asked_by=by,
        asker_employer=by.employer,
        asked_at=at,
    )
    audit.record(
        by=by,
        did=gettext_noop("asked for unmasked data"),
        to=request,
        code=purpose,
        reason=request.reason,
        list=what,
        area=area.code,
        unmasked=request.fields,
    )
    return request


def unfit(*, request: ExportRequest, by: User) -> str:
    """
    Return why `by` may not decide on a request, "" if they may.

    It must be a second voice who answers for the area, and either works for another employer or
    stands above the asker.
    """
    if request.asked_by_id == by.pk:
        return _("Somebody else than the one who asked must decide.")
    if not by.is_active or by.role not in SUPERVISES or not _answers_for(by, request.area):
        return _("Supervisors and administrators of this area decide on this.")
    if refusal := no_second_voice(first=request.asked_by, second=by):
        return refusal
    if _stands_above(by, request.asked_by) or _of_another_employer(by, request):
        return ""
    return _(
        "You and the one who asked work for the same employer, and you do not stand above them:"
        " somebody of another employer, or of an area above, decides."
    )


def _answers_for(user: User, area: Area) -> bool:
    return any(area.path.startswith(path) for path in user.area_paths)


def _stands_above(by: User, asker: User) -> bool:
    if by.role == Role.SUPERVISOR and asker.role == Role.GRID_STAFF:
        return True
    return bool(asker.area_paths) and all(
        any(path.startswith(above) and path != above for above in by.area_paths)
        for path in asker.area_paths
    )


def _of_another_employer(by: User, request: ExportRequest) -> bool:
    employers = {request.asker_employer.lower(), request.asked_by.employer.lower()}
    return bool(by.employer and request.asker_employer) and by.employer.lower() not in employers


@transaction.atomic
def approve(*, request: ExportRequest, at: datetime, by: User) -> None:
    """Approve a request: it can be used once, within four hours."""
    by = _locked_user(by)
    if refusal := unfit(request=request, by=by):
        raise NotFitError(refusal)
    waiting = ExportRequest.objects.waiting(at).filter(pk=request.pk)
    if not waiting.update(
        approved_by=by,
        approver_employer=by.employer,
        approved_at=at,
        valid_until=at + AGREED_FOR,
    ):
        raise RequestNotWaitingError
    audit.record(by=by, did=gettext_noop("agreed to unmasked data"), to=request)


@transaction.atomic
def refuse(*, request: ExportRequest, reason: str, at: datetime, by: User) -> None:
    """Refuse a request, with a reason."""
    by = _locked_user(by)
    if refusal := unfit(request=request, by=by):
        raise NotFitError(refusal)
    refusal = _reason(reason)
    waiting = ExportRequest.objects.waiting(at).filter(pk=request.pk)
    if not waiting.update(refused_by=by, refused_at=at, **sealed(request, refusal=refusal)):
        raise RequestNotWaitingError
    audit.record(by=by, did=gettext_noop("refused unmasked data"), to=request, reason=refusal)


@transaction.atomic
def withdraw(*, request: ExportRequest, at: datetime, by: User) -> None:
    """Withdraw one's own request, also when it was approved and not used."""
    if request.asked_by_id != by.pk:
        raise NotFitError(_("Only the one who asked may do this."))
    withdrawable = ExportRequest.objects.filter(
        pk=request.pk, refused_at=None, withdrawn_at=None, export=None
    )
    if not withdrawable.update(withdrawn_at=at):
        raise RequestNotWaitingError
    audit.record(by=by, did=gettext_noop("withdrew a request for unmasked data"), to=request)


def note_answer(*, request: ExportRequest, at: datetime, by: User) -> None:
    """Note that the asker has seen the answer."""
    answered = Q(approved_at__isnull=False) | Q(refused_at__isnull=False)
    requests = ExportRequest.objects.filter(answered, pk=request.pk, asked_by=by)
    requests.filter(answer_seen_at=None).update(answer_seen_at=at)


def _locked_user(user: User) -> User:
    """Lock and return the account as stored now: it may have been closed or moved meanwhile."""
    return User.objects.select_for_update(of=("self",)).get(pk=user.pk)


def _reason(text: str) -> str:
    text = text.strip()
    if not text:
        raise ExportReasonMissingError(_("Say why: it is kept with the request."))
    if len(text) > LONGEST_REASON:
        raise ExportReasonMissingError(_("Give the reason in at most 200 characters."))
    return text
