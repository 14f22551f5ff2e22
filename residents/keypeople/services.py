"""Writing health files, doses, needs and contacts; each act with who and when, and audited."""

import uuid
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import User
from common import clock
from common.encryption import sealed, search_hash
from common.errors import RefusedError
from policy.engine.decisions.colours import Colour
from residents.keypeople.facts import NOTHING, KeyFacts, Product
from residents.keypeople.models import Contact, Dose, HealthFile, Need
from residents.register.models import Resident

DAY = "dose.day"


class ChangedError(RefusedError):
    """Somebody else saved the file or the need after it was read."""


class DoseError(RefusedError):
    """A dose that cannot be: in the future, before birth, or the second of a day."""

    field = "day"


class WordsMissingError(RefusedError):
    """A colour given by hand, or an end, without words why."""

    field = "reason"


class ContactDayError(RefusedError):
    """A next contact in the past."""

    field = "next_on"


class NotTheirsError(RefusedError):
    """Somebody made responsible who does not work where the person lives."""

    field = "responsible"


class ClosedError(RefusedError):
    """A need that was closed already."""


@transaction.atomic
def note_facts(
    *,
    resident: Resident,
    facts: KeyFacts,
    contraindication: str,
    note: str,
    version: int,
    at: datetime,
    by: User,
) -> HealthFile:
    """
    Write what is ticked about somebody, unless it changed since `version` was read (0: no file).

    Doses and a colour given by hand are kept as they are; they have acts of their own.
    """
    file = _locked(resident)
    if version != (file.version if file else 0):
        raise ChangedError(
            _("Somebody else changed this file while you were writing. Compare and save again.")
        )
    known = file.known if file else NOTHING
    words = contraindication.strip()
    new = replace(facts, doses=known.doses, colour=known.colour, contraindicated=bool(words))
    return _write(
        resident, file, new, at=at, by=by, did=gettext_noop("changed health file"),
        contraindication=words, note=note.strip(),
    )  # fmt: skip


@transaction.atomic
def record_dose(
    *, resident: Resident, day: date, product: Product, at: datetime, by: User
) -> Dose:
    """Record a dose of vaccine. Raise DoseError for a day that cannot be or has one."""
    if day > clock.day_of(at):
        raise DoseError(_("A dose cannot be given in the future."))
    if resident.birth_date and day < resident.birth_date:
        raise DoseError(_("This day lies before the birth of the person."))
    file = _locked(resident)
    try:
        with transaction.atomic():
            dose = Dose.objects.create(
                resident=resident,
                given=f"{day.isoformat()} {product}",
                day_hash=day_hash(resident, day),
                recorded_at=at,
                recorded_by=by,
            )
    except IntegrityError as error:
        if "dose_once_a_day" not in str(error):
            raise
        raise DoseError(_("A dose on this day is recorded already.")) from error
    _count_doses(resident, file, at=at, by=by, did=gettext_noop("recorded dose"))
    return dose


def day_hash(resident: Resident, day: date) -> str:
    """Return the hash under which a dose of this day is kept, once a person."""
    return search_hash(f"{resident.key}:{day.isoformat()}", context=DAY)


@transaction.atomic
def hand_doses_over(*, doses: Collection[Dose], to: Resident, at: datetime, by: User) -> None:
    """Let doses be those of `to`, as two entries of one person are merged or parted again."""
    if not doses:
        return
    for dose in doses:
        Dose.objects.filter(pk=dose.pk).update(resident=to, day_hash=day_hash(to, dose.day))
    for resident in {to, *(dose.resident for dose in doses)}:
        if file := _locked(resident):
            _count_doses(resident, file, at=at, by=by, did=gettext_noop("counted doses anew"))


def adds_to(file: HealthFile, other: HealthFile) -> bool:
    """Return whether a file says anything, doses apart, that another one does not."""
    one, two = file.known, other.known
    told = ("living_alone", "pregnant", "child_in_difficulty", "disabled", "contraindicated")
    return (
        not set(one.conditions) <= set(two.conditions)
        or (two.stable and not one.stable)
        or any(getattr(one, name) > getattr(two, name) for name in told)
        or one.colour not in {"", two.colour}
        or file.contraindication not in other.contraindication
        or file.note not in other.note
    )


