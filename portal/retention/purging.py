"""
Purging the data of a closed outbreak: asked by one, agreed to by another, done by a worker.

A worker deletes table by table, some thousand rows in a transaction with their count. Killed at
any moment it has removed a batch or not; the next one looks for what is still there. At the end
each person gets new pseudonyms, so that the audit's lead to nobody; who is in a later outbreak
by then keeps theirs, for its acts stay traceable until its own purge.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pgtrigger
from django.db import IntegrityError, connection, models, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.auditing.models import AuditEntry, AuditWords
from accounts.exports.models import ExportRequest
from accounts.staff.models import User
from common import clock, locks
from common.encryption import sealed_fields
from common.errors import RefusedError
from portal.retention import certificate, inventory
from portal.retention.closing import NUMBERED
from portal.retention.inventory import PURGED, STAYS, Holding
from portal.retention.models import Purge
from portal.retention.second_voice import unfit
from residents.closings.models import Closing, Frozen
from residents.keypeople.models import Dose
from residents.keypeople.services import day_hash
from residents.rosters import pseudonyms
from residents.rosters.models import Roster

BATCH_SIZE = 2_000  # rows
PEOPLE_AT_ONCE = 100
WORDS = AuditWords._meta.db_table
REASONS = ExportRequest._meta.db_table
ROSTERS = Roster._meta.db_table
_HOLDINGS = {holding.model: holding for holding in PURGED}


class TooEarlyError(RefusedError):
    """The term is not over."""


class NotFitError(RefusedError):
    """The user may not decide on this purge."""


class PurgeHasGoneOnError(RefusedError):
    """The closing was taken back, or another purge of it waits, runs or is done."""

    def __init__(self) -> None:
        super().__init__(_("Meanwhile this purge has gone on. This is how it stands now."))


@transaction.atomic
def ask(*, closing: Closing, at: datetime, by: User) -> Purge:
    """Ask for the purge of a closed outbreak. Raise TooEarlyError or PurgeHasGoneOnError."""
    closing = Closing.objects.select_for_update().get(pk=closing.pk)
    if clock.day_of(at) < closing.purge_from:
        raise TooEarlyError(
            _("These data stay until %(day)s.") % {"day": closing.purge_from.isoformat()}
        )
    left = Frozen.objects.filter(closing=closing).exists()
    going_on = closing.purges.filter(refused_at=None, finished_at=None).exists()
    if closing.withdrawn_at or going_on or not left:
        raise PurgeHasGoneOnError
    purge = Purge.objects.create(
        closing=closing, asked_by=by, asker_employer=by.employer, asked_at=at
    )
    audit.record(by=by, did=gettext_noop("asked for a purge"), to=purge, area=closing.area.code)
    return purge


@transaction.atomic
def approve(*, purge: Purge, at: datetime, by: User) -> None:
    """Agree to a purge; a worker does it. Raise NotFitError or PurgeHasGoneOnError."""
    by = User.objects.select_for_update(of=("self",)).get(pk=by.pk)
    if refusal := unfit(purge=purge, by=by):
        raise NotFitError(refusal)
    waiting = Purge.objects.filter(pk=purge.pk, approved_at=None, refused_at=None)
    if not waiting.update(
        approved_by=by, approver_employer=by.employer, approved_at=at, touched_at=at
    ):
        raise PurgeHasGoneOnError
    audit.record(by=by, did=gettext_noop("agreed to a purge"), to=purge)


@transaction.atomic
def refuse(*, purge: Purge, at: datetime, by: User) -> None:
    """Refuse a purge, or withdraw one's own. Raise PurgeHasGoneOnError."""
    waiting = Purge.objects.filter(pk=purge.pk, approved_at=None, refused_at=None)
    if not waiting.update(refused_by=by, refused_at=at):
        raise PurgeHasGoneOnError
    audit.record(by=by, did=gettext_noop("refused a purge"), to=purge)


def preview(closing: Closing) -> dict[str, tuple[int, int]]:
    """Return what a purge would remove of each table now, and what would stay; change nothing."""
    with transaction.atomic():
        sid = transaction.savepoint()
        hold_back(closing)
        every, going = _counts(closing, kept=True), _counts(closing, kept=False)
        transaction.savepoint_rollback(sid)
    return {label: (going[label], number - going[label]) for label, number in every.items()}


def running() -> list[UUID]:
    """Return the purges that a worker has to go on with."""
    return list(Purge.objects.running().values_list("key", flat=True))


