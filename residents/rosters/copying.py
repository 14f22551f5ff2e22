"""Write the results of a dry run with COPY, formatting the text by hand for speed."""

import io
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from common.encryption import EncryptedTextField
from residents.rosters.models import Roster, RosterRow

_ROW = ("roster_id", "number", "outcome", "resident", "household", "fate", "note")
_STAGED = (
    *("roster_id", "row", "resident", "version"),
    *("grid_id", "building", "building_key", "unit", "unit_key", "floor"),
    *("household", "door", "door_hash", "door_key"),
    *("name", "name_key", "name_words", "name_hash", "document_type"),
    *("number", "number_hash", "number_end", "sex", "birth_date"),
    *("phone", "phone_hash", "phone_end", "emergency_name", "emergency_phone"),
)


NULL = "\\N"


def sealer(model: Any, name: str) -> Callable[[str, str], bytes]:
    """Return the function that seals texts for a field."""
    field: EncryptedTextField = model._meta.get_field(name)
    return field.sealer()


def copy_sealer(model: Any, name: str) -> Callable[[str, str], str]:
    """Return the function that seals texts for a field, as bytea for COPY."""
    seal = sealer(model, name)
    return lambda text, row: f"\\\\x{seal(text, row).hex()}"


def escaped(text: str) -> str:
    """Return a text escaped for COPY; `tidy` has removed line breaks and tabs."""
    return text.replace("\\", "\\\\")


def copy_fields(*values: Any) -> str:
    """Return values in the format of COPY; sealed values are formatted already."""
    return "\t".join([NULL if value is None else str(value) for value in values])


class _Writer:
    """Collects lines, and copies them into a table."""

    table: str
    columns: tuple[str, ...]

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self._lines: list[str] = []

    def take(self) -> list[str]:
        """Return the collected lines, and clear them."""
        lines, self._lines = self._lines, []
        return lines

    def copy(self, cursor: Any, lines: list[str]) -> None:
        """Copy lines into the table, in the open transaction."""
        into = f"COPY {self.table} ({', '.join(self.columns)}) FROM STDIN"
        cursor.copy_expert(into, io.StringIO("".join(lines)))


class RowWriter(_Writer):
    """Writes the outcome of each row."""

    table = RosterRow._meta.db_table
    columns = _ROW

    def __init__(self, roster: Roster) -> None:
        super().__init__(roster)
        self._seal = sealer(RosterRow, "note")

    def write(
        self,
        number: int,
        outcome: str,
        resident: UUID | str | None = None,
        household: UUID | str | None = None,
        note: dict[str, Any] | None = None,
    ) -> None:
        """Add one row; its note is sealed."""
        sealed = self.sealed(number, note) if note else b""
        self._lines.append(
            f"{self.roster.pk}\t{number}\t{outcome}\t{resident or NULL}\t{household or NULL}\t\t"
            f"\\\\x{sealed.hex()}\n"
        )

    def sealed(self, number: int, note: dict[str, Any]) -> bytes:
        """Return a note sealed for its row."""
        text = json.dumps(note, ensure_ascii=False, default=str)
        return self._seal(text, f"{self.roster.pk}:{number}")


class StagedWriter(_Writer):
    """Writes the staged residents."""

    table = "residents_stagedresident"
    columns = _STAGED

    def write(self, row: int, resident: str, version: int | None, home: str, person: str) -> None:
        """Add one row; `home` and `person` are in the format of COPY."""
        known = NULL if version is None else version
        self._lines.append(f"{self.roster.pk}\t{row}\t{resident}\t{known}\t{home}\t{person}\n")
