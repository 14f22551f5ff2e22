"""Record exports in the ledger, and in the audit with the pseudonyms of all people in them."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.exports.models import Export, ExportRequest
from accounts.staff.models import Area, User
from common import locks
from common.errors import RefusedError

# More than anybody's work needs; limits what a stolen session can take.
MOST_AN_HOUR = 20
HOUR = timedelta(hours=1)
TOOK_FILE = gettext_noop("took a file")
AT_ONCE = 1_000  # pseudonyms in one entry of the audit


class TooManyExportsError(RefusedError):
    """A user has reached the hourly limit of exports."""

    def __init__(self) -> None:
        super().__init__(
            _("You have taken %(count)d files within an hour. Try again later.")
            % {"count": MOST_AN_HOUR}
        )


def next_number() -> int:
    """Return the number of the next export; the file needs it before it is recorded."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('accounts_export', 'id'))")
        return int(cursor.fetchone()[0])


def refuse_too_many(*, by: User, at: datetime) -> None:
    """Raise TooManyExportsError if the user has reached the hourly limit."""
    if Export.objects.filter(by=by, at__gt=at - HOUR).count() >= MOST_AN_HOUR:
        raise TooManyExportsError


@transaction.atomic
def enter(
    *,
    number: int,
    what: str,
    area: Area | None,
    filters: Mapping[str, str],
    kind: str,
    content: bytes,
    rows: int,
    people: Iterable[UUID],
    at: datetime,
    by: User,
    request: ExportRequest | None = None,
    fields: Iterable[str] = (),
) -> Export:
    """
    Record a file under its number; `people` are the pseudonyms of all people in it.

    Raise TooManyExportsError if the hourly limit was reached while it was made.
    """
    locks.hold_for_transaction(locks.limit("exports", by.pk))
    refuse_too_many(by=by, at=at)
    export = Export(
        pk=number,
        at=at,
        by=by,
        what=what,
        area=area,
        filters=dict(filters),
        format=kind,
        fields=list(request.fields if request else fields),
        rows=rows,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        request=request,
    )
    export.save(force_insert=True)
    chunks = _chunks(people)
    audit.record(
        by=by,
        did=TOOK_FILE,
        to=export,
        shown=next(chunks, []),
        list=what,
        area=area.code if area else "",
        rows=rows,
        unmasked=export.fields,
        request=str(request.key) if request else "",
        ledger=digest(export),
    )
    for chunk in chunks:
        audit.record(by=by, did=gettext_noop("took a file (more people)"), to=export, shown=chunk)
    return export


def _chunks(people: Iterable[UUID]) -> Iterator[list[UUID]]:
    keys = list(dict.fromkeys(people))
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]


def digest(export: Export) -> str:
    """Return the digest of a row of the ledger, which the audit stores for the chain."""
    content = [
        *(export.pk, audit.utc_timestamp(export.at), export.by_id, export.what, export.area_id),
        *(export.filters, export.format, export.fields, export.rows, export.size),
        *(export.sha256, export.request_id),
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