@transaction.atomic
def withdraw_dose(*, dose: Dose, at: datetime, by: User) -> None:
    """Take back a dose that was recorded in error."""
    file = _locked(dose.resident)
    if not Dose.objects.valid().filter(pk=dose.pk).update(withdrawn_at=at, withdrawn_by=by):
        raise ClosedError(_("This was taken back already."))
    _count_doses(dose.resident, file, at=at, by=by, did=gettext_noop("undid a dose"))


@transaction.atomic
def give_colour(
    *, resident: Resident, colour: Colour | None, reason: str, at: datetime, by: User
) -> None:
    """Give a colour by hand, with a reason; None leaves it to the standard again."""
    reason = reason.strip()
    if colour and len(reason) < 2:
        raise WordsMissingError(_("Say in a few words why the colour is given by hand."))
    file = _locked(resident)
    known = file.known if file else NOTHING
    _write(
        resident, file, replace(known, colour=colour or ""), at=at, by=by,
        did=gettext_noop("gave colour"), colour_reason=reason if colour else "",
    )  # fmt: skip


@transaction.atomic
def open_need(
    *,
    resident: Resident,
    kind: Need.Kind,
    words: str,
    responsible: User,
    next_on: date,
    at: datetime,
    by: User,
) -> Need:
    """Note what somebody needs, who looks after it and when they are asked next."""
    _refuse_past(next_on, at)
    _refuse_stranger(responsible, resident)
    need = Need.objects.create(
        resident=resident,
        kind=kind,
        words=words.strip(),
        responsible=responsible,
        next_on=next_on,
        opened_at=at,
        opened_by=by,
    )
    audit.record(by=by, did=gettext_noop("noted need"), to=resident)
    return need


@transaction.atomic
def made_contact(
    *,
    need: Need,
    key: uuid.UUID,
    how: Contact.How,
    words: str,
    next_on: date | None,
    at: datetime,
    by: User,
) -> Contact:
    """
    Note a contact about a need; on `next_on` the next is due, and None closes the need.

    The same `key` twice is one contact.
    """
    Need.objects.select_for_update().get(pk=need.pk)
    if again := Contact.objects.filter(key=key, need=need).first():
        return again
    if next_on:
        _refuse_past(next_on, at)
    changes = {"next_on": next_on} if next_on else {"closed_at": at}
    if not Need.objects.open().filter(pk=need.pk).update(version=F("version") + 1, **changes):
        raise ClosedError(_("This need was closed by somebody else meanwhile."))
    contact = Contact.objects.create(
        key=key, need=need, how=how, words=words.strip(), at=at, by=by
    )
    audit.record(by=by, did=gettext_noop("made contact"), to=need.resident)
    return contact


def _refuse_past(next_on: date, at: datetime) -> None:
    if next_on < clock.day_of(at):
        raise ContactDayError(_("The next contact cannot lie in the past."))


def _refuse_stranger(responsible: User, resident: Resident) -> None:
    if not Resident.objects.visible_to(responsible).filter(pk=resident.pk).exists():
        raise NotTheirsError(_("This person does not work where the resident lives."))


def _locked(resident: Resident) -> HealthFile | None:
    # The lock on the resident keeps two first entries from making two files.
    Resident.objects.select_for_update().get(pk=resident.pk)
    return HealthFile.objects.filter(resident=resident).first()


def _count_doses(
    resident: Resident, file: HealthFile | None, *, at: datetime, by: User, did: str
) -> None:
    valid = Dose.objects.valid().filter(resident=resident)
    doses = tuple(sorted(Counter(dose.product for dose in valid).items()))
    known = file.known if file else NOTHING
    _write(resident, file, replace(known, doses=doses), at=at, by=by, did=did)


def _write(
    resident: Resident,
    file: HealthFile | None,
    facts: KeyFacts,
    *,
    at: datetime,
    by: User,
    did: str,
    **words: Any,
) -> HealthFile:
    columns = {
        "facts": facts.pack(),
        "token": facts.token,
        "changed_at": at,
        "changed_by": by,
        **words,
    }
    if file is None:
        file = HealthFile.objects.create(resident=resident, **columns)
    else:
        new = sealed(file, version=F("version") + 1, **columns)
        HealthFile.objects.filter(pk=file.pk).update(**new)
        file.refresh_from_db()
    # What was changed is about health: the audit says that it was, and not what.
    audit.record(by=by, did=did, to=resident)
    return file
