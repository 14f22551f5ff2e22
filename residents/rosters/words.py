"""Texts for a roster's pages, translated and with personal data masked."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from residents.register import masking
from residents.register.models import Resident
from residents.rosters.models import Roster, RosterRow
from residents.rosters.sheets import columns
from residents.rosters.sheets.reading import REFUSALS, letter


def refusal(roster: Roster) -> str:
    """Return why a file was refused."""
    sentence = str(_(REFUSALS[roster.refusal["why"]]))
    parameters: dict[str, Any] = roster.refusal["given"]
    return sentence % parameters


def problems(note: dict[str, Any]) -> list[str]:
    """Return the sentences on why a row was put aside, with their columns."""
    sentences = []
    for field, sentence, parameters in note.get("why", ()):
        text = _(sentence) % parameters if parameters else _(sentence)
        label = columns.FIELDS.get(field)
        sentences.append(f"{label}: {text}" if label else text)
    return sentences


def reasons(roster: Roster) -> list[dict[str, Any]]:
    """Return why rows were rejected, most rows first, with the numbers of the first of them."""
    return [
        {
            "sentence": problems({"why": [(field, sentence, parameters)]})[0],
            "rows": rows,
            "examples": examples,
            "more": rows > len(examples),
        }
        for field, sentence, rows, examples, parameters in roster.findings.get("reasons", ())
    ]


def changes(note: dict[str, Any]) -> list[dict[str, str]]:
    """Return the changes of a row, masked: field, before and after."""
    return [
        {
            "field": str(columns.FIELDS.get(name, name)),
            "before": masked(name, before),
            "after": masked(name, after),
        }
        for name, before, after in note.get("changes", ())
        if name != "household"
    ]


def masked(field: str, value: Any) -> str:
    """Return a value masked for pages."""
    if value is None or value == "":
        return "—"
    mask = _MASKS.get(field, str)
    return mask(str(value))


def _sex(value: str) -> str:
    return str(dict(Resident.Sex.choices).get(value, value))


_MASKS: dict[str, Callable[[str], str]] = {
    columns.NAME: masking.mask_name,
    columns.EMERGENCY: masking.mask_name,
    columns.PHONE: masking.mask_phone,
    columns.EMERGENCY_PHONE: masking.mask_phone,
    columns.NUMBER: masking.mask_number,
    columns.BORN: lambda day: f"{day[:4]}-**-**",
    columns.ADDRESS: masking.mask_address,
    columns.SEX: _sex,
}


def sample(cell: Any) -> str:
    """Return the first characters of a cell: enough to recognise the column, not the person."""
    if isinstance(cell, dict):
        cell = next(iter(cell.values()))
    text = " ".join(str(cell).split())
    if len(text) < 2:
        return text
    return text[: min(3, len(text) // 2)] + "*" * min(len(text) - 1, 8)


def who(row: RosterRow, roster: Roster, note: dict[str, Any]) -> str:
    """Return the masked name of a row that was put aside."""
    cells, index = note.get("cells", []), roster.columns.get(columns.NAME, -1)
    if not 0 <= index < len(cells):
        return ""
    text = str(cells[index]).strip()
    return masking.mask_name(text) if text else ""


def findings(roster: Roster) -> Iterable[tuple[str, str]]:
    """Yield the findings in the file, each with its severity."""
    noted = roster.findings
    sheet = noted.get("sheet")
    if not sheet:
        return
    if noted.get("at_limit"):
        yield (
            "error",
            _(
                "The sheet ends at row %(last)s, exactly where a file format ends. Rows may be"
                " missing: ask the sender how many people the roster has."
            )
            % {"last": f"{sheet['last']:,}"},
        )
    for name, rows in noted.get("others", ()):
        yield (
            "warning",
            ngettext(
                "The sheet “%(name)s” holds %(rows)d row and was not read. Upload the file again"
                " to import it as well.",
                "The sheet “%(name)s” holds %(rows)d rows and was not read. Upload the file again"
                " to import it as well.",
                rows,
            )
            % {"name": name, "rows": rows},
        )
    for row, word in noted.get("footers", ()):
        yield (
            "info",
            _("Row %(row)d (%(word)s) is no person and was passed over.")
            % {"row": row, "word": word},
        )
    for key, say in _COUNTED.items():
        if number := noted.get(key, sheet.get(key, 0)):
            yield "info", say(number)
    if sheet["hidden_columns"]:
        spans = ", ".join(
            letter(first) if first == last else f"{letter(first)}–{letter(last)}"
            for first, last in sheet["hidden_columns"]
        )
        yield (
            "info",
            _("Hidden columns were read like the others: %(columns)s.") % {"columns": spans},
        )


def _titles(number: int) -> str:
    return ngettext(
        "%(number)d row above the headings was taken for a title.",
        "%(number)d rows above the headings were taken for titles.",
        number,
    ) % {"number": number}


def _hidden_rows(number: int) -> str:
    return ngettext(
        "%(number)d hidden row was read like the others.",
        "%(number)d hidden rows were read like the others.",
        number,
    ) % {"number": number}


def _merged(number: int) -> str:
    return ngettext(
        "%(number)d merged cell counts for each row that it covers.",
        "%(number)d merged cells count for each row that they cover.",
        number,
    ) % {"number": number}


def _formulas(number: int) -> str:
    return ngettext(
        "%(number)d formula was read as the value that Excel last showed.",
        "%(number)d formulas were read as the values that Excel last showed.",
        number,
    ) % {"number": number}


def _formulas_empty(number: int) -> str:
    return ngettext(
        "%(number)d formula has no value in the file and was read as empty. Open the file in"
        " Excel or WPS and save it to fill it.",
        "%(number)d formulas have no value in the file and were read as empty. Open the file in"
        " Excel or WPS and save it to fill them.",
        number,
    ) % {"number": number}


def _errors(number: int) -> str:
    return ngettext(
        "%(number)d cell shows an error such as #N/A and was read as empty.",
        "%(number)d cells show an error such as #N/A and were read as empty.",
        number,
    ) % {"number": number}


_COUNTED = {
    "titles": _titles,
    "hidden_rows": _hidden_rows,
    "merged": _merged,
    "formulas": _formulas,
    "formulas_empty": _formulas_empty,
    "errors": _errors,
}


def original(cell: Any) -> Any:
    """Return a cell for writing it to a file again."""
    if isinstance(cell, dict):
        return date.fromisoformat(cell["day"])
    return str(cell) if isinstance(cell, bool) else cell
