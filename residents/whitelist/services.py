"""Manage entries of the white list, duties and gate codes."""

import secrets
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import User
from common import clock
from common.encryption import search_hash, search_hashes
from common.errors import RefusedError
from residents.register.models import Resident
from residents.whitelist.models import DutyEntry, GateCode, Worker

# Unambiguous when read aloud: no 0, 1, I, L, O, U. 30^16 codes cannot be guessed.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 16
CONTEXT = "gate_code.token"


class AlreadyListedError(RefusedError):
    """The person is on the white list already."""


class DaysError(RefusedError):
    """The validity ends before it begins, or in the past."""

    field = "valid_until"


class EntryEndedError(RefusedError):
    """The entry was changed or ended meanwhile."""


@transaction.atomic
def list_worker(
    *,
    resident: Resident,
    post: str,
    screening_post: str,
    employer: str,
    valid_from: date,
    valid_until: date,
    at: datetime,
    by: User,
) -> Worker:
    """Add a person to the white list. Raise AlreadyListedError or DaysError."""
    _refuse_days(valid_from, valid_until, at)
    try:
        with transaction.atomic():
            worker = Worker.objects.create(
                resident=resident,
                post=post,
                screening_post=screening_post,
                employer=employer.strip(),
                valid_from=valid_from,
                valid_until=valid_until,
                listed_at=at,
                listed_by=by,
            )
    except IntegrityError as error:
        if "worker_once" not in str(error):
            raise
        raise AlreadyListedError(_("This person is on the white list already.")) from error
    audit.record(by=by, did=gettext_noop("put on white list"), to=worker, post=post)
    return worker


@transaction.atomic
def renew(*, worker: Worker, valid_until: date, at: datetime, by: User) -> None:
    """Change the last day of an entry."""
    _refuse_days(worker.valid_from, valid_until, at)
    _change(worker, valid_until=valid_until)
    audit.record(by=by, did=gettext_noop("renewed"), to=worker, until=valid_until.isoformat())


@transaction.atomic
def end(*, worker: Worker, reason: str, at: datetime, by: User) -> None:
    """End an entry of the white list and its gate code."""
    _change(worker, ended_at=at)
    GateCode.objects.filter(worker=worker, revoked_at=None).update(revoked_at=at)
    audit.record(by=by, did=gettext_noop("took off white list"), to=worker, reason=reason)


@transaction.atomic
def keep_duty(*, worker: Worker, duty: str, well: bool, at: datetime, by: User) -> DutyEntry:
    """Record a duty of a worker today; `well` is False for symptoms."""
    entry = DutyEntry.objects.create(
        worker=worker,
        duty=duty,
        day=clock.day_of(at),
        state="well" if well else "symptoms",
        at=at,
        by=by,
    )
    audit.record(by=by, did=gettext_noop("noted duty"), to=worker, duty=duty)
    return entry


@transaction.atomic
def make_code(*, worker: Worker, at: datetime, by: User) -> str:
    """
    Return a new gate code for a worker; the previous one is revoked.

    The database stores its hash only, so it can be shown only once.
    """
    if not Worker.objects.listed().select_for_update(of=("self",)).filter(pk=worker.pk):
        raise EntryEndedError(_("This person is no longer on the white list."))
    GateCode.objects.filter(worker=worker, revoked_at=None).update(revoked_at=at)
    token = "".join(secrets.choice(ALPHABET) for _character in range(LENGTH))
    GateCode.objects.create(
        worker=worker, token_hash=search_hash(token, context=CONTEXT), made_at=at, made_by=by
    )
    audit.record(by=by, did=gettext_noop("made gate code"), to=worker)
    return token


@transaction.atomic
def revoke_code(*, worker: Worker, at: datetime, by: User) -> None:
    """Revoke the gate code of a worker."""
    if not GateCode.objects.filter(worker=worker, revoked_at=None).update(revoked_at=at):
        raise EntryEndedError(_("There is no gate code to revoke."))
    audit.record(by=by, did=gettext_noop("revoked gate code"), to=worker)


def worker_by_code(token: str) -> Worker | None:
    """Return the worker with this code, None if it is unknown or revoked."""
    hashes = search_hashes(tidy(token), context=CONTEXT)
    codes = GateCode.objects.filter(token_hash__in=hashes, revoked_at=None)
    code = codes.select_related("worker__resident__grid").first()
    return code.worker if code else None


def tidy(token: str) -> str:
    """Return a typed code in its original form."""
    return "".join(sign for sign in token[:60].upper() if sign in ALPHABET)


def _refuse_days(valid_from: date, valid_until: date, at: datetime) -> None:
    if valid_until < max(valid_from, clock.day_of(at)):
        raise DaysError(_("The last day cannot lie before the first day or in the past."))


def _change(worker: Worker, **columns: object) -> None:
    rows = Worker.objects.filter(pk=worker.pk, version=worker.version, ended_at=None)
    if not rows.update(version=F("version") + 1, **columns):
        raise EntryEndedError(_("Somebody else changed this entry meanwhile."))
    worker.refresh_from_db()
