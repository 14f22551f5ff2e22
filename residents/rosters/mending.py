"""The rows that were not taken over, as a file to mend and send again."""

import json
from collections.abc import Iterator
from io import BytesIO

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts import audit
from accounts.models import User
from accounts.xlsx import Row, write_workbook
from residents.models import Roster, RosterRow
from residents.rosters import columns, words

ASIDE = (RosterRow.Outcome.REJECTED, RosterRow.Outcome.DUPLICATE)


@transaction.atomic
def rows_to_mend(*, roster: Roster, by: User) -> bytes:
    """
    Return a workbook of the rows that were put aside: the columns as they were sent, and why.

    Values are texts that no program takes for formulas; the sentences are in the language of
    whoever asks.
    """
    file = BytesIO()
    write_workbook(file, [(_("Rows to mend"), _rows(roster))])
    audit.record(by=by, did=gettext_noop("took the rows to mend of a roster"), to=roster)
    return file.getvalue()


def _rows(roster: Roster) -> Iterator[Row]:
    headings = roster.findings["headings"]
    width = len(headings)
    yield [*headings, _(columns.WHY)]
    aside = RosterRow.objects.filter(roster=roster, outcome__in=ASIDE).order_by("number")
    for row in aside.iterator():
        note = json.loads(row.note)
        cells = [words.original(cell) for cell in note["cells"]]
        short = [""] * (width - len(cells))
        reason = " ".join(words.problems(note))
        yield [*cells[:width], *short, _("Row %(row)d: ") % {"row": row.number} + reason]
