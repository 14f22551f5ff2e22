"""
Make export files for Excel or WPS: marked, and without cells that a program would run.

Reasons for the marks and for escaping formulas: docs/decisions/0017-marked-files.md.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.exports.models import FileFormat
from accounts.staff.models import User
from common.workbooks import Cell, Imprint, Row, write_workbook

# Characters that programs read as the start of a formula, also after invisible blanks.
_FORMULA = re.compile(
    "[\\s\\x00\u180e\u200b-\u200f\u2028-\u202f\u2060\ufeff]*[=+\\-@＝＋－＠﹢﹣﹦﹫]|[\t\r\n\\x00]"
)
# Excel keeps 15 digits of a number, and shows more than 11 as a power of ten.
_LONG_NUMBER = re.compile("[0-9]{12,}")
KINDS = {
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileFormat.CSV: "text/csv; charset=utf-8",
    FileFormat.ZIP: "application/zip",
}
BOM = "\ufeff"


@dataclass(frozen=True)
class Stamp:
    """The marks of a file: its number in the ledger, author, time, title and unmasked fields."""

    number: int
    by: User
    at: datetime
    title: str
    unmasked: Sequence[str]

    @property
    def line(self) -> str:
        """Return the sentence for the first row, the header and the footer."""
        return _(
            "Export No. %(number)d · %(masked)s · %(who)s · %(when)s · for epidemic prevention"
            " only, do not pass on"
        ) % {
            "number": self.number,
            "masked": self._masking,
            "who": self._who,
            "when": date_format(localtime(self.at), "Y-m-d H:i"),
        }

    @property
    def mark(self) -> Imprint:
        """Return the imprint for printed pages and document properties."""
        return Imprint(f"{self.title} · {self.number}", self.line, self._who, self.at)

    @property
    def _who(self) -> str:
        return f"{self.by} ({self.by.username})" if self.by.name else self.by.username

    @property
    def _masking(self) -> str:
        if not self.unmasked:
            return _("masked")
        joined = pgettext("joins names", ", ").join(self.unmasked)
        return _("unmasked: %(fields)s") % {"fields": joined}


def make_file(*, stamp: Stamp, kind: str, headings: Sequence[str], rows: Iterable[Row]) -> bytes:
    """Return a file with the rows, each followed by the number of the export."""
    marked = _marked_rows(stamp, headings, rows)
    file = io.BytesIO()
    if kind == FileFormat.XLSX:
        write_workbook(file, [(stamp.title, marked)], headings=2, mark=stamp.mark)
    else:
        _write_csv(file, marked)
    return file.getvalue()


def _marked_rows(stamp: Stamp, headings: Sequence[str], rows: Iterable[Row]) -> Iterator[Row]:
    yield [stamp.line]
    yield [*headings, _("Export No.")]
    # In every row, so that a part of the file, or a picture of it, still shows its origin.
    number = f"No.{stamp.number}"
    for row in rows:
        yield [*row, number]


def _write_csv(file: io.BytesIO, rows: Iterable[Row]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    text.write(BOM)
    writer = csv.writer(text)
    for row in rows:
        writer.writerow([escaped_for_csv(cell) for cell in row])
    text.flush()
    text.detach()


def escaped_for_csv(cell: Cell) -> str | int | float | None:
    """Return a CSV cell that no program reads as a formula and that loses no digits."""
    if isinstance(cell, date):
        return cell.isoformat()
    if not isinstance(cell, str):
        return cell
    if _FORMULA.match(cell):
        return f"'{cell}"
    return f"{cell}\t" if _LONG_NUMBER.fullmatch(cell) else cell


def dialling_format(phone: str) -> str:
    """Return a phone as dialled in the mainland, without "+", which would start a formula."""
    return phone.removeprefix("+86") if phone.startswith("+86") else phone.replace("+", "00", 1)
