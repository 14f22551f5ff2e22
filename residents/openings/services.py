"""Opening another area's record, ending it, taking note of it."""

from contextlib import suppress
from datetime import date, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.auditing.models import AuditEntry
from accounts.staff.models import User
from common.encryption import search_hashes
from common.errors import RefusedError
from residents.openings.models import Opening
from residents.register.identity import read_number, read_phone
from residents.register.models import Resident, ResidentQuerySet
from residents.register.services import PHONE, number_hashes

OPEN_FOR = timedelta(hours=1)
A_DAY = timedelta(days=1)
OPENINGS_A_DAY, MISSES_A_DAY = 5, 20
MISSED = gettext_noop("looked in other areas and found nobody")


class NobodyError(RefusedError):
    """Nobody is found under this, or several people are; it is not said which."""

    field = "text"

    def __init__(self) -> None:
        super().__init__(
            _(
                "No single person is found under this. Type the whole document number, the whole"
                " phone, or the pseudonym."
            )
        )


class TooManyOpeningsError(RefusedError):
    """More than anybody needs in a day."""

    def __init__(self) -> None:
        super().__init__(
            _("You have looked into other areas too often today. Ask your supervisor.")
        )


class OpeningEndedError(RefusedError):
    """An opening that is over already."""

    def __init__(self) -> None:
        super().__init__(_("This record is closed again already."))


def open_elsewhere(*, text: str, reason: str, today: date, by: User) -> Resident:
    """
    Let `by` read the record of whom `text` names exactly, for an hour; return the resident.

    A record of their own areas needs no opening. Tries that fail are written down, too.
    """
    _refuse_too_many(by)
    found = list(_named(text, today)[:2])
    if len(found) != 1:
        audit.record(by=by, did=MISSED, to=by)
        raise NobodyError
    resident = found[0]
    if not Resident.objects.visible_to(by, opened=True).filter(pk=resident.pk).exists():
        _open(resident, reason, by)
    return resident


@transaction.atomic
def _open(resident: Resident, reason: str, by: User) -> None:
    opening = Opening.objects.create(
        resident=resident, by=by, reason=reason, until=Now() + OPEN_FOR
    )
    audit.record(
        by=by,
        did=gettext_noop("opened a record of another area"),
        to=resident,
        reason=reason,
        opening=str(opening.key),
    )


def _refuse_too_many(by: User) -> None:
    since = Now() - A_DAY
    missed = AuditEntry.objects.filter(actor=by.key, did=MISSED, at__gt=since).count()
    opened = Opening.objects.filter(by=by, at__gt=since).count()
    if missed >= MISSES_A_DAY or opened >= OPENINGS_A_DAY:
        raise TooManyOpeningsError


def _named(text: str, today: date) -> ResidentQuerySet:
    """Return who has exactly this pseudonym, document number or phone."""
    text = text.strip()
    with suppress(ValueError):
        return Resident.objects.people().filter(key=UUID(text))
    with suppress(ValidationError):
        hashes = search_hashes(read_phone(text), context=PHONE)
        return Resident.objects.people().filter(phone_hash__in=hashes)
    hashes = []
    for kind in Resident.DocumentType:
        with suppress(ValidationError):
            hashes += number_hashes(kind, read_number(kind, text, today=today).number)
    return Resident.objects.people().filter(number_hash__in=[each for each in hashes if each])


@transaction.atomic
def end(*, opening: Opening, by: User) -> None:
    """Close a record before its hour is over."""
    running = Opening.objects.active().filter(pk=opening.pk)
    if not running.update(ended_at=Now(), ended_by=by):
        raise OpeningEndedError
    audit.record(
        by=by,
        did=gettext_noop("closed a record that another area had opened"),
        to=opening.resident,
        opening=str(opening.key),
    )


@transaction.atomic
def take_note(*, opening: Opening, by: User) -> None:
    """Take note that somebody opened a record of one's area."""
    if Opening.objects.unseen().filter(pk=opening.pk).update(seen_at=Now(), seen_by=by):
        audit.record(
            by=by,
            did=gettext_noop("noted that a record was opened"),
            to=opening.resident,
            opening=str(opening.key),
        )
