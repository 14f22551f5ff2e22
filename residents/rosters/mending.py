"""The rows that were put aside, as a file to correct and send again."""

import json
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.exports import ledger
from accounts.exports.files import Stamp
from accounts.exports.models import ExportedList, FileFormat, Sensitive
from accounts.staff.models import User
from common.workbooks import Row, write_workbook
from residents.rosters import words
from residents.rosters.models import Roster, RosterRow
from residents.rosters.sheets import columns

ASIDE = (RosterRow.Outcome.REJECTED, RosterRow.Outcome.DUPLICATE)


@transaction.atomic
def rows_to_mend(*, roster: Roster, at: datetime, by: User) -> bytes:
    """
    Return a workbook of the rows that were put aside, with their columns and the reasons.

    Values are texts that no program reads as formulas; the reasons are in the user's language.
    Since the file is sent again, it has no rows of marks, only marks on printed pages and in the
    properties. It is recorded in the ledger like any export.
    """
    title = _("Rows to correct")
    unmasked = [str(field.label) for field in Sensitive]
    stamp = Stamp(ledger.next_number(), by, at, title, unmasked)
    file = BytesIO()
    write_workbook(file, [(title, _rows(roster))], mark=stamp.mark)
    rows_aside = _aside(roster)
    export = ledger.enter(
        number=stamp.number,
        what=ExportedList.MEND,
        area=roster.area,
        filters={},
        kind=FileFormat.XLSX,
        content=file.getvalue(),
        rows=rows_aside.count(),
        people=[row.resident for row in rows_aside.only("resident") if row.resident],
        fields=Sensitive.values,
        at=at,
        by=by,
    )
    audit.record(
        by=by,
        did=gettext_noop("took the rows to correct of a roster"),
        to=roster,
        export=export.pk,
    )
    return file.getvalue()


def _aside(roster: Roster) -> QuerySet[RosterRow]:
    return RosterRow.objects.filter(roster=roster, outcome__in=ASIDE).order_by("number")


def _rows(roster: Roster) -> Iterator[Row]:
    headings = roster.findings["headings"]
    width = len(headings)
    yield [*headings, _(columns.WHY)]
    for row in _aside(roster).iterator():
        note = json.loads(row.note)
        cells = [words.original(cell) for cell in note["cells"]]
        short = [""] * (width - len(cells))
        reason = " ".join(words.problems(note))
        yield [*cells[:width], *short, _("Row %(row)d: ") % {"row": row.number} + reason]
