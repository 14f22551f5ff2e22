"""Writing what a dry run finds with COPY: text made by hand, since one writes it for every row."""

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
    """Return what seals texts for rows of a column."""
    field: EncryptedTextField = model._meta.get_field(name)
    return field.sealer()


def copied_sealer(model: Any, name: str) -> Callable[[str, str], str]:
    """Return what seals texts for rows of a column, as COPY reads bytes."""
    seal = sealer(model, name)
    return lambda text, row: f"\\\\x{seal(text, row).hex()}"


def escaped(text: str) -> str:
    """Return a text as COPY reads it; `tidy` has left no line break and no tab in it."""
    return text.replace("\\", "\\\\")


def in_copy(*values: Any) -> str:
    """Return values as COPY reads them; what is sealed is so already."""
    return "\t".join([NULL if value is None else str(value) for value in values])


class _Writer:
    """Collects rows and copies them into a table when asked to."""

    table: str
    columns: tuple[str, ...]

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self._lines: list[str] = []

    def take(self) -> list[str]:
        """Return what was collected, and begin anew."""
        lines, self._lines = self._lines, []
        return lines

    def copy(self, cursor: Any, lines: list[str]) -> None:
        """Copy lines into the table, in the transaction that is open."""
        into = f"COPY {self.table} ({', '.join(self.columns)}) FROM STDIN"
        cursor.copy_expert(into, io.StringIO("".join(lines)))


class RowWriter(_Writer):
    """What became of each row."""

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
        """Collect one row; its note is sealed."""
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
    """What the register is to hold."""

    table = "residents_stagedresident"
    columns = _STAGED

    def write(self, row: int, resident: str, version: int | None, home: str, person: str) -> None:
        """Collect one row; where it lives and who it is stand there as COPY reads them."""
        known = NULL if version is None else version
        self._lines.append(f"{self.roster.pk}\t{row}\t{resident}\t{known}\t{home}\t{person}\n")
