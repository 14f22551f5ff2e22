"""Making the file of a list: at once for a short one, by a worker for a long one."""

import base64
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.exports import ledger
from accounts.exports.files import Stamp, make_file
from accounts.exports.models import (
    FILE_KEPT,
    Export,
    ExportFile,
    ExportRequest,
    Sensitive,
)
from accounts.exports.requests import RequestNotWaitingError
from accounts.staff.models import User
from common.errors import RefusedError
from common.workbooks import Row
from portal.exports.lists import LISTS, ExportableList, ExportScope

# Longer lists are made by a worker: nobody waits for a page, and no page for them.
SHORT = 2_000
MOST_ROWS = 1_000_000  # a sheet holds little more
MOST_UNMASKED = 5_000


class NotYoursError(RefusedError):
    """A list that the reader may not see, or not any more."""

    def __init__(self) -> None:
        super().__init__(_("You are no longer responsible for this area."))


class TooLongError(RefusedError):
    """A list with more rows than a file may have."""


class BeingMadeError(RefusedError):
    """A second long list while the first is being made."""

    def __init__(self) -> None:
        super().__init__(_("Your last file is still being made. Wait until it is done."))


def refuse_too_long(rows: int, *, unmasked: bool) -> None:
    """Raise TooLongError where a list has more rows than may leave in one file."""
    most = MOST_UNMASKED if unmasked else MOST_ROWS
    if rows > most:
        raise TooLongError(
            _("This list has %(rows)s rows; a file may have %(most)s. Narrow it first.")
            % {"rows": f"{rows:,}", "most": f"{most:,}"}
        )


@transaction.atomic
def make(
    *, what: str, scope: ExportScope, kind: str, request: ExportRequest | None = None
) -> tuple[Export, bytes]:
    """Make a file and enter it in the ledger; RequestNotWaitingError for a second of a request."""
    by, listing = scope.by, LISTS[what]
    if not by.is_active or by.role not in listing.roles or not _answers_for(scope):
        raise NotYoursError
    ledger.refuse_too_many(by=by, at=scope.at)
    stamp = Stamp(
        number=ledger.next_number(),
        by=by,
        at=scope.at,
        title=str(listing.what.label),
        unmasked=[str(Sensitive(column).label) for column in scope.unmasked],
    )
    if listing.whole:
        if request is None:
            raise NotYoursError
        content, rows, people = listing.whole(scope, stamp)
    else:
        content, rows, people = _made_of_rows(listing, scope, stamp, kind)
    try:
        with transaction.atomic():
            export = ledger.enter(
                number=stamp.number,
                what=what,
                area=scope.area,
                filters=scope.filters,
                kind=kind,
                content=content,
                rows=rows,
                people=people,
                request=request,
                at=scope.at,
                by=by,
            )
    except IntegrityError as error:
        if "request_id" not in str(error):
            raise
        raise RequestNotWaitingError from error
    return export, content


def _made_of_rows(
    listing: ExportableList, scope: ExportScope, stamp: Stamp, kind: str
) -> tuple[bytes, int, list[UUID]]:
    """Return the file of a list, its number of rows and who stands in it."""
    people: list[UUID] = []
    rows = 0

    def counted() -> Iterator[Row]:
        nonlocal rows
        for person, cells in listing.rows(scope):
            rows += 1
            if person:
                people.append(person)
            yield cells

    headings = [str(heading) for heading in listing.headings]
    content = make_file(stamp=stamp, kind=kind, headings=headings, rows=counted())
    refuse_too_long(rows, unmasked=bool(scope.unmasked))
    return content, rows, people


def _answers_for(scope: ExportScope) -> bool:
    area, listing_of_all = scope.area, scope.by.role == "auditor"
    if area is None:
        return listing_of_all
    return any(area.path.startswith(path) for path in scope.by.area_paths)


def scope_of(*, request: ExportRequest, at: datetime, by: User) -> ExportScope:
    """Return what two people agreed on; raise RequestNotWaitingError where they did not."""
    agreed = ExportRequest.objects.agreed(at).filter(pk=request.pk, asked_by=by)
    if not agreed.exists():
        raise RequestNotWaitingError
    return ExportScope(by, request.area, at, request.filters, tuple(request.fields))


@transaction.atomic
def order_file(
    *,
    what: str,
    scope: ExportScope,
    kind: str,
    language: str,
    request: ExportRequest | None = None,
) -> ExportFile:
    """Order a file from a worker, deleting one that waits to be fetched. Raise BeingMadeError."""
    ledger.refuse_too_many(by=scope.by, at=scope.at)
    User.objects.select_for_update(of=("self",)).get(pk=scope.by.pk)
    before = ExportFile.objects.filter(by=scope.by)
    if before.filter(export=None, refusal="", asked_at__gt=scope.at - FILE_KEPT).exists():
        raise BeingMadeError
    before.delete()
    file = ExportFile.objects.create(
        by=scope.by,
        what=what,
        area=scope.area,
        filters=dict(scope.filters),
        format=kind,
        language=language,
        request=request,
        asked_at=scope.at,
    )
    audit.record(by=scope.by, did=gettext_noop("ordered a file"), to=f"file:{file.key}", list=what)
    return file


@transaction.atomic
def make_ordered(*, key: UUID, at: datetime) -> bool:
    """Make an ordered file; return whether there was one to make."""
    waiting = ExportFile.objects.filter(key=key, export=None, refusal="")
    file = (
        waiting.select_related("by", "area", "request")
        .select_for_update(of=("self",), skip_locked=True)
        .first()
    )
    if file is None:
        return False
    with translation.override(file.language):
        try:
            with transaction.atomic():
                file.export, content = _make(file, at)
        except RefusedError as refused:
            file.refusal = refused.sentence[:200]
        else:
            file.content = base64.b64encode(content).decode()
    file.save(update_fields=["export", "refusal", "content"])
    return True


def _make(file: ExportFile, at: datetime) -> tuple[Export, bytes]:
    if file.request:
        scope = scope_of(request=file.request, at=at, by=file.by)
    else:
        scope = ExportScope(file.by, file.area, at, file.filters)
    return make(what=file.what, scope=scope, kind=file.format, request=file.request)


@transaction.atomic
def fetch(*, by: User) -> tuple[Export, bytes] | None:
    """Return the file that was made for a user, once; None where there is none."""
    made = ExportFile.objects.filter(by=by, export__isnull=False)
    file = made.select_related("export").select_for_update(of=("self",)).first()
    if file is None or file.export is None:
        return None
    content = base64.b64decode(file.content)
    audit.record(by=by, did=gettext_noop("fetched a file"), to=file.export)
    file.delete()
    return file.export, content


def waiting_files() -> list[UUID]:
    """Return the files that are still to be made."""
    return list(ExportFile.objects.filter(export=None, refusal="").values_list("key", flat=True))


def expire(*, at: datetime) -> int:
    """Delete the files that nobody fetched within the hour, and count them."""
    old = ExportFile.objects.filter(asked_at__lt=at - FILE_KEPT - timedelta(minutes=5))
    old |= ExportFile.objects.filter(export__at__lt=at - FILE_KEPT)
    return old.delete()[0]