def work(*, key: UUID, at: datetime) -> bool:
    """
    Purge until nothing is left, and certify it; return whether there was anything to do.

    PostgreSQL releases the lock when the worker's connection ends.
    """
    purge = Purge.objects.get(key=key)
    with locks.held(locks.purge(purge.pk), wait=False) as is_held:
        purge = Purge.objects.select_related(
            "closing__area", "closing__closed_by", "asked_by", "approved_by"
        ).get(key=key)
        if not is_held or purge.approved_at is None or purge.finished_at is not None:
            return False
        if purge.before is None:
            _begin(purge)
        try:
            _remove_everything(purge, at)
        except IntegrityError:
            # Meanwhile something came to rest on what was to go: it stays, and the rest goes.
            purge.refresh_from_db(fields=["removed"])
            hold_back(purge.closing)
            _remove_everything(purge, at)
        _finish(purge, at)
    return True


def hold_back(closing: Closing) -> None:
    """
    Mark the people something of another outbreak rests on: all of their data stay.

    Their own may rest on those of others in turn, so it is asked until nobody is found.
    """
    frozen = Frozen.objects.filter(closing=closing)
    frozen.update(held=False)
    while people := _leant_on(closing):
        if not frozen.filter(held=False, resident__in=people).update(held=True):
            return


def _leant_on(closing: Closing) -> set[int]:
    people: set[int] = set()
    for holding in PURGED:
        if holding.by_key:
            continue
        going = holding.of_closing(closing, kept=False)
        for relation in _pointing_to(holding.model):
            pointing = relation.related_model
            rows = pointing._base_manager.filter(**{f"{relation.field.name}__in": going})
            if inner := _HOLDINGS.get(pointing):
                rows = rows.exclude(pk__in=inner.of_closing(closing, kept=False))
            for lookup in holding.people:
                found = rows.values_list(f"{relation.field.name}__{lookup}", flat=True)
                people.update(pk for pk in found if pk is not None)
    return people


def _pointing_to(model: type[models.Model]) -> list[Any]:
    """Return the foreign keys to a model, those without a way back included."""
    return [
        field
        for field in model._meta.get_fields(include_hidden=True)
        if field.auto_created and not field.concrete and field.related_model
    ]


def _counts(closing: Closing, *, kept: bool) -> dict[str, int]:
    """Return how many rows of each table there are to remove or, of three, to empty."""
    return {
        **inventory.counts(closing, kept=kept),
        WORDS: len(_entries_with_words(closing)),
        REASONS: _requests(closing).count(),
        ROSTERS: _rosters(closing).count(),
    }


@transaction.atomic
def _begin(purge: Purge) -> None:
    hold_back(purge.closing)
    purge.before = _counts(purge.closing, kept=True)
    purge.head = certificate.head_of_audit()
    purge.save(update_fields=["before", "head"])


def _remove_everything(purge: Purge, at: datetime) -> None:
    _empty_words_of_requests(purge, at)
    for holding in PURGED:
        while _remove_batch(purge, holding, at):
            pass
    _empty_rosters(purge, at)
    while _forget_people(purge, at):
        pass


@transaction.atomic
def _remove_batch(purge: Purge, holding: Holding, at: datetime) -> int:
    """Delete some rows of a table that no other of it needs; all at once where these ring."""
    rows = holding.of_closing(purge.closing, kept=False)
    free = inventory.leaves_first(rows, holding.model)
    batch = list(free.values_list("pk", flat=True)[:BATCH_SIZE]) or list(
        rows.values_list("pk", flat=True)
    )
    if not batch:
        return 0
    with pgtrigger.ignore():
        removed = holding.model._base_manager.filter(pk__in=batch)._raw_delete("default")
        connection.check_constraints()
    _count(purge, holding.label, int(removed), at)
    return len(batch)


def _entries_with_words(closing: Closing) -> set[int]:
    """Return the entries of the audit that may name these people in words."""
    frozen = _to_forget(closing).order_by("pk")
    keys = list(frozen.values_list("resident__key", flat=True))
    found: set[int] = set()
    for start in range(0, len(keys), 500):
        entries = inventory.entries_about(keys[start : start + 500])
        found.update(entries.filter(words__isnull=False).values_list("pk", flat=True))
    return found | set(_entries_on_requests(closing).values_list("pk", flat=True))


def _requests(closing: Closing) -> "QuerySet[ExportRequest]":
    """Return the requests for unmasked data that still say why in words."""
    asked = ExportRequest.objects.filter(
        area__path__startswith=closing.area.path, asked_at__lte=closing.closed_at
    )
    return asked.exclude(reason="")


def _entries_on_requests(closing: Closing) -> "QuerySet[AuditEntry]":
    subjects = [f"exportrequest:{key}" for key in _requests(closing).values_list("key", flat=True)]
    return AuditEntry.objects.filter(subject__in=subjects, words__isnull=False)


@transaction.atomic
def _empty_words_of_requests(purge: Purge, at: datetime) -> None:
    """Delete why unmasked data were asked for; the ledger itself stays, without words."""
    _count(purge, WORDS, _forget_words(purge, _entries_on_requests(purge.closing)), at)
    _count(purge, REASONS, _requests(purge.closing).update(reason="", refusal=""), at)


