"""Open a record of another area, close it, and note it."""

from contextlib import suppress
from datetime import date, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import User
from accounts.voices.independence import refuse_one_voice
from common import locks
from common.encryption import search_hashes
from common.errors import RefusedError
from residents.openings.models import Opening
from residents.register import elsewhere
from residents.register.elsewhere import TooManyQuestionsError
from residents.register.identity import read_number, read_phone
from residents.register.models import Resident, ResidentQuerySet
from residents.register.services import PHONE, number_hashes

OPEN_FOR = timedelta(hours=1)
A_DAY = timedelta(days=1)
OPENINGS_A_DAY = 5
MISSED = gettext_noop("looked in other areas and found nobody")


class NobodyError(RefusedError):
    """None or several residents match; the message does not tell which."""

    field = "text"

    def __init__(self) -> None:
        super().__init__(
            _(
                "No single person is found under this. Type the whole document number, the whole"
                " phone, or the pseudonym."
            )
        )


class OpeningEndedError(RefusedError):
    """The opening has ended already."""

    def __init__(self) -> None:
        super().__init__(_("This record is closed again already."))


def open_record(*, text: str, reason: str, today: date, by: User) -> Resident:
    """
    Open the record of the resident that `text` identifies for an hour; return the resident.

    Residents of the areas of `by` need no opening. Failed attempts are audited, too. Raise
    NobodyError or TooManyQuestionsError.
    """
    with elsewhere.asking(by=by) as question:
        question.refuse_too_many()
        matching = list(_matching_residents(text, today)[:2])
        if len(matching) != 1:
            question.learned = True
            audit.record(by=by, did=MISSED, to=by)
            raise NobodyError
        resident = matching[0]
        if not Resident.objects.visible_to(by, opened=True).filter(pk=resident.pk).exists():
            question.learned = True
            _open(resident, reason, by)
    return resident


@transaction.atomic
def _open(resident: Resident, reason: str, by: User) -> None:
    locks.hold_for_transaction(locks.limit("openings", by.pk))
    _refuse_too_many(by)
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
    if Opening.objects.filter(by=by, at__gt=since).count() >= OPENINGS_A_DAY:
        raise TooManyQuestionsError


def _matching_residents(text: str, today: date) -> ResidentQuerySet:
    """Return the residents with exactly this pseudonym, document number or phone."""
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
    return Resident.objects.people().filter(number_hash__in=[hash_ for hash_ in hashes if hash_])


@transaction.atomic
def end(*, opening: Opening, by: User) -> None:
    """End an opening early."""
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
    """
    Mark an opening as noted by a supervisor.

    Raise NoSecondVoiceError for who is not independent of the one who opened the record.
    """
    refuse_one_voice(first=opening.by, second=by)
    if Opening.objects.unseen().filter(pk=opening.pk).update(seen_at=Now(), seen_by=by):
        audit.record(
            by=by,
            did=gettext_noop("noted that a record was opened"),
            to=opening.resident,
            opening=str(opening.key),
        )
