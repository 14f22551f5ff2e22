"""
Anchors of the audit's hash chain: its head, appended to a file outside the database.

A chain cannot detect that its own end was cut off. So its head is written to a file each night; a
copy of that file kept elsewhere allows the comparison.
"""

from datetime import datetime
from pathlib import Path

from accounts.auditing.chain import head_line
from accounts.auditing.models import AuditSeal


def read(path: Path) -> list[tuple[int, str]]:
    """Return number and digest of every anchored seal; an empty list if there is no file."""
    if not path.exists():
        return []
    lines = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return [(int(number), digest) for _at, number, digest in lines]


def note(path: Path, head: AuditSeal, *, at: datetime) -> None:
    """Append a head to the file of anchors."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{at.isoformat(timespec='seconds')} {head_line(head)}\n")
