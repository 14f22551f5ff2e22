"""Record health files, doses, needs and contacts; every act is audited."""

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
    """An invalid dose: in the future, before birth, or the second of a day."""

    field = "day"


class WordsMissingError(RefusedError):
    """A colour given by hand without a reason."""

    field = "reason"


class ContactDayError(RefusedError):
    """The next contact is in the past."""

    field = "next_on"


class NotTheirsError(RefusedError):
    """The responsible user does not work where the person lives."""

    field = "responsible"


class ClosedError(RefusedError):
    """The need or dose was closed or withdrawn already."""


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
    Store the facts of a resident, unless the file changed since `version` (0: no file).

    Doses and a colour given by hand are not changed; they have acts of their own.
    """
    file = _locked_file(resident)
    if version != (file.version if file else 0):
        raise ChangedError(
            _("Somebody else changed this file while you were writing. Compare and save again.")
        )
    known = file.known if file else NOTHING
    words = contraindication.strip()
    new = replace(facts, doses=known.doses, colour=known.colour, contraindicated=bool(words))
    return _save_file(
        resident, file, new, at=at, by=by, did=gettext_noop("changed health file"),
        contraindication=words, note=note.strip(),
    )  # fmt: skip


@transaction.atomic
def record_dose(
    *, resident: Resident, day: date, product: Product, at: datetime, by: User
) -> Dose:
    """Record a dose of vaccine. Raise DoseError for an invalid day or one that has a dose."""
    if day > clock.day_of(at):
        raise DoseError(_("A dose cannot be given in the future."))
    if resident.birth_date and day < resident.birth_date:
        raise DoseError(_("This day lies before the birth of the person."))
    file = _locked_file(resident)
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
    """Return the hash of a day that allows one dose a person and day."""
    return search_hash(f"{resident.key}:{day.isoformat()}", context=DAY)


@transaction.atomic
def reassign_doses(*, doses: Collection[Dose], to: Resident, at: datetime, by: User) -> None:
    """Reassign doses to the resident `to`, for merging entries and undoing it."""
    if not doses:
        return
    for dose in doses:
        Dose.objects.filter(pk=dose.pk).update(resident=to, day_hash=day_hash(to, dose.day))
    for resident in {to, *(dose.resident for dose in doses)}:
        if file := _locked_file(resident):
            _count_doses(resident, file, at=at, by=by, did=gettext_noop("counted doses anew"))


def has_facts_missing_in(file: HealthFile, other: HealthFile) -> bool:
    """Return whether a file contains facts, doses apart, that another one lacks."""
    first, second = file.known, other.known
    flags = ("living_alone", "pregnant", "child_in_difficulty", "disabled", "contraindicated")
    return (
        not set(first.conditions) <= set(second.conditions)
        or (second.stable and not first.stable)
        or any(getattr(first, name) > getattr(second, name) for name in flags)
        or first.colour not in {"", second.colour}
        or file.contraindication not in other.contraindication
        or file.note not in other.note
    )


@transaction.atomic
def withdraw_dose(*, dose: Dose, at: datetime, by: User) -> None:
    """Withdraw a dose that was recorded in error."""
    file = _locked_file(dose.resident)
    if not Dose.objects.valid().filter(pk=dose.pk).update(withdrawn_at=at, withdrawn_by=by):
        raise ClosedError(_("This was taken back already."))
    _count_doses(dose.resident, file, at=at, by=by, did=gettext_noop("undid a dose"))


@transaction.atomic
def give_colour(
    *, resident: Resident, colour: Colour | None, reason: str, at: datetime, by: User
) -> None:
    """Set a colour by hand, with a reason; None returns to the standard."""
    reason = reason.strip()
    if colour and len(reason) < 2:
        raise WordsMissingError(_("Say in a few words why the colour is given by hand."))
    file = _locked_file(resident)
    known = file.known if file else NOTHING
    _save_file(
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
    """Record a need, the responsible user and the next contact."""
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
def record_contact(
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
    Record a contact about a need; set the next one to `next_on`, or close the need for None.

    A second call with the same `key` returns the first contact.
    """
    Need.objects.select_for_update().get(pk=need.pk)
    if existing := Contact.objects.filter(key=key, need=need).first():
        return existing
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


def _locked_file(resident: Resident) -> HealthFile | None:
    # The lock on the resident prevents that two requests create two files.
    Resident.objects.select_for_update().get(pk=resident.pk)
    return HealthFile.objects.filter(resident=resident).first()


def _count_doses(
    resident: Resident, file: HealthFile | None, *, at: datetime, by: User, did: str
) -> None:
    valid = Dose.objects.valid().filter(resident=resident)
    doses = tuple(sorted(Counter(dose.product for dose in valid).items()))
    known = file.known if file else NOTHING
    _save_file(resident, file, replace(known, doses=doses), at=at, by=by, did=did)


def _save_file(
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
    # The audit records the change without its content, which is health data.
    audit.record(by=by, did=did, to=resident)
    return file