def _forget_words(purge: Purge, entries: "QuerySet[AuditEntry]") -> int:
    with_words = list(entries.filter(words__isnull=False))
    if not with_words:
        return 0
    return audit.forget_words(entries=with_words, by=None, why=audit.subject_of(purge))


def _rosters(closing: Closing) -> "QuerySet[Roster]":
    """Return the rosters of the area that still hold something in words."""
    rosters = Roster.objects.filter(
        area__path__startswith=closing.area.path, uploaded_at__lte=closing.closed_at
    )
    return rosters.exclude(state__in=Roster.AT_WORK).exclude(file_name="", outline="")


@transaction.atomic
def _empty_rosters(purge: Purge, at: datetime) -> None:
    rosters = _rosters(purge.closing)
    _count(purge, ROSTERS, rosters.update(file_name="", outline="", purged=True), at)


def _to_forget(closing: Closing) -> QuerySet[Frozen]:
    """Return the frozen people who have to leave the audit: not those in a later outbreak."""
    people = Frozen.objects.filter(closing=closing, held=False)
    for last, model in NUMBERED.items():
        later: QuerySet[Any] = model._base_manager.filter(
            resident=OuterRef("resident"), pk__gt=getattr(closing, last)
        )
        people = people.exclude(Exists(later))
    return people


@transaction.atomic
def _forget_people(purge: Purge, at: datetime) -> int:
    """Give some people new pseudonyms, and delete the words of the audit about the old ones."""
    frozen = _to_forget(purge.closing).select_related("resident")
    locked = list(
        frozen.select_for_update(of=("self", "resident")).order_by("pk")[:PEOPLE_AT_ONCE]
    )
    # Whoever was entering one of them anew has done so when the locks are held.
    some = list(frozen.filter(pk__in=[each.pk for each in locked]))
    entries = inventory.entries_about([each.resident.key for each in some])
    _count(purge, WORDS, _forget_words(purge, entries), at)
    keys = give_new_keys([each.resident_id for each in some])
    pseudonyms.follow(keys=keys, since=purge.closing.closed_at)
    Frozen.objects.filter(pk__in=[each.pk for each in some]).delete()
    return len(locked)


def give_new_keys(people: list[int]) -> dict[UUID, UUID]:
    """
    Give people, and all that stays of them, new pseudonyms; what is sealed for a row is resealed.

    The old ones stand in the audit only, and lead to nobody from then on. Return the new by the
    old.
    """
    keys: dict[UUID, UUID] = {}
    with pgtrigger.ignore():
        for holding in STAYS:
            if any(field.name == "key" for field in holding.model._meta.fields):
                about = Q()
                for lookup in holding.people:
                    about |= Q(**{f"{lookup}__in": people})
                for row in holding.rows.filter(about).distinct():
                    old: UUID = row.key
                    keys[old] = _give_new_key(row)
        for dose in Dose.objects.filter(resident__in=people).select_related("resident"):
            Dose.objects.filter(pk=dose.pk).update(day_hash=day_hash(dose.resident, dose.day))
    return keys


def _give_new_key(row: models.Model) -> UUID:
    fields = [field for field in sealed_fields(type(row)) if "key" in field.bound_to]
    texts = {field: getattr(row, field.name) for field in fields}
    new = uuid4()
    row.key = new  # type: ignore[attr-defined]
    resealed: Mapping[str, Any] = {
        field.name: field.seal_for(text, row) for field, text in texts.items()
    }
    type(row)._base_manager.filter(pk=row.pk).update(key=new, **resealed)
    return new


def _count(purge: Purge, label: str, number: int, at: datetime) -> None:
    """Add to what was removed, in the transaction that removed it, and say so in the audit."""
    purge.removed = {**purge.removed, label: purge.removed.get(label, 0) + number}
    purge.touched_at = at
    purge.save(update_fields=["removed", "touched_at"])
    if number:
        did = gettext_noop("purged rows")
        audit.record(by=None, did=did, to=purge, table=label, rows=number)


@transaction.atomic
def _finish(purge: Purge, at: datetime) -> None:
    purge.finished_at = at
    body = certificate.body(purge, kept=_counts(purge.closing, kept=True))
    # Those who go on: the purge of the later outbreak does the rest.
    Frozen.objects.filter(closing=purge.closing, held=False).delete()
    made = certificate.signed(body)
    purge.certificate, purge.sha256 = made, made["sha256"]
    purge.save(update_fields=["finished_at", "certificate", "sha256"])
    audit.record(
        by=None,
        did=certificate.CERTIFIED,
        to=purge,
        area=purge.closing.area.code,
        rows=purge.done,
        certificate=purge.sha256,
    )
